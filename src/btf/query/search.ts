/** Search in the names of types, for lists that follow each keystroke. */

import { ERR_PATTERN_LENGTH } from "../../errors/btf.js";
import { BtfLimitError } from "../../errors/error.js";
import type { Image } from "../image.js";
import { encode } from "../strings.js";

/** Bytes. KSYM_NAME_LEN: no name of a kernel is longer. */
const PATTERN_LIMIT = 512;
const ALL_KINDS = 0xffffffff;

export interface NameSearch {
  readonly pattern: string;
  readonly match: "substring" | "prefix" | "exact";
  /** A kind's number, or -1 for all. */
  readonly kind: number;
  readonly limit: number;
  /** Leave the base's types out. */
  readonly own: boolean;
}

/**
 * Ids, ascending, of the named types whose name holds the pattern, starts with
 * it, or is it. An empty pattern is in every name.
 */
export function searchNames(image: Image, { pattern, match, kind, limit, own }: NameSearch): Uint32Array {
  // No name holds a NUL, and a base's types have no strings of a split.
  if (pattern.includes("\0")) return new Uint32Array(0);
  const bytes = encode(match === "exact" ? `${pattern}\0` : pattern);
  if (bytes.length > PATTERN_LIMIT) {
    throw new BtfLimitError(ERR_PATTERN_LENGTH, { value: bytes.length, limit: PATTERN_LIMIT });
  }
  const { arena } = image;
  return marking(image, bytes, match !== "substring", ({ chain, addresses }) => {
    const kinds = kind < 0 ? ALL_KINDS : 1 << kind;
    const owners = own ? [0] : chain.map((_, i) => i).reverse();
    const room = Math.min(limit, image.idLimit);
    const out = arena.allocate(room * 4);
    let found = 0;
    for (const i of owners) {
      const { address, firstId } = chain[i]!;
      found += arena.run((kernel) =>
        kernel.collectMarked(address, addresses + i * 4, kinds, firstId, out + found * 4, room - found),
      );
    }
    return new Uint32Array(arena.bytes.buffer, out, found).slice();
  });
}

/** Whether the strings hold this text somewhere; a NUL may be its last character. */
export function holdsText(image: Image, text: string): boolean {
  return marking(image, encode(text), true, ({ any }) => any > 0);
}

interface Marks {
  /** The image and its bases. */
  readonly chain: readonly Image[];
  /** Addresses of their bitmaps, a bit per string offset. */
  readonly addresses: number;
  /** Not 0: there is a match. */
  readonly any: number;
}

function marking<T>(image: Image, pattern: Uint8Array, prefix: boolean, use: (marks: Marks) => T): T {
  const { arena } = image;
  image.check();
  const mark = arena.mark;
  try {
    const chain: Image[] = [];
    for (let at: Image | undefined = image; at; at = at.base) chain.push(at);
    const at = arena.allocate(pattern.length);
    arena.bytes.set(pattern, at);
    const addresses = arena.allocate(chain.length * 4);
    let any = 0;
    chain.forEach(({ header, address }, i) => {
      const length = (Math.floor(header.stringsLength / 64) + 1) * 8;
      const bits = arena.allocate(length);
      arena.view.setUint32(addresses + i * 4, bits, true);
      if (pattern.length === 0) arena.bytes.fill(0xff, bits, bits + length);
      else any |= arena.run((kernel) => kernel.markMatches(address, at, pattern.length, +prefix, bits));
    });
    return use({ chain, addresses, any });
  } finally {
    arena.rewind(mark);
  }
}
