/** Floating-point numbers of formats that a DataView does not read in every runtime: IEEE half and quad, bfloat16, x87. */

/** How a `long double` is stored: Intel's 80 bits, or IEEE's 128. BTF has only its size. */
export type LongDouble = "x87" | "quad";

interface BinaryFormat {
  readonly exponentBits: number;
  /** Of the fraction, without the bit before the point. */
  readonly fractionBits: number;
  /** The bit before the point is stored, as x87 does. */
  readonly hasInteger: boolean;
}

const FORMATS = {
  half: { exponentBits: 5, fractionBits: 10, hasInteger: false },
  bfloat: { exponentBits: 8, fractionBits: 7, hasInteger: false },
  x87: { exponentBits: 15, fractionBits: 63, hasInteger: true },
  quad: { exponentBits: 15, fractionBits: 112, hasInteger: false },
} as const satisfies Record<string, BinaryFormat>;

export type RareFloat = keyof typeof FORMATS;

/** Bits that a format is stored in. */
export const FLOAT_BITS: Readonly<Record<RareFloat, number>> = { half: 16, bfloat: 16, x87: 80, quad: 128 };

/** The nearest double. */
export function floatFromBits(bits: bigint, of: RareFloat): number {
  const { exponentBits, fractionBits, hasInteger } = FORMATS[of];
  const stored = BigInt(fractionBits + (hasInteger ? 1 : 0));
  const maximum = (1 << exponentBits) - 1;
  const bias = maximum >> 1;
  const isNegative = (bits >> (stored + BigInt(exponentBits))) & 1n;
  const exponent = Number((bits >> stored) & BigInt(maximum));
  const fraction = bits & ((1n << BigInt(fractionBits)) - 1n);
  const sign = isNegative ? -1 : 1;
  if (exponent === maximum) return fraction === 0n ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  const integer = hasInteger ? (bits >> BigInt(fractionBits)) & 1n : exponent === 0 ? 0n : 1n;
  const significand = (integer << BigInt(fractionBits)) | fraction;
  return sign * scaled(significand, Math.max(exponent, 1) - bias - fractionBits);
}

/** `significand` × 2^`exponent`, rounded once, to even. */
function scaled(significand: bigint, exponent: number): number {
  if (significand === 0n) return 0;
  const length = significand.toString(2).length;
  // The bits that a double has for a number of this size: fewer below 2^-1022.
  const kept = Math.min(53, length + exponent + 1074);
  if (kept < 0) return 0;
  const drop = length - kept;
  if (drop <= 0) return times(Number(significand), exponent);
  const half = 1n << BigInt(drop - 1);
  const rest = significand & ((half << 1n) - 1n);
  let rounded = significand >> BigInt(drop);
  if (rest > half || (rest === half && rounded & 1n)) rounded++;
  return times(Number(rounded), exponent + drop);
}

/** Exact where the result is a double: 2^exponent alone may be none. */
function times(value: number, exponent: number): number {
  let result = value;
  let left = exponent;
  for (; left > 1000; left -= 1000) result *= 2 ** 1000;
  for (; left < -1000; left += 1000) result *= 2 ** -1000;
  return result * 2 ** left;
}

/** The bits of the nearest number of a format, rounded to even. */
export function floatToBits(value: number, of: RareFloat): bigint {
  const { exponentBits, fractionBits, hasInteger } = FORMATS[of];
  const stored = BigInt(fractionBits + (hasInteger ? 1 : 0));
  const maximum = (1 << exponentBits) - 1;
  const bias = maximum >> 1;
  const sign = (value < 0 || Object.is(value, -0) ? 1n : 0n) << (stored + BigInt(exponentBits));
  const integer = hasInteger ? 1n << BigInt(fractionBits) : 0n;
  const special = sign | (BigInt(maximum) << stored) | integer;
  if (Number.isNaN(value)) return special | (1n << BigInt(fractionBits - 1));
  if (!Number.isFinite(value)) return special;
  if (value === 0) return sign;
  const [significand, exponent] = partsOf(Math.abs(value));
  const length = significand.toString(2).length;
  let biased = length - 1 + exponent + bias;
  // How far the lowest bit of the double lies above the lowest of the format.
  const up = exponent - (Math.max(biased, 1) - bias - fractionBits);
  let fraction = up >= 0 ? significand << BigInt(up) : rounded(significand, BigInt(-up));
  if (fraction >> BigInt(fractionBits + 1)) {
    fraction >>= 1n;
    biased++;
  }
  if (biased < 1) biased = fraction >> BigInt(fractionBits) ? 1 : 0;
  if (biased >= maximum) return special;
  const implied = hasInteger ? fraction : fraction & ((1n << BigInt(fractionBits)) - 1n);
  return sign | (BigInt(biased) << stored) | implied;
}

function rounded(bits: bigint, drop: bigint): bigint {
  const half = 1n << (drop - 1n);
  const rest = bits & ((half << 1n) - 1n);
  const kept = bits >> drop;
  return rest > half || (rest === half && kept & 1n) ? kept + 1n : kept;
}

/** A positive double as an integer times a power of two. */
function partsOf(value: number): [bigint, number] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number(bits >> 52n) & 0x7ff;
  const fraction = bits & ((1n << 52n) - 1n);
  return exponent === 0 ? [fraction, -1074] : [fraction | (1n << 52n), exponent - 1075];
}

const MICRO = 1_000_000n;

/**
 * The text of C's `%f`: six digits behind the point, rounded from the exact value, halves to even.
 *
 * @param bits the number as it is stored in 4, 8 or more bytes
 */
export function fixedText(bits: bigint, byteSize: number, little: boolean): string {
  const format =
    byteSize === 4
      ? { exponentBits: 8, fractionBits: 23, hasInteger: false }
      : byteSize === 8
        ? { exponentBits: 11, fractionBits: 52, hasInteger: false }
        : FORMATS[byteSize === 2 ? "half" : byteSize < 16 || little ? "x87" : "quad"];
  const { exponentBits, fractionBits, hasInteger } = format;
  const stored = BigInt(fractionBits + (hasInteger ? 1 : 0));
  const maximum = (1 << exponentBits) - 1;
  const sign = (bits >> (stored + BigInt(exponentBits))) & 1n ? "-" : "";
  const exponent = Number((bits >> stored) & BigInt(maximum));
  const fraction = bits & ((1n << BigInt(fractionBits)) - 1n);
  if (exponent === maximum) return fraction === 0n ? `${sign}inf` : `${sign}nan`;
  const integer = hasInteger ? (bits >> BigInt(fractionBits)) & 1n : exponent === 0 ? 0n : 1n;
  const significand = ((integer << BigInt(fractionBits)) | fraction) * MICRO;
  const power = Math.max(exponent, 1) - (maximum >> 1) - fractionBits;
  const micros = power >= 0 ? significand << BigInt(power) : rounded(significand, BigInt(-power));
  return `${sign}${micros / MICRO}.${String(micros % MICRO).padStart(6, "0")}`;
}
