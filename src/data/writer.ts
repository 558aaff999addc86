/** Encoders as closures: the inverse of reader.ts. */
import { nearest } from "../btf/query/nearest.js";
import { writeBits } from "./bits.js";
import { Fault, shown } from "./fault.js";
import { FLOAT_BITS, floatToBits } from "./float.js";
import type { EncodeOptions } from "./options.js";
import type { ArrayPlan, FloatPlan, Plan, RecordPlan, ScalarPlan } from "./plan.js";
import { accessorOf, enumNames, rareFormat } from "./scalar.js";

/** Puts a value at a byte of a view. @throws Fault */
export type Write = (view: DataView, at: number, value: unknown) => void;

/** What writers are made with. */
export interface WriterContext {
  readonly little: boolean;
  readonly options: EncodeOptions;
  readonly known: Map<Plan, Write>;
}

/** The writer of a plan; plans that occur twice share one. */
export function writerOf(plan: Plan, context: WriterContext): Write {
  const known = context.known.get(plan);
  if (known) return known;
  const write = made(plan, context);
  context.known.set(plan, write);
  return write;
}

function made(plan: Plan, context: WriterContext): Write {
  switch (plan.kind) {
    case "scalar":
      return scalarWriter(plan, context.little);
    case "float":
      return floatWriter(plan, context);
    case "array":
      return arrayWriter(plan, context);
    case "record":
      return recordWriter(plan, context);
  }
}

const NUMBER = /^[+-]?(?:0[xX][\da-fA-F]+|\d+)$/;
/** More digits than any integer of 128 bits has. */
const LONGEST_NUMBER = 64;

/** An integer from what JSON or a program has for one. */
function integer(value: unknown): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "string" && value.length <= LONGEST_NUMBER && NUMBER.test(value)) {
    return value.startsWith("-") ? -BigInt(value.slice(1)) : BigInt(value.replace("+", ""));
  }
  throw new Fault(`${shown(value)} is no integer`);
}

function inRange(value: bigint, width: number, isSigned: boolean, what: string): bigint {
  const held = isSigned ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
  if (held === value) return value;
  const [low, high] = isSigned
    ? [-(1n << BigInt(width - 1)), (1n << BigInt(width - 1)) - 1n]
    : [0n, (1n << BigInt(width)) - 1n];
  throw new Fault(`${value} is out of range: ${what} of ${width} bits holds ${low} to ${high}`);
}

const MEANINGS = { integer: "an integer", bool: "a bool", enum: "an enum", pointer: "a pointer" } as const;

function scalarWriter(plan: ScalarPlan, little: boolean): Write {
  const { skip, width, isSigned, meaning } = plan;
  const what = meaning === "integer" && plan.type.name ? `"${plan.type.name}"` : MEANINGS[meaning];
  const read = plan.enumType ? enumReader(plan, plan.enumType) : integer;
  const write: Write = (view, at, value) =>
    writeBits(view, at + skip, plan, inRange(read(value), width, isSigned, what), little);
  const accessor = accessorOf(plan);
  if (!accessor || width > 32) return write;
  const setter = `set${accessor}` as "setUint32";
  const [low, high] = isSigned ? [-(2 ** (width - 1)), 2 ** (width - 1) - 1] : [0, 2 ** width - 1];
  return (view, at, value) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high) {
      view[setter](at + skip, value, little);
    } else write(view, at, value);
  };
}

/** Values of enumerators by name, of several parted by `|`, or numbers. */
function enumReader(plan: ScalarPlan, type: NonNullable<ScalarPlan["enumType"]>): (value: unknown) => bigint {
  const values = new Map<string, bigint>();
  for (const { name, value } of type.values) if (!values.has(name)) values.set(name, BigInt(value));
  // Names that decoding gives stand for what it found: an enumerator of -1 in an unsigned enum of one byte is 255.
  for (const [value, name] of enumNames(type, plan.width)) values.set(name, BigInt(value));
  const byName = (name: string): bigint => {
    const value = values.get(name);
    if (value !== undefined) return value;
    if (NUMBER.test(name)) return integer(name);
    const owner = type.name ? `enum ${type.name}` : "the enum";
    throw new Fault(`${shown(name)} is no enumerator of ${owner}`, nearest(name, values.keys()));
  };
  return (value) => {
    if (typeof value !== "string") return integer(value);
    if (values.has(value) || !value.includes("|")) return byName(value);
    return value.split("|").reduce((sum, name) => sum | byName(name.trim()), 0n);
  };
}

