/** Removes the CO-RE records from an object file. */

import { SHT_REL, SHT_RELA } from "../elf/section-types.js";
import { placeOfCoreRelocations } from "../ext/read.js";
import type { BpfObject } from "../object/object.js";

/** Offsets of fields in the .BTF.ext header. */
const CORE_OFFSET = 24;
const CORE_LENGTH = 28;

/** Offset of the size in an entry of a 64-bit section table. */
const SECTION_SIZE = 32;

/**
 * Removes the CO-RE records from `bytes`, a copy of the object's file: the
 * header of `.BTF.ext` says that there are none, the section ends before them
 * where they are its last part, and ELF relocations of them are dropped too.
 * Nothing moves, so that all other offsets into the file stay valid.
 */
export function withoutRecords(object: BpfObject, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const index = object.sections.findIndex(({ name }) => name === ".BTF.ext");
  const place = index < 0 ? undefined : placeOfCoreRelocations(object.extBytes);
  if (!place) return bytes;
  const section = object.sections[index]!;
  const little = object.endian === "little";
  const view = new DataView(bytes.buffer);
  // Aya reads the record size at the offset even of an empty list: the offset has to be in the section.
  view.setUint32(section.offset + CORE_OFFSET, 0, little);
  view.setUint32(section.offset + CORE_LENGTH, 0, little);
  bytes.fill(0, section.offset + place.at, section.offset + place.at + place.length);
  const resize = (sectionIndex: number, byteSize: number): void => {
    const entry = object.elf.tableOffset + sectionIndex * object.elf.tableEntrySize;
    view.setBigUint64(entry + SECTION_SIZE, BigInt(byteSize), little);
  };
  const isLast = place.at + place.length === section.byteSize && place.at > place.headerLength;
  if (isLast) resize(index, place.at);
  object.sections.forEach((table, tableIndex) => {
    if ((table.type === SHT_REL || table.type === SHT_RELA) && table.info === index) {
      resize(tableIndex, dropEntries(bytes, table, place, little));
    }
  });
  return bytes;
}

/** Moves the entries that are kept to the front; returns the length in bytes that is left. */
function dropEntries(
  bytes: Uint8Array<ArrayBuffer>,
  { offset, byteSize, entrySize }: { readonly offset: number; readonly byteSize: number; readonly entrySize: number },
  place: { readonly at: number; readonly length: number },
  little: boolean,
): number {
  const view = new DataView(bytes.buffer);
  let kept = 0;
  for (let at = 0; at + entrySize <= byteSize; at += entrySize) {
    const where = Number(view.getBigUint64(offset + at, little));
    if (where >= place.at && where < place.at + place.length) continue;
    bytes.copyWithin(offset + kept, offset + at, offset + at + entrySize);
    kept += entrySize;
  }
  bytes.fill(0, offset + kept, offset + byteSize);
  return kept;
}
