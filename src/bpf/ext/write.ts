/** Writes `.BTF.ext`. */
import { MAGIC } from "../../btf/header.js";
import type { Ext, ExtInfo } from "./types.js";

/** Returns the offset of a text in the strings of the BTF that belongs to it. */
export type OffsetOf = (text: string) => number;

/**
 * Returns the bytes of a `.BTF.ext` section: a header of 24 bytes, or of 32 where
 * the Ext has one, then func info, line info and CO-RE relocations without gaps.
 * Records get the known fields only: longer records come out shorter.
 *
 * @param offsetOf adds to the strings of its BTF; called for each section's name, file, line and access string
 * @example
 * const bytes = encodeExt(object.ext, () => 0);
 * console.log(bytes.length); // 80
 */
export function encodeExt(ext: Ext, offsetOf: OffsetOf): Uint8Array<ArrayBuffer> {
  const lists: readonly (readonly number[])[] = [
    list(ext.funcInfo, 8, offsetOf, ({ insnByteOffset, typeId }) => [insnByteOffset, typeId]),
    list(ext.lineInfo, 16, offsetOf, ({ insnByteOffset, file, text, line, column }) => [
      insnByteOffset,
      offsetOf(file),
      offsetOf(text),
      ((line << 10) | (column & 0x3ff)) >>> 0,
    ]),
    list(ext.coreRelocations, 16, offsetOf, ({ insnByteOffset, typeId, access, kindNumber }) => [
      insnByteOffset,
      typeId,
      offsetOf(access ?? ""),
      kindNumber,
    ]),
  ];
  const withCore = ext.headerLength >= 32 || ext.coreRelocations !== undefined;
  const headerLength = withCore ? 32 : 24;
  const words = lists.flat();
  const bytes = new Uint8Array(headerLength + words.length * 4);
  const view = new DataView(bytes.buffer);
  const little = ext.endian === "little";
  view.setUint16(0, MAGIC, little);
  view.setUint8(2, 1);
  view.setUint32(4, headerLength, little);
  let offset = 0;
  for (let i = 0; i < headerLength / 8 - 1; i++) {
    const length = lists[i]!.length * 4;
    view.setUint32(8 + i * 8, offset, little);
    view.setUint32(12 + i * 8, length, little);
    offset += length;
  }
  words.forEach((word, i) => view.setUint32(headerLength + i * 4, word, little));
  return bytes;
}

function list<R>(
  info: ExtInfo<R> | undefined,
  recordSize: number,
  offsetOf: OffsetOf,
  fields: (record: R) => number[],
): number[] {
  if (!info) return [];
  const words = [recordSize];
  for (const { section, records } of info.sections) {
    words.push(offsetOf(section), records.length);
    for (const record of records) words.push(...fields(record));
  }
  return words;
}
