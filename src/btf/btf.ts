/// <reference lib="esnext.disposable" preserve="true" />
/** One BTF image: open it, look types up, iterate. */

import { findBtf, type Payload } from "../bpf/elf/btf.js";
import { isElf } from "../bpf/elf/file.js";
import {
  ERR_ARGUMENT,
  ERR_COMPRESSED,
  ERR_ELF_SECTION,
  ERR_NO_SUCH_ID,
  ERR_NOT_FOUND,
  ERR_UNSUPPORTED,
} from "../errors/btf.js";
import { BtfEnvironmentError, BtfError, BtfFormatError, BtfLookupError } from "../errors/error.js";
import { type Kind, kindName, kindNumber } from "../format/kind.js";
import { decompress, isGzip, UNPACKED_LIMIT } from "./compression.js";
import type { Endian, Header } from "./header.js";
import { Image } from "./image.js";
import { nearest } from "./query/nearest.js";
import { pointerSizeOf } from "./query/pointer-size.js";
import { searchNames } from "./query/search.js";
import { type BtfSource, type ByteSource, bytesOf, memorySource, readSource } from "./source.js";
import type { BtfType, TypeOf } from "./types.js";
import { makeView } from "./view.js";

/** Leaves the types of the base out. */
export interface OwnOption {
  /** Only the types of this image, none of its base's (default false). */
  readonly own?: boolean;
}

/** Options of `search`. */
export interface SearchOptions extends OwnOption {
  /** The place of the pattern in the name (default `"substring"`). */
  readonly match?: "substring" | "prefix";
  /** Only types of this kind. */
  readonly kind?: Kind;
  /** At most this many, lowest ids first (default: all). */
  readonly limit?: number;
}

/** Unpacks one payload where the host can do so at once. @internal */
export type Inflate = (payload: Payload, packed: Uint8Array) => Uint8Array;

/** Context of an image that is opened. @internal */
export interface OpenContext {
  readonly base?: Btf | undefined;
  readonly inflate?: Inflate | undefined;
}

/**
 * One BTF: a kernel's, or a module's on top of it.
 *
 * Bytes live in a WebAssembly memory that a base and its splits share; it is
 * freed with the last of them. `using btf = Btf.parse(bytes)` hands it over to
 * the next one at once, which then opens faster.
 *
 * Memory: the size of the input, 5 bytes a type, and after the first lookup by
 * name 8 to 12 more.
 *
 * @example
 * const btf = Btf.parse(bytes);
 * const task = btf.require("task_struct", "struct");
 * console.log(task.byteSize, task.members.length); // 9728 244
 */
export class Btf {
  /** The Btf that this one is a split of. */
  readonly base: Btf | undefined;
  /** @internal */
  readonly image: Image;
  readonly #views = new Map<number, BtfType>();
  #pointerSize: 4 | 8 | undefined;

  private constructor(image: Image, base: Btf | undefined) {
    this.image = image;
    this.base = base;
    // Consoles show what an image holds, not how it lies in memory. Not a member of the class, as in view.ts.
    const prototype = Btf.prototype as Btf & { [key: symbol]: unknown };
    prototype[Symbol.for("nodejs.util.inspect.custom")] ??= Btf.prototype.toJSON;
  }

  /** Returns what consoles and JSON show: counts, not contents. */
  toJSON(): Record<string, unknown> {
    const { byteLength, endian, pointerSize, base } = this;
    const types = this.size - this.firstId;
    return { types, byteLength, endian, pointerSize, ...(base && { base: base.toJSON() }) };
  }

  /**
   * Opens raw BTF, or the `.BTF` section of an ELF file (vmlinux, a module, a
   * BPF object; with `.BTF.base` where present). Both byte orders. Accepts what
   * libbpf's `btf__new` accepts. The bytes are copied.
   *
   * @throws BtfFormatError with the broken rule, `offset` and `typeId`;
   *   ERR_COMPRESSED for gzip and compressed sections, which need `Btf.load`;
   *   BtfLimitError ERR_MEMORY; BtfEnvironmentError ERR_WASM.
   */
  static parse(bytes: ArrayBuffer | ArrayBufferView): Btf {
    return Btf.fromSource(memorySource(bytesOf(bytes)));
  }

