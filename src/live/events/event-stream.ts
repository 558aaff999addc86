/** Events of a map as values: for await, or by callback. */
import type { BtfType } from "../../btf/types.js";
import { type Decoder, decoderOf } from "../../data/decode.js";
import type { DecodeOptions, Value } from "../../data/options.js";
import type { Ffi } from "../ffi/ffi.js";
import type { EventSource } from "./source.js";

/** How events are read. */
export interface EventOptions extends DecodeOptions {
  /** Ends the reading. */
  readonly signal?: AbortSignal;
  /** Milliseconds without an event after which the reading ends (default: it goes on for ever). */
  readonly timeout?: number;
  /** Is told how many records the kernel has dropped, whenever there are more. */
  readonly onLost?: (count: number) => void;
}

/** Records that are taken at a time: then other work has its turn. */
const BATCH = 1024;

/**
 * The events of a map. Disposing of it, or of the loaded object, ends the reading.
 *
 * @example
 * const kernel = await Kernel.open();
 * const app = await kernel.load(object);
 * const events = Object.values(app.maps).map((map) => map.read());
 * console.log(events.every((stream) => stream instanceof EventStream)); // true
 * app[Symbol.dispose]();
 */
export class EventStream<T = Value> implements AsyncIterable<T>, Disposable {
  /** The type of the events; `undefined` where they are bytes. */
  readonly type: BtfType | undefined;
  /** Why they are of that type. */
  readonly reason: string;
  readonly #source: EventSource;
  readonly #ffi: Ffi;
  readonly #decoder: Decoder<T> | undefined;
  readonly #options: EventOptions;
  #reported = 0;
  #isOpen = true;

  /** @internal */
  constructor(
    source: EventSource,
    ffi: Ffi,
    found: { readonly type: BtfType; readonly reason: string } | undefined,
    options: EventOptions,
  ) {
    this.#source = source;
    this.#ffi = ffi;
    this.type = found?.type;
    this.reason = found?.reason ?? "nothing says what they are";
    this.#options = options;
    // Programs write variable lengths: what is not there is left out.
    this.#decoder = found && decoderOf<T>(found.type, { partial: true, ...options });
  }

  /** Records that the kernel has dropped, as far as it counts them. */
  get lost(): number {
    return this.#source.lost;
  }

  /**
   * Calls back with each event that is there, without waiting. Returns how many there were.
   *
   * @param limit how many are taken at most (default: all)
   */
  consume(callback: (event: T) => void, limit = Number.POSITIVE_INFINITY): number {
    const decoder = this.#decoder;
    const count = this.#source.consume((bytes, at, length) => {
      const record = bytes.subarray(at, at + length);
      callback(decoder ? decoder(record) : (record.slice() as T));
    }, limit);
    this.#reportLost();
    return count;
  }

  /**
   * Calls back with the bytes of each record that is there, which are valid during the call alone: no copy, no
   * decoding. Returns how many there were.
   */
  consumeRaw(
    callback: (bytes: Uint8Array, byteOffset: number, byteLength: number) => void,
    limit = Number.POSITIVE_INFINITY,
  ): number {
    const count = this.#source.consume(callback, limit);
    this.#reportLost();
    return count;
  }

  #reportLost(): void {
    const { lost } = this.#source;
    if (lost === this.#reported) return;
    this.#options.onLost?.(lost - this.#reported);
    this.#reported = lost;
  }

  /** Events as they come; ends with the signal, the timeout, or the disposal. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const { signal, timeout } = this.#options;
    const batch: T[] = [];
    while (this.#isOpen && !signal?.aborted) {
      batch.length = 0;
      this.consume((event) => void batch.push(event), BATCH);
      if (batch.length > 0) {
        for (const event of batch) {
          if (!this.#isOpen || signal?.aborted) return;
          yield event;
        }
        continue;
      }
      const options = { ...(signal && { signal }), ...(timeout !== undefined && { timeout }) };
      const isReady = await this.#ffi.wait(this.#source.descriptor, options);
      if (!isReady && timeout !== undefined) return;
    }
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#source[Symbol.dispose]();
  }
}
