/** The backend for Deno: `Deno.dlopen`, which needs --allow-ffi. */

import { BtfEnvironmentError } from "../../errors/error.js";
import { ERR_LIVE_FFI } from "../../errors/live.js";
import type { Ffi, WaitOptions } from "./ffi.js";
import { pollRequest, READY_OFFSET } from "./poll.js";

interface Pointer {
  readonly __brand: "pointer";
}

/** The part of Deno that is used here. */
interface DenoFfi {
  dlopen(path: string, symbols: Record<string, object>): { readonly symbols: Symbols };
  readonly UnsafePointer: {
    of(bytes: Uint8Array): Pointer;
    value(pointer: Pointer): bigint;
    create(address: bigint): Pointer;
  };
  readonly UnsafePointerView: {
    new (pointer: Pointer): { getInt32(): number };
    getArrayBuffer(pointer: Pointer, byteSize: number): ArrayBuffer;
  };
}

interface Symbols {
  call(...args: number[]): bigint;
  callElsewhere(...args: number[]): Promise<bigint>;
  errno(): Pointer;
}

/** The longest that a thread waits at once, in milliseconds: an abort is noticed then. */
const SLICE = 100;

/**
 * Makes the backend.
 *
 * @throws BtfEnvironmentError ERR_LIVE_FFI without the permission
 */
export function openDeno(pollNumber: number): Ffi {
  const deno = (globalThis as unknown as { Deno: DenoFfi }).Deno;
  const parameters = Array.from({ length: 7 }, () => "i64");
  let symbols: Symbols;
  try {
    ({ symbols } = deno.dlopen("libc.so.6", {
      call: { name: "syscall", parameters, result: "i64" },
      callElsewhere: { name: "syscall", parameters, result: "i64", nonblocking: true },
      errno: { name: "__errno_location", parameters: [], result: "pointer" },
    }));
  } catch (cause) {
    const note = `Deno needs --allow-ffi (${(cause as Error).message.split("\n", 1)[0]})`;
    throw new BtfEnvironmentError(ERR_LIVE_FFI, { note }, { cause });
  }
  const { UnsafePointer, UnsafePointerView } = deno;
  const address = (bytes: Uint8Array): number => Number(UnsafePointer.value(UnsafePointer.of(bytes)));
  return {
    name: "deno",
    syscall(number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) {
      const result = Number(symbols.call(number, a, b, c, d, e, f));
      return result === -1 ? -new UnsafePointerView(symbols.errno()).getInt32() : result;
    },
    address,
    view: (at, byteSize) => UnsafePointerView.getArrayBuffer(UnsafePointer.create(BigInt(at)), byteSize),
    loadAcquire: (words, index) => Atomics.load(words, index),
    async wait(descriptor, { timeout = Infinity, signal, isForWriting = false }: WaitOptions = {}) {
      const end = performance.now() + timeout;
      const request = pollRequest(descriptor, isForWriting);
      while (!signal?.aborted) {
        const left = Math.max(0, Math.min(SLICE, end - performance.now()));
        request.setTimeout(left);
        const at = address(request.bytes);
        // A failure here is an interruption: errno belongs to another thread.
        const ready = await symbols.callElsewhere(pollNumber, at, 1, at + READY_OFFSET, 0, 0, 0);
        if (ready > 0n) return true;
        if (performance.now() >= end) break;
      }
      return false;
    },
  };
}
