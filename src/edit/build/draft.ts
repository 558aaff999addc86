/** The records and strings of a builder, little-endian, with or without a base. */
import type { Btf } from "../../btf/btf.js";
import type { Image } from "../../btf/image.js";
import { ERR_BUILD_LIMIT, ERR_BUILD_REFERENCE } from "../../errors/edit.js";
import { BtfError, BtfLimitError } from "../../errors/error.js";
import { TYPE_INFO, TYPE_SIZE, VLEN_MASK } from "../../memory/generated/edit-abi.js";
import type { Sections } from "./encode.js";
import { Growable } from "./growable.js";
import { StringTable } from "./string-table.js";
import type { TypeId } from "./type-id.js";

/** libbpf's BTF_MAX_NR_TYPES. */
const ID_MAX = 0x7fffffff;
/** The header's type_len has 32 bits, and so have offsets into the section. */
const TYPES_MAX = 0xfffffffc;

/** The string tables of a Btf and its bases. */
export function stringsOf(image: Image): StringTable {
  const section = image.memory.subarray(image.strings, image.strings + image.header.stringsLength);
  return StringTable.over(section, image.base && stringsOf(image.base));
}

export class Draft {
  readonly types = new Growable();
  readonly strings: StringTable;
  /** Id that the next type gets. */
  nextId: number;
  /** Start of the last record, or -1. */
  #last = -1;

  constructor(readonly base: Btf | undefined) {
    this.strings = new StringTable(base && stringsOf(base.image));
    this.nextId = base?.size ?? 1;
  }

  /** Adds a record of the words given and returns its id. */
  add(name: number, info: number, sizeOrType: number, ...words: number[]): TypeId {
    this.checkRoom(1, TYPE_SIZE + words.length * 4);
    this.#last = this.types.length;
    this.types.word(name);
    this.types.word(info);
    this.types.word(sizeOrType);
    for (const word of words) this.types.word(word);
    return this.nextId++ as TypeId;
  }

  /** Adds `count` records that are complete. */
  addRecords(records: Uint8Array, count: number, last: number): void {
    this.checkRoom(count, records.length);
    this.#last = this.types.length + last;
    this.types.append(records);
    this.nextId += count;
  }

  /** Tells whether nothing has been added yet. */
  get isEmpty(): boolean {
    return this.types.length === 0 && this.strings.end <= Math.max(1, this.strings.start);
  }

  /** Takes `count` records and the strings they refer to in place of nothing. */
  fill({ types, strings }: Sections, count: number, last: number): void {
    this.addRecords(types, count, last);
    this.strings.adopt(strings);
  }

  /** @throws BtfLimitError ERR_BUILD_LIMIT */
  checkRoom(count: number, length: number): void {
    const id = this.nextId + count - 1;
    if (id > ID_MAX) throw new BtfLimitError(ERR_BUILD_LIMIT, { name: "type id", value: id, limit: ID_MAX });
    const end = this.types.length + length;
    if (end > TYPES_MAX)
      throw new BtfLimitError(ERR_BUILD_LIMIT, { name: "type section length", value: end, limit: TYPES_MAX });
  }

  /** `info` of the last record, 0 if there is none. */
  get lastInfo(): number {
    return this.#last < 0 ? 0 : this.types.view.getUint32(this.#last + TYPE_INFO, true);
  }

  /** Adds an element to the last record. @throws BtfLimitError ERR_BUILD_LIMIT */
  addElement(kindFlag: boolean, ...words: number[]): void {
    const info = this.lastInfo;
    const vlen = (info & VLEN_MASK) + 1;
    if (vlen > VLEN_MASK) throw new BtfLimitError(ERR_BUILD_LIMIT, { name: "vlen", value: vlen, limit: VLEN_MASK });
    this.checkRoom(0, words.length * 4);
    for (const word of words) this.types.word(word);
    this.types.view.setUint32(
      this.#last + TYPE_INFO,
      ((info & ~VLEN_MASK) | vlen | (kindFlag ? 0x80000000 : 0)) >>> 0,
      true,
    );
  }

  /** Words of the last record, to look at what it holds. */
  lastWords(): Uint32Array {
    return new Uint32Array(this.types.bytes.buffer, this.#last, (this.types.length - this.#last) >> 2);
  }

  /** Runs `change`; where it throws, what it added is gone. */
  attempt<T>(change: () => T): T {
    const mark = {
      types: this.types.length,
      strings: this.strings.end,
      id: this.nextId,
      last: this.#last,
      info: this.lastInfo,
    };
    try {
      return change();
    } catch (cause) {
      this.types.truncate(mark.types);
      this.strings.truncate(mark.strings);
      this.nextId = mark.id;
      this.#last = mark.last;
      if (mark.last >= 0) this.types.view.setUint32(mark.last + TYPE_INFO, mark.info, true);
      throw cause;
    }
  }

  /** @throws BtfError ERR_BUILD_REFERENCE */
  checkId(id: number): number {
    if (Number.isInteger(id) && id >= 0 && id <= ID_MAX) return id;
    throw new BtfError(ERR_BUILD_REFERENCE, { note: String(id), limit: ID_MAX });
  }

  get sections(): Sections {
    return { types: this.types.content, strings: this.strings.content };
  }
}
