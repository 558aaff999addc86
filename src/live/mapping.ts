/** Memory that is shared with the kernel. */
import { attempt } from "../node/attempt.js";
import { systemError } from "./error.js";
import type { System } from "./system.js";

/** PROT_READ, PROT_WRITE, MAP_SHARED and their like: include/uapi/asm-generic/mman-common.h. */
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;

const SMAPS = "/proc/self/smaps";

/** The largest errno: a result of mmap above the negative of it is an address. */
const MAX_ERRNO = 4095;

/**
 * The size of a page of memory in bytes, which Linux on arm64 may have as 4, 16 or 64 KiB.
 *
 * @throws BtfEnvironmentError ERR_FILE where /proc cannot be read: Deno wants --allow-all for it
 * @example
 * console.log(pageSize() % 4096); // 0
 */
export function pageSize(): number {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const [, kib] = /^KernelPageSize:\s+(\d+) kB/m.exec(attempt(SMAPS, () => readFileSync(SMAPS, "utf8"))) ?? [];
  return kib === undefined ? 4096 : Number(kib) * 1024;
}

/**
 * Memory of the kernel in this process: the pages of a ring buffer, the values
 * of an array, the events of a perf buffer.
 *
 * Views on `buffer` must not be used after the disposal. They are detached where
 * the runtime can do it; in Node 20 empty pages take the mapping's place, so that
 * a view that is left reads zeros instead of crashing the process.
 *
 * @example
 * const kernel = await Kernel.open();
 * const map = kernel.createMap({ type: "array", keyByteSize: 4, valueByteSize: 8, maxEntries: 1, flags: 1 << 10 });
 * const mapping = new Mapping(kernel.system, map.fd, pageSize(), { isWritable: true });
 * new Uint8Array(mapping.buffer)[0] = 5;
 * console.log(map.get(new Uint8Array(4))![0]); // 5
 * mapping[Symbol.dispose]();
 * map[Symbol.dispose]();
 */
export class Mapping {
  /** The memory. In Bun no `Atomics` on a mapping that is read-only: it crashes (`Ffi.loadAcquire` does not use it). */
  readonly buffer: ArrayBuffer;
  /** Where it starts in this process. */
  readonly address: number;
  /** In bytes. */
  readonly byteSize: number;
  readonly #system: System;
  #isOpen = true;

  /**
   * Maps a descriptor's memory.
   *
   * @param byteOffset where in the file it starts, a multiple of the page size
   * @throws BtfSystemError
   */
  constructor(system: System, fd: number, byteSize: number, { byteOffset = 0, isWritable = false } = {}) {
    const protection = isWritable ? PROT_READ | PROT_WRITE : PROT_READ;
    const result = system.call("mmap", 0, byteSize, protection, MAP_SHARED, fd, byteOffset);
    if (result < 0 && result >= -MAX_ERRNO) throw systemError("mmap", -result);
    this.#system = system;
    this.address = result;
    this.byteSize = byteSize;
    this.buffer = system.ffi.view(result, byteSize);
  }

  /** Whether the memory is still mapped. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Ends the mapping. Does nothing the second time. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const buffer = this.buffer as ArrayBuffer & { transfer?: () => ArrayBuffer };
    if (buffer.transfer) {
      buffer.transfer();
      if (buffer.byteLength === 0) {
        this.#system.call("munmap", this.address, this.byteSize);
        return;
      }
    }
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    this.#system.call("mmap", this.address, this.byteSize, PROT_READ | PROT_WRITE, flags, -1, 0);
  }
}
