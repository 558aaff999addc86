/**
 * Shallow identity: what a definition itself says, with named types that it refers to by their names alone. Kernels are
 * compared by it, because a change then shows where it was made and not in each type that leads there.
 */

import type { Btf } from "../btf/btf.js";
import type { Image } from "../btf/image.js";
import type { BtfType } from "../btf/types.js";
import { ERR_BTF_DEPTH, ERR_NO_SUCH_ID } from "../errors/btf.js";
import { BtfLimitError, BtfLookupError } from "../errors/error.js";
import {
  KIND_ARRAY,
  KIND_DATASEC,
  KIND_DECL_TAG,
  KIND_ENUM,
  KIND_ENUM64,
  KIND_FLOAT,
  KIND_FUNC_PROTO,
  KIND_FWD,
  KIND_INT,
  KIND_STRUCT,
  KIND_TYPE_TAG,
  KIND_UNION,
} from "../memory/generated/abi.js";
import { kindIn, RECORD_WORDS, recordsOf, wordsOf } from "./words.js";

/** Anonymous types and references to references that are followed; compilers stay far below. */
const DEPTH = 512;

/** Where the two halves of a hash start, and what mixes a word into them. */
const START_LOW = 0x243f6a88;
const START_HIGH = 0x05a308d3;
const MIX_LOW = 0x9e3779b1;
const MIX_HIGH = 0x85ebca77;

/** What stands for references without a record: void, an id beyond the last, a type inside itself. */
const VOID = 0x13198a2e;
const ABSENT = 0x03707344;
const INSIDE = 0x24093822;

/** The kind as which a reference by name counts: a declaration as the struct or union, an ENUM64 as an ENUM. */
function kindByName(kind: number, info: number): number {
  if (kind === KIND_FWD) return info < 0 ? KIND_UNION : KIND_STRUCT;
  return kind === KIND_ENUM64 ? KIND_ENUM : kind;
}

/**
 * The shallow identities of all types of a Btf.
 *
 * @example
 * const ids = identities(btf);
 * const [list, node] = ["list_head", "llist_node"].map((name) => ids.of(btf.require(name, "struct")));
 * console.log(list === node, list?.length); // false 16
 */
export class Identities {
  readonly #base: Identities | undefined;
  readonly #first: number;
  /** Identities of the own types: low half, high half. @internal */
  readonly own: Int32Array;
  /** Hashes of the own types' names; 0 and 0 for none. @internal */
  readonly names: Int32Array;
  /** What a reference to each type counts as, the base's too, from void on. @internal */
  readonly references: Int32Array;

  /** @internal */
  constructor(image: Image, base: Identities | undefined) {
    this.#base = base;
    this.#first = image.firstId;
    this.own = new Int32Array(image.count * 2);
    this.names = new Int32Array(image.count * 2);
    this.references = new Int32Array(image.idLimit * 2);
    if (base) this.references.set(base.references);
    else this.references.fill(VOID, 0, 2);
    hashTypes(image, this);
  }

