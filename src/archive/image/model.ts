/**
 * How an image is coded, alone or as what differs from another: one walk that both encoder and decoder take, each word
 * predicted from what came before. A type that has a counterpart in the other image is expected to be like it, with the
 * ids and names of its own.
 */

import { RECORD_SHAPES } from "../../format/generated/records.js";
import { kindIn } from "../../inspect/words.js";
import { KIND_ENUM, KIND_ENUM64, KIND_STRUCT, KIND_UNION } from "../../memory/generated/abi.js";
import type { Coder } from "./coder.js";
import { type ParsedImage, wordCount } from "./parse.js";

/** Sorts of numbers; each has weights of its own. */
const SORT = {
  length: 1,
  byte: 2,
  sourceFlag: 3,
  source: 4,
  same: 5,
  info: 6,
  vlen: 7,
  word: 8,
  isNewId: 9,
  isNearId: 10,
  nearId: 11,
  id: 12,
  guess: 13,
  fresh: 14,
  name: 15,
  offset: 16,
  element: 17,
  skip: 18,
  expected: 19,
  order: 20,
  orderJump: 21,
  string: 22,
} as const;

/** Ids closer than this are coded by their distance. */
const NEAR = 48;

/** What an image is coded against: an image, and the counterpart there of each type, 0 for none. */
export interface Reference {
  readonly image: ParsedImage;
  /** Counterparts of the own types, by their index; an encoder's. */
  readonly counterparts?: Int32Array;
  /** Ids that the base's types have, by the ids that they have in the reference's base; 0 for none. */
  readonly baseIds?: Int32Array;
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}

class ModelLimit extends Error {}

/**
 * Codes an image: with an encoder the given one, with a decoder that which is returned.
 *
 * @param limit the most words and strings' bytes that a decoder makes
 * @returns `undefined` where a decoder's input is no image
 */
export function codeImage(
  coder: Coder,
  image: ParsedImage | undefined,
  base: ParsedImage | undefined,
  reference: Reference | undefined,
  limit: number,
): ParsedImage | undefined {
  try {
    return new Model(coder, image, base, reference, limit).code();
  } catch (error) {
    if (error instanceof ModelLimit) return undefined;
    throw error;
  }
}

class Model {
  readonly #coder: Coder;
  readonly #given: ParsedImage | undefined;
  readonly #base: ParsedImage | undefined;
  readonly #reference: Reference | undefined;
  readonly #limit: number;
  readonly #firstId: number;

  /** Strings that names may be: the base's, the reference's, those of the image that neither has. */
  readonly #dictionary: string[] = [];
  readonly #byText = new Map<string, number>();
  /** Indexes in the dictionary, by those in the given image and in the reference; -1 while unknown. */
  #ofGiven = new Int32Array(0);
  #ofReference = new Int32Array(0);
  /** The dictionary's indexes in the order in which the image's names first have them. */
  readonly #used: number[] = [];
  readonly #isUsed = new Set<number>();

  /** New ids by the reference's. */
  #ids = new Int32Array(0);
  #words = new Int32Array(1 << 12);
  #length = 0;
  #highestId = 0;
  #spent = 0;
  /** The last name that went with a type, and the last that followed a name. */
  readonly #nameOfType = new Map<number, number>();
  readonly #nameAfter = new Map<number, number>();
  #lastName = 0;
  #guessed = 0;
  #kinds = 0;

  constructor(
    coder: Coder,
    image: ParsedImage | undefined,
    base: ParsedImage | undefined,
    reference: Reference | undefined,
    limit: number,
  ) {
    this.#coder = coder;
    this.#given = image;
    this.#base = base;
    this.#reference = reference;
    this.#limit = limit;
    this.#firstId = base ? base.firstId + base.records.length : 1;
  }

