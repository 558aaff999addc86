/**
 * An image: one BTF's bytes in an arena, its columns, and where they lie.
 * Everything that reads memory goes through here, and so is refused once the
 * family has been disposed of.
 */

import {
  ERR_BTF_BASE_ENDIAN,
  ERR_BTF_FUNC_PROTO,
  ERR_BTF_KIND,
  ERR_BTF_NAME_OFFSET,
  ERR_BTF_TYPE_ID,
  ERR_BTF_TYPE_TRAILING,
  ERR_BTF_TYPE_TRUNCATED,
  ERR_DISPOSED,
  ERR_MEMORY,
} from "../errors/btf.js";
import { BtfError, BtfFormatError, BtfLimitError } from "../errors/error.js";
import { Arena } from "../memory/arena.js";
import * as abi from "../memory/generated/abi.js";
import { type Address, type Field, readField, writeField, writeSeed } from "../memory/struct.js";
import { type Header, readHeader } from "./header.js";
import { decode, decodeSlice, encodeInto } from "./strings.js";

/** Zero bytes behind the raw data: 16-byte loads may read past its end, which moves by up to 3 bytes. */
const PADDING = 20;

/** A WebAssembly memory has at most 4 GiB. */
const MEMORY_LIMIT = 2 ** 32;

export class Image {
  readonly arena: Arena;
  readonly base: Image | undefined;
  readonly header: Header;
  /** Address of the descriptor that kernels read. */
  readonly address: Address<"Image">;
  /** Address and length in bytes of the raw data, turned to little-endian. */
  readonly raw: number;
  readonly rawLength: number;
  /** Address of the type section. */
  readonly types: number;
  /** Address of the string section, and the logical offset of its first byte. */
  readonly strings: number;
  readonly stringsStart: number;
  /** The first own id: 1, or the base's id limit. */
  readonly firstId: number;
  /** The number of types that the image adds to its base. */
  readonly count: number;
  readonly #offsets: number;
  readonly #kinds: number;
  #named = false;
  #scans = 0;
  #disposed = false;

  /**
   * Opens `length` bytes that `write` puts into the memory handed to it, on a
   * base or in a family of its own. Refused input leaves nothing behind.
   */
  static open(length: number, write: (target: Uint8Array<ArrayBuffer>) => void, base?: Image): Image {
    base?.check();
    const arena = base?.arena ?? new Arena();
    const mark = arena.mark;
    try {
      return new Image(arena, length, write, base);
    } catch (cause) {
      if (base) arena.rewind(mark);
      else arena.release();
      throw cause;
    }
  }

  private constructor(
    arena: Arena,
    length: number,
    write: (target: Uint8Array<ArrayBuffer>) => void,
    base: Image | undefined,
  ) {
    if (length > MEMORY_LIMIT - PADDING) throw new BtfLimitError(ERR_MEMORY, { value: length });
    const at = arena.allocate(length + PADDING);
    write(arena.bytes.subarray(at, at + length));
    arena.bytes.fill(0, at + length, at + length + PADDING);
    const header = readHeader(arena.view, at, length, base !== undefined);
    // Records lie at multiples of 4, whatever the header's length.
    const raw = at + (-header.headerLength & 3);
    if (raw > at) arena.bytes.copyWithin(raw, at, at + length);
    if (base && base.header.endian !== header.endian) {
      throw new BtfFormatError(ERR_BTF_BASE_ENDIAN, { offset: 0, name: header.endian });
    }
    this.arena = arena;
    this.base = base;
    this.header = header;
    this.raw = raw;
    this.rawLength = length;
    this.types = raw + header.headerLength + header.typesOffset;
    this.strings = raw + header.headerLength + header.stringsOffset;
    this.stringsStart = base ? base.stringsStart + base.header.stringsLength : 0;
    this.firstId = base ? base.idLimit : 1;
    this.address = arena.allocate(abi.IMAGE_SIZE) as Address<"Image">;
    this.#describe();
    if (header.endian === "big") arena.run((kernel) => kernel.swap32(this.types, header.typesLength));
    const most = Math.floor(header.typesLength / abi.TYPE_SIZE);
    this.#offsets = arena.allocate(most * 5);
    this.#set(abi.IMAGE_OFFSETS, this.#offsets);
    this.#set(abi.IMAGE_KINDS, this.#offsets + most * 4);
    const count = arena.run((kernel) => kernel.open(this.address));
    this.count = count >= 0 ? count : this.#openClosely();
    // Room was made for as many types as there could be: the rest is given back.
    this.#kinds = this.#offsets + this.count * 4;
    arena.bytes.copyWithin(this.#kinds, this.#offsets + most * 4, this.#offsets + most * 4 + this.count);
    this.#set(abi.IMAGE_KINDS, this.#kinds);
    arena.rewind(this.#kinds + this.count);
  }

  #openClosely(): number {
    const count = this.#judge(this.arena.run((kernel) => kernel.scan(this.address)));
    this.#judge(this.arena.run((kernel) => kernel.fill(this.address)));
    return count;
  }

  #set(field: Field<"Image">, value: number): void {
    writeField(this.arena.view, this.address, field, value);
  }

