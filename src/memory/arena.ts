/**
 * One arena is one instance with one linear memory: a family of BTFs, a base
 * and its splits. The host owns the memory: it gives out addresses from a bump
 * pointer and grows the memory before a kernel is called.
 */

import { ERR_DISPOSED, ERR_INTERNAL, ERR_MEMORY } from "../errors/btf.js";
import { BtfError, BtfInternalError, BtfLimitError } from "../errors/error.js";
import { instantiate, type Kernel } from "./kernel.js";

const PAGE = 65536;
/**
 * Bytes kept free behind the bump pointer: kernels read a step (64 bytes, plus
 * a search pattern's 512) past what they look at.
 */
const OVERREAD = 1024;
/** Memories larger than this are left to the collector instead of being kept for reuse. */
const REUSE_LIMIT = 64 << 20;
/** Instances of disposed families, at most this many: fresh pages cost about 3 ms per 5.5 MB, reused ones nothing. */
const SPARE_COUNT = 2;

/** The exports that an arena needs of its WebAssembly module. */
export interface ArenaKernel {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
}

/** The source of instances for all arenas of a module. */
export interface Pool<K extends ArenaKernel> {
  readonly spare: K[];
  make(): K;
}

const readers: Pool<Kernel> = { spare: [], make: instantiate };

/** A stretch of memory that text is written into. */
export interface Window {
  readonly at: number;
  readonly length: number;
}

export class Arena<K extends ArenaKernel = Kernel> {
  readonly kernel: K;
  /** All of the memory. Replaced whenever it grows: never keep it across an allocation. */
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView<ArrayBuffer>;
  #top: number;
  #windows: Window[] = [];
  #state: "open" | "closed" | "poisoned" = "open";
  readonly #pool: Pool<K>;

  constructor(pool: Pool<K> = readers as unknown as Pool<K>) {
    this.#pool = pool;
    this.kernel = pool.spare.pop() ?? pool.make();
    this.#top = this.kernel.heapBase();
    const buffer = this.kernel.memory.buffer as ArrayBuffer;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Hands the memory over to a later family. Nothing of this one may be read afterwards. */
  release(): void {
    if (this.#state !== "open") return;
    this.#state = "closed";
    const { spare } = this.#pool;
    if (spare.length < SPARE_COUNT && this.bytes.length <= REUSE_LIMIT) spare.push(this.kernel);
  }

  /** @throws BtfError ERR_DISPOSED, BtfInternalError after a trap. */
  check(): void {
    if (this.#state === "closed") throw new BtfError(ERR_DISPOSED);
    if (this.#state === "poisoned") throw new BtfInternalError(ERR_INTERNAL, { note: "a kernel trapped before" });
  }

  /** The address at which the next allocation would start. Pass it to `rewind` to free all later allocations. */
  get mark(): number {
    return this.#top;
  }

  rewind(mark: number): void {
    this.#top = mark;
    this.#windows = this.#windows.filter(({ at }) => at < mark);
  }

  /**
   * `length` bytes, not zeroed, aligned to 16.
   * @throws BtfLimitError ERR_MEMORY
   */
  allocate(length: number): number {
    const start = Math.ceil(this.#top / 16) * 16;
    const missing = start + length + OVERREAD - this.bytes.length;
    if (missing > 0) {
      try {
        this.kernel.memory.grow(Math.ceil(missing / PAGE));
      } catch (cause) {
        throw new BtfLimitError(ERR_MEMORY, { value: length }, { cause });
      }
      const buffer = this.kernel.memory.buffer as ArrayBuffer;
      this.bytes = new Uint8Array(buffer);
      this.view = new DataView(buffer);
    }
    this.#top = start + length;
    return start;
  }

  /** A window of at least `length` bytes, used again once it is given back. */
  takeWindow(length: number): Window {
    const index = this.#windows.findIndex((window) => window.length >= length);
    if (index >= 0) return this.#windows.splice(index, 1)[0]!;
    return { at: this.allocate(length), length };
  }

  /** Takes a window back; the last allocation's memory is free again. */
  giveWindow(window: Window): void {
    if (window.at + window.length === this.#top) this.#top = window.at;
    else this.#windows.push(window);
  }

  /** Runs a kernel. A trap is a bug of ours: the memory is not to be trusted any more. */
  run<T>(call: (kernel: K) => T): T {
    this.check();
    try {
      return call(this.kernel);
    } catch (cause) {
      this.#state = "poisoned";
      throw new BtfInternalError(ERR_INTERNAL, { note: "a kernel trapped" }, { cause });
    }
  }
}
