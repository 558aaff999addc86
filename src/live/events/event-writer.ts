/** Writes records for programs: the ring buffer from user space to the kernel. */
import type { BtfType } from "../../btf/types.js";
import { type Encoder, encoderOf } from "../../data/encode.js";
import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_EVENTS } from "../../errors/live.js";
import type { WaitOptions } from "../ffi/ffi.js";
import type { BpfMap } from "../map.js";
import { Mapping, pageSize } from "../mapping.js";
import { BUSY, HEADER_SIZE, occupied } from "./ring-record.js";

/**
 * Writes records to a map of type `user_ringbuf`, which programs take with
 * `bpf_user_ringbuf_drain`. Disposing of it, or of the loaded object, ends the writing.
 *
 * Source: the kernel's kernel/bpf/ringbuf.c: the consumer's position has a page,
 * the producer's one, and the data lie behind it twice.
 *
 * @example
 * const kernel = await Kernel.open();
 * const map = kernel.createMap({ type: "user_ringbuf", keyByteSize: 0, valueByteSize: 0, maxEntries: 4096 });
 * const writer = new EventWriter(map);
 * console.log(writer.write(Uint8Array.of(1, 2, 3)), writer.write(new Uint8Array(4080))); // true false
 * writer[Symbol.dispose]();
 * map[Symbol.dispose]();
 */
export class EventWriter<T = unknown> implements Disposable {
  /** The type of the records; `undefined` where they are bytes. */
  readonly type: BtfType | undefined;
  readonly #map: BpfMap;
  readonly #name: string;
  readonly #encoder: Encoder | undefined;
  readonly #consumer: Mapping;
  readonly #producer: Mapping;
  readonly #consumed: Int32Array;
  readonly #position: BigInt64Array;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #page: number;
  /** Room for records and their headers, in bytes: a power of two. */
  readonly #size: number;
  /** Where the next record goes: a number of bytes since the ring buffer was made. */
  #next: number;
  /** Ends what waits. */
  readonly #closing = new AbortController();

  /**
   * Opens a map for writing. It has one writer: two would write over each other.
   *
   * @param type what the records are (default: bytes)
   * @throws BtfLookupError ERR_LIVE_EVENTS for a map of another type; BtfSystemError
   */
  constructor(map: BpfMap, type?: BtfType) {
    const { type: mapType, maxEntries, name } = map.info;
    if (mapType !== "user_ringbuf") {
      const note = `a map of type ${mapType} takes no records: those of type user_ringbuf do`;
      throw new BtfLookupError(ERR_LIVE_EVENTS, { name, note });
    }
    const { system } = map;
    this.type = type;
    this.#map = map;
    this.#name = name;
    this.#encoder = type && encoderOf(type);
    this.#page = pageSize();
    this.#size = maxEntries;
    this.#consumer = new Mapping(system, map.fd, this.#page);
    try {
      const byteSize = this.#page + 2 * maxEntries;
      this.#producer = new Mapping(system, map.fd, byteSize, { byteOffset: this.#page, isWritable: true });
    } catch (cause) {
      this.#consumer[Symbol.dispose]();
      throw cause;
    }
    this.#consumed = new Int32Array(this.#consumer.buffer);
    this.#position = new BigInt64Array(this.#producer.buffer, 0, 1);
    this.#bytes = new Uint8Array(this.#producer.buffer);
    this.#words = new Int32Array(this.#producer.buffer);
    this.#next = Number(this.#position[0]);
  }

  /**
   * Writes a record.
   *
   * @returns false where there is no room: programs have to take others first
   * @throws BtfLookupError ERR_LIVE_EVENTS for a record that never fits, or where it is closed; as `encoderOf`
   */
  write(value: T): boolean {
    const record = this.#encode(value);
    const room = occupied(record.length);
    const { ffi } = this.#map.system;
    // The low half of the consumer's position is enough: never 4 GiB are open.
    const open = ((this.#next % 4294967296) - (ffi.loadAcquire(this.#consumed, 0) >>> 0) + 4294967296) % 4294967296;
    if (this.#size - open < room) return false;
    const at = this.#page + (this.#next % this.#size);
    this.#words[at >> 2] = record.length | BUSY;
    this.#words[(at >> 2) + 1] = 0;
    this.#bytes.set(record, at + HEADER_SIZE);
    this.#next += room;
    Atomics.store(this.#words, at >> 2, record.length);
    Atomics.store(this.#position, 0, BigInt(this.#next));
    return true;
  }

  /**
   * Writes a record, and waits for room before if there is none.
   *
   * @returns false if there was none until the timeout, the signal, or the disposal
   * @throws as `write`
   */
  async send(value: T, options: WaitOptions = {}): Promise<boolean> {
    const { timeout = Number.POSITIVE_INFINITY } = options;
    const closing = this.#closing.signal;
    const signal = options.signal ? AbortSignal.any([options.signal, closing]) : closing;
    const end = performance.now() + timeout;
    while (!signal.aborted) {
      if (this.write(value)) return true;
      const left = end - performance.now();
      if (left <= 0) return false;
      const limit = left === Number.POSITIVE_INFINITY ? {} : { timeout: left };
      const isReady = await this.#map.system.ffi.wait(this.#map.fd, { signal, ...limit, isForWriting: true });
      // There may be room for less than this record: then it is ready all the time.
      if (isReady) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return false;
  }

  #encode(value: T): Uint8Array {
    const refuse = (note: string): never => {
      throw new BtfLookupError(ERR_LIVE_EVENTS, { name: this.#name, note });
    };
    if (this.#closing.signal.aborted) refuse("it is closed");
    if (!this.#encoder && !(value instanceof Uint8Array)) refuse("nothing says what its records are: give bytes");
    const record = this.#encoder ? this.#encoder(value) : (value as Uint8Array);
    if (occupied(record.length) > this.#size)
      refuse(`a record of ${record.length} bytes never fits into ${this.#size} bytes`);
    return record;
  }

  [Symbol.dispose](): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#consumer[Symbol.dispose]();
    this.#producer[Symbol.dispose]();
  }
}
