/**
 * Definitions as an archive stores them, each once: the record as BTF has it, with anonymous types in their place and
 * named ones by kind, name and size. Two kernels have the same definition if its bytes are the same.
 *
 * Numbers and names go to two streams, which compress better apart. A reference is
 *
 *   0           void
 *   1           a named type: kind, (size × 8 + log2 of alignment) + 1 (0 where it does not matter or there is none), name
 *   2           a record: kind × 2 + kind_flag, vlen where the kind has elements or a linkage there, name,
 *               third word, fixed words, elements; ids are references, other words signed differences
 *   3 + n       the record or named type that came n + 1 before in this definition
 */

import type { Btf } from "../../btf/btf.js";
import type { Image } from "../../btf/image.js";
import { RECORD_SHAPES } from "../../format/generated/records.js";
import { kindIn, RECORD_WORDS, recordsOf, wordsOf } from "../../inspect/words.js";
import {
  KIND_ARRAY,
  KIND_CONST,
  KIND_DATASEC,
  KIND_ENUM,
  KIND_ENUM64,
  KIND_FLOAT,
  KIND_FUNC,
  KIND_FUNC_PROTO,
  KIND_FWD,
  KIND_INT,
  KIND_PTR,
  KIND_RESTRICT,
  KIND_STRUCT,
  KIND_TYPE_TAG,
  KIND_TYPEDEF,
  KIND_UNION,
  KIND_VAR,
  KIND_VOLATILE,
} from "../../memory/generated/abi.js";
import { ByteWriter } from "../bytes.js";

export const REFERENCE_VOID = 0;
export const REFERENCE_NAMED = 1;
export const REFERENCE_RECORD = 2;
export const REFERENCE_BACK = 3;

/** Whether vlen says something: how many elements follow, or a linkage. */
export function hasVlen(kind: number): boolean {
  return kind === KIND_FUNC || RECORD_SHAPES[kind]![3] > 0;
}

/** The kinds that are definitions where they have a name. */
const DEFINITIONS: readonly number[] = [
  KIND_STRUCT,
  KIND_UNION,
  KIND_ENUM,
  KIND_ENUM64,
  KIND_TYPEDEF,
  KIND_FUNC,
  KIND_VAR,
  KIND_INT,
  KIND_FLOAT,
];

/** The kinds that are referred to by name. */
const NAMED: readonly number[] = [
  KIND_STRUCT,
  KIND_UNION,
  KIND_FWD,
  KIND_ENUM,
  KIND_ENUM64,
  KIND_TYPEDEF,
  KIND_FUNC,
  KIND_INT,
  KIND_FLOAT,
];

/** A definition in the two streams. */
export interface Fragment {
  readonly numbers: Uint8Array;
  readonly names: Uint8Array;
}

/** Reads the definitions of one image. Its memory must not grow meanwhile. */
export class DefinitionReader {
  readonly #image: Image;
  readonly #pointerSize: number;
  /** Images from the base up, with words and records. */
  readonly #layers: { image: Image; words: Int32Array; records: Uint32Array }[] = [];
  readonly #sizes = new Map<number, number>();
  readonly #alignments = new Map<number, number>();
  readonly #numbers = new ByteWriter();
  readonly #names = new ByteWriter();
  readonly #seen = new Map<number, number>();

  constructor(btf: Btf) {
    this.#image = btf.image;
    this.#pointerSize = btf.pointerSize;
    for (let image: Image | undefined = btf.image; image; image = image.base) {
      this.#layers.unshift({ image, words: wordsOf(image), records: recordsOf(image) });
    }
  }

  /** Yields the ids of the own definitions. */
  *ids(): Generator<number> {
    const { image, words, records } = this.#layers.at(-1)!;
    for (let i = 0; i < image.count; i++) {
      const at = records[i]!;
      if (words[at] !== 0 && DEFINITIONS.includes(kindIn(words[at + 1]!))) yield image.firstId + i;
    }
  }

