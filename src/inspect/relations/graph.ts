/** References of an image turned round: from each type to those whose records name it. */

import type { Btf } from "../../btf/btf.js";
import {
  KIND_ARRAY,
  KIND_CONST,
  KIND_FUNC,
  KIND_FUNC_PROTO,
  KIND_PTR,
  KIND_RESTRICT,
  KIND_STRUCT,
  KIND_TYPE_TAG,
  KIND_TYPEDEF,
  KIND_UNION,
  KIND_VOLATILE,
  VLEN_MASK,
} from "../../memory/generated/abi.js";
import { kindIn, RECORD_WORDS, recordsOf, wordsOf } from "../words.js";

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
 */
export function reverseGraph(btf: Btf): ReverseGraph {
  const { image } = btf;
  const words = wordsOf(image);
  const records = recordsOf(image);
  let lowest = image.idLimit;
  let count = 0;
  const { firstId, idLimit } = image;
  if (image.base) {
    eachReference(words, records, (id) => {
      if (id > 0 && id < lowest) lowest = id;
    });
  } else lowest = 0;
  lowest = Math.min(lowest, firstId);
  const starts = new Uint32Array(idLimit - lowest + 2);
  eachReference(words, records, (id) => {
    if (id < lowest || id >= idLimit) return;
    starts[id - lowest + 2]!++;
    count++;
  });
  for (let i = 2; i < starts.length; i++) starts[i]! += starts[i - 1]!;
  const referrers = new Uint32Array(count);
  // Each start moves on as its referrers come in, and ends where the next one starts.
  eachReference(words, records, (id, i) => {
    if (id >= lowest && id < idLimit) referrers[starts[id - lowest + 1]!++] = firstId + i;
  });
  return { btf, lowest, starts: starts.subarray(0, -1), referrers };
}

/** Calls `see` with each id that the own records refer to, and the index of the record. */
function eachReference(words: Int32Array, records: Uint32Array, see: (id: number, index: number) => void): void {
  for (let i = 0; i < records.length; i++) {
    const at = records[i]!;
    const info = words[at + 1]!;
    const first = at + RECORD_WORDS;
    const vlen = info & VLEN_MASK;
    switch (kindIn(info)) {
      case KIND_STRUCT:
      case KIND_UNION:
        for (let k = 0; k < vlen; k++) see(words[first + k * 3 + 1]! >>> 0, i);
        break;
      case KIND_FUNC_PROTO:
        see(words[at + 2]! >>> 0, i);
        for (let k = 0; k < vlen; k++) see(words[first + k * 2 + 1]! >>> 0, i);
        break;
      case KIND_ARRAY:
        see(words[first]! >>> 0, i);
        break;
      case KIND_PTR:
      case KIND_TYPEDEF:
      case KIND_VOLATILE:
      case KIND_CONST:
      case KIND_RESTRICT:
      case KIND_TYPE_TAG:
      case KIND_FUNC:
        see(words[at + 2]! >>> 0, i);
        break;
    }
  }
}
