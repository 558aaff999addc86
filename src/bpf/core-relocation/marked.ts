/** Writes the marked types of a target as a new BTF. */
import type { Btf } from "../../btf/btf.js";
import { MAGIC } from "../../btf/header.js";
import { encode } from "../../btf/strings.js";
import type { BtfType, StructType, UnionType } from "../../btf/types.js";
import type { CoreTarget } from "./resolution.js";
import { memberAt } from "./types.js";

/** The types to write, and for structs and unions the indices of their members. */
export type Marked = Map<BtfType, Set<number>>;

/**
 * Header lengths in bytes: little-endian with the place of an empty layout
 * section, as bpftool 7.8 writes it; big-endian without, since libbpf 1.1 does not
 * swap a longer header.
 */
const HEADER_LENGTH = { little: 32, big: 24 };
const KIND_FLAG = 0x80000000;
const MEMBER_BITS_SHIFT = 24;

/** A string section that grows; equal texts share a place. */
class Strings {
  readonly #offsets = new Map([["", 0]]);
  readonly #parts: Uint8Array[] = [new Uint8Array(1)];
  readonly #base: Strings | undefined;
  /** Where this section starts among the strings of the base. */
  readonly #start: number;
  length = 1;

  /** @param base the strings of the BTF that this one is split on */
  constructor(base?: Strings) {
    this.#base = base;
    this.#start = base ? base.#start + base.length : 0;
  }

  /** Returns the offset of a text that is there already. */
  known(text: string): number | undefined {
    return this.#base?.known(text) ?? this.#offsets.get(text);
  }

  offset(text: string): number {
    const known = this.known(text);
    if (known !== undefined) return known;
    const offset = this.#start + this.length;
    const bytes = encode(`${text}\0`);
    this.#parts.push(bytes);
    this.#offsets.set(text, offset);
    this.length += bytes.length;
    return offset;
  }

  copyTo(target: Uint8Array, at: number): void {
    for (const part of this.#parts) {
      target.set(part, at);
      at += part.length;
    }
  }
}

/** The marked types in the order in which they are written: vmlinux's by their ids, then each module's. */
function ordered(marked: Marked, { vmlinux, modules }: CoreTarget): BtfType[] {
  const owners: Btf[] = [];
  for (let btf: Btf | undefined = vmlinux; btf; btf = btf.base) owners.unshift(btf);
  const ranks = new Map([...owners, ...modules].map((btf, rank) => [btf, rank]));
  return [...marked.keys()].sort((a, b) => ranks.get(a.btf)! - ranks.get(b.btf)! || a.id - b.id);
}

function write(writer: Writer, types: readonly BtfType[], marked: Marked): void {
  for (const type of types) {
    if (type.kind === "struct" || type.kind === "union") writer.composite(type, marked.get(type)!);
    else writer.whole(type);
  }
}

/** Returns the bytes of a BTF with only the marked types, in the order of their ids: vmlinux's, then each module's. */
export function encodeMarked(marked: Marked, target: CoreTarget): Uint8Array<ArrayBuffer> {
  const types = ordered(marked, target);
  const writer = new Writer(new Map(types.map((type, i) => [type, i + 1])), new Strings());
  write(writer, types, marked);
  return writer.bytes(target.vmlinux.endian === "little");
}

/** Returns the marked types of the kernel, and those of each module as a BTF that is split on it; `undefined` for a module without any. */
export function encodeMarkedSplit(
  marked: Marked,
  target: CoreTarget,
): { readonly base: Uint8Array<ArrayBuffer>; readonly modules: readonly (Uint8Array<ArrayBuffer> | undefined)[] } {
  const { vmlinux, modules } = target;
  const little = vmlinux.endian === "little";
  const types = ordered(marked, target);
  const isModules = new Set(modules);
  const kernels = types.filter(({ btf }) => !isModules.has(btf));
  const ids = new Map(kernels.map((type, i) => [type, i + 1]));
  const strings = new Strings();
  const writer = new Writer(ids, strings);
  write(writer, kernels, marked);
  return {
    base: writer.bytes(little),
    modules: modules.map((btf) => {
      const own = types.filter((type) => type.btf === btf);
      if (own.length === 0) return undefined;
      const all = new Map([...ids, ...own.map((type, i) => [type, kernels.length + 1 + i] as const)]);
      const split = new Writer(all, new Strings(strings));
      write(split, own, marked);
      return split.bytes(little);
    }),
  };
}

