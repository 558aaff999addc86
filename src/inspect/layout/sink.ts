/** Bytes of a text that grows: pieces go in without strings being joined. */

import type { Image } from "../../btf/image.js";

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder();

const SPACE = 0x20;
const ZERO = 0x30;

export class Sink {
  #bytes = new Uint8Array(1 << 17);
  /** How many bytes are written. */
  length = 0;

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }

  text(text: string): void {
    const { length } = text;
    this.#reserve(length * 3);
    const bytes = this.#bytes;
    let at = this.length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        at += encoder.encodeInto(text.slice(i), bytes.subarray(at)).written;
        break;
      }
      bytes[at++] = code;
    }
    this.length = at;
  }

  bytes(piece: Uint8Array): void {
    const { length } = piece;
    this.#reserve(length);
    const bytes = this.#bytes;
    let at = this.length;
    for (let i = 0; i < length; i++) bytes[at++] = piece[i]!;
    this.length = at;
  }

  /** The string at a logical offset of an image, as its bytes are. Returns whether there are any. */
  name(image: Image, offset: number): boolean {
    let owner = image;
    while (offset < owner.stringsStart && owner.base) owner = owner.base;
    const from = image.arena.bytes;
    let address = owner.strings + offset - owner.stringsStart;
    const start = address;
    while (from[address] !== 0) address++;
    this.#reserve(address - start);
    const bytes = this.#bytes;
    let at = this.length;
    for (let i = start; i < address; i++) bytes[at++] = from[i]!;
    this.length = at;
    return address > start;
  }

  spaces(count: number): void {
    this.#reserve(count);
    const end = this.length + count;
    for (let at = this.length; at < end; at++) this.#bytes[at] = SPACE;
    this.length = end;
  }

  /** A whole number in decimal, at the right of so many columns. */
  number(value: number, width: number): void {
    let digits = 1;
    for (let rest = value; rest > 9; rest = Math.floor(rest / 10)) digits++;
    const columns = Math.max(width, digits);
    this.#reserve(columns);
    const bytes = this.#bytes;
    const start = this.length;
    let at = start + columns;
    let rest = value;
    for (let i = 0; i < digits; i++) {
      const next = Math.floor(rest / 10);
      bytes[--at] = ZERO + rest - next * 10;
      rest = next;
    }
    while (at > start) bytes[--at] = SPACE;
    this.length = start + columns;
  }

  /** What is written, which is then forgotten. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.length);
    this.length = 0;
    return taken;
  }

  /** As `take`, from an offset on, as a string. */
  takeText(from: number): string {
    const text = decoder.decode(this.#bytes.subarray(from, this.length));
    this.length = from;
    return text;
  }
}
