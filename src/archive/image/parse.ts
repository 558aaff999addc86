/** BTF taken apart into what the codec of images works on, and put together again. */

import { readHeader } from "../../btf/header.js";
import { BtfError } from "../../errors/error.js";
import { RECORD_SHAPES } from "../../format/generated/records.js";
import { kindIn } from "../../inspect/words.js";

/** Bits of `info` that hold vlen. */
const VLEN_MASK = 0xffffff;

/** An image in parts; all of its bytes are in one of them. */
export interface ParsedImage {
  readonly isLittleEndian: boolean;
  /** Bytes in front of the types. */
  readonly front: Uint8Array;
  /** The type section, with names as indexes among `strings`. */
  readonly words: Int32Array;
  /** Where the record of each type starts among `words`. */
  readonly records: Uint32Array;
  /** Bytes between types and strings. */
  readonly middle: Uint8Array;
  /** A base's strings, then the own ones in the order of the section; a character is a byte. */
  readonly strings: readonly string[];
  /** How many of `strings` are the base's. */
  readonly baseStrings: number;
  /** Types of the base, void among them: the first own id. */
  readonly firstId: number;
  /** Bytes behind the strings. */
  readonly tail: Uint8Array;
}

/** Words of a record of `info`. */
export function wordCount(info: number): number {
  const shape = RECORD_SHAPES[kindIn(info)]!;
  return 3 + shape[1] + shape[3] * (info & VLEN_MASK);
}

/** Calls back with each word of a record that is a name. */
export function nameWords(words: Int32Array, at: number, found: (word: number) => void): void {
  found(at);
  const info = words[at + 1]!;
  const [, fixed, , element, name] = RECORD_SHAPES[kindIn(info)]!;
  if (name < 0) return;
  const end = at + wordCount(info);
  for (let word = at + 3 + fixed + name; word < end; word += element) found(word);
}

/** Takes an image apart; `undefined` for one that has anything out of the ordinary. */
export function parseImage(bytes: Uint8Array, base?: ParsedImage): ParsedImage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: ReturnType<typeof readHeader>;
  try {
    header = readHeader(view, 0, bytes.length, base !== undefined);
  } catch (error) {
    if (error instanceof BtfError) return undefined;
    throw error;
  }
  const isLittleEndian = header.endian === "little";
  const typesStart = header.headerLength + header.typesOffset;
  const typesEnd = typesStart + header.typesLength;
  const stringsStart = header.headerLength + header.stringsOffset;
  const stringsEnd = stringsStart + header.stringsLength;
  if (header.typesLength % 4 !== 0) return undefined;
  const words = new Int32Array(header.typesLength / 4);
  for (let i = 0; i < words.length; i++) words[i] = view.getInt32(typesStart + i * 4, isLittleEndian);

  const strings = base ? [...base.strings] : [];
  const baseStrings = strings.length;
  const baseLength = base ? lengthOf(base.strings) : 0;
  const indexes = new Map<number, number>();
  let offset = 0;
  strings.forEach((text, i) => {
    indexes.set(offset, i);
    offset += text.length + 1;
  });
  for (let at = stringsStart; at < stringsEnd; ) {
    const end = bytes.indexOf(0, at);
    if (end < 0 || end >= stringsEnd) return undefined;
    indexes.set(baseLength + at - stringsStart, strings.length);
    strings.push(latin1(bytes.subarray(at, end)));
    at = end + 1;
  }

  const starts: number[] = [];
  let sound = true;
  for (let at = 0; at < words.length; ) {
    const info = words[at + 1];
    if (info === undefined || kindIn(info) >= RECORD_SHAPES.length || kindIn(info) === 0) return undefined;
    const end = at + wordCount(info);
    if (end > words.length) return undefined;
    starts.push(at);
    nameWords(words, at, (word) => {
      const index = indexes.get(words[word]!);
      if (index === undefined) sound = false;
      else words[word] = index;
    });
    at = end;
  }
  if (!sound) return undefined;
  return {
    isLittleEndian,
    front: bytes.slice(0, typesStart),
    words,
    records: Uint32Array.from(starts),
    middle: bytes.slice(typesEnd, stringsStart),
    strings,
    baseStrings,
    firstId: base ? base.firstId + base.records.length : 1,
    tail: bytes.slice(stringsEnd),
  };
}

/** The bytes that `parseImage` took apart. */
export function joinImage(parts: ParsedImage): Uint8Array {
  const { isLittleEndian, front, records, middle, strings, baseStrings, tail } = parts;
  const offsets = new Uint32Array(strings.length + 1);
  strings.forEach((text, i) => {
    offsets[i + 1] = offsets[i]! + text.length + 1;
  });
  const stringBytes = offsets[strings.length]! - offsets[baseStrings]!;
  const words = parts.words.slice();
  for (const at of records) {
    nameWords(words, at, (word) => {
      words[word] = offsets[words[word]!]!;
    });
  }
  const bytes = new Uint8Array(front.length + words.length * 4 + middle.length + stringBytes + tail.length);
  bytes.set(front);
  const view = new DataView(bytes.buffer);
  let at = front.length;
  for (const word of words) {
    view.setInt32(at, word, isLittleEndian);
    at += 4;
  }
  bytes.set(middle, at);
  at += middle.length;
  for (let i = baseStrings; i < strings.length; i++) {
    const text = strings[i]!;
    for (let j = 0; j < text.length; j++) bytes[at++] = text.charCodeAt(j);
    at++;
  }
  bytes.set(tail, at);
  return bytes;
}

function lengthOf(strings: readonly string[]): number {
  return strings.reduce((sum, text) => sum + text.length + 1, 0);
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