function floatWriter(plan: FloatPlan, { little, options }: WriterContext): Write {
  const { format, byteSize } = plan;
  const number = (value: unknown): number => {
    if (typeof value === "number") return value;
    if (typeof value === "bigint") return Number(value);
    if (typeof value === "string" && value.trim() && (value === "NaN" || !Number.isNaN(Number(value)))) {
      return Number(value);
    }
    throw new Fault(`${shown(value)} is no number`);
  };
  if (format === "single") return (view, at, value) => view.setFloat32(at, number(value), little);
  if (format === "double") return (view, at, value) => view.setFloat64(at, number(value), little);
  const rare = rareFormat(plan, little, options, byteSize);
  const place = { shift: 0, width: FLOAT_BITS[rare] };
  return (view, at, value) => writeBits(view, at, place, floatToBits(number(value), rare), little);
}

/** The elements of an array's value: text as bytes, anything with a length as it is. */
export function elementsOf({ isText }: ArrayPlan, value: unknown): ArrayLike<unknown> {
  if (typeof value === "string" && isText) return new TextEncoder().encode(value);
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    return value as ArrayLike<unknown>;
  }
  throw new Fault(`${shown(value)} is no array${isText ? " and no text" : ""}`);
}

function arrayWriter(plan: ArrayPlan, context: WriterContext): Write {
  const { element, length, isFlexible, isText } = plan;
  const write = writerOf(element, context);
  const stride = element.byteSize;
  return (view, at, value) => {
    const elements = elementsOf(plan, value);
    if (!isFlexible && elements.length > length) {
      const unit = isText ? "bytes" : "elements";
      throw new Fault(`${elements.length} ${unit} do not fit into ${length}`);
    }
    // What follows the last element is zero, also where a union had other bytes there.
    if (isText) clear(view, at, isFlexible ? elements.length : length);
    for (let i = 0; i < elements.length; i++) {
      try {
        // Characters are bytes here, whatever the sign of `char`.
        if (isText && elements instanceof Uint8Array) view.setUint8(at + i, elements[i]!);
        else write(view, at + i * stride, elements[i]);
      } catch (error) {
        throw error instanceof Fault ? error.within(`[${i}]`) : error;
      }
    }
  };
}

function clear(view: DataView, at: number, length: number): void {
  new Uint8Array(view.buffer, view.byteOffset + at, length).fill(0);
}

function isTextField({ kind, ...plan }: Plan): boolean {
  return kind === "array" && (plan as ArrayPlan).isText;
}

function recordWriter(plan: RecordPlan, context: WriterContext): Write {
  const { type } = plan;
  const fields = plan.fields.map((field) => ({ field, write: writerOf(field.plan, context) }));
  // Of views of the same bytes, texts come first: they may hold less than the others.
  const order = [
    ...fields.filter(({ field }) => field.isShared && isTextField(field.plan)),
    ...fields.filter(({ field }) => !(field.isShared && isTextField(field.plan))),
  ];
  const names = new Set(plan.fields.map(({ name }) => name));
  const owner = `${type.kind} ${type.name || `[${type.id}]`}`;
  return (view, at, value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
      throw new Fault(`${shown(value)} is no object with the members of ${owner}`);
    }
    for (const name of Object.keys(value)) {
      if (!names.has(name)) throw new Fault(`${owner} has no member ${shown(name)}`, nearest(name, names));
    }
    for (const { field, write } of order) {
      const { name, byteOffset } = field;
      if (!Object.hasOwn(value, name)) continue;
      const member = (value as Record<string, unknown>)[name];
      if (member === undefined) continue;
      try {
        write(view, at + byteOffset, member);
      } catch (error) {
        throw error instanceof Fault ? error.within(name) : error;
      }
    }
  };
}
