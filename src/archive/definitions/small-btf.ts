/** Makes BTF of a few definitions of an archive: what they refer to by name is there by kind, name and size. */

import { Btf } from "../../btf/btf.js";
import { MAGIC } from "../../btf/header.js";
import { RECORD_SHAPES } from "../../format/generated/records.js";
import {
  KIND_ARRAY,
  KIND_DATASEC,
  KIND_ENUM,
  KIND_ENUM64,
  KIND_FLOAT,
  KIND_FUNC,
  KIND_FUNC_PROTO,
  KIND_FWD,
  KIND_INT,
  KIND_STRUCT,
  KIND_TYPEDEF,
  KIND_UNION,
} from "../../memory/generated/abi.js";
import { ByteReader } from "../bytes.js";
import {
  type Fragment,
  hasVlen,
  REFERENCE_BACK,
  REFERENCE_NAMED,
  REFERENCE_RECORD,
  REFERENCE_VOID,
} from "./fragment.js";

/** The flag of a FWD that declares a union. */
const DECLARES_UNION = 1 << 31;
/** References inside one another that are followed. */
const DEPTH = 512;
const HEADER_LENGTH = 24;

/** A record whose ids are places among all records, void being 0; `stands` leads to the one that stands for it. */
interface Draft {
  readonly name: string;
  readonly info: number;
  third: number;
  /** Words behind the third; ids are marked by their index here, names by theirs. */
  readonly words: number[];
  readonly ids: number[];
  readonly names: Map<number, string>;
  thirdIsId: boolean;
}

/** The kernel that definitions are of. */
interface Machine {
  /** In bytes. */
  readonly pointerSize: 4 | 8;
  readonly endian: "little" | "big";
}

/** For what is the same on all. */
export const ANY_MACHINE: Machine = { pointerSize: 8, endian: "little" };

export class SmallBtf {
  readonly #drafts: Draft[] = [];
  readonly #named = new Map<string, number>();
  readonly #definitions = new Map<string, number[]>();
  readonly #machine: Machine;
  readonly #declaresStructs: boolean;

  /** @param options.declaresStructs whether structs and unions that only pointers lead to are FWDs, or empty */
  constructor(machine: Machine, { declaresStructs = true }: { readonly declaresStructs?: boolean } = {}) {
    this.#machine = machine;
    this.#declaresStructs = declaresStructs;
  }

  /** Adds a definition. @throws BtfFormatError ERR_ARCHIVE_DAMAGED */
  add({ numbers, names }: Fragment, place: string): void {
    const reader = new FragmentReader(this.#drafts, this.#named, numbers, names, place, this.#declaresStructs);
    const id = reader.record(0);
    const { name, info } = this.#drafts[id - 1]!;
    const key = keyOf((info >>> 24) & 0x7f, name);
    const list = this.#definitions.get(key);
    if (list) list.push(id);
    else this.#definitions.set(key, [id]);
  }

  /** Opens what was added. */
  open(): Btf {
    const drafts = this.#drafts;
    // A named type is the definition, if that is here.
    const stands = new Map<number, number>();
    const known = new Map<string, number>();
    for (const [key, id] of this.#named) {
      const [code, size, name] = splitKey(key);
      if (size >= 0) known.set(keyOf(code, name), id);
    }
    for (const [key, id] of this.#named) {
      const [code, size, name] = splitKey(key);
      const found = this.#definitions.get(keyOf(code >> 1, name));
      if (!found) {
        // Behind pointers the size was left out; it is the same type.
        const sized = size < 0 ? known.get(keyOf(code, name)) : undefined;
        if (sized !== undefined) stands.set(id, sized);
        continue;
      }
      const fits = found.find((one) => drafts[one - 1]!.third >>> 0 === size) ?? found[0]!;
      stands.set(id, fits);
    }
    const finalIds = new Int32Array(drafts.length + 1);
    let count = 0;
    for (let id = 1; id <= drafts.length; id++) if (!stands.has(id)) finalIds[id] = ++count;
    for (const [id, other] of stands) finalIds[id] = finalIds[other]!;
    const btf = Btf.parse(this.#bytes(finalIds, stands));
    btf.pointerSize = this.#machine.pointerSize;
    return btf;
  }

  #bytes(finalIds: Int32Array, stands: ReadonlyMap<number, number>): Uint8Array {
    const words: number[] = [];
    const strings = new Map<string, number>([["", 0]]);
    let length = 1;
    const offsetOf = (text: string): number => {
      const known = strings.get(text);
      if (known !== undefined) return known;
      strings.set(text, length);
      length += text.length + 1;
      return length - text.length - 1;
    };
    this.#drafts.forEach((draft, i) => {
      if (stands.has(i + 1)) return;
      words.push(offsetOf(draft.name), draft.info, draft.thirdIsId ? finalIds[draft.third]! : draft.third);
      const first = words.length;
      words.push(...draft.words);
      for (const at of draft.ids) words[first + at] = finalIds[draft.words[at]!]!;
      for (const [at, name] of draft.names) words[first + at] = offsetOf(name);
    });
    const bytes = new Uint8Array(HEADER_LENGTH + words.length * 4 + length);
    const isLittle = this.#machine.endian === "little";
    const view = new DataView(bytes.buffer);
    view.setUint16(0, MAGIC, isLittle);
    view.setUint8(2, 1);
    view.setUint32(4, HEADER_LENGTH, isLittle);
    view.setUint32(12, words.length * 4, isLittle);
    view.setUint32(16, words.length * 4, isLittle);
    view.setUint32(20, length, isLittle);
    words.forEach((word, i) => {
      view.setInt32(HEADER_LENGTH + i * 4, word, isLittle);
    });
    let at = HEADER_LENGTH + words.length * 4;
    for (const text of strings.keys()) {
      for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
      at++;
    }
    return bytes;
  }
}

