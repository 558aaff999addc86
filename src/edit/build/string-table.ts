/**
 * The string section of an image being made: each string once, found by a hash
 * table over the bytes themselves.
 */

import { ERR_ARGUMENT } from "../../errors/btf.js";
import { ERR_BUILD_LIMIT } from "../../errors/edit.js";
import { BtfError, BtfLimitError } from "../../errors/error.js";
import { Growable } from "./growable.js";

/** libbpf's BTF_MAX_STR_OFFSET. */
const OFFSET_MAX = 0x7fffffff;

/** UTF-8 bytes of a name. */
export function encodeName(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Hash of the NUL-terminated string at `at`. */
function hashAt(bytes: Uint8Array, at: number): number {
  let hash = 0x811c9dc5;
  for (let byte = bytes[at]!; byte !== 0; byte = bytes[++at]!) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Length of the NUL-terminated string at `at`, the NUL included. */
function roomAt(bytes: Uint8Array, at: number): number {
  let end = at;
  while (bytes[end] !== 0) end++;
  return end + 1 - at;
}

export class StringTable {
  /** Logical offset of the first own string: the length of the base's strings. */
  readonly start: number;
  readonly #base: StringTable | undefined;
  readonly #text = new Growable();
  /** Own offset + 1 of a string by hash, 0 where free. */
  #slots = new Uint32Array(256);
  #count = 0;
  #isIndexed = true;

  /** An empty table: of a base it holds "", on a base nothing. */
  constructor(base?: StringTable) {
    this.#base = base;
    this.start = base ? base.end : 0;
    if (!base) this.addBytes(new Uint8Array(1), 0);
  }

  /** A table over an existing section, whose offsets stay as they are. */
  static over(section: Uint8Array, base?: StringTable): StringTable {
    const table = new StringTable(base);
    table.adopt(section);
    return table;
  }

  /** Takes a section in place of what is here; its offsets stay. It is indexed when it is first searched. */
  adopt(section: Uint8Array): void {
    this.#text.truncate(0);
    this.#text.append(section);
    this.#isIndexed = false;
  }

  /** Enters all strings into the hash table. */
  #index(): void {
    const { bytes, length } = this.#text;
    // Names have 15 bytes on average: no need to grow on the way.
    this.#slots = new Uint32Array(2 ** Math.max(8, Math.ceil(Math.log2(length / 6 + 1))));
    this.#count = 0;
    this.#isIndexed = true;
    for (let at = 0; at < length; at += roomAt(bytes, at)) {
      const hash = hashAt(bytes, at);
      // The first of equal strings counts.
      if (this.#probe(bytes, at, hash) < 0) this.#insert(at, hash);
    }
  }

  /** One past the last logical offset. */
  get end(): number {
    return this.start + this.#text.length;
  }

  /** The section's bytes, valid until the next change. */
  get content(): Uint8Array<ArrayBuffer> {
    return this.#text.content;
  }

  /** Offset of a string, or -1. */
  find(text: string): number {
    return this.findBytes(encodeName(`${text}\0`), 0);
  }

  /** Offset of a string, which is added if it is new. @throws BtfError ERR_ARGUMENT for a NUL inside */
  add(text: string): number {
    if (text === "") return 0;
    if (text.includes("\0"))
      throw new BtfError(ERR_ARGUMENT, { note: `a name cannot hold a NUL: ${JSON.stringify(text)}` });
    return this.addBytes(encodeName(`${text}\0`), 0);
  }

  /** Finds the NUL-terminated string at `at`, as `find` does. */
  findBytes(bytes: Uint8Array, at: number): number {
    return this.#findHashed(bytes, at, hashAt(bytes, at));
  }

  #findHashed(bytes: Uint8Array, at: number, hash: number): number {
    if (!this.#isIndexed) this.#index();
    const inBase = this.#base ? this.#base.#findHashed(bytes, at, hash) : -1;
    if (inBase >= 0) return inBase;
    const offset = this.#probe(bytes, at, hash);
    return offset < 0 ? -1 : this.start + offset;
  }

  /** Adds the NUL-terminated string at `at`, as `add` does. @throws BtfLimitError ERR_BUILD_LIMIT */
  addBytes(bytes: Uint8Array, at: number): number {
    const hash = hashAt(bytes, at);
    const known = this.#findHashed(bytes, at, hash);
    if (known >= 0) return known;
    const offset = this.#text.length;
    const room = roomAt(bytes, at);
    const last = this.start + offset + room - 1;
    if (last >= OFFSET_MAX)
      throw new BtfLimitError(ERR_BUILD_LIMIT, { name: "string offset", value: last, limit: OFFSET_MAX });
    this.#text.reserve(room);
    const target = this.#text.bytes;
    // Names are short: a loop is faster than a view and a call.
    for (let i = 0; i < room; i++) target[offset + i] = bytes[at + i]!;
    this.#text.length += room;
    this.#insert(offset, hash);
    return this.start + offset;
  }

  /** Forgets every string from logical offset `end` on. */
  truncate(end: number): void {
    const length = end - this.start;
    if (length === this.#text.length) return;
    this.#text.truncate(length);
    this.#isIndexed = false;
  }

  /** Own offset of the string at `at`, or -1. */
  #probe(bytes: Uint8Array, at: number, hash: number): number {
    const slots = this.#slots;
    const text = this.#text.bytes;
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const offset = slots[slot]! - 1;
      let i = 0;
      while (text[offset + i] === bytes[at + i] && bytes[at + i] !== 0) i++;
      if (text[offset + i] === bytes[at + i]) return offset;
    }
    return -1;
  }

  #insert(offset: number, hash: number): void {
    if (++this.#count * 2 > this.#slots.length) this.#grow();
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = offset + 1;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 8);
    const mask = this.#slots.length - 1;
    const { bytes } = this.#text;
    for (const entry of old) {
      if (entry === 0) continue;
      let slot = hashAt(bytes, entry - 1) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry;
    }
  }
}