  code(): ParsedImage {
    const given = this.#given;
    const isLittleEndian = this.#coder.flag(given?.isLittleEndian ?? true, SORT.byte);
    const front = this.#bytes(given?.front);
    const middle = this.#bytes(given?.middle);
    const tail = this.#bytes(given?.tail);
    const count = this.#number(given?.records.length ?? 0);
    this.#spend(count * 3);
    this.#prepare();
    const records = new Uint32Array(count);
    const sources = this.#sources(count);
    for (let i = 0; i < count; i++) {
      records[i] = this.#length;
      this.#record(i, sources[i]!);
      if (this.#coder.isExhausted) throw new ModelLimit();
    }
    const words = this.#words.slice(0, this.#length);
    const { strings, baseStrings } = this.#strings(words, records);
    return { isLittleEndian, front, words, records, middle, strings, baseStrings, firstId: this.#firstId, tail };
  }

  #spend(amount: number): void {
    this.#spent += amount;
    if (this.#spent > this.#limit) throw new ModelLimit();
  }

  #number(value: number): number {
    return this.#coder.number(value, SORT.length);
  }

  #bytes(given: Uint8Array | undefined): Uint8Array {
    const length = this.#number(given?.length ?? 0);
    this.#spend(length);
    const bytes = new Uint8Array(length);
    const [before, unit] = [this.#reference?.image.front, 4];
    for (let i = 0; i < length; i++) {
      bytes[i] = this.#coder.number(given?.[i] ?? 0, SORT.byte, i, before?.[i] ?? 0, bytes[i - unit] ?? 0);
      if (this.#coder.isExhausted) throw new ModelLimit();
    }
    return bytes;
  }

  /** Fills the dictionary with what both sides have. */
  #prepare(): void {
    this.#add("");
    for (const text of this.#base?.strings ?? []) this.#add(text);
    const given = this.#given;
    if (this.#reference) {
      const { strings } = this.#reference.image;
      this.#ofReference = Int32Array.from(strings, (text) => this.#byText.get(text) ?? this.#add(text));
    }
    if (given) this.#ofGiven = Int32Array.from(given.strings, (text) => this.#byText.get(text) ?? -1);
  }

  #add(text: string): number {
    const index = this.#dictionary.length;
    this.#dictionary.push(text);
    if (!this.#byText.has(text)) this.#byText.set(text, index);
    return this.#byText.get(text)!;
  }

  /** Codes which types have counterparts, as runs of ids, and from them what the reference's ids have become. */
  #sources(count: number): Int32Array {
    const sources = new Int32Array(count);
    const { image, counterparts, baseIds } = this.#reference ?? {};
    if (!image) return sources;
    const limit = image.firstId + image.records.length;
    this.#ids = new Int32Array(limit);
    if (baseIds) this.#ids.set(baseIds.subarray(0, Math.min(baseIds.length, image.firstId)));
    let expected = image.firstId;
    let last = 0;
    for (let i = 0; i < count; i++) {
      const source = counterparts?.[i] ?? 0;
      let value = expected;
      if (this.#coder.flag(source === expected, SORT.sourceFlag, last)) last = (last << 1) & 0xff;
      else {
        last = ((last << 1) | 1) & 0xff;
        const jump = this.#coder.number(source === 0 ? 0 : zigzag(source - expected) + 1, SORT.source, last & 3);
        value = jump === 0 ? 0 : expected + unzigzag(jump - 1);
        if (this.#coder.isExhausted || (value !== 0 && (value < image.firstId || value >= limit)))
          throw new ModelLimit();
      }
      sources[i] = value;
      if (value === 0) continue;
      if (this.#ids[value] === 0) this.#ids[value] = this.#firstId + i;
      expected = value + 1;
    }
    return sources;
  }

  #push(word: number): void {
    if (this.#length === this.#words.length) {
      const larger = new Int32Array(this.#length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[this.#length++] = word;
  }

  /** The word that the given image has where the next one goes. */
  get #actual(): number {
    return this.#given?.words[this.#length] ?? 0;
  }

  #record(index: number, source: number): void {
    const { image } = this.#reference ?? {};
    const old = source && image ? image.records[source - image.firstId]! : -1;
    if (old >= 0) {
      const isSame = this.#given !== undefined && this.#isAsExpected(old);
      if (this.#coder.flag(isSame, SORT.same, kindIn(image!.words[old + 1]!))) {
        this.#copy(old, wordCount(image!.words[old + 1]!));
        return;
      }
    }
    const start = this.#length;
    const id = this.#firstId + index;
    const actualInfo = this.#given?.words[start + 1] ?? 0;
    const oldInfo = old >= 0 ? image!.words[old + 1]! : 0;
    const oldKind = old >= 0 ? kindIn(oldInfo) : 0;
    const kind = this.#coder.number(
      kindIn(actualInfo) * 2 + (actualInfo < 0 ? 1 : 0),
      SORT.info,
      this.#kinds & 0xff,
      this.#kinds & 0xffff,
      oldKind * 256 + 128,
    );
    if (kind >= RECORD_SHAPES.length * 2 || kind < 2) throw new ModelLimit();
    this.#kinds = (this.#kinds << 8) | kind;
    const vlen = this.#coder.number(actualInfo & 0xffff, SORT.vlen, kind, old >= 0 ? oldInfo & 0xffff : -1);
    const rest = this.#coder.number((actualInfo >>> 16) & 0xff, SORT.word, -1);
    if (vlen > 0xffff || rest > 0xff) throw new ModelLimit();
    const info = ((kind & 1) << 31) | ((kind >> 1) << 24) | (rest << 16) | vlen;
    const [thirdIsId, fixed, fixedIds, element, elementName, elementId] = RECORD_SHAPES[kindIn(info)]!;
    const count = info & 0xffffff;
    this.#spend(3 + fixed + element * count);
    const k = kindIn(info);
    const isLike = old >= 0 && kindIn(oldInfo) === k;

    // The name comes last, when the type that it goes with is known.
    this.#push(0);
    this.#push(info);
    const third = isLike ? this.#expected(old + 2, thirdIsId === 1) : undefined;
    this.#push(thirdIsId ? this.#id(id, k, 0, third) : this.#value(this.#actual, k * 8, 0, third));
    for (let i = 0; i < fixed; i++) {
      const before = this.#words[this.#length - 1]!;
      const expected = isLike ? this.#expected(old + 3 + i, i < fixedIds) : undefined;
      this.#push(
        i < fixedIds
          ? this.#id(id, k + 32 * (i + 1), 0, expected)
          : this.#value(this.#actual, k * 8 + 1 + i, before, expected),
      );
    }
    const nameExpected = isLike ? this.#ofReference[image!.words[old]!] : undefined;
    const name = this.#name(this.#given?.words[start], k, this.#words[start + 2]!, nameExpected);
    this.#words[start] = name;
    if (element > 0) this.#elements(id, k, count, isLike ? old : -1, { element, elementName, elementId });
  }

  /** Elements: those of the counterpart in their order, with some left out and others put in. */
  #elements(
    id: number,
    kind: number,
    count: number,
    old: number,
    { element, elementName, elementId }: { element: number; elementName: number; elementId: number },
  ): void {
    const { image } = this.#reference ?? {};
    const oldInfo = old >= 0 ? image!.words[old + 1]! : 0;
    const oldStart = old + 3 + RECORD_SHAPES[kind]![1];
    const oldCount = old >= 0 ? oldInfo & 0xffffff : 0;
    const isPlaced = kind === KIND_STRUCT || kind === KIND_UNION;
    let next = 0;
    let shift = 0;
    let lastOp = 0;
    let previousId = 0;
    let previousOffset = 0;
    for (let i = 0; i < count; i++) {
      let from = -1;
      if (oldCount > 0) {
        // 0: none of the counterpart's; n: leave n - 1 out and take the next.
        const found = this.#given ? this.#findElement(oldStart, next, oldCount, element, elementName) : 0;
        const op = this.#coder.number(found, SORT.element, lastOp, next < oldCount ? 1 : 0);
        lastOp = Math.min(op, 3);
        if (op > 0) {
          next += op - 1;
          if (next >= oldCount) throw new ModelLimit();
          from = oldStart + next * element;
          next++;
        }
      }
      const at = this.#length;
      for (let j = 0; j < element; j++) this.#push(0);
      const given = this.#given?.words;
      let typeId = 0;
      if (elementId >= 0) {
        const expected = from >= 0 ? this.#expected(from + elementId, true) : undefined;
        typeId = this.#idOf(given?.[at + elementId] ?? 0, id, kind + 128, previousId, expected);
        this.#words[at + elementId] = typeId;
      }
      if (elementName >= 0) {
        const expected = from >= 0 ? this.#ofReference[image!.words[from + elementName]!] : undefined;
        this.#words[at + elementName] = this.#name(given?.[at + elementName], kind + 32, typeId, expected);
      }
      for (let j = 0; j < element; j++) {
        if (j === elementName || j === elementId) continue;
        const actual = given?.[at + j] ?? 0;
        const isFirst = j === (elementId < 0 ? 1 : elementId === 0 ? 1 : 2);
        if (!isFirst) {
          const expected = from >= 0 ? image!.words[from + j]! : undefined;
          this.#words[at + j] = this.#value(actual, kind * 8 + 4 + j, this.#words[at + j - 1]!, expected);
          continue;
        }
        if (from >= 0) {
          // What stands in front has grown by so much.
          const expected = (image!.words[from + j]! + shift) | 0;
          const delta = this.#coder.number(zigzag((actual - expected) | 0), SORT.expected, kind, shift === 0 ? 0 : 1);
          const value = (expected + unzigzag(delta)) | 0;
          shift = (value - image!.words[from + j]!) | 0;
          this.#words[at + j] = value;
        } else {
          const delta = this.#coder.number(
            zigzag((actual - previousOffset) | 0),
            SORT.offset,
            kind,
            previousId + 1024,
            Math.imul(previousId, 31) + typeId,
            isPlaced ? i : kind === KIND_ENUM || kind === KIND_ENUM64 ? Math.min(i, 2) : 3,
          );
          this.#words[at + j] = (previousOffset + unzigzag(delta)) | 0;
        }
        previousOffset = this.#words[at + j]!;
      }
      previousId = typeId;
      if (this.#coder.isExhausted) throw new ModelLimit();
    }
  }