class Writer {
  readonly #ids: ReadonlyMap<BtfType, number>;
  readonly #strings: Strings;
  readonly #words: number[] = [];

  constructor(ids: ReadonlyMap<BtfType, number>, strings: Strings) {
    this.#ids = ids;
    this.#strings = strings;
  }

  /** Returns the new id of a referenced type; void if it was not marked. */
  #reference(type: BtfType): number {
    return this.#ids.get(type) ?? 0;
  }

  /** Returns the info word of a record with a new number of elements. */
  #info(kind: number, vlen: number, kindFlag: boolean): number {
    return ((kindFlag ? KIND_FLAG : 0) + kind * 2 ** 24 + vlen) >>> 0;
  }

  /** Writes a struct or union with some of its members. kind_flag is set if a member is a bitfield, or does not start at a byte (libbpf's btf__add_field). */
  composite(type: StructType | UnionType, indices: ReadonlySet<number>): void {
    const members = [...indices].sort((a, b) => a - b).map((index) => memberAt(type, index)!);
    const isFlagged = members.some(({ bitfieldSize, bitOffset }) => bitfieldSize > 0 || bitOffset % 8 !== 0);
    const kind = type.kind === "struct" ? 4 : 5;
    this.#words.push(this.#strings.offset(type.name), this.#info(kind, members.length, isFlagged), type.byteSize);
    for (const { name, type: target, bitOffset, bitfieldSize } of members) {
      const place = isFlagged ? bitOffset + bitfieldSize * 2 ** MEMBER_BITS_SHIFT : bitOffset;
      this.#words.push(this.#strings.offset(name), this.#reference(target), place);
    }
  }

  /** Writes any other type as it is. */
  whole(type: BtfType): void {
    const { image } = type.btf;
    const at = image.record(type.id);
    const word = (index: number): number => image.view.getUint32(at + index * 4, true);
    const name = (index: number): number => this.#strings.offset(image.string(word(index)));
    const reference = (index: number): number => {
      const target = type.btf.get(word(index));
      return target ? this.#reference(target) : 0;
    };
    const words = this.#words;
    words.push(name(0), word(1));
    switch (type.kind) {
      case "int":
        words.push(word(2), word(3));
        break;
      case "array":
        words.push(word(2), reference(3), reference(4), word(5));
        break;
      case "enum":
        words.push(word(2));
        for (let i = 0; i < type.vlen; i++) words.push(name(3 + i * 2), word(4 + i * 2));
        break;
      case "enum64":
        words.push(word(2));
        for (let i = 0; i < type.vlen; i++) words.push(name(3 + i * 3), word(4 + i * 3), word(5 + i * 3));
        break;
      case "func_proto":
        words.push(reference(2));
        for (let i = 0; i < type.vlen; i++) words.push(name(3 + i * 2), reference(4 + i * 2));
        break;
      case "var":
      case "decl_tag":
        words.push(reference(2), word(3));
        break;
      case "datasec":
        words.push(word(2));
        for (let i = 0; i < type.vlen; i++) words.push(reference(3 + i * 3), word(4 + i * 3), word(5 + i * 3));
        break;
      case "float":
      case "fwd":
        words.push(word(2));
        break;
      default:
        words.push(reference(2));
    }
  }

  bytes(little: boolean): Uint8Array<ArrayBuffer> {
    const typesLength = this.#words.length * 4;
    const headerLength = HEADER_LENGTH[little ? "little" : "big"];
    const bytes = new Uint8Array(headerLength + typesLength + this.#strings.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, MAGIC, little);
    view.setUint8(2, 1);
    const fields = [headerLength, 0, typesLength, typesLength, this.#strings.length];
    fields.forEach((field, i) => view.setUint32(4 + i * 4, field, little));
    this.#words.forEach((word, i) => view.setUint32(headerLength + i * 4, word, little));
    this.#strings.copyTo(bytes, headerLength + typesLength);
    return bytes;
  }
}
