/** Reads the section table of an ELF file, 32 and 64 bit, in both byte orders. */
import type { ByteSource } from "../../btf/source.js";
import { ERR_ELF_HEADER, ERR_ELF_TRUNCATED } from "../../errors/btf.js";
import { BtfFormatError } from "../../errors/error.js";

export const SHT_PROGBITS = 1;
export const SHF_COMPRESSED = 0x800;
/** Marks a section count or name table index that is too large for the header and stands in section 0. */
const SHN_XINDEX = 0xffff;

/** A section header of an ELF file. */
export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** In bytes from the start of the file. */
  readonly offset: number;
  readonly byteSize: number;
  /** `sh_link` and `sh_info`: section indexes or counts, as the type has it. */
  readonly link: number;
  readonly info: number;
  /** Size of one entry, in bytes; 0 where the section has no entries. */
  readonly entrySize: number;
}

export interface ElfFile {
  readonly is64: boolean;
  readonly littleEndian: boolean;
  /** `e_type`: 1 for a relocatable object. */
  readonly type: number;
  /** `e_machine`: 247 for BPF. */
  readonly machine: number;
  /** Offset of the section table, in bytes from the start of the file. */
  readonly tableOffset: number;
  /** Size of one entry of the section table, in bytes. */
  readonly tableEntrySize: number;
  readonly sections: readonly ElfSection[];
}

/** Tells whether the data starts with the ELF magic. */
export function isElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Returns the bytes of a named part. @throws BtfFormatError ERR_ELF_TRUNCATED where the file ends before it */
export function part(source: ByteSource, name: string, offset: number, length: number): Uint8Array {
  if (offset > source.size || length > source.size - offset) {
    throw new BtfFormatError(ERR_ELF_TRUNCATED, { name, value: offset + length, limit: source.size });
  }
  return source.read(offset, length);
}

/** Reads the section table. @throws BtfFormatError ERR_ELF_HEADER, ERR_ELF_TRUNCATED */
export function readElf(source: ByteSource): ElfFile {
  const ident = part(source, "the header", 0, 16);
  const [fileClass, order] = [ident[4], ident[5]];
  if (fileClass !== 1 && fileClass !== 2) {
    throw new BtfFormatError(ERR_ELF_HEADER, { offset: 4, note: `class ${fileClass}, neither 32 nor 64 bit` });
  }
  if (order !== 1 && order !== 2) {
    throw new BtfFormatError(ERR_ELF_HEADER, { offset: 5, note: `byte order ${order}, neither little nor big` });
  }
  const is64 = fileClass === 2;
  const little = order === 1;
  const header = viewOf(part(source, "the header", 0, is64 ? 64 : 52));
  // Addresses and sizes beyond 2^53 are beyond any file: they fail the bounds check.
  const word = (view: DataView, at: number): number =>
    is64 ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
  const tableOffset = word(header, is64 ? 40 : 32);
  const entrySize = header.getUint16(is64 ? 58 : 46, little);
  let count = header.getUint16(is64 ? 60 : 48, little);
  let namesIndex = header.getUint16(is64 ? 62 : 50, little);
  const least = is64 ? 64 : 40;
  const facts = {
    is64,
    littleEndian: little,
    type: header.getUint16(16, little),
    machine: header.getUint16(18, little),
    tableOffset,
    tableEntrySize: entrySize,
  };
  if (tableOffset === 0) return { ...facts, sections: [] };
  if (entrySize < least) {
    throw new BtfFormatError(ERR_ELF_HEADER, { note: `section headers of ${entrySize} bytes, ${least} are needed` });
  }
  const first = viewOf(part(source, "the section table", tableOffset, entrySize));
  if (count === 0) count = word(first, is64 ? 32 : 20);
  if (namesIndex === SHN_XINDEX) namesIndex = first.getUint32(is64 ? 40 : 24, little);
  if (namesIndex >= count) {
    throw new BtfFormatError(ERR_ELF_HEADER, { note: `section names in section ${namesIndex} of ${count}` });
  }
  // A copy, since the next read may reuse the buffer.
  const table = viewOf(part(source, "the section table", tableOffset, count * entrySize).slice());
  const raw = Array.from({ length: count }, (_, i) => {
    const at = i * entrySize;
    return {
      nameOffset: table.getUint32(at, little),
      type: table.getUint32(at + 4, little),
      flags: word(table, at + 8),
      offset: word(table, at + (is64 ? 24 : 16)),
      byteSize: word(table, at + (is64 ? 32 : 20)),
      link: table.getUint32(at + (is64 ? 40 : 24), little),
      info: table.getUint32(at + (is64 ? 44 : 28), little),
      entrySize: word(table, at + (is64 ? 56 : 36)),
    };
  });
  const names = raw[namesIndex]!;
  const text = part(source, "the section names", names.offset, names.byteSize).slice();
  const sections = raw.map(({ nameOffset, ...section }) => ({ name: nameAt(text, nameOffset), ...section }));
  return { ...facts, sections };
}

function nameAt(text: Uint8Array, offset: number): string {
  // Section names are short; a hostile name must not cost more than its place in the table.
  const end = Math.min(text.length, offset + 256);
  let name = "";
  for (let i = offset; i < end && text[i] !== 0; i++) name += String.fromCharCode(text[i]!);
  return name;
}
