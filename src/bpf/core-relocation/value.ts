/**
 * The value of a relocation on the local spec and on the target's. Source:
 * libbpf's bpf_core_calc_relo and the functions that it calls.
 */
import type { Endian } from "../../btf/header.js";
import type { BtfType, StructType, UnionType } from "../../btf/types.js";
import { fail } from "./failure.js";
import { type Spec, subjectOf } from "./spec.js";
import { byteSizeOf, describe, isEnum, memberAt, skipModifiers } from "./types.js";

/** The value of one side. */
interface Value {
  /** 64 bits, unsigned. */
  readonly number: bigint;
  /** The instruction has to hold the local value: compilers and linkers agree on it. */
  readonly validate: boolean;
  /** Bytes that a load or store of the field moves; 0 for other kinds than byte_off. */
  readonly accessSize: number;
  /** The type of the field, or of the array's element. */
  readonly fieldType: BtfType | undefined;
}

/** The values of both sides, and the consequence for the instruction. */
export interface Outcome {
  /** The value that the compiler put into the instruction. */
  readonly original: bigint;
  /** The value for the target; 0 where the instruction is poisoned. */
  readonly value: bigint;
  /** Nothing matched, and the kind has no value for that. */
  readonly poison: boolean;
  /** The instruction must hold `original`. */
  readonly validate: boolean;
  /** The field's size differs in a way that a load or store cannot be changed to: it is poisoned, other instructions are patched. */
  readonly sizeMismatch: boolean;
  /** Sizes in bytes of a load or store of the field; 0 for other kinds than byte_off and for bitfields. */
  readonly originalSize: number;
  readonly newSize: number;
  /** Types of the field; `undefined` where the sizes are 0. */
  readonly originalType: BtfType | undefined;
  readonly newType: BtfType | undefined;
}

/** How a value of 32 bits becomes one of 64: sign-extended, or by the enum's signedness. */
export type EnumeratorExtension = "sign" | "kind";

/** `"poison"` where nothing matched and the kind needs a match. */
type Side = Value | "poison";

/** An outcome that asks for nothing but a number. */
export function plainOutcome(original: number | bigint, value: number | bigint, validate = true): Outcome {
  return {
    original: BigInt(original),
    value: BigInt(value),
    poison: false,
    validate,
    sizeMismatch: false,
    originalSize: 0,
    newSize: 0,
    originalType: undefined,
    newType: undefined,
  };
}

/**
 * Returns the outcome for a local spec and the target's.
 *
 * @param target `undefined` if nothing matched
 * @throws RelocationFailure for a kind that this field has no value for
 */
export function evaluate(
  local: Spec,
  target: Spec | undefined,
  endian: Endian,
  { extendsEnumerators }: { readonly extendsEnumerators: EnumeratorExtension },
): Outcome {
  const ours = sideOf(local, local, endian, extendsEnumerators);
  const theirs = ours === "poison" ? ours : sideOf(local, target, endian, extendsEnumerators);
  const original = ours === "poison" ? undefined : ours;
  const found = theirs === "poison" ? undefined : theirs;
  return {
    original: original?.number ?? 0n,
    value: found?.number ?? 0n,
    poison: theirs === "poison",
    validate: original?.validate ?? true,
    sizeMismatch: original !== undefined && found !== undefined && !canResize(original, found),
    originalSize: original?.accessSize ?? 0,
    newSize: found?.accessSize ?? 0,
    originalType: original?.fieldType,
    newType: found?.fieldType,
  };
}

/** Tells whether a load can be resized: pointers, and integers that are not just signed, keep their value at another size. */
function canResize(original: Value, found: Value): boolean {
  if (original.accessSize === found.accessSize) return true;
  const [a, b] = [original.fieldType, found.fieldType];
  if (a?.kind === "ptr" && b?.kind === "ptr") return true;
  return a?.kind === "int" && b?.kind === "int" && a.encoding !== 1 && b.encoding !== 1;
}

function plain(number: number | bigint, validate = true): Value {
  return { number: BigInt(number), validate, accessSize: 0, fieldType: undefined };
}

function sideOf(local: Spec, spec: Spec | undefined, endian: Endian, extension: EnumeratorExtension): Side {
  switch (subjectOf(local.kind)) {
    case "type":
      return typeValue(local, spec);
    case "enumerator":
      return enumeratorValue(local, spec, extension);
    default:
      return fieldValue(local, spec, endian);
  }
}

function typeValue({ kind }: Spec, spec: Spec | undefined): Value {
  if (!spec) return plain(0);
  switch (kind) {
    case "target_type_id":
      // A linker may have renumbered the local types.
      return plain(spec.root.id, false);
    case "type_size":
      return plain(byteSizeOf(spec.root));
    default:
      return plain(1);
  }
}

