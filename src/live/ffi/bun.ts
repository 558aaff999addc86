/** The backend for Bun: `bun:ffi`. */
import type { Ffi, WaitOptions } from "./ffi.js";
import { pollRequest, READY_OFFSET } from "./poll.js";

/** The part of bun:ffi that is used here. */
interface BunFfi {
  dlopen(path: string, symbols: Record<string, object>): { readonly symbols: Symbols };
  ptr(bytes: Uint8Array): number;
  toArrayBuffer(pointer: number, offset: number, byteSize: number): ArrayBuffer;
  readonly read: { i32(pointer: number, offset: number): number };
}

interface Symbols {
  syscall(...args: number[]): number | bigint;
  __errno_location(): number;
}

/** What the thread that waits runs: it blocks in ppoll and answers. Messages are the descriptor's number, or null to end. */
const WAITER = `
const { dlopen, ptr } = require("bun:ffi");
const { symbols } = dlopen(LIBC, {
  syscall: { args: Array(7).fill("i64"), returns: "i64_fast" },
});
self.onmessage = ({ data: { number, id, bytes } }) => {
  const at = ptr(bytes);
  const ready = symbols.syscall(number, at, 1, at + ${READY_OFFSET}, 0, 0, 0);
  self.postMessage({ id, ready: ready > 0 });
};
`;

/** The longest that the thread waits at once, in milliseconds: an abort is noticed then. */
const SLICE = 100;

/** glibc, and musl's name for the same. */
const LIBRARIES = ["libc.so.6", `libc.musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`];

/** Makes the backend. */
export async function openBun(pollNumber: number): Promise<Ffi> {
  const { dlopen, ptr, toArrayBuffer, read } = (await import("bun:ffi" as string)) as BunFfi;
  const definitions = {
    syscall: { args: Array.from({ length: 7 }, () => "i64"), returns: "i64_fast" },
    __errno_location: { args: [], returns: "ptr" },
  };
  let libc = LIBRARIES[0]!;
  let symbols: Symbols;
  try {
    ({ symbols } = dlopen(libc, definitions));
  } catch {
    libc = LIBRARIES[1]!;
    ({ symbols } = dlopen(libc, definitions));
  }

  // Atomics.load on a read-only mapping crashes Bun once the function is optimised, so words are read plainly. On
  // x86 that is an acquire; elsewhere an atomic operation on memory of our own orders what follows.
  const fence = process.arch === "x64" ? undefined : new Int32Array(new SharedArrayBuffer(4));
  const waiter = new Waiter(pollNumber, libc);
  return {
    name: "bun",
    syscall(number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) {
      const result = symbols.syscall(number, a, b, c, d, e, f);
      return result === -1 ? -read.i32(symbols.__errno_location(), 0) : Number(result);
    },
    address: (bytes) => ptr(bytes),
    view: (address, byteSize) => toArrayBuffer(address, 0, byteSize),
    loadAcquire(words, index) {
      const word = words[index]!;
      if (fence) Atomics.add(fence, 0, 0);
      return word;
    },
    async wait(descriptor, { timeout = Infinity, signal, isForWriting = false }: WaitOptions = {}) {
      const end = performance.now() + timeout;
      while (!signal?.aborted) {
        const left = Math.max(0, Math.min(SLICE, end - performance.now()));
        if (await waiter.wait(descriptor, left, isForWriting)) return true;
        if (performance.now() >= end) break;
      }
      return false;
    },
  };
}

/** A thread that waits. It is started with the first wait, and does not keep the process alive when none is pending. */
class Waiter {
  readonly #number: number;
  readonly #libc: string;
  readonly #pending = new Map<number, (ready: boolean) => void>();
  #worker: (Worker & { ref(): void; unref(): void }) | undefined;
  #last = 0;

  constructor(number: number, libc: string) {
    this.#number = number;
    this.#libc = libc;
  }

  wait(descriptor: number, timeout: number, isForWriting: boolean): Promise<boolean> {
    const worker = this.#started();
    worker.ref();
    return new Promise((resolve) => {
      const id = ++this.#last;
      this.#pending.set(id, resolve);
      const request = pollRequest(descriptor, isForWriting);
      request.setTimeout(timeout);
      worker.postMessage({ number: this.#number, id, bytes: request.bytes });
    });
  }

  #started(): Worker & { ref(): void; unref(): void } {
    if (this.#worker) return this.#worker;
    const source = WAITER.replace("LIBC", JSON.stringify(this.#libc));
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" }))) as Worker & {
      ref(): void;
      unref(): void;
    };
    worker.onmessage = ({ data: { id, ready } }: MessageEvent<{ id: number; ready: boolean }>) => {
      this.#pending.get(id)?.(ready);
      this.#pending.delete(id);
      if (this.#pending.size === 0) worker.unref();
    };
    this.#worker = worker;
    return worker;
  }
}
