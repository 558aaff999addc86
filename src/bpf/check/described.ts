/** Types in the words of reports. */

import type { BtfType } from "../../btf/types.js";
import { describe, skip } from "../core-relocation/types.js";

/** How deep pointers are followed. */
const DEPTH = 8;

/** `int`, `struct path`, `a pointer to struct path`, `a pointer to a function`. */
export function described(type: BtfType, depth = DEPTH): string {
  const at = skip(type);
  switch (at.kind) {
    case "void":
      return "void";
    case "int":
    case "float":
      return at.name;
    case "ptr":
      return depth > 0 ? `a pointer to ${described(at.target, depth - 1)}` : "a pointer";
    case "func_proto":
      return "a function";
    default:
      return describe(at);
  }
}
