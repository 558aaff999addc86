/** Names that C cannot take, such as Rust's. */
import type { Btf } from "../btf.js";
import type { BtfType } from "../types.js";

/**
 * Returns the number of names of types, members, parameters and enumerators that are not C
 * identifiers, and the first type that is or has such a one.
 */
export function oddNames(btf: Btf): { count: number; first: BtfType | undefined } {
  const { image } = btf;
  image.check();
  const { arena } = image;
  const mark = arena.mark;
  try {
    const at = arena.allocate(4);
    const count = arena.run((kernel) => kernel.oddNames(image.address, at)) >>> 0;
    return { count, first: count > 0 ? btf.get(arena.view.getUint32(at, true)) : undefined };
  } finally {
    arena.rewind(mark);
  }
}
