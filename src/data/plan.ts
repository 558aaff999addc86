/**
 * A plan says where the values of a type lie in its bytes: modifiers are resolved, anonymous members are part of the
 * struct around them, and every scalar has a byte, a shift and a width. Decoders, encoders and generated code are made
 * from it. Plans form a graph without cycles: a type that occurs twice has one plan.
 */

import type { Endian } from "../btf/header.js";
import { resolve } from "../btf/query/resolve.js";
import type {
  BtfType,
  DatasecType,
  Enum64Type,
  EnumType,
  FloatType,
  IntType,
  Member,
  StructType,
  UnionType,
} from "../btf/types.js";
import { ERR_BTF_DEPTH, ERR_BTF_LOOP, ERR_BTF_SIZE } from "../errors/btf.js";
import { ERR_DATA_FORMAT, ERR_DATA_LIMIT, ERR_DATA_PLACE, ERR_DATA_TYPE } from "../errors/data.js";
import { BtfFormatError, BtfLimitError, BtfLookupError } from "../errors/error.js";

interface PlanBase {
  /** The type without modifiers. */
  readonly type: BtfType;
  /** Size of the type; elements of an array are that far apart. */
  readonly byteSize: number;
  /** Bytes that are read: more than `byteSize` only where members pass the end of their struct. */
  readonly extent: number;
  /** How many scalars are read at once, an estimate from above. */
  readonly leaves: number;
  /** Ends in an array that takes the rest of the bytes. */
  readonly isFlexible: boolean;
}

/** An integer, a bool, an enum or a pointer. */
export interface ScalarPlan extends PlanBase {
  readonly kind: "scalar";
  readonly meaning: "integer" | "bool" | "enum" | "pointer";
  /** Bytes before the value. */
  readonly skip: number;
  /** Bits before the value in its first byte: from the low end in little-endian data, else from the high end. */
  readonly shift: number;
  /** In bits: 1 to 128. */
  readonly width: number;
  readonly isSigned: boolean;
  readonly enumType: EnumType | Enum64Type | undefined;
}

/** A floating-point number. */
export interface FloatPlan extends PlanBase {
  readonly kind: "float";
  readonly format: "half" | "bfloat" | "single" | "double" | "long double";
}

/** Typed arrays by their kind of number. */
export type NumberArrayName =
  | `${"Int" | "Uint"}${8 | 16 | 32}Array`
  | `Big${"Int" | "Uint"}64Array`
  | `Float${32 | 64}Array`;

/** One dimension of an array. */
export interface ArrayPlan extends PlanBase {
  readonly kind: "array";
  readonly element: Plan;
  /** How many elements; as many as there are bytes for if the plan is flexible. */
  readonly length: number;
  /** Elements are of C's type `char`. */
  readonly isText: boolean;
  /** The typed array of its numbers, where there is one. */
  readonly numbers: NumberArrayName | undefined;
}

/** A place in a struct, union or section. */
export interface Field {
  readonly name: string;
  /** From the start of the struct. */
  readonly byteOffset: number;
  readonly plan: Plan;
  /** Width of a bitfield in bits, else 0. */
  readonly bitfieldSize: number;
  /** Member of a union, also of an anonymous one: shares its bytes with others. */
  readonly isShared: boolean;
}

/** A struct, a union or a section. */
export interface RecordPlan extends PlanBase {
  readonly kind: "record";
  readonly isUnion: boolean;
  /** Members in their order, those of anonymous structs and unions among them. */
  readonly fields: readonly Field[];
}

export type Plan = ScalarPlan | FloatPlan | ArrayPlan | RecordPlan;

/** Structs and arrays inside one another: kernels have fewer than 20. */
const DEPTH = 128;
/** Members of a struct with those of its anonymous ones, and members of all structs that a type leads to. */
const FIELDS = 1 << 18;
/** Values for each byte of a type: a struct has at most 8, the views of unions in unions add up. */
const LEAVES_PER_BYTE = 64;
/** Values that a type may have besides, such as empty structs. */
const LEAVES = 1 << 16;
const U32_MAX = 2 ** 32 - 1;

