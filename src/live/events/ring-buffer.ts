/** A ring buffer's records, read from the memory that it shares with the kernel. */
import type { BpfMap } from "../map.js";
import { Mapping, pageSize } from "../mapping.js";
import { DISCARDED, HEADER_SIZE, LENGTH_MASK, occupied } from "./ring-record.js";
import type { EventSource, RecordVisitor } from "./source.js";

/**
 * Reads a map of type `ringbuf`. Source: the kernel's kernel/bpf/ringbuf.c: the
 * consumer's position has a page, the producer's one, and the data lie behind it
 * twice, so that no record is split.
 */
export class RingBufferSource implements EventSource {
  /** The kernel does not count what a full ring buffer drops; programs may. */
  readonly lost = 0;
  readonly #map: BpfMap;
  readonly #consumer: Mapping;
  readonly #data: Mapping;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #position: BigInt64Array;
  readonly #mask: number;
  readonly #page: number;
  /** x86 loads in order: between two loads of the producer's position a plain one does, which takes half as long. */
  readonly #loadsInOrder = process.arch === "x64";
  /** Where the next record is: a number of bytes since the ring buffer was made. */
  #next: bigint;

  constructor(map: BpfMap) {
    const { system } = map;
    const size = map.info.maxEntries;
    const page = pageSize();
    this.#map = map;
    this.#page = page;
    this.#consumer = new Mapping(system, map.fd, page, { isWritable: true });
    try {
      this.#data = new Mapping(system, map.fd, page + 2 * size, { byteOffset: page });
    } catch (cause) {
      this.#consumer[Symbol.dispose]();
      throw cause;
    }
    this.#bytes = new Uint8Array(this.#data.buffer);
    this.#words = new Int32Array(this.#data.buffer);
    this.#position = new BigInt64Array(this.#consumer.buffer, 0, 1);
    this.#mask = size - 1;
    this.#next = this.#position[0]!;
  }

  get descriptor(): number {
    return this.#map.fd;
  }

  /**
   * Calls back with each record that is there, `limit` at most, and gives their
   * room back to the kernel. Returns how many there were.
   */
  consume(visit: RecordVisitor, limit: number): number {
    const { ffi } = this.#map.system;
    const words = this.#words;
    const bytes = this.#bytes;
    const mask = this.#mask;
    const page = this.#page;
    const loadsInOrder = this.#loadsInOrder;
    let count = 0;
    let taken = 0;
    // The low half of the positions tells where records are, and whether there are more: never 4 GiB are open.
    let low = Number(BigInt.asIntN(32, this.#next));
    try {
      for (;;) {
        const produced = ffi.loadAcquire(words, 0);
        if (produced === low) return count;
        do {
          if (count >= limit) return count;
          const at = page + (low & mask);
          const head = loadsInOrder ? words[at >> 2]! : ffi.loadAcquire(words, at >> 2);
          // The highest bit: the program still writes.
          if (head < 0) return count;
          const length = head & LENGTH_MASK;
          const room = occupied(length);
          low = (low + room) | 0;
          taken += room;
          if (head & DISCARDED) continue;
          count++;
          visit(bytes, at + HEADER_SIZE, length);
        } while (low !== produced);
      }
    } finally {
      if (taken > 0) {
        this.#next += BigInt(taken);
        Atomics.store(this.#position, 0, this.#next);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#consumer[Symbol.dispose]();
    this.#data[Symbol.dispose]();
  }
}
