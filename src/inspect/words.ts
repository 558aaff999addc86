/** The records of one image as words, for passes over all of its types. Signed: V8 keeps those without a box. */

import type { Image } from "../btf/image.js";
import { KIND_MASK, KIND_SHIFT } from "../memory/generated/abi.js";

/** The words of a type record in front of its elements. */
export const RECORD_WORDS = 3;

/** The kind in the second word of a record. */
export function kindIn(info: number): number {
  return (info >>> KIND_SHIFT) & KIND_MASK;
}

/** Whether the host's words are those of WebAssembly memory. */
export const isLittleEndian = (): boolean => new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Returns the words of an image's type section. They lie in WebAssembly memory, which is replaced when it grows: take
 * them anew in each call.
 */
export function wordsOf(image: Image): Int32Array {
  const { view } = image;
  const length = image.header.typesLength >>> 2;
  if (isLittleEndian()) return new Int32Array(view.buffer, image.types, length);
  return Int32Array.from({ length }, (_, i) => view.getInt32(image.types + i * 4, true));
}

/** Returns the index of each own type's record among the words, in the order of ids. */
export function recordsOf(image: Image): Uint32Array {
  const records = new Uint32Array(image.count);
  for (let i = 0; i < records.length; i++) records[i] = (image.record(image.firstId + i) - image.types) >>> 2;
  return records;
}
