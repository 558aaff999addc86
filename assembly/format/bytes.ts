// Small steps over raw memory that every kernel shares.

/**
 * 8 bytes at any address. Every other `load` and `store` is aligned to its size
 * or says that it is not: what WebAssembly takes as a hint, the JavaScript that
 * is made of the kernels takes at its word.
 */
// @ts-ignore: decorator
@inline
export function bytesAt(at: usize): u64 {
  return load<u64>(at, 0, 1);
}

/** The lowest set bit of the result stands at the first zero byte of `word`. */
// @ts-ignore: decorator
@inline
export function zeroBytes(word: u64): u64 {
  return (word - 0x0101010101010101) & ~word & 0x8080808080808080;
}

/** All ones in the bytes below the first zero byte that `zeros` marks. */
// @ts-ignore: decorator
@inline
function below(zeros: u64): u64 {
  return ((zeros & (0 - zeros)) >> 7) - 1;
}

/** 8 bytes into 64 bits of hash: multiply, fold the high half back. */
// @ts-ignore: decorator
@inline
function mix(hash: u64, word: u64): u64 {
  const product = (hash ^ word) * 0x9e3779b97f4a7c15;
  return product ^ (product >> 32);
}

/**
* The number of bytes of a name that count for its hash: KSYM_NAME_LEN, the longest
 * name a kernel takes. It bounds the work when a hostile image has a million
 * types share one huge name; longer names still compare whole.
 */
const HASHED_BYTES: usize = 512;

/** Seeded hash of the NUL-terminated bytes at `at`, 8 a step. */
export function hashString(at: usize, seed: u64): u64 {
  let hash = seed;
  const end = at + HASHED_BYTES;
  while (at < end) {
    const word = bytesAt(at);
    const zeros = zeroBytes(word);
    if (zeros) {
      return mix(hash, word & below(zeros));
    }
    hash = mix(hash, word);
    at += 8;
  }
  return hash;
}

/** Tells whether two NUL-terminated strings are equal. */
export function sameString(a: usize, b: usize): bool {
  let word = bytesAt(a);
  let zeros = zeroBytes(word);
  while (!zeros) {
    if (word != bytesAt(b)) return false;
    a += 8;
    b += 8;
    word = bytesAt(a);
    zeros = zeroBytes(word);
  }
  // They must agree up to and including the NUL.
  return ((word ^ bytesAt(b)) & ((below(zeros) << 8) | 0xff)) == 0;
}
