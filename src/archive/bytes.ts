/** Numbers and texts as bytes: varints of 7 bits a byte, lowest first, and texts that end with a zero byte. */

import { ERR_ARCHIVE_DAMAGED } from "../errors/archive.js";
import { BtfFormatError } from "../errors/error.js";

export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  /** A number from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#room(8);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A word of 32 bits as a signed number near 0. */
  signed(value: number): void {
    this.varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Text without zero bytes; a character is a byte. */
  text(value: string): void {
    this.#room(value.length + 1);
    for (let i = 0; i < value.length; i++) this.#bytes[this.#length++] = value.charCodeAt(i);
    this.#bytes[this.#length++] = 0;
  }

  /** The bytes so far, valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }
}

/** Reads what a `ByteWriter` wrote; what ends early is refused. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #name: string;
  at = 0;

  /** @param name what to call the bytes in errors */
  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#name = name;
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  refuse(note: string): BtfFormatError {
    return new BtfFormatError(ERR_ARCHIVE_DAMAGED, { name: this.#name, note });
  }

  varint(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw this.refuse("it ends early");
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) break;
      unit *= 0x80;
      if (unit > 2 ** 49) throw this.refuse("a number has no end");
    }
    return value;
  }

  /** A number below `limit`. */
  below(limit: number): number {
    const value = this.varint();
    if (value >= limit) throw this.refuse(`${value} is not below ${limit}`);
    return value;
  }

  signed(): number {
    const value = this.varint();
    return (value >>> 1) ^ -(value & 1);
  }

  raw(length: number): Uint8Array {
    if (length > this.left) throw this.refuse("it ends early");
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  text(): string {
    const end = this.#bytes.indexOf(0, this.at);
    if (end < 0) throw this.refuse("a text has no end");
    let text = "";
    for (let i = this.at; i < end; i++) text += String.fromCharCode(this.#bytes[i]!);
    this.at = end + 1;
    return text;
  }
}
