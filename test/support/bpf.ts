// Makes BPF objects out of BTF, instructions and CO-RE records, well-formed or
// not. Nothing of the library is used.
import type { Image } from "./image.js";

export interface Insn {
  readonly opcode: number;
  readonly to?: number;
  readonly from?: number;
  readonly offset?: number;
  readonly immediate?: number;
}

/** Byte offset of the instruction, type, access string (or an offset of one), kind. */
export type Record = readonly [insn: number, typeId: number, access: string | number, kind: number];

export interface BpfOptions {
  readonly endian?: "little" | "big";
  readonly section?: string;
  /** Bytes of each CO-RE record: 16, or more for fields that nobody knows. */
  readonly recordSize?: number;
  /** Bytes that the program's symbol covers (default: the whole section). */
  readonly programSize?: number;
  /** The type that the func record names (default 1). */
  readonly funcTypeId?: number;
}

/** Slots of instructions as bytes. */
export function assemble(insns: readonly Insn[], little = true): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(insns.length * 8);
  const view = new DataView(bytes.buffer);
  insns.forEach(({ opcode, to = 0, from = 0, offset = 0, immediate = 0 }, i) => {
    bytes[i * 8] = opcode;
    bytes[i * 8 + 1] = little ? to | (from << 4) : from | (to << 4);
    view.setInt16(i * 8 + 2, offset, little);
    view.setInt32(i * 8 + 4, immediate, little);
  });
  return bytes;
}

function extBytes(
  image: Image,
  section: string,
  records: readonly Record[],
  recordSize: number,
  little: boolean,
  funcTypeId: number,
): Uint8Array {
  const words: number[] = [];
  if (records.length > 0) {
    words.push(recordSize, image.string(section), records.length);
    for (const [insn, typeId, access, kind] of records) {
      words.push(insn, typeId, typeof access === "string" ? image.string(access) : access, kind);
      for (let extra = 16; extra < recordSize; extra += 4) words.push(0xdeadbeef);
    }
  }
  // A func record comes first, as in what compilers make.
  const func = [8, image.string(section), 1, 0, funcTypeId];
  const all = [0, 32, 0, func.length * 4, func.length * 4, 0, func.length * 4, words.length * 4, ...func, ...words];
  const bytes = new Uint8Array(all.length * 4);
  const view = new DataView(bytes.buffer);
  all.forEach((word, i) => view.setUint32(i * 4, word >>> 0, little));
  view.setUint16(0, 0xeb9f, little);
  bytes.set([1, 0], 2);
  return bytes;
}

/** An object with one program, `program`. The image must have the object's byte order; the strings of the records are added to it. */
export function bpfObject(
  image: Image,
  insns: readonly Insn[],
  records: readonly Record[],
  options: BpfOptions = {},
): Uint8Array<ArrayBuffer> {
  const { endian = "little", section = "raw_tp/x", recordSize = 16, funcTypeId = 1 } = options;
  const little = endian === "little";
  const code = assemble(insns, little);
  const ext = extBytes(image, section, records, recordSize, little, funcTypeId);
  const names = `\0${section}\0.symtab\0.strtab\0.BTF\0.BTF.ext\0program\0`;
  const text = new TextEncoder().encode(names);
  const nameOf = (name: string): number => names.indexOf(`\0${name}\0`) + 1;
  const symbols = new Uint8Array(48);
  const symbol = new DataView(symbols.buffer, 24);
  symbol.setUint32(0, nameOf("program"), little);
  symbol.setUint8(4, 0x12);
  symbol.setUint16(6, 1, little);
  symbol.setBigUint64(16, BigInt(options.programSize ?? code.length), little);
  const sections: readonly [
    name: string,
    type: number,
    flags: number,
    data: Uint8Array,
    link?: number,
    entrySize?: number,
  ][] = [
    [section, 1, 6, code],
    [".symtab", 2, 0, symbols, 3, 24],
    [".strtab", 3, 0, text],
    [".BTF", 1, 0, image.bytes()],
    [".BTF.ext", 1, 0, ext],
  ];
  const align = (at: number): number => Math.ceil(at / 8) * 8;
  const end = sections.reduce((at, [, , , data]) => align(at + data.length), 64);
  const bytes = new Uint8Array(end + 64 * (sections.length + 1));
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, little ? 1 : 2, 1]);
  view.setUint16(16, 1, little);
  view.setUint16(18, 247, little);
  view.setBigUint64(40, BigInt(end), little);
  view.setUint16(58, 64, little);
  view.setUint16(60, sections.length + 1, little);
  view.setUint16(62, 3, little);
  let at = 64;
  sections.forEach(([name, type, flags, data, link = 0, entrySize = 0], i) => {
    const entry = end + 64 * (i + 1);
    bytes.set(data, at);
    view.setUint32(entry, nameOf(name), little);
    view.setUint32(entry + 4, type, little);
    view.setBigUint64(entry + 8, BigInt(flags), little);
    view.setBigUint64(entry + 24, BigInt(at), little);
    view.setBigUint64(entry + 32, BigInt(data.length), little);
    view.setUint32(entry + 40, link, little);
    view.setBigUint64(entry + 56, BigInt(entrySize), little);
    at = align(at + data.length);
  });
  return bytes;
}
