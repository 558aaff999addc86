// Search in names, linear in strings plus types whatever the image holds.
//
// One pass over a string section, from its end to its start, makes a bit per
// string offset: "the name that starts here matches". A second pass over the
// types reads the bit of each name offset. Name offsets may point into the
// middle of a string, so the bit is exact for every offset, not for starts only.
import { KIND_MAX } from "../format/generated/abi";
import { Image, Type } from "../format/image";

/** Bit i: byte i of the 64 at `at` is `byte`. */
// @ts-ignore: decorator
@inline
function matches64(at: usize, byte: u8): u64 {
  if (ASC_FEATURE_SIMD) {
    const wanted = i8x16.splat(byte);
    return (
      <u64>i8x16.bitmask(i8x16.eq(v128.load(at), wanted)) |
      (<u64>i8x16.bitmask(i8x16.eq(v128.load(at, 16), wanted)) << 16) |
      (<u64>i8x16.bitmask(i8x16.eq(v128.load(at, 32), wanted)) << 32) |
      (<u64>i8x16.bitmask(i8x16.eq(v128.load(at, 48), wanted)) << 48)
    );
  } else {
    let bits: u64 = 0;
    for (let i: u32 = 0; i < 64; i++) bits |= <u64>(load<u8>(at + i) == byte) << i;
    return bits;
  }
}

// @ts-ignore: decorator
@inline
function sameBytes(a: usize, b: usize, length: u32): bool {
  return memory.compare(a, b, length) == 0;
}

/**
 * Marks in `bits` (stringsLength / 64 + 1 words) the offsets at which a name
 * starts that holds (or, with `prefix`, starts with) the `length` > 0 bytes at
 * `pattern`, none of them NUL but perhaps the last. Returns whether there is one.
 */
export function markMatches(image: Image, pattern: usize, length: u32, prefix: bool, bits: usize): bool {
  const start = image.strings;
  const total = image.stringsLength;
  const head = load<u8>(pattern);
  const tail = load<u8>(pattern + length - 1);
  // The section's last byte is NUL and the pattern has none before its end: a hit never passes the end.
  let alive: u64 = 0;
  let all: u64 = 0;
  for (let block: i32 = <i32>(total >> 6); block >= 0; block--) {
    const at = start + (<u32>block << 6);
    let hits = matches64(at, head);
    if (length > 1) hits &= matches64(at + length - 1, tail);
    const left = total - (<u32>block << 6);
    if (left < 64) hits &= (<u64>1 << left) - 1;
    if (length > 2) {
      for (let rest = hits; rest; rest &= rest - 1) {
        const bit = <u32>ctz(rest);
        if (!sameBytes(at + bit, pattern, length)) hits &= ~(<u64>1 << bit);
      }
    }
    if (!prefix) {
      // Spread each hit to the offsets before it, as far as the string reaches.
      let open = ~matches64(at, 0);
      hits |= (alive << 63) & open;
      hits |= open & (hits >> 1);
      open &= open >> 1;
      hits |= open & (hits >> 2);
      open &= open >> 2;
      hits |= open & (hits >> 4);
      open &= open >> 4;
      hits |= open & (hits >> 8);
      open &= open >> 8;
      hits |= open & (hits >> 16);
      open &= open >> 16;
      hits |= open & (hits >> 32);
      alive = hits & 1;
    }
    store<u64>(bits + (<u32>block << 3), hits);
    all |= hits;
  }
  return all != 0;
}

/**
 * Writes to `out` up to `limit` ids of own types from `from` on whose name is
 * marked; `bits` holds one bitmap address per image of the chain, this one
 * first; bit k of `kinds` admits kind k (kinds above 19 count as 0).
 * Returns how many.
 */
export function collectMarked(image: Image, bits: usize, kinds: u32, from: u32, out: usize, limit: u32): u32 {
  let found: u32 = 0;
  const types = image.types;
  for (let i = from - image.firstId; i < image.count && found < limit; i++) {
    const nameOff = changetype<Type>(types + load<u32>(image.offsets + (i << 2))).nameOff;
    if (!nameOff) continue;
    let owner = image;
    let slot = bits;
    while (nameOff < owner.stringsStart) {
      owner = owner.base!;
      slot += 4;
    }
    const off = nameOff - owner.stringsStart;
    if (!((load<u8>(load<u32>(slot) + (off >> 3)) >> <u8>(off & 7)) & 1)) continue;
    const kind = load<u8>(image.kinds + i);
    if (!((kinds >> (kind > KIND_MAX ? 0 : kind)) & 1)) continue;
    store<u32>(out + (found << 2), image.firstId + i);
    found++;
  }
  return found;
}
