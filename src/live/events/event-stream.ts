/** Events of a map as values: for await, or by callback. */
import type { BtfType } from "../../btf/types.js";
import { decoderOf } from "../../data/decode.js";
import type { DecodeOptions, Value } from "../../data/options.js";
import { planOf } from "../../data/plan.js";
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

/** Records that are taken at a time. */
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
  readonly #decode: RecordDecoder<T>;
  readonly #options: EventOptions;
  #reported = 0;
  /** Ends what waits. */
  readonly #closing = new AbortController();
  /** Fires with the caller's signal too. */
  readonly #end: AbortSignal;

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
    const closing = this.#closing.signal;
    this.#end = options.signal ? AbortSignal.any([options.signal, closing]) : closing;
    this.#decode = found ? recordDecoder<T>(found.type, options) : copyOf;
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
    const decode = this.#decode;
    const count = this.#source.consume((bytes, at, length) => callback(decode(bytes, at, length)), limit);
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
    const batch: T[] = [];
    const add = (event: T): void => void batch.push(event);
    const turns = new Turns();
    while (await this.#ready(add)) {
      for (const event of batch) {
        if (this.#end.aborted) return;
        yield event;
      }
      batch.length = 0;
      await turns.next();
    }
  }

  /**
   * Calls back with events as they come, until the signal, the timeout, or the disposal: as `for await`, in less time
   * an event.
   *
   * @returns how many there were
   */
  async each(callback: (event: T) => void): Promise<number> {
    const turns = new Turns();
    let count = 0;
    const counting = (event: T): void => {
      count++;
      callback(event);
    };
    while (await this.#ready(counting)) await turns.next();
    return count;
  }

  /** Waits for events and takes a batch of them. Returns false where there will be none. */
  async #ready(callback: (event: T) => void): Promise<boolean> {
    const { timeout } = this.#options;
    const options = { signal: this.#end, ...(timeout !== undefined && { timeout }) };
    while (!this.#end.aborted) {
      if (this.consume(callback, BATCH) > 0) return true;
      const isReady = await this.#ffi.wait(this.#source.descriptor, options);
      if (!isReady && timeout !== undefined) return false;
    }
    return false;
  }

  [Symbol.dispose](): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#source[Symbol.dispose]();
  }
}

/** Milliseconds after which timers and other work have their turn, however many events come. */
const TURN = 5;

class Turns {
  #last = performance.now();

  async next(): Promise<void> {
    if (performance.now() - this.#last < TURN) return;
    await new Promise<void>((resolve) => void setImmediate(resolve));
    this.#last = performance.now();
  }
}

/** Makes a value of a record that lies in memory which is not its own. */
type RecordDecoder<T> = (bytes: Uint8Array, byteOffset: number, byteLength: number) => T;

function copyOf<T>(bytes: Uint8Array, byteOffset: number, byteLength: number): T {
  return bytes.slice(byteOffset, byteOffset + byteLength) as T;
}

/** Whole records are read where they lie; programs write shorter ones too, of which what is not there is left out. */
function recordDecoder<T>(type: BtfType, options: DecodeOptions): RecordDecoder<T> {
  const part = decoderOf<T>(type, { partial: true, ...options });
  const plan = planOf(type);
  if (options.partial === false || plan.isFlexible)
    return (bytes, byteOffset, byteLength) => part(bytes.subarray(byteOffset, byteOffset + byteLength));
  const whole = decoderOf<T>(type, { ...options, partial: false });
  const { extent } = plan;
  // One view for all records of a memory: a view for each costs more than the reading.
  let known: Uint8Array | undefined;
  let view: DataView = new DataView(new ArrayBuffer(0));
  return (bytes, byteOffset, byteLength) => {
    if (byteLength < extent) return part(bytes.subarray(byteOffset, byteOffset + byteLength));
    if (bytes !== known) {
      known = bytes;
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return whole(view, byteOffset);
  };
}