function keyOf(kind: number, name: string): string {
  return `${kind === KIND_ENUM64 ? KIND_ENUM : kind} ${name}`;
}

/** @param code kind × 2, and 1 for the declaration of a union */
function namedKey(code: number, size: number, name: string): string {
  return `${code} ${size} ${name}`;
}

function splitKey(key: string): [code: number, size: number, name: string] {
  const first = key.indexOf(" ");
  const second = key.indexOf(" ", first + 1);
  return [Number(key.slice(0, first)), Number(key.slice(first + 1, second)), key.slice(second + 1)];
}

/** Reads one definition into drafts. */
class FragmentReader {
  readonly #drafts: Draft[];
  readonly #named: Map<string, number>;
  readonly #numbers: ByteReader;
  readonly #names: ByteReader;
  readonly #declaresStructs: boolean;
  readonly #seen: number[] = [];

  constructor(
    drafts: Draft[],
    named: Map<string, number>,
    numbers: Uint8Array,
    names: Uint8Array,
    place: string,
    declaresStructs: boolean,
  ) {
    this.#declaresStructs = declaresStructs;
    this.#drafts = drafts;
    this.#named = named;
    this.#numbers = new ByteReader(numbers, place);
    this.#names = new ByteReader(names, place);
  }

  /** Reads a record, and returns its place among the drafts, from 1 on. */
  record(depth: number): number {
    if (depth > DEPTH) throw this.#numbers.refuse("types lie inside one another too deeply");
    const numbers = this.#numbers;
    const code = numbers.below(RECORD_SHAPES.length * 2);
    const kind = code >> 1;
    if (kind === 0 || kind === KIND_DATASEC) throw numbers.refuse(`kind ${kind} is no definition`);
    const vlen = hasVlen(kind) ? numbers.below(1 << 24) : 0;
    const [thirdIsId, fixed, fixedIds, element, name, elementId] = RECORD_SHAPES[kind]!;
    if (vlen * element > numbers.left + this.#names.left) throw numbers.refuse("it ends early");
    const draft: Draft = {
      name: this.#names.text(),
      info: ((code & 1) << 31) | (kind << 24) | vlen,
      third: 0,
      words: [],
      ids: [],
      names: new Map(),
      thirdIsId: thirdIsId === 1,
    };
    this.#drafts.push(draft);
    const id = this.#drafts.length;
    this.#seen.push(id);
    draft.third = thirdIsId ? this.#reference(depth) : numbers.signed();
    const { words } = draft;
    for (let i = 0; i < fixed; i++) {
      if (i < fixedIds) {
        draft.ids.push(words.length);
        // An array's index is an int like any other: that of its element does.
        words.push(kind === KIND_ARRAY && i === 1 ? words[0]! : this.#reference(depth));
      } else words.push(numbers.signed());
    }
    for (let i = 0; i < vlen && element > 0; i++) {
      for (let j = 0; j < element; j++) {
        if (j === name) {
          draft.names.set(words.length, this.#names.text());
          words.push(0);
        } else if (j === elementId) {
          draft.ids.push(words.length);
          const at = words.length;
          words.push(0);
          words[at] = this.#reference(depth);
        } else words.push((numbers.signed() + (i === 0 ? 0 : words[words.length - element]!)) | 0);
      }
    }
    return id;
  }

  #reference(depth: number): number {
    const numbers = this.#numbers;
    const tag = numbers.varint();
    if (tag === REFERENCE_VOID) return 0;
    if (tag === REFERENCE_NAMED) return this.#named_();
    if (tag === REFERENCE_RECORD) return this.record(depth + 1);
    const back = tag - REFERENCE_BACK + 1;
    const id = this.#seen[this.#seen.length - back];
    if (id === undefined) throw numbers.refuse("a reference leads nowhere");
    return id;
  }

  /** A type by kind, name and size. */
  #named_(): number {
    const code = this.#numbers.below(RECORD_SHAPES.length * 2);
    const measure = this.#numbers.varint() - 1;
    const size = measure < 0 ? -1 : Math.floor(measure / 8);
    const name = this.#names.text();
    const kind = code >> 1;
    const key = namedKey(code, size, name);
    let id = this.#named.get(key);
    if (id === undefined) {
      id = this.#stub(kind, code & 1, size, 1 << (measure & 3), name);
      this.#named.set(key, id);
    }
    this.#seen.push(id);
    return id;
  }

