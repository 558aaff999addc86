/** Derives the size of a pointer from the types, as libbpf does (determine_ptr_size). */
import type { IntType } from "../types.js";

const LONG_NAMES = new Set([
  "long",
  "long int",
  "int long",
  "unsigned long",
  "long unsigned",
  "unsigned long int",
  "unsigned int long",
  "long unsigned int",
  "long int unsigned",
  "int unsigned long",
  "int long unsigned",
]);

/** Returns the size in bytes of the first INT of 4 or 8 bytes with a spelling of `long` as its name. */
export function pointerSizeOf(ints: Iterable<IntType>): 4 | 8 | undefined {
  for (const type of ints) {
    if ((type.byteSize === 4 || type.byteSize === 8) && LONG_NAMES.has(type.name)) return type.byteSize;
  }
  return undefined;
}
