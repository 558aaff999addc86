/** Facts about types that all of the relocation code needs. */

import { sizeOf } from "../../btf/query/resolve.js";
import { skipModifiers as below, type Unmodified } from "../../btf/traverse.js";
import type { BtfType, Enum64Type, EnumType, Member, StructType, UnionType } from "../../btf/types.js";
import { BtfLimitError } from "../../errors/error.js";
import { TYPE_SIZE } from "../../memory/generated/abi.js";
import { fail } from "./failure.js";

/** Modifiers after which a chain is taken for a loop, which libbpf would follow for ever. */
const CHAIN = 256;

/** Returns the type behind typedefs and modifiers (libbpf's skip_mods_and_typedefs). @throws RelocationFailure EINVAL for a loop */
export function skipModifiers(type: BtfType): Unmodified {
  return below(type, CHAIN) ?? fail("EINVAL", `type [${type.id}] is a loop of typedefs and modifiers`);
}

export function isEnum(type: BtfType): type is EnumType | Enum64Type {
  return type.kind === "enum" || type.kind === "enum64";
}

/** Compares kinds; ENUM and ENUM64 are equal (libbpf's btf_kind_core_compat). */
export function sameKind(a: BtfType, b: BtfType): boolean {
  return a.kind === b.kind || (isEnum(a) && isEnum(b));
}

/** Bytes of a member: name, type, offset. */
const MEMBER_SIZE = 12;

/** Returns the place of a member's record in the memory of its image. */
function memberPlace({ btf, id }: StructType | UnionType, index: number): number {
  return btf.image.record(id) + TYPE_SIZE + index * MEMBER_SIZE;
}

/**
 * Returns one member; `undefined` if there are fewer. Objects carry whole types
 * and use a few fields: `members` would make all of them.
 */
export function memberAt(type: StructType | UnionType, index: number): Member | undefined {
  if (index >= type.vlen) return undefined;
  const { image } = type.btf;
  const { view } = image;
  const at = memberPlace(type, index);
  const [typeId, offset] = [view.getUint32(at + 4, true), view.getUint32(at + 8, true)];
  // With kind_flag the upper 8 bits hold the width of a bitfield.
  const [bitOffset, bitfieldSize] = type.kindFlag ? [offset & 0xffffff, offset >>> 24] : [offset, 0];
  const name = image.string(view.getUint32(at, true));
  return { name, typeId, type: type.btf.get(typeId)!, bitOffset, bitfieldSize };
}

/** Returns the name of a member, "" if it has none. */
export function memberName(type: StructType | UnionType, index: number): string {
  const { image } = type.btf;
  return image.string(image.view.getUint32(memberPlace(type, index), true));
}

/** Returns the size in bytes. @throws RelocationFailure EINVAL or E2BIG for a type without one */
export function byteSizeOf(type: BtfType): number {
  try {
    const size = sizeOf(type);
    return size ?? fail("EINVAL", `type [${type.id}] ${describe(type)} has no size`);
  } catch (error) {
    if (!(error instanceof BtfLimitError)) throw error;
    return fail(error.code === "ERR_BTF_SIZE" ? "E2BIG" : "EINVAL", error.message);
  }
}

/** Returns text such as `struct task_struct`, `anonymous union [12]`. */
export function describe(type: BtfType): string {
  return type.kind === "void" || type.name === "" ? `anonymous ${type.kind} [${type.id}]` : `${type.kind} ${type.name}`;
}

/** Returns an element's offset in bits: 32 bits wide, wrapping around as libbpf's. */
export function elementOffset(index: number, byteSize: number): number {
  const bits = index * byteSize * 8;
  return Number.isSafeInteger(bits) ? bits >>> 0 : Number(BigInt.asUintN(32, BigInt(index) * BigInt(byteSize) * 8n));
}