  #stub(kind: number, flag: number, size: number, alignment: number, name: string): number {
    const make = (draft: Partial<Draft> & Pick<Draft, "info">): number => {
      const { info, third = 0, thirdIsId = false, words = [], ids = [] } = draft;
      this.#drafts.push({ name: draft.name ?? name, info, third, thirdIsId, words, ids, names: new Map() });
      return this.#drafts.length;
    };
    const isUnsized = size < 0;
    const unit = (): number => make({ name: "", info: KIND_INT << 24, third: alignment, words: [alignment * 8] });
    switch (kind) {
      case KIND_STRUCT:
      case KIND_UNION: {
        if (isUnsized && !this.#declaresStructs) return make({ info: kind << 24 });
        if (isUnsized) return make({ info: (kind === KIND_UNION ? DECLARES_UNION : 0) | (KIND_FWD << 24) });
        // A member without a name, for the alignment.
        if (alignment === 1 || size < alignment) return make({ info: kind << 24, third: size });
        return make({ info: (kind << 24) | 1, third: size, words: [0, unit(), 0], ids: [1] });
      }
      case KIND_FWD:
        return make({ info: (flag ? DECLARES_UNION : 0) | (KIND_FWD << 24) });
      case KIND_ENUM:
      case KIND_ENUM64:
      case KIND_FLOAT:
        return make({ info: kind << 24, third: isUnsized ? 4 : size });
      case KIND_INT: {
        const bytes = isUnsized ? 4 : Math.min(size, 16);
        return make({ info: KIND_INT << 24, third: bytes, words: [bytes * 8] });
      }
      case KIND_TYPEDEF: {
        if (isUnsized) return make({ info: KIND_TYPEDEF << 24, thirdIsId: true });
        const element = unit();
        const words = [element, element, Math.floor(size / alignment)];
        const target = make({ name: "", info: KIND_ARRAY << 24, words, ids: [0, 1] });
        return make({ info: KIND_TYPEDEF << 24, third: target, thirdIsId: true });
      }
      case KIND_FUNC: {
        const proto = make({ name: "", info: KIND_FUNC_PROTO << 24, thirdIsId: true });
        return make({ info: KIND_FUNC << 24, third: proto, thirdIsId: true });
      }
      default:
        throw this.#numbers.refuse(`a reference to kind ${kind}`);
    }
  }
}