  #describe(): void {
    const { header } = this;
    this.arena.bytes.fill(0, this.address, this.address + abi.IMAGE_SIZE);
    this.#set(abi.IMAGE_BASE, this.base?.address ?? 0);
    this.#set(abi.IMAGE_TYPES, this.types);
    this.#set(abi.IMAGE_TYPES_LENGTH, header.typesLength);
    this.#set(abi.IMAGE_STRINGS, this.strings);
    this.#set(abi.IMAGE_STRINGS_LENGTH, header.stringsLength);
    this.#set(abi.IMAGE_STRINGS_START, this.stringsStart);
    this.#set(abi.IMAGE_FIRST_ID, this.firstId);
    if (header.layoutLength) {
      this.#set(abi.IMAGE_LAYOUT, this.raw + header.headerLength + header.layoutOffset);
      this.#set(abi.IMAGE_LAYOUT_LENGTH, header.layoutLength);
    }
    this.#set(abi.IMAGE_SWAPPED, header.endian === "big" ? 1 : 0);
    writeSeed(this.arena.view, this.address, abi.IMAGE_SEED);
  }

  /** Turns a kernel's refusal into the error that says which rule, where and with what number. */
  #judge(result: number): number {
    if (result >= 0) return result;
    const { view, kernel } = this.arena;
    const status = kernel.status() as Address<"Status">;
    const offset = this.types - this.raw + readField(view, status, abi.STATUS_OFFSET);
    const typeId = readField(view, status, abi.STATUS_TYPE_ID);
    const value = readField(view, status, abi.STATUS_AUX);
    switch (-result) {
      case abi.ERR_UNKNOWN_KIND:
        throw new BtfFormatError(ERR_BTF_KIND, { offset, typeId, value, note: this.#whyUnknown(value) });
      case abi.ERR_TYPE_TRUNCATED:
        throw new BtfFormatError(ERR_BTF_TYPE_TRUNCATED, { offset, typeId, value });
      case abi.ERR_TYPE_TRAILING:
        throw new BtfFormatError(ERR_BTF_TYPE_TRAILING, { offset, typeId, value });
      case abi.ERR_NAME_OFFSET: {
        const limit = this.stringsStart + this.header.stringsLength;
        throw new BtfFormatError(ERR_BTF_NAME_OFFSET, { offset, typeId, value, limit });
      }
      case abi.ERR_TYPE_ID: {
        // Refused by `fill`: `scan` has counted.
        const limit = this.firstId + readField(view, this.address, abi.IMAGE_COUNT) - 1;
        throw new BtfFormatError(ERR_BTF_TYPE_ID, { offset, typeId, value, limit });
      }
      default:
        throw new BtfFormatError(ERR_BTF_FUNC_PROTO, { offset, typeId, value });
    }
  }

  #whyUnknown(kind: number): string {
    if (this.header.endian === "big")
      return "which is unknown: an image of the other byte order cannot have unknown kinds";
    const described = (this.header.layoutLength || this.base?.header.layoutLength || 0) / abi.LAYOUT_ENTRY_SIZE;
    if (described === 0) return "which is unknown, and no layout section gives its length";
    if (kind >= described) return `which is unknown, and the layout section ends at kind ${described - 1}`;
    return "which is unknown, and its lengths in the layout section are not multiples of 4";
  }

  /** One past the last id. */
  get idLimit(): number {
    return this.firstId + this.count;
  }

  /** Refuses all further use. Disposing of the base hands the family's memory over. */
  dispose(): void {
    this.#disposed = true;
    if (!this.base) this.arena.release();
  }

  /** @throws BtfError ERR_DISPOSED */
  check(): void {
    if (this.#disposed) throw new BtfError(ERR_DISPOSED);
    this.arena.check();
  }

  /** The memory, for reading. */
  get view(): DataView<ArrayBuffer> {
    this.check();
    return this.arena.view;
  }

  /** All of the memory, for copying out. Never keep it across an allocation. */
  get memory(): Uint8Array<ArrayBuffer> {
    this.check();
    return this.arena.bytes;
  }

  /** Address of the record of own type `id`. */
  record(id: number): number {
    return this.types + this.view.getUint32(this.#offsets + (id - this.firstId) * 4, true);
  }

  /** Where the own types' records start in the type section: 4 bytes each. Never keep it across an allocation. */
  get recordOffsets(): Uint8Array<ArrayBuffer> {
    this.check();
    return this.arena.bytes.subarray(this.#offsets, this.#offsets + this.count * 4);
  }

  /** The kinds of the own types, one byte each. Never keep it across an allocation. */
  get kinds(): Uint8Array {
    this.check();
    return this.arena.bytes.subarray(this.#kinds, this.#kinds + this.count);
  }

  /** Returns the string at a logical offset; the base's strings come first. */
  string(offset: number): string {
    if (offset === 0) return "";
    this.check();
    let owner: Image = this;
    while (offset < owner.stringsStart) owner = owner.base!;
    return decode(this.arena.bytes, owner.strings + offset - owner.stringsStart);
  }

  /** Returns at most `limit` bytes of the string at an offset that was not checked on opening; `undefined` beyond the strings. */
  stringAt(offset: number, limit: number): string | undefined {
    this.check();
    if (offset >= this.stringsStart + this.header.stringsLength) return undefined;
    let owner: Image = this;
    while (offset < owner.stringsStart) owner = owner.base!;
    return decodeSlice(this.arena.bytes, owner.strings + offset - owner.stringsStart, limit);
  }

  /** Whether a name is found sooner by a scan of all strings: twice, for building the table takes as long as several scans. */
  isScanCheaper(): boolean {
    return !this.#named && this.#scans++ < 2;
  }

  /** Builds the name table, once. */
  ensureNames(): void {
    if (this.#named) return;
    this.check();
    // Twice as many heads as types keep chains short; anonymous types are in none.
    const heads = 2 ** Math.max(4, Math.ceil(Math.log2(this.count + 1)));
    const nameHeads = this.arena.allocate(heads * 4);
    const nameChain = this.arena.allocate(this.count * 4);
    this.arena.bytes.fill(0, nameHeads, nameHeads + heads * 4);
    this.arena.bytes.fill(0, nameChain, nameChain + this.count * 4);
    this.#set(abi.IMAGE_NAME_HEADS, nameHeads);
    this.#set(abi.IMAGE_NAME_MASK, heads - 1);
    this.#set(abi.IMAGE_NAME_CHAIN, nameChain);
    this.arena.run((kernel) => kernel.buildNames(this.address));
    this.#named = true;
  }

  /** The first own type after `after` (an own id, or 0) with a name, or 0. */
  findName(name: string, after: number): number {
    if (name === "" || name.includes("\0")) return 0;
    this.ensureNames();
    const { arena } = this;
    const mark = arena.mark;
    // A UTF-16 unit has at most 3 bytes of UTF-8; the kernel reads whole steps of 8.
    const room = name.length * 3 + 16;
    const key = arena.allocate(room);
    const { written } = encodeInto(name, arena.bytes.subarray(key, key + room - 16));
    arena.bytes.fill(0, key + written, key + written + 16);
    const id = arena.run((kernel) => kernel.findName(this.address, key, after)) >>> 0;
    arena.rewind(mark);
    return id;
  }
}