interface Planner {
  readonly known: Map<BtfType, Plan>;
  readonly flexible: Map<BtfType, Plan>;
  readonly pending: Set<BtfType>;
  readonly pointerSize: number;
  fields: number;
}

/**
 * The plan of a type.
 *
 * @throws BtfLookupError ERR_DATA_TYPE for a type without a value, or one that leads to such;
 *   BtfFormatError ERR_BTF_LOOP, ERR_DATA_FORMAT, ERR_DATA_PLACE; BtfLimitError ERR_BTF_DEPTH, ERR_BTF_SIZE, ERR_DATA_LIMIT
 */
export function planOf(type: BtfType): Plan {
  return planAt(type, true, planner(type));
}

/** The plan of a type that others follow: its flexible array is empty. @throws as planOf */
export function planAsElement(type: BtfType): Plan {
  return planAt(type, false, planner(type));
}

function planner(type: BtfType): Planner {
  const { pointerSize } = type.btf;
  return { known: new Map(), flexible: new Map(), pending: new Set(), pointerSize, fields: 0 };
}

/** @param isLast nothing follows the type: its last array may be a flexible one */
function planAt(type: BtfType, isLast: boolean, planner: Planner): Plan {
  const inner = resolve(type);
  const plans = isLast ? planner.flexible : planner.known;
  const known = plans.get(inner);
  if (known) return known;
  const { pending } = planner;
  if (pending.has(inner)) throw new BtfFormatError(ERR_BTF_LOOP, { typeId: inner.id });
  if (pending.size >= DEPTH) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: type.id, limit: DEPTH });
  pending.add(inner);
  const plan = made(inner, isLast, planner);
  pending.delete(inner);
  checkWork(plan);
  plans.set(inner, plan);
  return plan;
}

function made(type: Exclude<BtfType, { kind: "typedef" }>, isLast: boolean, planner: Planner): Plan {
  switch (type.kind) {
    case "int":
      return intPlan(type);
    case "ptr":
      return wholeScalar(type, "pointer", planner.pointerSize, false);
    case "enum":
    case "enum64":
      return enumPlan(type);
    case "float":
      return floatPlan(type);
    case "array": {
      const element = planAt(type.element, false, planner);
      return arrayPlan(type, element, type.length, isLast && type.length === 0 && element.byteSize > 0);
    }
    case "struct":
    case "union":
      return recordPlan(type, isLast, planner);
    case "var":
      return planAt(type.type, isLast, planner);
    case "datasec":
      return sectionPlan(type, planner);
    case "decl_tag":
      return planAt(type.target, isLast, planner);
    default:
      throw new BtfLookupError(ERR_DATA_TYPE, { typeId: type.id, name: type.name, note: reason(type) });
  }
}

function reason(type: BtfType): string {
  switch (type.kind) {
    case "fwd":
      return `it is only declared here (${type.forwardKind}), its definition is elsewhere`;
    case "func":
    case "func_proto":
      return "it is a function";
    default:
      return `its kind is ${type.kind}`;
  }
}

function scalar(
  type: BtfType,
  meaning: ScalarPlan["meaning"],
  byteSize: number,
  [bitOffset, width]: readonly [number, number],
  isSigned: boolean,
): ScalarPlan {
  const skip = bitOffset >> 3;
  const shift = bitOffset & 7;
  const enumType = type.kind === "enum" || type.kind === "enum64" ? type : undefined;
  const extent = Math.max(byteSize, skip + ((shift + width + 7) >> 3));
  return {
    kind: "scalar",
    type,
    meaning,
    byteSize,
    extent,
    leaves: 1,
    isFlexible: false,
    skip,
    shift,
    width,
    isSigned,
    enumType,
  };
}

function wholeScalar(type: BtfType, meaning: ScalarPlan["meaning"], byteSize: number, isSigned: boolean): ScalarPlan {
  return scalar(type, meaning, byteSize, [0, byteSize * 8], isSigned);
}

