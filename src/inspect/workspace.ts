/** Memory of the kernels that inspect, with copies of the images that they read. */

import type { Image } from "../btf/image.js";
import { Arena, type Pool } from "../memory/arena.js";
import * as abi from "../memory/generated/abi.js";
import { type InspectKernel, instantiateInspect } from "../memory/inspect-kernel.js";
import { type Address, type Field, writeField } from "../memory/struct.js";
import { isLittleEndian } from "./words.js";

const pool: Pool<InspectKernel> = { spare: [], make: instantiateInspect };

/** Zero bytes after what is copied: kernels read 16 at a time. */
const PADDING = 20;

/** An arena of the module of btfkit/inspect. @throws BtfEnvironmentError ERR_WASM */
export function inspectArena(): Arena<InspectKernel> {
  return new Arena<InspectKernel>(pool);
}

/** An arena with copies of images, each copied once. */
export class Workspace {
  readonly arena = inspectArena();
  readonly #images = new Map<Image, Address<"Image">>();

  /** Hands the memory back: nothing of it may be read afterwards. */
  release(): void {
    this.arena.release();
  }

  /** Room for `length` bytes, all of them 0. @throws BtfLimitError ERR_MEMORY */
  zeroed(length: number): number {
    const at = this.arena.allocate(length);
    this.arena.bytes.fill(0, at, at + length);
    return at;
  }

  /** Copies bytes. @throws BtfLimitError ERR_MEMORY */
  copy(bytes: Uint8Array): number {
    const { arena } = this;
    const at = arena.allocate(bytes.length + PADDING);
    arena.bytes.set(bytes, at);
    arena.bytes.fill(0, at + bytes.length, at + bytes.length + PADDING);
    return at;
  }

  /** Copies words. @throws BtfLimitError ERR_MEMORY */
  copyWords(words: Int32Array): number {
    const at = this.arena.allocate(words.byteLength + PADDING);
    this.put(words, at);
    return at;
  }

  /** Writes words. */
  put(words: Int32Array, at: number): void {
    this.arena.bytes.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), at);
    if (!isLittleEndian()) words.forEach((word, i) => this.arena.view.setInt32(at + i * 4, word, true));
  }

  /** Copies words out. */
  words(at: number, count: number): Int32Array {
    const words = new Int32Array(this.arena.bytes.slice(at, at + count * 4).buffer);
    if (!isLittleEndian()) words.forEach((_, i) => (words[i] = this.arena.view.getInt32(at + i * 4, true)));
    return words;
  }

  /** Writes a struct. @throws BtfLimitError ERR_MEMORY */
  struct<S extends string>(size: number, fields: readonly (readonly [Field<S>, number])[]): Address<S> {
    const address = this.zeroed(size) as Address<S>;
    for (const [field, value] of fields) writeField(this.arena.view, address, field, value);
    return address;
  }

  /** Returns the descriptor of an image's copy, which has no table of names. @throws BtfLimitError ERR_MEMORY */
  image(image: Image): Address<"Image"> {
    const known = this.#images.get(image);
    if (known !== undefined) return known;
    const { header, memory } = image;
    const section = (at: number, length: number): number => this.copy(memory.subarray(at, at + length));
    const address = this.struct<"Image">(abi.IMAGE_SIZE, [
      [abi.IMAGE_BASE, image.base ? this.image(image.base) : 0],
      [abi.IMAGE_TYPES, section(image.types, header.typesLength)],
      [abi.IMAGE_TYPES_LENGTH, header.typesLength],
      [abi.IMAGE_STRINGS, section(image.strings, header.stringsLength)],
      [abi.IMAGE_STRINGS_LENGTH, header.stringsLength],
      [abi.IMAGE_STRINGS_START, image.stringsStart],
      [abi.IMAGE_FIRST_ID, image.firstId],
      [abi.IMAGE_COUNT, image.count],
      [abi.IMAGE_OFFSETS, this.copy(image.recordOffsets)],
      [abi.IMAGE_KINDS, this.copy(image.kinds)],
    ]);
    this.#images.set(image, address);
    return address;
  }
}
