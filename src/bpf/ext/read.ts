/** Reads `.BTF.ext` by the rules of libbpf's btf_ext_parse. */
import { MAGIC } from "../../btf/header.js";
import { ERR_EXT } from "../../errors/bpf.js";
import { BtfFormatError } from "../../errors/error.js";
import { RELOCATION_KINDS } from "./kinds.js";
import type { CoreRelocation, Ext, ExtInfo, ExtSection, FuncInfo, LineInfo } from "./types.js";

/** Header length up to `line_info_len`, as compilers without CO-RE write it. */
const HEADER_MIN = 24;
/** Header length up to `core_relo_len`. */
const HEADER_CORE = 32;
const FIXED = 8;
/** Bytes before the records of one section: name and count. */
const BLOCK_HEADER = 8;

/**
 * Returns the text at an offset into the object's BTF strings, at most `limit`
 * bytes of it; `undefined` beyond the strings.
 */
export type StringAt = (offset: number, limit: number) => string | undefined;

/** Bytes after which section names and access strings (64 indices of 10 digits have 703 characters) are cut, so that records that share a long text do not multiply it. */
const TEXT_LIMIT = 1024;
/** Bytes after which source lines are cut. */
const SOURCE_LIMIT = 4096;

interface Reader {
  readonly view: DataView;
  readonly little: boolean;
  readonly headerLength: number;
  readonly stringAt: StringAt;
}

/** The place of a list, in bytes from the start of the section. */
export interface ExtPlace {
  readonly at: number;
  readonly length: number;
}

/**
 * Reads the contents of a `.BTF.ext` section in either byte order.
 *
 * Records that are longer than the known fields are read as far as the fields
 * are known, by the record size of each list. All bounds are checked before
 * anything is returned; the texts of line records are read when asked for.
 *
 * @param stringAt reads the strings of its BTF
 * @throws BtfFormatError ERR_EXT, with the offset inside the section
 * @example
 * const section = object.section(".BTF.ext")!;
 * const ext = readExt(object.dataOf(section), () => "0");
 * console.log(ext.coreRelocations?.sections[0]?.records[0]?.kind); // byte_off
 */
export function readExt(bytes: Uint8Array, stringAt: StringAt): Ext {
  const reader = openExt(bytes, stringAt);
  return {
    endian: reader.little ? "little" : "big",
    headerLength: reader.headerLength,
    funcInfo: list(reader, "func info", 8, 8, funcInfo),
    lineInfo: list(reader, "line info", 16, 16, (from, at) => new LineRecord(from, at)),
    coreRelocations:
      reader.headerLength >= HEADER_CORE ? list(reader, "CO-RE relocations", 24, 16, coreRelocation) : undefined,
  };
}

/** Returns the place of the CO-RE relocations; `undefined` where there are none. @throws BtfFormatError ERR_EXT */
export function placeOfCoreRelocations(bytes: Uint8Array): (ExtPlace & { readonly headerLength: number }) | undefined {
  const reader = openExt(bytes, () => undefined);
  if (reader.headerLength < HEADER_CORE) return undefined;
  const { at, length } = place(reader, 24);
  return length === 0 ? undefined : { at, length, headerLength: reader.headerLength };
}

function refuse(offset: number, note: string): never {
  throw new BtfFormatError(ERR_EXT, { offset, note });
}

function openExt(bytes: Uint8Array, stringAt: StringAt): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < FIXED) refuse(0, `${bytes.length} bytes are too few for a header`);
  const little = view.getUint16(0, true) === MAGIC;
  if (!little && view.getUint16(0) !== MAGIC)
    refuse(0, `the magic is 0x${view.getUint16(0).toString(16)}, expected 0xeb9f`);
  if (view.getUint8(2) !== 1) refuse(2, `version ${view.getUint8(2)}, only 1 is known`);
  if (view.getUint8(3) !== 0) refuse(3, `flags 0x${view.getUint8(3).toString(16)}, none are known`);
  const headerLength = view.getUint32(4, little);
  if (headerLength < HEADER_MIN) refuse(4, `the header has ${headerLength} bytes, at least ${HEADER_MIN} are needed`);
  if (headerLength > bytes.length)
    refuse(4, `truncated header: ${headerLength} bytes are needed, the section has ${bytes.length}`);
  if (headerLength === bytes.length) refuse(4, "the section ends with the header");
  return { view, little, headerLength, stringAt };
}

