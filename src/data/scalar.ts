/** Reads integers, bools, enums, pointers and floating-point numbers. */
import type { Enum64Type, EnumType } from "../btf/types.js";
import { readBits, readWideBits } from "./bits.js";
import { FLOAT_BITS, floatFromBits, type RareFloat } from "./float.js";
import type { DecodeOptions } from "./options.js";
import type { FloatPlan, ScalarPlan } from "./plan.js";

/** Reads the value at a byte of a view. */
type ReadScalar<T> = (view: DataView, at: number) => T;

/** The method of DataView for a number that fills its bytes, if there is one. */
export function accessorOf({ shift, width, isSigned }: ScalarPlan): string | undefined {
  if (shift !== 0) return undefined;
  switch (width) {
    case 8:
    case 16:
    case 32:
      return `${isSigned ? "Int" : "Uint"}${width}`;
    case 64:
      return isSigned ? "BigInt64" : "BigUint64";
    default:
      return undefined;
  }
}

/** The number as it is stored: a `bigint` if it has more than 32 bits. */
export function rawReader(plan: ScalarPlan, little: boolean): ReadScalar<number | bigint> {
  const { skip, shift, width, isSigned } = plan;
  switch (accessorOf(plan)) {
    case "Uint8":
      return (view, at) => view.getUint8(at + skip);
    case "Int8":
      return (view, at) => view.getInt8(at + skip);
    case "Uint16":
      return (view, at) => view.getUint16(at + skip, little);
    case "Int16":
      return (view, at) => view.getInt16(at + skip, little);
    case "Uint32":
      return (view, at) => view.getUint32(at + skip, little);
    case "Int32":
      return (view, at) => view.getInt32(at + skip, little);
    case "BigUint64":
      return (view, at) => view.getBigUint64(at + skip, little);
    case "BigInt64":
      return (view, at) => view.getBigInt64(at + skip, little);
  }
  if (width > 32) {
    return isSigned
      ? (view, at) => BigInt.asIntN(width, readWideBits(view, at + skip, shift, width, little))
      : (view, at) => readWideBits(view, at + skip, shift, width, little);
  }
  const above = 32 - width;
  return isSigned
    ? (view, at) => (readBits(view, at + skip, shift, width, little) << above) >> above
    : (view, at) => readBits(view, at + skip, shift, width, little);
}

/** A `bigint` as a number where that is exact. */
export function narrowed(value: number | bigint): number | bigint {
  if (typeof value === "number") return value;
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** False and true for 0 and 1; a byte that C would not write keeps its value. */
function truth(value: number | bigint): boolean | number | bigint {
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint equals the number.
  return value == 0 ? false : value == 1 ? true : value;
}

/** Reads an integer, a bool, an enum or a pointer as the options say. */
export function scalarReader(
  plan: ScalarPlan,
  little: boolean,
  { wide = "bigint", enums = "name" }: DecodeOptions,
): ReadScalar<number | bigint | boolean | string> {
  const raw = rawReader(plan, little);
  const plain: ReadScalar<number | bigint> =
    plan.width > 32 && wide === "number" ? (view, at) => narrowed(raw(view, at)) : raw;
  if (plan.meaning === "bool") return (view, at) => truth(raw(view, at));
  if (plan.enumType === undefined || enums === "number") return plain;
  const names = enumNames(plan.enumType, plan.width);
  if (enums === "name") return (view, at) => names.get(raw(view, at)) ?? plain(view, at);
  const flags = flagNames(names);
  return (view, at) => {
    const value = raw(view, at);
    return names.get(value) ?? flagText(BigInt(value), flags) ?? plain(view, at);
  };
}

/**
 * The first name of each value, as a field of `width` bits holds it (a `bigint` if that is more than 32): where all bits above are set, as in -1 of an enum
 * whose sign BTF does not tell, they are cut off.
 */
export function enumNames(type: EnumType | Enum64Type, width: number): Map<number | bigint, string> {
  const names = new Map<number | bigint, string>();
  const recordBits = type.kind === "enum" ? 32 : 64;
  for (const { name, value } of type.values) {
    const bits = BigInt(value);
    let held = type.isSigned ? BigInt.asIntN(width, bits) : BigInt.asUintN(width, bits);
    if (held !== bits && BigInt.asUintN(recordBits, BigInt.asIntN(width, bits)) !== BigInt.asUintN(recordBits, bits)) {
      // No field of this width holds it.
      held = bits;
    }
    const key = width > 32 ? held : Number(held);
    if (!names.has(key)) names.set(key, name);
  }
  return names;
}

interface Flag {
  readonly bit: bigint;
  readonly name: string;
}

/** Enumerators of one bit, lowest first. */
function flagNames(names: ReadonlyMap<number | bigint, string>): Flag[] {
  return Array.from(names, ([bit, name]) => ({ bit: BigInt(bit), name }))
    .filter(({ bit }) => bit > 0n && (bit & (bit - 1n)) === 0n)
    .sort((a, b) => (a.bit < b.bit ? -1 : 1));
}

/** `A|B|0x8`; `undefined` if no flag is set. */
function flagText(value: bigint, flags: readonly Flag[]): string | undefined {
  if (value < 0n) return undefined;
  let rest = value;
  const set: string[] = [];
  for (const { bit, name } of flags) {
    if (!(value & bit)) continue;
    set.push(name);
    rest &= ~bit;
  }
  if (set.length === 0) return undefined;
  if (rest) set.push(`0x${rest.toString(16)}`);
  return set.join("|");
}

/** How a `float` of C is stored, as far as it is no `single` or `double`. */
export function rareFormat(
  { format }: FloatPlan,
  little: boolean,
  { longDouble = little ? "x87" : "quad" }: DecodeOptions,
  byteSize: number,
): RareFloat {
  if (format === "half" || format === "bfloat") return format;
  // Nothing but x87 has fewer than 16 bytes.
  return byteSize < 16 ? "x87" : longDouble;
}

/** Reads a floating-point number as a double. */
export function floatReader(plan: FloatPlan, little: boolean, options: DecodeOptions): ReadScalar<number> {
  if (plan.format === "single") return (view, at) => view.getFloat32(at, little);
  if (plan.format === "double") return (view, at) => view.getFloat64(at, little);
  const format = rareFormat(plan, little, options, plan.byteSize);
  const width = FLOAT_BITS[format];
  return (view, at) => floatFromBits(readWideBits(view, at, 0, width, little), format);
}
