// An image of the other byte order is turned once, in place; every other
// kernel reads little-endian only.

/**
 * Reverses the bytes of each u32 of [at, at + length). A type section is
 * nothing but u32 words as long as all its kinds are known, so it can be
 * turned before it is walked; bytes behind the last whole word stay.
 */
export function swap32(at: usize, length: u32): void {
  const end = at + (length & ~3);
  if (ASC_FEATURE_SIMD) {
    for (; at + 16 <= end; at += 16) {
      v128.store(at, i8x16.shuffle(v128.load(at), v128.load(at), 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
    }
  }
  for (; at < end; at += 4) store<u32>(at, bswap<u32>(load<u32>(at)));
}
