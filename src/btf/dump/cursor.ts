/** The position of a dump: the record that the text kernels advance. */

import { ERR_NO_SUCH_ID } from "../../errors/btf.js";
import { BtfLookupError } from "../../errors/error.js";
import type { Window } from "../../memory/arena.js";
import * as abi from "../../memory/generated/abi.js";
import type { Kernel } from "../../memory/kernel.js";
import { type Address, readField, writeField } from "../../memory/struct.js";
import type { Btf } from "../btf.js";
import type { Image } from "../image.js";
import type { BtfType } from "../types.js";
import type { Emitter } from "./dump.js";

/** Ids of chosen types. @throws BtfLookupError ERR_NO_SUCH_ID */
export function idsOf(btf: Btf, types: Iterable<BtfType | number>): number[] {
  return Array.from(types, (type) => {
    const id = typeof type === "number" ? type : type.id;
    if (!btf.has(id)) throw new BtfLookupError(ERR_NO_SUCH_ID, { value: id, limit: btf.size - 1 });
    return id;
  });
}

/** A cursor over the own types of an image, or over chosen ids. */
export class Cursor {
  readonly #image: Image;
  readonly #window: Window;
  readonly total: number;

  constructor(image: Image, ids?: ArrayLike<number>) {
    this.#image = image;
    this.total = ids?.length ?? image.count;
    const { arena } = image;
    this.#window = arena.takeWindow(abi.CURSOR_SIZE + (ids ? ids.length * 4 : 0));
    const at = this.#window.at;
    arena.bytes.fill(0, at, at + abi.CURSOR_SIZE);
    writeField(arena.view, this.address, abi.CURSOR_COUNT, this.total);
    if (!ids) return;
    const list = at + abi.CURSOR_SIZE;
    writeField(arena.view, this.address, abi.CURSOR_IDS, list);
    // Every host of WebAssembly that there is is little-endian.
    new Uint32Array(arena.bytes.buffer, list, ids.length).set(ids);
  }

  get address(): Address<"Cursor"> {
    return this.#window.at;
  }

  /** The number of types that are written. */
  get done(): number {
    return readField(this.#image.view, this.address, abi.CURSOR_INDEX);
  }

  get ended(): boolean {
    return readField(this.#image.view, this.address, abi.CURSOR_PHASE) === abi.PHASE_DONE;
  }

  close(): void {
    this.#image.arena.giveWindow(this.#window);
  }
}

/** Fills the window at [out, out + length) and returns the bytes written. */
type Emit = (kernel: Kernel, image: number, cursor: number, out: number, length: number) => number;

/** One line or object a type and element: what raw text and JSON have in common. */
export class RowEmitter implements Emitter {
  readonly #image: Image;
  readonly #cursor: Cursor;
  readonly #emit: Emit;

  constructor(image: Image, ids: readonly number[] | undefined, emit: Emit) {
    this.#image = image;
    this.#cursor = new Cursor(image, ids);
    this.#emit = emit;
  }

  get total(): number {
    return this.#cursor.total;
  }

  get done(): number {
    return this.#cursor.done;
  }

  get ended(): boolean {
    return this.#cursor.ended;
  }

  fill(at: number, length: number): number {
    return this.#image.arena.run((kernel) => this.#emit(kernel, this.#image.address, this.#cursor.address, at, length));
  }

  close(): void {
    this.#cursor.close();
  }
}
