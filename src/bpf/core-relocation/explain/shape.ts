/** Describes a type as a person compares it with another. */
import type { BtfType } from "../../../btf/types.js";
import { describe, skipModifiers } from "../types.js";

/** Returns text such as `int u32`, `pointer to struct mm_struct`, `array of int int`. */
export function shape(type: BtfType): string {
  const at = skipModifiers(type);
  if (at.kind === "ptr") return `pointer to ${withoutId(at.target)}`;
  if (at.kind === "array") return `array of ${withoutId(at.element)}`;
  return withoutId(at);
}

function withoutId(type: BtfType): string {
  return describe(skipModifiers(type)).replace(/ \[\d+\]$/, "");
}
