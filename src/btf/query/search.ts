/** Search in the names of types, for lists that follow each keystroke. */

import { ERR_PATTERN_LENGTH } from "../../errors/btf.js";
import { BtfLimitError } from "../../errors/error.js";
import type { Image } from "../image.js";
import { encode } from "../strings.js";

/** KSYM_NAME_LEN: no name of a kernel is longer. */
const PATTERN_LIMIT = 512;
const ALL_KINDS = 0xffffffff;

export interface NameSearch {
  readonly pattern: string;
  readonly prefix: boolean;
  /** A kind's number, or -1 for all. */
  readonly kind: number;
  readonly limit: number;
  /** Leave the base's types out. */
  readonly own: boolean;
}

/**
 * Ids, ascending, of the named types whose name holds the pattern or starts
 * with it. An empty pattern is in every name.
 */
export function searchNames(image: Image, search: NameSearch): Uint32Array {
  const pattern = encode(search.pattern);
  if (pattern.length > PATTERN_LIMIT) {
    throw new BtfLimitError(ERR_PATTERN_LENGTH, { value: pattern.length, limit: PATTERN_LIMIT });
  }
  // No name holds a NUL, and a base's types have no strings of a split.
  if (pattern.includes(0)) return new Uint32Array(0);
  const chain: Image[] = [];
  for (let at: Image | undefined = image; at; at = at.base) chain.push(at);
  const { arena } = image;
  image.check();
  const mark = arena.mark;
  try {
    const at = arena.allocate(pattern.length);
    arena.bytes.set(pattern, at);
    const bitmaps = chain.map((owner) => arena.allocate((Math.floor(owner.header.stringsLength / 64) + 1) * 8));
    const addresses = arena.allocate(chain.length * 4);
    bitmaps.forEach((bits, i) => {
      arena.view.setUint32(addresses + i * 4, bits, true);
      if (pattern.length === 0)
        arena.bytes.fill(0xff, bits, bits + (Math.floor(chain[i]!.header.stringsLength / 64) + 1) * 8);
      else arena.run((kernel) => kernel.markMatches(chain[i]!.address, at, pattern.length, +search.prefix, bits));
    });
    const kinds = search.kind < 0 ? ALL_KINDS : 1 << search.kind;
    const owners = search.own ? [0] : chain.map((_, i) => i).reverse();
    const room = Math.min(search.limit, image.idLimit);
    const out = arena.allocate(room * 4);
    let found = 0;
    for (const i of owners) {
      const { address, firstId } = chain[i]!;
      found += arena.run((kernel) =>
        kernel.collectMarked(address, addresses + i * 4, kinds, firstId, out + found * 4, room - found),
      );
    }
    return new Uint32Array(arena.bytes.buffer, out, found).slice();
  } finally {
    arena.rewind(mark);
  }
}
