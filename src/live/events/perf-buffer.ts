/** The perf buffers of all CPUs, to which a map of type `perf_event_array` leads. Source: libbpf's perf_buffer. */
import { openPerfEvent, PERF_TYPE_SOFTWARE } from "../attach/perf-event.js";
import { possibleCpus } from "../cpus.js";
import { ERRNO } from "../errno.js";
import { systemError } from "../error.js";
import type { BpfMap } from "../map.js";
import { Mapping, pageSize } from "../mapping.js";
import type { System } from "../system.js";
import type { EventSource, RecordVisitor } from "./source.js";

const PERF_COUNT_SW_BPF_OUTPUT = 10;
const PERF_SAMPLE_RAW = 1 << 10;
const PERF_EVENT_IOC_ENABLE = 0x2400;
const PERF_RECORD_LOST = 2;
const PERF_RECORD_SAMPLE = 9;
const HEADER_SIZE = 8;

/** Where the page in front of the data has the positions (`struct perf_event_mmap_page`). */
const DATA_HEAD = 1024;
const DATA_TAIL = 1032;

const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;

/** Pages of data of each CPU: a power of two, as libbpf's tools take. */
const PAGES = 64;

class CpuBuffer implements Disposable {
  readonly descriptor: number;
  readonly #system: System;
  readonly #mapping: Mapping;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #words: Int32Array;
  readonly #tail: BigInt64Array;
  readonly #start: number;
  readonly #size: number;
  #next: number;
  lost = 0;
  /** For records that go on at the start of the buffer. */
  #joined = new Uint8Array(256);

  constructor(system: System, descriptor: number, pages: number) {
    this.#system = system;
    this.descriptor = descriptor;
    const page = pageSize();
    this.#start = page;
    this.#size = pages * page;
    this.#mapping = new Mapping(system, descriptor, page + this.#size, { isWritable: true });
    const { buffer } = this.#mapping;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#words = new Int32Array(buffer);
    this.#tail = new BigInt64Array(buffer, DATA_TAIL, 1);
    this.#next = Number(this.#tail[0]);
  }

  consume(visit: RecordVisitor, limit: number): number {
    const { ffi } = this.#system;
    let count = 0;
    let next = this.#next;
    const produced = ffi.loadAcquire(this.#words, DATA_HEAD >> 2) >>> 0;
    try {
      while (next % 4294967296 !== produced && count < limit) {
        const at = this.#start + (next % this.#size);
        const type = this.#view.getUint32(at, true);
        const length = this.#view.getUint16(at + 6, true);
        // A record has a header at least; without, the buffer is not what it should be.
        if (length < HEADER_SIZE) return count;
        next += length;
        const isSplit = at + length > this.#start + this.#size;
        if (type === PERF_RECORD_LOST) {
          const view = isSplit ? new DataView(this.#join(at, length).buffer) : this.#view;
          this.lost += Number(view.getBigUint64((isSplit ? 0 : at) + 16, true));
        } else if (type === PERF_RECORD_SAMPLE) {
          count++;
          const bytes = isSplit ? this.#join(at, length) : this.#bytes;
          const from = isSplit ? 0 : at;
          const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(from + HEADER_SIZE, true);
          visit(bytes, from + HEADER_SIZE + 4, Math.min(size, length - HEADER_SIZE - 4));
        }
      }
      return count;
    } finally {
      if (next !== this.#next) {
        this.#next = next;
        Atomics.store(this.#tail, 0, BigInt(next));
      }
    }
  }

  /** The two ends of a record, one behind the other. */
  #join(at: number, length: number): Uint8Array {
    if (this.#joined.length < length) this.#joined = new Uint8Array(length * 2);
    const first = this.#start + this.#size - at;
    this.#joined.set(this.#bytes.subarray(at, at + first));
    this.#joined.set(this.#bytes.subarray(this.#start, this.#start + length - first), first);
    return this.#joined;
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
    this.#system.close(this.descriptor);
  }
}

/** Reads a map of type `perf_event_array`. */
export class PerfBufferSource implements EventSource {
  readonly #system: System;
  readonly #buffers: CpuBuffer[] = [];
  readonly #epoll: number;

  /** @throws BtfSystemError */
  constructor(map: BpfMap, pages = PAGES) {
    const { system } = map;
    this.#system = system;
    this.#epoll = system.must("epoll_create1", 0);
    try {
      const cpus = Math.min(possibleCpus(), map.info.maxEntries);
      for (let cpu = 0; cpu < cpus; cpu++) this.#open(map, cpu, pages);
    } catch (cause) {
      this[Symbol.dispose]();
      throw cause;
    }
  }

  #open(map: BpfMap, cpu: number, pages: number): void {
    const system = this.#system;
    const event = {
      type: PERF_TYPE_SOFTWARE,
      config: PERF_COUNT_SW_BPF_OUTPUT,
      sampleType: PERF_SAMPLE_RAW,
      period: 1,
      wakeupEvents: 1,
    };
    const fd = openPerfEvent(system, event, { cpu });
    // A CPU that is possible need not be there.
    if (fd === -ERRNO.ENODEV) return;
    if (fd < 0)
      throw systemError("perf_event_open", -fd, { note: `a buffer for CPU ${cpu}`, capability: "CAP_PERFMON" });
    let buffer: CpuBuffer;
    try {
      buffer = new CpuBuffer(system, fd, pages);
    } catch (cause) {
      system.close(fd);
      throw cause;
    }
    this.#buffers.push(buffer);
    map.set(new Uint8Array(Uint32Array.of(cpu).buffer), { fd } as never);
    system.must("ioctl", fd, PERF_EVENT_IOC_ENABLE);
    const interest = system.allocate(16);
    interest.setU32(0, EPOLLIN);
    interest.setU32(process.arch === "x64" ? 4 : 8, fd);
    system.must("epoll_ctl", this.#epoll, EPOLL_CTL_ADD, fd, interest.address);
  }

  get lost(): number {
    return this.#buffers.reduce((sum, { lost }) => sum + lost, 0);
  }

  get descriptor(): number {
    return this.#epoll;
  }

  consume(visit: RecordVisitor, limit: number): number {
    let count = 0;
    for (const buffer of this.#buffers) count += buffer.consume(visit, limit - count);
    return count;
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#buffers.splice(0)) buffer[Symbol.dispose]();
    if (this.#epoll >= 0) this.#system.close(this.#epoll);
  }
}