function intPlan(type: IntType): ScalarPlan {
  const { byteSize, bitOffset, bitSize, isBool, isSigned } = type;
  if (bitSize === 0 || bitSize > 128) {
    throw new BtfFormatError(ERR_DATA_FORMAT, {
      typeId: type.id,
      name: type.name,
      note: `an integer of ${bitSize} bits; it may have 1 to 128`,
    });
  }
  return scalar(type, isBool ? "bool" : "integer", byteSize, [bitOffset, bitSize], isSigned);
}

function enumPlan(type: EnumType | Enum64Type): ScalarPlan {
  const { byteSize } = type;
  if (byteSize === 0 || byteSize > 8) {
    throw new BtfFormatError(ERR_DATA_FORMAT, {
      typeId: type.id,
      name: type.name,
      note: `an enum of ${byteSize} bytes; it may have 1 to 8`,
    });
  }
  return wholeScalar(type, "enum", byteSize, type.isSigned);
}

/** Formats by size in bytes; x87's extended format is stored in 10, 12 or 16. */
const FLOATS: Readonly<Record<number, FloatPlan["format"]>> = {
  2: "half",
  4: "single",
  8: "double",
  10: "long double",
  12: "long double",
  16: "long double",
};

function floatPlan(type: FloatType): FloatPlan {
  const { byteSize } = type;
  const format = byteSize === 2 && /bf(loat)?16/.test(type.name) ? "bfloat" : FLOATS[byteSize];
  if (!format) {
    throw new BtfFormatError(ERR_DATA_FORMAT, {
      typeId: type.id,
      name: type.name,
      note: `a floating-point number of ${byteSize} bytes; it may have 2, 4, 8, 10, 12 or 16`,
    });
  }
  return { kind: "float", type, byteSize, extent: byteSize, leaves: 1, isFlexible: false, format };
}

/** C's `char`: not `signed char` or `unsigned char`, which are numbers. */
function isChar(type: BtfType): boolean {
  return type.kind === "int" && type.byteSize === 1 && (type.name === "char" || type.isChar);
}

function numbersOf(element: Plan): NumberArrayName | undefined {
  if (element.kind === "float") {
    return element.format === "single" ? "Float32Array" : element.format === "double" ? "Float64Array" : undefined;
  }
  if (element.kind !== "scalar" || element.meaning === "bool" || element.meaning === "enum") return undefined;
  const { skip, shift, width, isSigned, byteSize } = element;
  if (skip !== 0 || shift !== 0 || width !== byteSize * 8) return undefined;
  const sign = isSigned ? "Int" : "Uint";
  if (width === 64) return `Big${sign}64Array`;
  return width === 8 || width === 16 || width === 32 ? `${sign}${width}Array` : undefined;
}

function arrayPlan(type: BtfType, element: Plan, length: number, isFlexible: boolean): ArrayPlan {
  const byteSize = element.byteSize * length;
  if (byteSize > U32_MAX) throw new BtfLimitError(ERR_BTF_SIZE, { typeId: type.id });
  const extent = length === 0 ? 0 : byteSize - element.byteSize + element.extent;
  const leaves = length * Math.max(1, element.leaves);
  return {
    kind: "array",
    type,
    byteSize,
    extent,
    leaves,
    isFlexible,
    element,
    length,
    isText: isChar(element.type),
    numbers: numbersOf(element),
  };
}

function record(type: StructType | UnionType | DatasecType, fields: readonly Field[], isUnion: boolean): RecordPlan {
  let extent = type.byteSize;
  let leaves = 0;
  let isFlexible = false;
  for (const { byteOffset, plan } of fields) {
    extent = Math.max(extent, byteOffset + plan.extent);
    leaves += plan.leaves;
    isFlexible ||= plan.isFlexible;
  }
  return { kind: "record", type, byteSize: type.byteSize, extent, leaves, isFlexible, isUnion, fields };
}

function recordPlan(type: StructType | UnionType, isLast: boolean, planner: Planner): RecordPlan {
  const fields: Field[] = [];
  const isUnion = type.kind === "union";
  type.members.forEach((member, i) => {
    const ends = isLast && (isUnion || i === type.members.length - 1);
    fields.push(...fieldsOf(type, member, ends, planner));
    // Anonymous members may double their number at each level.
    if (fields.length > FIELDS) tooMany(type, "members with those of its anonymous ones");
  });
  planner.fields += fields.length;
  if (planner.fields > FIELDS) tooMany(type, "members with those of all types in it");
  return record(type, fields, isUnion);
}