  /**
   * Returns a type's identity as 16 hexadecimal digits.
   *
   * @throws BtfLookupError ERR_NO_SUCH_ID, also for void
   */
  of(type: BtfType | number): string {
    const id = typeof type === "number" ? type : type.id;
    const limit = this.references.length / 2 - 1;
    if (!(Number.isInteger(id) && id >= 1 && id <= limit)) {
      throw new BtfLookupError(ERR_NO_SUCH_ID, { value: id, limit });
    }
    if (id < this.#first) return this.#base!.of(id);
    const at = (id - this.#first) * 2;
    return [this.own[at + 1]!, this.own[at]!].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

const UNSEEN = 0;
const SEEN = 1;

/**
 * Fills the arrays of `into`. One function with its state in variables: as objects, hashes take five times as long
 * before they are compiled, which is most of what a short process sees.
 */
function hashTypes(image: Image, { own, names, references }: Identities): void {
  const { firstId, count, idLimit, stringsStart } = image;
  const { memory } = image;
  const words = wordsOf(image);
  const records = recordsOf(image);
  const states = new Uint8Array(count);
  /** Hashes of the own strings by their offset; the low half of a known one is not 0. */
  const strings = new Int32Array(image.header.stringsLength * 2);
  let low = 0;
  let high = 0;

  function addPair(a: number, b: number): void {
    const c = Math.imul(((low << 7) | (low >>> 25)) ^ a, MIX_LOW);
    const d = Math.imul(((high << 13) | (high >>> 19)) ^ b, MIX_HIGH);
    low = c ^ (c >>> 15);
    high = d ^ (d >>> 16);
  }

  function addName(offset: number): void {
    if (offset === 0) {
      addPair(0, 0);
      return;
    }
    const slot = (offset - stringsStart) * 2;
    if (slot < 0 || strings[slot] === 0) hashString(offset, slot);
    if (slot >= 0) addPair(strings[slot]!, strings[slot + 1]!);
  }

  /** Keeps the hash of an own string, and adds the hash of a base's. */
  function hashString(offset: number, slot: number): void {
    let owner = image;
    while (offset < owner.stringsStart) owner = owner.base!;
    let a = START_LOW;
    let b = START_HIGH;
    for (let at = owner.strings + offset - owner.stringsStart; memory[at] !== 0; at++) {
      a = Math.imul(a ^ memory[at]!, 0x01000193);
      b = Math.imul(((b << 5) | (b >>> 27)) ^ memory[at]!, MIX_HIGH);
    }
    a = Math.imul(a ^ (a >>> 15), MIX_LOW) || 1;
    b = Math.imul(b ^ (b >>> 13), MIX_LOW);
    if (slot < 0) {
      addPair(a, b);
      return;
    }
    strings[slot] = a;
    strings[slot + 1] = b;
  }

  /** Adds what a reference to a type counts as. */
  function addReference(id: number, depth: number): void {
    if (id < 0 || id >= idLimit) {
      addPair(ABSENT, ABSENT);
      return;
    }
    if (id >= firstId && states[id - firstId] === UNSEEN) {
      const [a, b] = [low, high];
      refer(id, depth + 1);
      low = a;
      high = b;
    }
    addPair(references[id * 2]!, references[id * 2 + 1]!);
  }

  /** Works out what references to an own type count as. */
  function refer(id: number, depth: number): void {
    if (depth > DEPTH) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: id, limit: DEPTH });
    const i = id - firstId;
    states[i] = SEEN;
    references[id * 2] = references[id * 2 + 1] = INSIDE;
    const at = records[i]!;
    if (isNamed(words, at)) {
      const info = words[at + 1]!;
      low = START_LOW ^ kindByName(kindIn(info), info);
      high = START_HIGH;
      addPair(names[i * 2]!, names[i * 2 + 1]!);
    } else hashRecord(at, depth);
    references[id * 2] = low;
    references[id * 2 + 1] = high;
  }

  /** Hashes a record with its elements. */
  function hashRecord(at: number, depth: number): void {
    const info = words[at + 1]!;
    const kind = kindIn(info);
    const vlen = info & 0xffff;
    const third = words[at + 2]!;
    const first = at + RECORD_WORDS;
    low = START_LOW ^ kindByName(kind, info);
    high = START_HIGH;
    addName(words[at]!);
    switch (kind) {
      case KIND_STRUCT:
      case KIND_UNION:
        addPair(third, third);
        for (let i = first; i < first + vlen * 3; i += 3) {
          addName(words[i]!);
          addReference(words[i + 1]!, depth);
          // With kind_flag the upper 8 bits are the width of a bitfield.
          const place = words[i + 2]!;
          if (info < 0) addPair(place & 0xffffff, place >>> 24);
          else addPair(place, 0);
        }
        break;
      case KIND_ENUM:
        addPair(third, third);
        for (let i = first; i < first + vlen * 2; i += 2) {
          addName(words[i]!);
          addPair(words[i + 1]!, info < 0 ? words[i + 1]! >> 31 : 0);
        }
        break;
      case KIND_ENUM64:
        addPair(third, third);
        for (let i = first; i < first + vlen * 3; i += 3) {
          addName(words[i]!);
          addPair(words[i + 1]!, words[i + 2]!);
        }
        break;
      case KIND_FUNC_PROTO:
        addReference(third, depth);
        for (let i = first; i < first + vlen * 2; i += 2) {
          addName(words[i]!);
          addReference(words[i + 1]!, depth);
        }
        break;
      case KIND_ARRAY:
        addReference(words[first]!, depth);
        addPair(words[first + 2]!, 0);
        break;
      case KIND_DATASEC:
        addPair(third, third);
        for (let i = first; i < first + vlen * 3; i += 3) {
          addReference(words[i]!, depth);
          addPair(words[i + 1]!, words[i + 2]!);
        }
        break;
      case KIND_INT:
        addPair(third, words[first]!);
        break;
      case KIND_FLOAT:
        addPair(third, third);
        break;
      case KIND_FWD:
        break;
      case KIND_DECL_TAG:
        addReference(third, depth);
        addPair(words[first]!, 0);
        break;
      default:
        // A reference; the third word of a kind unknown to us may be anything.
        if (kind < KIND_ENUM64) addReference(third, depth);
        else addPair(third, kind);
    }
  }

  for (let i = 0; i < count; i++) {
    const name = words[records[i]!]!;
    if (name === 0) continue;
    low = START_LOW;
    high = START_HIGH;
    addName(name);
    names[i * 2] = low || 1;
    names[i * 2 + 1] = high;
  }
  for (let i = 0; i < count; i++) {
    if (states[i] === UNSEEN) refer(firstId + i, 0);
  }
  own.set(references.subarray(firstId * 2));
  for (let i = 0; i < count; i++) {
    if (!isNamed(words, records[i]!)) continue;
    hashRecord(records[i]!, 0);
    own[i * 2] = low;
    own[i * 2 + 1] = high;
  }
}

/** Whether a type stands for itself by its name; a type tag's name is an attribute. */
function isNamed(words: Int32Array, at: number): boolean {
  return words[at] !== 0 && kindIn(words[at + 1]!) !== KIND_TYPE_TAG;
}

const known = new WeakMap<Btf, Identities>();

/**
 * Returns the shallow identities of all types: 64 bits that are the same wherever an equal definition stands, whatever
 * its id, its image and the byte order, and stay what they are between versions of this library.
 *
 * An identity counts the kind (an ENUM64 as an ENUM), the name, the size, and what the definition lists: members with
 * name, offset and width; enumerators with name and value; parameters; the target of a typedef. A type that is referred
 * to counts with kind and name if it has one (a declaration as the struct or union), and with all of that if it has
 * none. Not made to withstand somebody who looks for two definitions of one identity. The result is kept, 24 bytes a type.
 *
 * @throws BtfLimitError ERR_BTF_DEPTH for types without names that lead through 512 others
 * @example
 * const ours = identities(btf).of(btf.require("list_head", "struct"));
 * console.log(ours === identities(Btf.parse(bytes)).of(btf.require("list_head", "struct"))); // true
 */
export function identities(btf: Btf): Identities {
  btf.image.check();
  let found = known.get(btf);
  if (!found) {
    found = new Identities(btf.image, btf.base && identities(btf.base));
    known.set(btf, found);
  }
  return found;
}