  /** Returns a definition's name, a character a byte. */
  nameOf(id: number): string {
    const { words, at } = this.#find(id);
    return this.#string(words[at]!);
  }

  /** Returns a definition; its bytes are valid until the next call. */
  read(id: number): Fragment {
    this.#numbers.clear();
    this.#names.clear();
    this.#seen.clear();
    this.#record(id, true);
    return { numbers: this.#numbers.bytes, names: this.#names.bytes };
  }

  #find(id: number): { words: Int32Array; at: number } {
    let layer = this.#layers.length - 1;
    while (layer > 0 && id < this.#layers[layer]!.image.firstId) layer--;
    const { image, words, records } = this.#layers[layer]!;
    return { words, at: records[id - image.firstId]! };
  }

  #string(offset: number): string {
    let owner = this.#image;
    while (offset < owner.stringsStart) owner = owner.base!;
    const { memory } = owner;
    let text = "";
    for (let at = owner.strings + offset - owner.stringsStart; memory[at] !== 0; at++)
      text += String.fromCharCode(memory[at]!);
    return text;
  }

  /** @param isPlain whether a reference counts as kind, name and size alone if it can */
  #reference(id: number, isSized: boolean): void {
    const numbers = this.#numbers;
    if (id <= 0 || id >= this.#image.idLimit) {
      numbers.varint(REFERENCE_VOID);
      return;
    }
    const { words, at } = this.#find(id);
    const kind = kindIn(words[at + 1]!);
    const isNamed = words[at] !== 0 && kind !== KIND_TYPE_TAG;
    // What only hostile images refer to.
    if (isNamed ? !NAMED.includes(kind) : kind === KIND_DATASEC || kind >= RECORD_SHAPES.length) {
      numbers.varint(REFERENCE_VOID);
      return;
    }
    const size = isNamed && isSized ? this.#size(id, 0) : -1;
    const key = id * 2 + (isNamed && size >= 0 ? 1 : 0);
    const seen = this.#seen.get(key);
    if (seen !== undefined) {
      numbers.varint(REFERENCE_BACK + this.#seen.size - 1 - seen);
      return;
    }
    if (!isNamed) {
      numbers.varint(REFERENCE_RECORD);
      this.#record(id, isSized);
      return;
    }
    this.#seen.set(key, this.#seen.size);
    numbers.varint(REFERENCE_NAMED);
    // Both ways of a declaration are told apart.
    numbers.varint(kind * 2 + (words[at + 1]! < 0 && kind === KIND_FWD ? 1 : 0));
    numbers.varint(size < 0 ? 0 : size * 8 + Math.log2(this.#alignment(id, 0)) + 1);
    this.#names.text(this.#string(words[at]!));
  }

  #record(id: number, isSized: boolean): void {
    this.#seen.set(id * 2, this.#seen.size);
    const { words, at } = this.#find(id);
    const numbers = this.#numbers;
    const info = words[at + 1]!;
    const kind = kindIn(info);
    const vlen = info & 0xffffff;
    const [thirdIsId, fixed, fixedIds, element, name, elementId] = RECORD_SHAPES[kind]!;
    // Behind a pointer, and among parameters, sizes do not matter; inside of a struct they say where it has padding.
    const isComposite = kind === KIND_STRUCT || kind === KIND_UNION;
    const inner = isComposite || (isSized && kind !== KIND_PTR && kind !== KIND_FUNC_PROTO && kind !== KIND_FUNC);
    numbers.varint(kind * 2 + (info < 0 ? 1 : 0));
    if (hasVlen(kind)) numbers.varint(vlen);
    this.#names.text(this.#string(words[at]!));
    if (thirdIsId) this.#reference(words[at + 2]!, inner);
    else numbers.signed(words[at + 2]!);
    for (let i = 0; i < fixed; i++) {
      const word = words[at + RECORD_WORDS + i]!;
      // The type of an array's index says nothing.
      if (kind === KIND_ARRAY && i === 1) continue;
      if (i < fixedIds) this.#reference(word, inner);
      else numbers.signed(word);
    }
    if (element === 0) return;
    const first = at + RECORD_WORDS + fixed;
    const end = first + vlen * element;
    for (let start = first; start < end; start += element) {
      for (let j = 0; j < element; j++) {
        const word = words[start + j]!;
        if (j === name) this.#names.text(this.#string(word));
        else if (j === elementId) this.#reference(word, inner);
        else numbers.signed((word - (start === first ? 0 : words[start - element + j]!)) | 0);
      }
    }
  }

  /** Size of a type in bytes, -1 for what has none. */
  #size(id: number, depth: number): number {
    if (id <= 0 || id >= this.#image.idLimit || depth > 64) return -1;
    const known = this.#sizes.get(id);
    if (known !== undefined) return known;
    const { words, at } = this.#find(id);
    const third = words[at + 2]!;
    let size = -1;
    switch (kindIn(words[at + 1]!)) {
      case KIND_INT:
      case KIND_STRUCT:
      case KIND_UNION:
      case KIND_ENUM:
      case KIND_ENUM64:
      case KIND_FLOAT:
        size = third >>> 0;
        break;
      case KIND_PTR:
        size = this.#pointerSize;
        break;
      case KIND_TYPEDEF:
      case KIND_CONST:
      case KIND_VOLATILE:
      case KIND_RESTRICT:
      case KIND_TYPE_TAG:
      case KIND_VAR:
        size = this.#size(third, depth + 1);
        break;
      case KIND_ARRAY: {
        const element = this.#size(words[at + RECORD_WORDS]!, depth + 1);
        size = element < 0 ? -1 : element * (words[at + RECORD_WORDS + 2]! >>> 0);
        if (size > 0xffffffff) size = -1;
        break;
      }
    }
    this.#sizes.set(id, size);
    return size;
  }

  /** Alignment of a type in bytes, as libbpf's btf__align_of has it: 1, 2, 4 or 8. */
  #alignment(id: number, depth: number): number {
    if (id <= 0 || id >= this.#image.idLimit || depth > 64) return 1;
    const known = this.#alignments.get(id);
    if (known !== undefined) return known;
    // A type inside itself has none.
    this.#alignments.set(id, 1);
    const { words, at } = this.#find(id);
    const info = words[at + 1]!;
    const third = words[at + 2]!;
    let alignment = 1;
    switch (kindIn(info)) {
      case KIND_INT:
      case KIND_ENUM:
      case KIND_ENUM64:
      case KIND_FLOAT:
        alignment = [8, 4, 2].find((one) => one <= this.#pointerSize && third >>> 0 >= one) ?? 1;
        break;
      case KIND_PTR:
        alignment = this.#pointerSize;
        break;
      case KIND_TYPEDEF:
      case KIND_CONST:
      case KIND_VOLATILE:
      case KIND_RESTRICT:
      case KIND_TYPE_TAG:
      case KIND_VAR:
        alignment = this.#alignment(third, depth + 1);
        break;
      case KIND_ARRAY:
        alignment = this.#alignment(words[at + RECORD_WORDS]!, depth + 1);
        break;
      case KIND_STRUCT:
      case KIND_UNION:
        alignment = this.#alignmentOfMembers(words, at, depth);
        break;
    }
    this.#alignments.set(id, alignment);
    return alignment;
  }

  #alignmentOfMembers(words: Int32Array, at: number, depth: number): number {
    const info = words[at + 1]!;
    const first = at + RECORD_WORDS;
    let most = 1;
    for (let i = first; i < first + (info & 0xffffff) * 3; i += 3) {
      const alignment = this.#alignment(words[i + 1]!, depth + 1);
      const place = words[i + 2]!;
      const [bitOffset, width] = info < 0 ? [place & 0xffffff, place >>> 24] : [place, 0];
      // Packed.
      if (width === 0 && bitOffset % (8 * alignment) !== 0) return 1;
      most = Math.max(most, alignment);
    }
    return (words[at + 2]! >>> 0) % most === 0 ? most : 1;
  }
}
