/**
 * Text made by a kernel, window by window: as a string, as chunks of bytes, or
 * into a stream. Memory stays at one window however long the text is.
 */

import { ERR_PIECE, ERR_TEXT_LENGTH } from "../../errors/btf.js";
import { BtfLimitError } from "../../errors/error.js";
import type { Arena, Window } from "../../memory/arena.js";
import type { Btf } from "../btf.js";
import type { Image } from "../image.js";
import type { BtfType } from "../types.js";

/** Bytes a window holds, unless a single line needs more. */
const WINDOW = 256 << 10;
/** Bytes that a line or definition may take, besides 4 times the image: hostile text grows without end. */
const WINDOW_LIMIT = 16 << 20;

/** Options of all dumps: the types, and the progress of a long dump. */
export interface DumpOptions {
  /** Types or ids to write, in this order; all own types by default. */
  readonly types?: Iterable<BtfType | number>;
  /** Stops the dump between two chunks. */
  readonly signal?: AbortSignal;
  /** Called after each chunk with the number of types written and of all types. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Makes a text piece by piece. */
export interface Emitter {
  /** The number of types to write. */
  readonly total: number;
  /** The number of types written. */
  readonly done: number;
  /** The text is at its end. */
  readonly ended: boolean;
  /**
   * Fills [at, at + length) as far as whole pieces fit. Returns the bytes
   * written: 0 before the end means that the next piece needs a larger window.
   */
  fill(at: number, length: number): number;
  /** Gives its memory back. */
  close(): void;
}

/**
 * A text that is made when it is read. Reading starts at the beginning each
 * time. UTF-8, or rather the image's bytes: names go out as they are.
 *
 * @example
 * let length = 0;
 * for await (const chunk of dumpRaw(btf)) length += chunk.length;
 * console.log(length); // 9065821
 */
export class Dump implements AsyncIterable<Uint8Array> {
  readonly #btf: Btf;
  readonly #open: () => Emitter;
  readonly #options: DumpOptions;

  /** @internal */
  constructor(btf: Btf, open: () => Emitter, options: DumpOptions = {}) {
    this.#btf = btf;
    this.#open = open;
    this.#options = options;
  }

  /** The whole text. @throws BtfLimitError ERR_TEXT_LENGTH if it is longer than a string can be */
  text(): string {
    const decoder = new TextDecoder();
    let text = "";
    try {
      this.drain((chunk) => {
        text += decoder.decode(chunk, { stream: true });
      });
      return text + decoder.decode();
    } catch (cause) {
      if (cause instanceof RangeError) throw new BtfLimitError(ERR_TEXT_LENGTH, {}, { cause });
      throw cause;
    }
  }

  /** The text in chunks of bytes, each the caller's to keep. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (const chunk of this.#windows(1)) yield chunk.slice();
  }

  /** Writes the text into a stream, as fast as it takes it, and closes it. */
  async pipeTo(stream: WritableStream<Uint8Array>): Promise<void> {
    const writer = stream.getWriter();
    try {
      for (const chunk of this.#windows(1)) {
        await writer.ready;
        await writer.write(chunk.slice());
      }
      await writer.close();
    } catch (cause) {
      await writer.abort(cause);
      throw cause;
    } finally {
      writer.releaseLock();
    }
  }

  /**
   * Hands each chunk to `write`, without a copy: the bytes are the window's
   * and valid during the call only. @internal
   */
  drain(write: (chunk: Uint8Array<ArrayBuffer>) => void): void {
    for (const chunk of this.#windows(1)) write(chunk);
  }

  /**
   * Drains through asynchronous writes: while a window is written
   * the other one is filled. The memory must not grow meanwhile: nothing else
   * may use this family until the promise is settled. @internal
   */
  async drainAsync(write: (chunk: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<void> {
    let writing = Promise.resolve();
    try {
      for (const chunk of this.#windows(2)) {
        await writing;
        writing = write(chunk);
        // A failure is met by the next await, not reported as unhandled before.
        writing.catch(() => {});
      }
    } finally {
      await writing;
    }
  }

  /** The text in `count` windows by turns; one that was handed out is filled again `count` steps later. */
  *#windows(count: 1 | 2): Generator<Uint8Array<ArrayBuffer>> {
    const { image } = this.#btf;
    const { arena } = image;
    const { signal, onProgress } = this.#options;
    image.check();
    const emitter = this.#open();
    let windows: Window[] = [];
    try {
      for (let length = WINDOW, turn = 0; ; turn++) {
        while (windows.length < count) windows.push(arena.takeWindow(length));
        const window = windows[turn % count]!;
        signal?.throwIfAborted();
        image.check();
        const written = emitter.fill(window.at, window.length);
        if (written > 0) {
          onProgress?.(emitter.done, emitter.total);
          yield arena.bytes.subarray(window.at, window.at + written);
        }
        if (emitter.ended) return;
        if (written === 0) {
          // One piece alone is longer than the window: a name can be as long as the image.
          length = longer(length, image);
          windows = giveBack(arena, windows);
        }
      }
    } finally {
      giveBack(arena, windows);
      emitter.close();
    }
  }
}

/** Returns the next window length to try after `length` bytes were too few. @throws BtfLimitError ERR_PIECE @internal */
export function longer(length: number, image: Image): number {
  const limit = WINDOW_LIMIT + 4 * image.rawLength;
  if (length * 2 > limit) throw new BtfLimitError(ERR_PIECE, { limit });
  return length * 2;
}

function giveBack(arena: Arena, windows: Window[]): Window[] {
  for (const window of windows.reverse()) arena.giveWindow(window);
  return [];
}
