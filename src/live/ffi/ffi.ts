/** What the rest of `btfkit/live` needs from a runtime: system calls, addresses, mapped memory, waiting. */

/**
 * A foreign function interface, as narrow as it can be. There is a backend for
 * each runtime; a program may bring another one (`Kernel.open({ ffi })`).
 *
 * Addresses are numbers: Linux gives user space 47 bits on x86-64 and 48 on
 * arm64, which a double holds exactly.
 */
export interface Ffi {
  /** The backend, for messages and reports. */
  readonly name: string;

  /**
   * Makes a system call. The arguments are integers; a pointer is passed as the
   * `address` of a buffer that the caller keeps alive until the call returns.
   *
   * @returns the result, or the negative of `errno` on failure
   */
  syscall(number: number, a?: number, b?: number, c?: number, d?: number, e?: number, f?: number): number;

  /**
   * Returns where a buffer's first byte is in memory. The buffer must be a view
   * on an ArrayBuffer that was allocated as such: engines keep these at one place.
   */
  address(bytes: Uint8Array): number;

  /** Returns an ArrayBuffer over memory that is not the engine's, such as a mapping. It is valid until the unmapping. */
  view(address: number, byteSize: number): ArrayBuffer;

  /**
   * Waits until a descriptor is readable, or writable.
   *
   * @returns true if it is, false after the timeout or once the signal has fired
   */
  wait(descriptor: number, options?: WaitOptions): Promise<boolean>;

  /**
   * Loads a word of shared memory so that what another thread wrote before it
   * is seen afterwards.
   */
  loadAcquire(words: Int32Array, index: number): number;
}

/** How long `Ffi.wait` waits. */
export interface WaitOptions {
  /** In milliseconds; without it there is no limit. */
  readonly timeout?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Waits until there is room to write instead. */
  readonly isForWriting?: boolean;
}