function enumeratorValue({ kind }: Spec, spec: Spec | undefined, extension: EnumeratorExtension): Side {
  if (kind === "enumval_exists") return plain(spec ? 1 : 0);
  if (!spec) return "poison";
  const { type, index } = spec.accessors[0]!;
  if (type.kind === "enum64") return plain(BigInt.asUintN(64, type.values[index]!.value));
  if (!isEnum(type)) return "poison";
  const value = type.values[index]!.value as number;
  const isSigned = extension === "sign" || type.kindFlag;
  return plain(BigInt.asUintN(64, BigInt(isSigned ? value | 0 : value >>> 0)));
}

function fieldValue({ kind }: Spec, spec: Spec | undefined, endian: Endian): Side {
  if (kind === "field_exists") return plain(spec ? 1 : 0);
  if (!spec) return "poison";
  const { name } = spec.accessors.at(-1)!;
  return name === undefined ? elementValue(kind, spec) : memberValue(kind, spec, endian);
}

/** Returns the value of an array's element, or of the root itself. */
function elementValue(kind: string, spec: Spec): Value {
  const { type } = spec.accessors.at(-1)!;
  if (kind === "byte_sz") return plain(byteSizeOf(type));
  if (kind !== "byte_off") return fail("EINVAL", `${kind} cannot be computed for an array's element`);
  return { number: BigInt(spec.bitOffset >>> 3), validate: true, accessSize: innermostSize(type), fieldType: type };
}

/** Returns the size of one element: loads and stores move one element of an array. */
function innermostSize(type: BtfType): number {
  let at = skipModifiers(type);
  while (at.kind === "array") at = skipModifiers(at.element);
  return byteSizeOf(at);
}

/** The bytes that hold a field: for a bitfield the smallest aligned unit, of up to 8 bytes, that holds all of it. */
interface Storage {
  readonly byteOffset: number;
  readonly byteSize: number;
  readonly bitSize: number;
}

function memberValue(kind: string, spec: Spec, endian: Endian): Value {
  const { type: composite, index } = spec.accessors.at(-1)!;
  const member = memberAt(composite as StructType | UnionType, index)!;
  const fieldType = skipModifiers(member.type);
  const isBitfield = member.bitfieldSize > 0;
  const { byteOffset, byteSize, bitSize } = isBitfield
    ? bitfieldStorage(spec.bitOffset, member.bitfieldSize, fieldType)
    : plainStorage(spec.bitOffset, fieldType);
  switch (kind) {
    case "byte_off":
      if (isBitfield) return plain(byteOffset, false);
      return { number: BigInt(byteOffset), validate: true, accessSize: innermostSize(fieldType), fieldType };
    case "byte_sz":
      return plain(byteSize, !isBitfield);
    case "signed":
      return plain(
        (isEnum(fieldType) && fieldType.kindFlag) || (fieldType.kind === "int" && fieldType.isSigned) ? 1 : 0,
      );
    case "lshift_u64": {
      // The value's highest bit goes to the top of a 64-bit register, in the byte order of the program.
      const inside = spec.bitOffset - byteOffset * 8;
      const shift = endian === "little" ? 64 - (inside + bitSize) : (8 - byteSize) * 8 + inside;
      return plain(shift >>> 0, !isBitfield);
    }
    case "rshift_u64":
      return plain((64 - bitSize) >>> 0);
    default:
      return fail("EOPNOTSUPP", `${kind} is not a kind of relocation`);
  }
}

function plainStorage(bitOffset: number, type: BtfType): Storage {
  const byteSize = byteSizeOf(type);
  return { byteOffset: bitOffset >>> 3, byteSize, bitSize: byteSize * 8 };
}

function bitfieldStorage(bitOffset: number, bitSize: number, type: BtfType): Storage {
  let byteSize = "byteSize" in type ? type.byteSize : 0;
  // libbpf divides by the size.
  if (byteSize === 0) fail("EINVAL", `the bitfield's type ${describe(type)} has no size`);
  for (;;) {
    const byteOffset = Math.floor((bitOffset >>> 3) / byteSize) * byteSize;
    if (bitOffset + bitSize - byteOffset * 8 <= byteSize * 8) return { byteOffset, byteSize, bitSize };
    if (byteSize >= 8)
      fail("E2BIG", `the bitfield of ${bitSize} bits at bit ${bitOffset} does not fit into a load of 8 bytes`);
    byteSize *= 2;
  }
}
