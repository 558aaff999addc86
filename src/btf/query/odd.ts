/** What C cannot take, such as Rust's names. */
import type { Btf } from "../btf.js";

/**
 * Tells whether a name of a type, member, parameter or enumerator is no C identifier, or the
 * members of a struct are not in the order of their offsets.
 */
export function isOdd(btf: Btf): boolean {
  const { image } = btf;
  image.check();
  return image.arena.run((kernel) => kernel.isOdd(image.address)) !== 0;
}
