/** The size of a pointer, guessed as libbpf guesses it (determine_ptr_size). */
import type { Btf } from "../btf.js";

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

/** Size in bytes of the first own INT of 4 or 8 bytes that is called some `long`. */
export function pointerSizeOf(btf: Btf): 4 | 8 | undefined {
  for (const type of btf.ofKind("int", { own: true })) {
    if ((type.byteSize === 4 || type.byteSize === 8) && LONG_NAMES.has(type.name)) return type.byteSize;
  }
  return undefined;
}