  /** How far the counterpart's element of the same name is ahead, plus 1; 0 for nowhere. */
  #findElement(start: number, next: number, count: number, element: number, shape: number): number {
    const { image } = this.#reference!;
    if (shape < 0) return next < count ? 1 : 0;
    const text = this.#given!.strings[this.#given!.words[this.#length + shape]!];
    const limit = Math.min(count, next + 64);
    for (let i = next; i < limit; i++) {
      if (image.strings[image.words[start + i * element + shape]!] === text) return i - next + 1;
    }
    return 0;
  }

  /** What a word of the counterpart would be in this image; -1 for an id that is not known here. */
  #expected(word: number, isId: boolean): number {
    const value = this.#reference!.image.words[word]!;
    if (!isId) return value;
    if (value === 0) return 0;
    return this.#ids[value] || -1;
  }

  #isAsExpected(old: number): boolean {
    const given = this.#given!;
    const { image } = this.#reference!;
    const start = this.#length;
    const info = image.words[old + 1]!;
    if (given.words[start + 1] !== info) return false;
    const [thirdIsId, fixed, fixedIds, element, name, id] = RECORD_SHAPES[kindIn(info)]!;
    const count = wordCount(info);
    for (let i = 0; i < count; i++) {
      const inElement = i < 3 + fixed ? -1 : (i - 3 - fixed) % element;
      const isName = i === 0 || (inElement >= 0 && inElement === name);
      const isId =
        (i === 2 && thirdIsId === 1) ||
        (i >= 3 && i < 3 + fixedIds && inElement < 0) ||
        (inElement >= 0 && inElement === id);
      const value = given.words[start + i]!;
      const expected = image.words[old + i]!;
      if (isName) {
        if (given.strings[value] !== image.strings[expected]) return false;
      } else if (value !== (isId ? this.#expected(old + i, true) : expected)) return false;
    }
    return true;
  }

  #copy(old: number, count: number): void {
    const { image } = this.#reference!;
    const info = image.words[old + 1]!;
    const [thirdIsId, fixed, fixedIds, element, name, id] = RECORD_SHAPES[kindIn(info)]!;
    this.#spend(count);
    for (let i = 0; i < count; i++) {
      const inElement = i < 3 + fixed ? -1 : (i - 3 - fixed) % element;
      const value = image.words[old + i]!;
      if (i === 0 || (inElement >= 0 && inElement === name)) this.#push(this.#use(this.#ofReference[value]!));
      else if (
        (i === 2 && thirdIsId === 1) ||
        (i >= 3 && i < 3 + fixedIds && inElement < 0) ||
        (inElement >= 0 && inElement === id)
      ) {
        const expected = this.#expected(old + i, true);
        this.#push(expected);
        this.#highestId = Math.max(this.#highestId, expected);
      } else this.#push(value);
    }
    this.#kinds = (this.#kinds << 8) | (kindIn(info) * 2 + (info < 0 ? 1 : 0));
  }

  #value(actual: number, context: number, before: number, expected: number | undefined): number {
    return (
      this.#coder.number(
        actual,
        SORT.word,
        context,
        Math.imul(context + 1, 65599) + before,
        expected === undefined ? -1 : Math.imul(context + 1, 31337) + expected,
      ) | 0
    );
  }

  #id(from: number, role: number, previous: number, expected: number | undefined): number {
    return this.#idOf(this.#actual, from, role, previous, expected);
  }

  #idOf(actual: number, from: number, role: number, previous: number, expected: number | undefined): number {
    const coder = this.#coder;
    if (expected !== undefined && expected >= 0) {
      if (coder.flag(actual === expected, SORT.expected, role)) return this.#see(expected);
    }
    const fresh = this.#highestId + 1;
    if (coder.flag(actual === fresh, SORT.isNewId, role, this.#kinds & 0xffff, fresh - from + 4096))
      return this.#see(fresh);
    const distance = zigzag(from - actual);
    if (coder.flag(distance < NEAR, SORT.isNearId, role, this.#kinds & 0xffff)) {
      const near = coder.number(distance, SORT.nearId, role, fresh - from + 4096);
      return this.#see(from - unzigzag(near));
    }
    return this.#see(
      coder.number(actual, SORT.id, role, Math.imul(previous + 1, 131) + role, this.#kinds & 0xffff) | 0,
    );
  }

  #see(id: number): number {
    if (id > this.#highestId) this.#highestId = id;
    return id;
  }

  /** Codes a name, as an index in the given image's strings, and returns it as one in the dictionary. */
  #name(given: number | undefined, role: number, typeId: number, expected: number | undefined): number {
    const coder = this.#coder;
    const actual = given === undefined ? 0 : this.#ofGiven[given]!;
    const index = ((): number => {
      if (expected !== undefined && coder.flag(actual === expected, SORT.expected, role + 512)) return expected;
      const key = Math.imul(typeId, 64) + (role & 63);
      const first = this.#nameOfType.get(key);
      const second = this.#nameAfter.get(this.#lastName);
      let guess = 0;
      if (first !== undefined) {
        if (coder.flag(actual === first, SORT.guess, role, typeId, this.#guessed & 15, second === first ? 1 : 0)) {
          guess = 1;
          this.#guessed = (this.#guessed << 1) | 1;
          return first;
        }
      }
      if (second !== undefined && second !== first) {
        if (coder.flag(actual === second, SORT.guess, role + 64, this.#lastName, this.#guessed & 15)) {
          this.#guessed = (this.#guessed << 1) | 1;
          return second;
        }
      }
      this.#guessed = (this.#guessed << 1) | guess;
      if (coder.flag(actual < 0, SORT.fresh, role, this.#kinds & 0xff, typeId)) {
        const text = coder.text(given === undefined ? "" : this.#given!.strings[given]!, role & 32);
        if (coder.isExhausted) throw new ModelLimit();
        this.#spend(text.length);
        const added = this.#add(text);
        if (given !== undefined) this.#ofGiven[given] = added;
        return added;
      }
      const value = coder.number(actual, SORT.name, role, typeId, this.#lastName);
      if (value >= this.#dictionary.length) throw new ModelLimit();
      return value;
    })();
    this.#nameOfType.set(Math.imul(typeId, 64) + (role & 63), index);
    this.#nameAfter.set(this.#lastName, index);
    this.#lastName = index;
    return this.#use(index);
  }

  #use(index: number): number {
    if (!this.#isUsed.has(index)) {
      this.#isUsed.add(index);
      this.#used.push(index);
    }
    return index;
  }

  /** Codes the order of the own strings, and turns the names of `words` into indexes among all of them. */
  #strings(words: Int32Array, records: Uint32Array): Pick<ParsedImage, "strings" | "baseStrings"> {
    const coder = this.#coder;
    const given = this.#given;
    const base = this.#base?.strings ?? [];
    const baseStrings = base.length;
    // Entry 0 of the dictionary is the empty string, of a base or the first of the section.
    const isBase = (index: number): boolean => index >= 1 && index <= baseStrings;
    const hasBase = this.#base !== undefined;
    const ranks = new Map<number, number>();
    const ordered = this.#used.filter((index) => !isBase(index) && !(hasBase && index === 0));
    ordered.forEach((index, rank) => ranks.set(index, rank));
    const own = this.#number(given ? given.strings.length - baseStrings : 0);
    this.#spend(own);
    const strings = [...base];
    const places = new Map<number, number>();
    const isPlaced = new Uint8Array(ordered.length + 1);
    let expected = 0;
    let last = 0;
    for (let i = 0; i < own; i++) {
      const text = given?.strings[baseStrings + i];
      const index = text === undefined ? undefined : this.#byText.get(text);
      const rank = index === undefined ? undefined : ranks.get(index);
      while (isPlaced[expected] === 1) expected++;
      let value = expected;
      if (coder.flag(rank === expected, SORT.order, last)) last = (last << 1) & 0xff;
      else {
        last = ((last << 1) | 1) & 0xff;
        const jump = coder.number(
          rank === undefined || isPlaced[rank] === 1 ? 0 : zigzag(rank - expected) + 1,
          SORT.orderJump,
          last & 3,
        );
        value = jump === 0 ? -1 : expected + unzigzag(jump - 1);
      }
      if (coder.isExhausted || value >= ordered.length) throw new ModelLimit();
      if (value < 0) {
        const unused = coder.text(text ?? "", 64);
        this.#spend(unused.length);
        strings.push(unused);
        continue;
      }
      isPlaced[value] = 1;
      expected = value + 1;
      places.set(ordered[value]!, strings.length);
      strings.push(this.#dictionary[ordered[value]!]!);
      this.#spend(strings.at(-1)!.length);
    }
    const indexOf = (index: number): number => {
      if (hasBase && index === 0) return 0;
      if (isBase(index)) return index - 1;
      const place = places.get(index);
      if (place === undefined) throw new ModelLimit();
      return place;
    };
    for (const at of records) mapNames(words, at, indexOf);
    return { strings, baseStrings };
  }
}

function mapNames(words: Int32Array, at: number, map: (index: number) => number): void {
  const info = words[at + 1]!;
  const [, fixed, , element, name] = RECORD_SHAPES[kindIn(info)]!;
  words[at] = map(words[at]!);
  if (name < 0) return;
  const end = at + wordCount(info);
  for (let word = at + 3 + fixed + name; word < end; word += element) words[word] = map(words[word]!);
}