/** Returns the place that two words of the header name. */
function place({ view, little, headerLength }: Reader, field: number): ExtPlace {
  return { at: headerLength + view.getUint32(field, little), length: view.getUint32(field + 4, little) };
}

/** Reads one list: record size, then blocks of {section name, count, records}. */
function list<R>(
  reader: Reader,
  name: string,
  field: number,
  known: number,
  read: (from: Reader, at: number) => R,
): ExtInfo<R> | undefined {
  const { view, little } = reader;
  const { at: start, length } = place(reader, field);
  if (length === 0) return undefined;
  if ((start - reader.headerLength) % 4)
    refuse(field, `the ${name} start at ${start - reader.headerLength}, not a multiple of 4`);
  if (start + length > view.byteLength)
    refuse(field, `the ${name} end at byte ${start + length}, the section at ${view.byteLength}`);
  if (length < 4) refuse(start, `${length} bytes of ${name} are too few for the record size`);
  const recordSize = view.getUint32(start, little);
  if (recordSize < known || recordSize % 4) {
    refuse(start, `${name} of ${recordSize} bytes each: at least ${known} are needed, in multiples of 4`);
  }
  const end = start + length;
  let at = start + 4;
  if (at === end) refuse(at, `the ${name} have no section`);
  const sections: ExtSection<R>[] = [];
  while (at < end) {
    if (end - at < BLOCK_HEADER)
      refuse(at, `${end - at} bytes are left of the ${name}, too few for a section's header`);
    const nameOffset = view.getUint32(at, little);
    const count = view.getUint32(at + 4, little);
    if (count === 0) refuse(at + 4, `a section of the ${name} has no records`);
    const first = at + BLOCK_HEADER;
    if (count > (end - first) / recordSize) refuse(at + 4, `${count} records pass the end of the ${name}`);
    sections.push(new Block(reader, nameOffset, count, (i) => read(reader, first + i * recordSize)));
    at = first + count * recordSize;
  }
  return { recordSize, sections };
}

/** The records of a section and its name, read when they are asked for. */
class Block<R> implements ExtSection<R> {
  readonly #reader: Reader;
  readonly #nameOffset: number;
  readonly #count: number;
  readonly #read: (index: number) => R;
  #section: string | undefined;
  #records: readonly R[] | undefined;

  constructor(reader: Reader, nameOffset: number, count: number, read: (index: number) => R) {
    this.#reader = reader;
    this.#nameOffset = nameOffset;
    this.#count = count;
    this.#read = read;
  }

  get section(): string {
    this.#section ??= this.#reader.stringAt(this.#nameOffset, TEXT_LIMIT) ?? "";
    return this.#section;
  }

  get records(): readonly R[] {
    this.#records ??= Array.from({ length: this.#count }, (_, i) => this.#read(i));
    return this.#records;
  }

  toJSON(): ExtSection<R> {
    const { section, records } = this;
    return { section, records };
  }
}

function funcInfo({ view, little }: Reader, at: number): FuncInfo {
  return { insnByteOffset: view.getUint32(at, little), typeId: view.getUint32(at + 4, little) };
}

/** A line record. Nothing is decoded until it is read: there are many, with long texts. */
class LineRecord implements LineInfo {
  readonly #reader: Reader;
  readonly #at: number;

  constructor(reader: Reader, at: number) {
    this.#reader = reader;
    this.#at = at;
  }

  #word(index: number): number {
    return this.#reader.view.getUint32(this.#at + index * 4, this.#reader.little);
  }

  get insnByteOffset(): number {
    return this.#word(0);
  }
  get file(): string {
    return this.#reader.stringAt(this.#word(1), SOURCE_LIMIT) ?? "";
  }
  get text(): string {
    return this.#reader.stringAt(this.#word(2), SOURCE_LIMIT) ?? "";
  }
  get line(): number {
    return this.#word(3) >>> 10;
  }
  get column(): number {
    return this.#word(3) & 0x3ff;
  }

  toJSON(): LineInfo {
    const { insnByteOffset, file, text, line, column } = this;
    return { insnByteOffset, file, text, line, column };
  }
}

function coreRelocation({ view, little, stringAt }: Reader, at: number): CoreRelocation {
  const kindNumber = view.getUint32(at + 12, little);
  return {
    insnByteOffset: view.getUint32(at, little),
    typeId: view.getUint32(at + 4, little),
    access: stringAt(view.getUint32(at + 8, little), TEXT_LIMIT),
    kindNumber,
    kind: RELOCATION_KINDS[kindNumber] ?? "unknown",
  };
}
