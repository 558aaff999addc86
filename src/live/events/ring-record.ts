/** A record of a ring buffer. Source: the kernel's include/uapi/linux/bpf.h, kernel/bpf/ringbuf.c. */

/** The header of a record: its length with two flags, and the page it lies in. */
export const HEADER_SIZE = 8;
export const BUSY = 0x80000000;
export const DISCARDED = 0x40000000;
export const LENGTH_MASK = 0x3fffffff;

/** Bytes that a record of a length takes. */
export function occupied(length: number): number {
  return (HEADER_SIZE + length + 7) & ~7;
}
