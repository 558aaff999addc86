/** The arguments of ppoll(2): a `struct pollfd`, and a `struct timespec` after it. */

/** Where the timespec starts. */
export const READY_OFFSET = 8;

const POLLIN = 1;
const POLLOUT = 4;

/** A request to wait for one descriptor. */
export interface PollRequest {
  readonly bytes: Uint8Array;
  /** @param timeout in milliseconds */
  setTimeout(timeout: number): void;
}

/** Makes the arguments of a ppoll that waits until `descriptor` is readable, or writable. */
export function pollRequest(descriptor: number, isForWriting: boolean): PollRequest {
  const view = new DataView(new ArrayBuffer(24));
  view.setInt32(0, descriptor, true);
  view.setInt16(4, isForWriting ? POLLOUT : POLLIN, true);
  return {
    bytes: new Uint8Array(view.buffer),
    setTimeout(timeout) {
      view.setInt16(6, 0, true);
      view.setBigInt64(READY_OFFSET, BigInt(Math.floor(timeout / 1000)), true);
      view.setBigInt64(READY_OFFSET + 8, BigInt(Math.floor((timeout % 1000) * 1e6)), true);
    },
  };
}