function tooMany(type: BtfType, what: string): never {
  throw new BtfLimitError(ERR_DATA_LIMIT, { typeId: type.id, name: type.name, note: `more ${what}`, limit: FIELDS });
}

function* fieldsOf(owner: StructType | UnionType, member: Member, isLast: boolean, planner: Planner): Generator<Field> {
  const { name, bitOffset, bitfieldSize } = member;
  const plan = planAt(member.type, isLast, planner);
  const isShared = owner.kind === "union";
  if (plan.kind === "scalar") {
    // Unnamed scalars are padding, as in `int : 4`.
    if (!name) return;
    const { skip, shift, width } = plan;
    const bits = bitfieldSize || width;
    if (bits > 128 || (bitfieldSize && bits > plan.byteSize * 8)) {
      refusePlace(owner, member, `a bitfield of ${bits} bits in ${plan.byteSize} bytes`);
    }
    if (!bitfieldSize && (bitOffset & 7) === 0) {
      yield { name, byteOffset: bitOffset / 8, plan, bitfieldSize: 0, isShared };
      return;
    }
    // An INT may have an offset of its own, from where the member starts.
    const first = bitOffset + skip * 8 + shift;
    const placed = scalar(plan.type, plan.meaning, 0, [first & 7, bits], plan.isSigned);
    yield { name, byteOffset: Math.floor(first / 8), plan: placed, bitfieldSize: bits, isShared };
    return;
  }
  if (bitfieldSize) refusePlace(owner, member, `a ${plan.type.kind} as a bitfield`);
  if (bitOffset & 7) refusePlace(owner, member, `a ${plan.type.kind} at bit ${bitOffset}, within a byte`);
  const byteOffset = bitOffset / 8;
  if (name || plan.kind !== "record") {
    if (name) yield { name, byteOffset, plan, bitfieldSize: 0, isShared };
    return;
  }
  for (const field of plan.fields) {
    yield { ...field, byteOffset: byteOffset + field.byteOffset, isShared: isShared || field.isShared };
  }
}

function refusePlace(owner: StructType | UnionType, { name }: Member, note: string): never {
  throw new BtfFormatError(ERR_DATA_PLACE, { typeId: owner.id, name, note });
}

function sectionPlan(type: DatasecType, planner: Planner): RecordPlan {
  const fields: Field[] = [];
  const counts = new Map<string, number>();
  for (const { type: of, byteOffset } of type.variables) {
    // Functions of .ksyms are listed too.
    if (of.kind !== "var") continue;
    const count = (counts.get(of.name) ?? 0) + 1;
    counts.set(of.name, count);
    // Static variables of several files may have the same name.
    const name = count === 1 ? of.name : `${of.name}#${count}`;
    fields.push({ name, byteOffset, plan: planAt(of.type, false, planner), bitfieldSize: 0, isShared: false });
  }
  return record(type, fields, false);
}

/** Structs whose members overlap, and arrays of nothing, hold more values than bytes. */
function checkWork(plan: Plan): void {
  if (plan.kind === "scalar" || plan.kind === "float") return;
  const limit = plan.byteSize * LEAVES_PER_BYTE + LEAVES;
  if (plan.leaves <= limit) return;
  const { type } = plan;
  throw new BtfLimitError(ERR_DATA_LIMIT, {
    typeId: type.id,
    name: type.name,
    note: `${plan.leaves} values in ${plan.byteSize} bytes`,
    limit,
  });
}

/** A union with more values than this in one of its views, or in all, is decoded view by view when they are asked for. */
const EAGER_LEAVES = 64;

/** Whether the views of a union are made when they are asked for. */
export function isLazy(field: Field): boolean {
  return field.isShared && field.plan.leaves > EAGER_LEAVES;
}

/** Byte order of a type's data. */
export function isLittle(type: BtfType): boolean {
  return type.btf.endian === ("little" satisfies Endian);
}
