/** Describes types in the words of reports. */

import type { BtfType } from "../../btf/types.js";
import { describe, skipModifiers } from "../core-relocation/types.js";

/** Pointers to pointers that are followed. */
const DEPTH = 8;

/** Returns text such as `int`, `struct path`, `a pointer to struct path`, `a pointer to a function`. */
export function inWords(type: BtfType, depth = DEPTH): string {
  const at = skipModifiers(type);
  switch (at.kind) {
    case "void":
      return "void";
    case "int":
    case "float":
      return at.name;
    case "ptr":
      return depth > 0 ? `a pointer to ${inWords(at.target, depth - 1)}` : "a pointer";
    case "func_proto":
      return "a function";
    default:
      return describe(at);
  }
}
