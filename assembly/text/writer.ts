// Bytes of text into a window. Every function takes where to write and returns
// where it stopped. Steps are 16 bytes wide and may write past their text, by
// no more than WINDOW_SLACK past the limit.
import { Image, stringAt } from "../format/image";

/**
 * Writes a literal of at most 32 ASCII characters. A literal lies in static
 * data as UTF-16, behind its length in bytes: no string lives at run time.
 */
// @ts-ignore: decorator
@inline
export function text(p: usize, literal: string): usize {
  const from = changetype<usize>(literal);
  const length = load<u32>(from - 4) >> 1;
  if (ASC_FEATURE_SIMD) {
    v128.store(p, i8x16.narrow_i16x8_u(v128.load(from), v128.load(from, 16)));
    if (length > 16) v128.store(p, i8x16.narrow_i16x8_u(v128.load(from, 32), v128.load(from, 48)), 16);
  } else {
    for (let i: u32 = 0; i < length; i++) store<u8>(p + i, load<u8>(from + (i << 1)));
  }
  return p + length;
}

/** `text` of any length as a call: where speed does not matter, a fraction of the code. */
export function phrase(p: usize, literal: string): usize {
  let from = changetype<usize>(literal);
  const end = p + (load<u32>(from - 4) >> 1);
  if (ASC_FEATURE_SIMD) {
    for (; p < end; p += 16) {
      v128.store(p, i8x16.narrow_i16x8_u(v128.load(from), v128.load(from, 16)));
      from += 32;
    }
  } else {
    for (; p < end; p++) {
      store<u8>(p, load<u8>(from));
      from += 2;
    }
  }
  return end;
}

// @ts-ignore: decorator
@inline
export function char(p: usize, code: u8): usize {
  store<u8>(p, code);
  return p + 1;
}

/** "00" "01" … "99": two digits a step. */
const pairs = memory.data(200, 16);
let pairsReady = false;

function makePairs(): void {
  for (let i: u32 = 0; i < 100; i++) store<u16>(pairs + (i << 1), <u16>(0x3030 + i / 10 + ((i % 10) << 8)));
  pairsReady = true;
}

// @ts-ignore: decorator
@inline
function pair(value: u32): u16 {
  return load<u16>(pairs + (value << 1));
}

/** Called before the first number of a window. */
// @ts-ignore: decorator
@inline
export function ready(): void {
  if (!pairsReady) makePairs();
}

function digits(value: u32): u32 {
  if (value < 10000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1000000) return value < 100000 ? 5 : 6;
  return value < 100000000 ? (value < 10000000 ? 7 : 8) : value < 1000000000 ? 9 : 10;
}

/** Decimal. */
export function unsigned(p: usize, value: u32): usize {
  if (value < 10) return char(p, <u8>(48 + value));
  const end = p + digits(value);
  let at = end;
  while (value >= 100) {
    const rest = value / 100;
    at -= 2;
    store<u16>(at, pair(value - rest * 100), 0, 1);
    value = rest;
  }
  if (value >= 10) store<u16>(at - 2, pair(value), 0, 1);
  else store<u8>(at - 1, <u8>(48 + value));
  return end;
}

export function signed(p: usize, value: i32): usize {
  if (value >= 0) return unsigned(p, value);
  return unsigned(char(p, 45), 0 - <u32>value);
}

const BILLION: u64 = 1000000000;

export function unsigned64(p: usize, value: u64): usize {
  if (value <= u32.MAX_VALUE) return unsigned(p, <u32>value);
  const high = value / BILLION;
  p = unsigned64(p, high);
  // The low nine digits, zeros included: as a ten-digit number whose first digit is overwritten.
  const first = load<u8>(p - 1);
  const end = unsigned(p - 1, <u32>(value - high * BILLION) + <u32>BILLION);
  store<u8>(p - 1, first);
  return end;
}

export function signed64(p: usize, value: i64): usize {
  if (value >= 0) return unsigned64(p, value);
  return unsigned64(char(p, 45), 0 - <u64>value);
}

/**
 * Copies the name at `off` up to its NUL, "(anon)" for offset 0. Stops past
 * `limit`: the caller then takes its line back.
 */
export function name(p: usize, limit: usize, image: Image, off: u32): usize {
  return off ? bytes(p, limit, stringAt(image, off)) : text(p, "(anon)");
}

/** Copies the bytes at `from` up to their NUL, or past `limit`. */
export function bytes(p: usize, limit: usize, from: usize): usize {
  if (ASC_FEATURE_SIMD) {
    const nul = i8x16.splat(0);
    while (p <= limit) {
      const step = v128.load(from);
      v128.store(p, step);
      const ends = i8x16.bitmask(i8x16.eq(step, nul));
      if (ends) return p + ctz(ends);
      from += 16;
      p += 16;
    }
  } else {
    for (; p <= limit; p++) {
      const byte = load<u8>(from++);
      if (!byte) return p;
      store<u8>(p, byte);
    }
  }
  return p;
}

/** The second character of bpftool's JSON escape of `byte`, or 0: control bytes without one go out raw. */
function escapeOf(byte: u8): u8 {
  switch (byte) {
    case 0x09:
      return 116; // \t
    case 0x0a:
      return 110; // \n
    case 0x0d:
      return 114; // \r
    case 0x0c:
      return 102; // \f
    case 0x08:
      return 98; // \b
    case 0x5c:
    case 0x22:
      return byte;
    default:
      return 0;
  }
}

/** Writes a name inside JSON quotes: the seven escapes of bpftool's writer, all else raw. */
export function jsonName(p: usize, limit: usize, image: Image, off: u32): usize {
  if (!off) return text(p, "(anon)");
  let from = stringAt(image, off);
  while (p <= limit) {
    if (ASC_FEATURE_SIMD) {
      const bytes = v128.load(from);
      v128.store(p, bytes);
      const special = i8x16.bitmask(
        v128.or(
          i8x16.lt_u(bytes, i8x16.splat(0x20)),
          v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c))),
        ),
      );
      const plain: u32 = special ? ctz(special) : 16;
      from += plain;
      p += plain;
      if (plain == 16) continue;
    }
    const byte = load<u8>(from++);
    if (!byte) return p;
    const escape = escapeOf(byte);
    if (escape) p = char(char(p, 92), escape);
    else p = char(p, byte);
  }
  return p;
}
