/**
 * Text made by a kernel, window by window: as a string, as chunks of bytes, or
 * into a stream. Memory stays at one window however long the text is.
 */
import type { Btf } from "../btf.js";
import type { Arena } from "../core/arena.js";
import type { Image } from "../core/image.js";
import { BtfLimitError, BtfLookupError } from "../errors.js";
import type { BtfType } from "../model/types.js";
import * as abi from "../wasm/abi.js";
import type { Kernel } from "../wasm/kernel.js";

/** Bytes a window holds, unless a single line needs more. */
const WINDOW = 256 << 10;
const PHASE_DONE = 3;

export interface DumpOptions {
  /** Types or ids to write, in this order; all own types by default. */
  readonly types?: Iterable<BtfType | number>;
  /** Stops the dump between two chunks. */
  readonly signal?: AbortSignal;
  /** Told after each chunk how many of how many types are written. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Fills the window at [out, out + length) and returns the bytes written. */
type Emit = (kernel: Kernel, image: Image, cursor: number, out: number, length: number) => number;

/**
 * A text that is made when it is read. Reading starts at the beginning each
 * time. UTF-8, or rather the image's bytes: names go out as they are.
 */
export class Dump implements AsyncIterable<Uint8Array> {
  readonly #btf: Btf;
  readonly #emit: Emit;
  readonly #ids: readonly number[] | undefined;
  readonly #options: DumpOptions;

  /** @internal */
  constructor(btf: Btf, emit: Emit, options: DumpOptions = {}) {
    this.#btf = btf;
    this.#emit = emit;
    this.#options = options;
    if (options.types) {
      this.#ids = Array.from(options.types, (type) => (typeof type === "number" ? type : type.id));
      for (const id of this.#ids) {
        if (!btf.has(id)) throw new BtfLookupError("ERR_NO_SUCH_ID", { value: id, limit: btf.size - 1 });
      }
    }
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
      if (cause instanceof RangeError) throw new BtfLimitError("ERR_TEXT_LENGTH", {}, { cause });
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
   * As `drain`, for writes that take their time: while one window is written
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
    const total = this.#ids?.length ?? image.count;
    image.check();
    const cursor = arena.takeWindow(abi.CURSOR_SIZE + (this.#ids ? total * 4 : 0));
    let windows = Array.from({ length: count }, () => arena.takeWindow(WINDOW));
    try {
      startCursor(arena, cursor.at, total, this.#ids);
      for (let turn = 0; ; turn++) {
        signal?.throwIfAborted();
        image.check();
        const window = windows[turn % count]!;
        const written = arena.run((kernel) => this.#emit(kernel, image, cursor.at, window.at, window.length));
        const done = arena.view.getUint32(cursor.at + abi.CURSOR_PHASE, true) === PHASE_DONE;
        if (written > 0) {
          onProgress?.(arena.view.getUint32(cursor.at + abi.CURSOR_INDEX, true), total);
          yield arena.bytes.subarray(window.at, window.at + written);
        }
        if (done) return;
        if (written === 0) {
          // One line alone is longer than the window: a name can be as long as the image.
          const length = window.length * 2;
          windows = windows.map((small) => {
            arena.giveWindow(small);
            return arena.takeWindow(length);
          });
        }
      }
    } finally {
      for (const window of windows.reverse()) arena.giveWindow(window);
      arena.giveWindow(cursor);
    }
  }
}

function startCursor(arena: Arena, at: number, total: number, ids: readonly number[] | undefined): void {
  arena.bytes.fill(0, at, at + abi.CURSOR_SIZE);
  arena.view.setUint32(at + abi.CURSOR_COUNT, total, true);
  if (!ids) return;
  const list = at + abi.CURSOR_SIZE;
  arena.view.setUint32(at + abi.CURSOR_IDS, list, true);
  ids.forEach((id, i) => arena.view.setUint32(list + i * 4, id, true));
}
