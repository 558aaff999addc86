/** Counts the types of an image by kind. */

import { KINDS, type Kind } from "../../format/kind.js";
import { KIND_COUNT } from "../../memory/generated/abi.js";
import type { Btf } from "../btf.js";

/** Own types of one kind. */
export interface KindTally {
  readonly kind: Kind;
  readonly count: number;
  /** Bytes that their records take in the type section. */
  readonly bytes: number;
}

/**
 * Own types and their bytes by kind, in the order of the kinds' numbers; kinds that do not occur are left out.
 *
 * @example
 * const structs = tally(btf).find(({ kind }) => kind === "struct");
 * console.log(structs?.count); // 8199
 */
export function tally(btf: Btf): KindTally[] {
  const { image } = btf;
  image.check();
  const { arena } = image;
  const mark = arena.mark;
  try {
    const out = arena.allocate(KIND_COUNT * 8);
    arena.run((kernel) => kernel.tally(image.address, out));
    const words = new Uint32Array(arena.bytes.buffer, out, KIND_COUNT * 2);
    const tallies: KindTally[] = KINDS.map((kind, i) => ({ kind, count: words[i]!, bytes: words[KIND_COUNT + i]! }));
    // Number 0 is no kind of a record: what has it is unknown, as what lies beyond the last.
    let { count, bytes } = tallies.shift()!;
    for (let i = KINDS.length; i < KIND_COUNT; i++) {
      count += words[i]!;
      bytes += words[KIND_COUNT + i]!;
    }
    return [...tallies, { kind: "unknown" as const, count, bytes }].filter(({ count }) => count > 0);
  } finally {
    arena.rewind(mark);
  }
}