  /**
   * Opens what `parse` opens, from any source of bytes; also gzip around them and
   * compressed ELF sections.
   */
  static async load(source: BtfSource | Promise<BtfSource>): Promise<Btf> {
    return Btf.#loadBytes(await readSource(await source));
  }

  static async #loadBytes(bytes: Uint8Array, base?: Btf): Promise<Btf> {
    if (isGzip(bytes)) bytes = await decompress("gzip", bytes, UNPACKED_LIMIT, "gzip data");
    const ready = new Map<string, Uint8Array>();
    if (isElf(bytes)) {
      const { btf, base: distilled } = findBtf(memorySource(bytes));
      for (const { section, offset, length, packed } of [btf, distilled].filter((payload) => payload !== undefined)) {
        if (!packed) continue;
        ready.set(
          section,
          await decompress(packed.kind, bytes.subarray(offset, offset + length), packed.byteSize, section),
        );
      }
    }
    return Btf.fromSource(memorySource(bytes), { base, inflate: ({ section }) => ready.get(section)! });
  }

  /** @internal */
  static fromSource(source: ByteSource, { base, inflate }: OpenContext = {}): Btf {
    const head = source.read(0, Math.min(source.size, 16)).slice();
    if (isGzip(head)) {
      throw new BtfFormatError(ERR_COMPRESSED, { name: "gzip data", note: "Btf.load unpacks it" });
    }
    if (!isElf(head)) {
      // Far more than a header, and not BTF: do not copy it only to say so.
      const length = head[0] === 0x9f || head[0] === 0xeb ? source.size : Math.min(source.size, 64);
      return new Btf(
        Image.open(length, (target) => source.readInto(0, target), base?.image),
        base,
      );
    }
    const { btf, base: distilled, pointerSize } = findBtf(source);
    if (distilled && base) {
      throw new BtfEnvironmentError(ERR_UNSUPPORTED, {
        note: "the file brings a base of its own (.BTF.base): open it without a base and rebase it",
      });
    }
    const open = (payload: Payload, on: Btf | undefined): Btf => {
      const opened = Btf.#fromPayload(source, payload, { base: on, inflate });
      opened.#pointerSize = pointerSize;
      return opened;
    };
    return open(btf, distilled ? open(distilled, undefined) : base);
  }

  static #fromPayload(source: ByteSource, payload: Payload, { base, inflate }: OpenContext): Btf {
    const { section, offset, length, packed } = payload;
    if (!packed)
      return new Btf(
        Image.open(length, (target) => source.readInto(offset, target), base?.image),
        base,
      );
    if (!inflate) {
      throw new BtfFormatError(ERR_COMPRESSED, {
        name: `section ${section}`,
        note: `packed with ${packed.kind}: Btf.load unpacks it`,
      });
    }
    const bytes = inflate(payload, source.read(offset, length));
    if (bytes.length !== packed.byteSize) {
      const note = `unpacks to ${bytes.length} bytes, its header says ${packed.byteSize}`;
      throw new BtfFormatError(ERR_ELF_SECTION, { name: section, note });
    }
    return new Btf(
      Image.open(bytes.length, (target) => target.set(bytes), base?.image),
      base,
    );
  }

  /**
   * Opens split BTF, such as a kernel module's, on this one as its base. Any
   * depth. Errors as `parse`, and ERR_BTF_BASE_ENDIAN if the byte orders differ.
   */
  split(bytes: ArrayBuffer | ArrayBufferView): Btf {
    return Btf.fromSource(memorySource(bytesOf(bytes)), { base: this });
  }

  /** `split` for what `Btf.load` takes. */
  async loadSplit(source: BtfSource | Promise<BtfSource>): Promise<Btf> {
    return Btf.#loadBytes(await readSource(await source), this);
  }

  /**
   * The number of ids, the base's and 0 (void) included: valid ids are 0
   * to `size - 1`. Source: libbpf's btf__type_cnt.
   */
  get size(): number {
    return this.image.idLimit;
  }

  /** The first own id: 1, or for a split the base's `size`. */
  get firstId(): number {
    return this.image.firstId;
  }

  /** The header's fields. */
  get header(): Header {
    return this.image.header;
  }

  /** Byte order of the input. */
  get endian(): Endian {
    return this.image.header.endian;
  }

  /** Length of the input in bytes. */
  get byteLength(): number {
    return this.image.rawLength;
  }

  /**
   * Size of a pointer in bytes: what was set; an ELF file's class; the base's;
   * the size of the first INT that is some `long`; 8 where nothing tells.
   * Source: libbpf's btf__pointer_size.
   *
   * @throws BtfError ERR_ARGUMENT when set to anything but 4 or 8
   */
  get pointerSize(): 4 | 8 {
    return this.knownPointerSize ?? 8;
  }

  set pointerSize(bytes: 4 | 8) {
    if (bytes !== 4 && bytes !== 8)
      throw new BtfError(ERR_ARGUMENT, { note: `a pointer has 4 or 8 bytes, not ${bytes}` });
    this.#pointerSize = bytes;
  }

  /** The `pointerSize` if it is known, else `undefined`. */
  get knownPointerSize(): 4 | 8 | undefined {
    this.#pointerSize ??= this.base?.knownPointerSize ?? pointerSizeOf(this.ofKind("int", { own: true }));
    return this.#pointerSize;
  }

  /** Tells whether `id` is the id of a type, or 0. */
  has(id: number): boolean {
    return Number.isInteger(id) && id >= 0 && id < this.size;
  }

  /** The type with an id, the base's included; `undefined` if there is none. Id 0 is void. */
  get(id: number): BtfType | undefined {
    this.image.check();
    if (this.base && id < this.firstId) return this.base.get(id);
    const known = this.#views.get(id);
    if (known) return known;
    if (!this.has(id)) return undefined;
    const view = makeView(this, this.image, id);
    this.#views.set(id, view);
    return view;
  }

  /**
   * The first type with a name, the base's before its own; `undefined` if there
   * is none. Anonymous types are not found by name. Source: btf__find_by_name_kind.
   */
  find<K extends Kind>(name: string, kind: K): TypeOf<K> | undefined;
  find(name: string, kind?: Kind): BtfType | undefined;
  find(name: string, kind?: Kind): BtfType | undefined {
    if (name === "void" && (kind === undefined || kind === "void")) return this.get(0);
    for (const id of this.#idsByName(name)) {
      if (kind === undefined || this.kindAt(id) === kind) return this.get(id);
    }
    return undefined;
  }

  /** All types with a name, in the order of their ids. */
  findAll<K extends Kind>(name: string, kind: K): TypeOf<K>[];
  findAll(name: string, kind?: Kind): BtfType[];
  findAll(name: string, kind?: Kind): BtfType[] {
    const found: BtfType[] = [];
    for (const id of this.#idsByName(name)) {
      if (kind === undefined || this.kindAt(id) === kind) found.push(this.get(id)!);
    }
    return found;
  }

  /** Returns what `find` returns. @throws BtfLookupError ERR_NOT_FOUND that lists similar names */
  require<K extends Kind>(name: string, kind: K): TypeOf<K>;
  require(name: string, kind?: Kind): BtfType;
  require(name: string, kind?: Kind): BtfType {
    const found = this.find(name, kind);
    if (found) return found;
    const other = kind && this.find(name);
    if (other) throw new BtfLookupError(ERR_NOT_FOUND, { name, note: kind, otherKind: other.kind });
    const near = nearest(name, this.#names(kind));
    throw new BtfLookupError(ERR_NOT_FOUND, { name, nearest: near, ...(kind && { note: kind }) });
  }

  *#names(kind: Kind | undefined): Generator<string> {
    for (let id = 1; id < this.size; id++) {
      if (kind === undefined || this.kindAt(id) === kind) yield this.nameAt(id);
    }
  }

  /** Ids with a name, ascending. */
  *#idsByName(name: string): Generator<number> {
    const { image } = this;
    image.check();
    if (this.base) yield* this.base.#idsByName(name);
    // A scan takes no more than 512 bytes.
    if (name !== "" && name.length < 170 && image.isScanCheaper()) {
      yield* searchNames(image, { pattern: name, match: "exact", kind: -1, limit: this.size, own: true });
    } else for (let id = image.findName(name, 0); id; id = image.findName(name, id)) yield id;
  }

  /** All types of a kind, in the order of their ids. */
  *ofKind<K extends Kind>(kind: K, options?: OwnOption): Generator<TypeOf<K>> {
    for (const id of this.idsOfKind(kind, options)) yield this.get(id) as TypeOf<K>;
  }

  /** All types in the order of their ids, the base's first, without void. */
  [Symbol.iterator](): Generator<BtfType> {
    return this.types();
  }

  /** Iterates over all types, or over this image's own types alone. */
  *types({ own = false }: OwnOption = {}): Generator<BtfType> {
    for (let id = own ? this.firstId : 1; id < this.size; id++) yield this.get(id)!;
  }

  /** Kind of a type, without making a view of it. @throws BtfLookupError ERR_NO_SUCH_ID */
  kindAt(id: number): Kind {
    const owner = this.#ownerOf(id);
    return id === 0 ? "void" : kindName(owner.kinds[id - owner.firstId]!);
  }

  /** Name of a type, "" if anonymous, without making a view of it. @throws BtfLookupError ERR_NO_SUCH_ID */
  nameAt(id: number): string {
    return id === 0 ? "void" : this.#ownerOf(id).string(this.nameOffsetAt(id));
  }

  /** Offset of a type's name among the strings of this image and its bases, 0 if anonymous. @internal */
  nameOffsetAt(id: number): number {
    const owner = this.#ownerOf(id);
    return id === 0 ? 0 : owner.view.getUint32(owner.record(id), true);
  }

  #ownerOf(id: number): Image {
    if (!this.has(id)) throw new BtfLookupError(ERR_NO_SUCH_ID, { value: id, limit: this.size - 1 });
    let owner = this.image;
    while (id < owner.firstId && owner.base) owner = owner.base;
    return owner;
  }

  /** Ids of all types of a kind, ascending. */
  idsOfKind(kind: Kind, { own = false }: OwnOption = {}): Uint32Array {
    const earlier = this.base && !own ? this.base.idsOfKind(kind) : new Uint32Array(0);
    const { kinds, firstId } = this.image;
    const number = kindNumber(kind);
    const ids: number[] = [];
    if (kind === "unknown") {
      kinds.forEach((of, i) => {
        if (kindName(of) === "unknown") ids.push(firstId + i);
      });
    } else {
      for (let i = kinds.indexOf(number); i >= 0; i = kinds.indexOf(number, i + 1)) ids.push(firstId + i);
    }
    const all = new Uint32Array(earlier.length + ids.length);
    all.set(earlier);
    all.set(ids, earlier.length);
    return all;
  }

  /**
   * Types by part of their name, fast enough for a list that follows each
   * keystroke. Bytes are compared as they are: case matters.
   *
   * @throws BtfLimitError ERR_PATTERN_LENGTH for patterns above 512 bytes
   */
  search<K extends Kind>(pattern: string, options: SearchOptions & { readonly kind: K }): TypeOf<K>[];
  search(pattern: string, options?: SearchOptions): BtfType[];
  search(pattern: string, options?: SearchOptions): BtfType[] {
    return Array.from(this.searchIds(pattern, options), (id) => this.get(id)!);
  }

  /** Returns the ids of the types that `search` returns, ascending. */
  searchIds(
    pattern: string,
    { match = "substring", kind, limit = Infinity, own = false }: SearchOptions = {},
  ): Uint32Array {
    const number = kind === undefined ? -1 : Math.max(0, kindNumber(kind));
    return searchNames(this.image, { pattern, match, kind: number, limit, own });
  }

  /**
   * Refuses all further use of this Btf; for a base, of its splits too, and
   * hands the memory to the next Btf that is opened.
   */
  [Symbol.dispose](): void {
    this.#views.clear();
    this.image.dispose();
  }
}
