/** References of an image turned round: from each type to those whose records name it. */

import type { Btf } from "../../btf/btf.js";
import { Workspace } from "../workspace.js";

/** Own types of one image by what they refer to; sections, variables and tags are left out. */
export interface ReverseGraph {
  readonly btf: Btf;
  /** The lowest id that is referred to, from which `starts` counts. */
  readonly lowest: number;
  /** Where the referrers of each id start among `referrers`, and one entry for the end. */
  readonly starts: Uint32Array;
  /** Ids of own types; one that refers to a type twice is listed twice. */
  readonly referrers: Uint32Array;
}

/**
 * Builds the graph of an image in two passes, 4 bytes a reference and 4 bytes an id. A split's ids start with the lowest
 * that it refers to.
 *
 * @throws BtfLimitError ERR_MEMORY
 */
export function reverseGraph(btf: Btf): ReverseGraph {
  const { image } = btf;
  const { firstId, idLimit, count, header, memory } = image;
  const workspace = new Workspace();
  const { arena } = workspace;
  const { mark } = arena;
  try {
    const types = workspace.copy(memory.subarray(image.types, image.types + header.typesLength));
    const offsets = workspace.copy(image.recordOffsets);
    const walk = (lowest: number, starts: number, referrers: number): number =>
      arena.run((kernel) => kernel.turnRound(types, offsets, count, firstId, lowest, idLimit, starts, referrers)) >>> 0;
    const lowest = image.base ? walk(firstId, 0, 0) : 0;
    const length = idLimit - lowest + 2;
    const starts = workspace.zeroed(length * 4);
    const found = walk(lowest, starts, 0);
    const referrers = arena.allocate(found * 4);
    walk(lowest, starts, referrers);
    const unsigned = (at: number, size: number): Uint32Array => new Uint32Array(workspace.words(at, size).buffer);
    return { btf, lowest, starts: unsigned(starts, length - 1), referrers: unsigned(referrers, found) };
  } finally {
    arena.rewind(mark);
    workspace.release();
  }
}
