/** The backend for Node: koffi, an optional peer dependency. */

import { BtfEnvironmentError } from "../../errors/error.js";
import { ERR_LIVE_FFI } from "../../errors/live.js";
import type { Ffi, WaitOptions } from "./ffi.js";

/** The part of koffi that is used here. */
interface Koffi {
  load(path: null): {
    func(name: string, result: string, parameters: readonly string[]): (...args: number[]) => number;
  };
  errno(): number;
  address(value: Uint8Array): bigint;
  view(pointer: bigint, byteSize: number): ArrayBuffer;
  readonly node: { poll(descriptor: number, options: object, callback: () => void): { close(): void } };
}

const INSTALL = "it needs the package koffi in Node: npm install koffi";

/**
 * Loads koffi and makes the backend.
 *
 * @throws BtfEnvironmentError ERR_LIVE_FFI if koffi is not installed or refuses to load
 */
export async function openKoffi(): Promise<Ffi> {
  let koffi: Koffi;
  try {
    const module = (await import("koffi")) as unknown as Koffi & { default?: Koffi };
    koffi = module.default ?? module;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const missing = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
    throw new BtfEnvironmentError(
      ERR_LIVE_FFI,
      { note: missing ? INSTALL : `koffi does not load: ${message}` },
      { cause },
    );
  }
  if (!koffi.node?.poll)
    throw new BtfEnvironmentError(ERR_LIVE_FFI, { note: "koffi is older than 3: npm install koffi@3" });
  const call = koffi.load(null).func(
    "syscall",
    "int64",
    Array.from({ length: 7 }, () => "int64"),
  );
  return {
    name: "koffi",
    syscall(number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) {
      const result = call(number, a, b, c, d, e, f);
      return result === -1 ? -koffi.errno() : Number(result);
    },
    address: (bytes) => Number(koffi.address(bytes)),
    view: (address, byteSize) => koffi.view(BigInt(address), byteSize),
    loadAcquire: (words, index) => Atomics.load(words, index),
    wait(descriptor, { timeout, signal, isForWriting = false }: WaitOptions = {}) {
      return new Promise((resolve) => {
        if (signal?.aborted) {
          resolve(false);
          return;
        }
        const end = (ready: boolean): void => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", abort);
          handle.close();
          resolve(ready);
        };
        const abort = (): void => end(false);
        const timer = timeout === undefined ? undefined : setTimeout(end, timeout, false);
        signal?.addEventListener("abort", abort);
        const events = { readable: !isForWriting, writable: isForWriting };
        const handle = koffi.node.poll(descriptor, events, () => end(true));
      });
    },
  };
}
