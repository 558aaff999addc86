/** Small questions about types that all of the relocation code asks. */

import { BtfLimitError } from "../errors.js";
import type { BtfType, Enum64Type, EnumType, StructType, UnionType } from "../model/types.js";
import { sizeOf } from "../query/resolve.js";
import { refuse } from "./refusal.js";

/** A chain of modifiers that is longer is taken for a loop, which libbpf would follow for ever. */
const CHAIN = 256;

/** The type behind typedefs and modifiers (libbpf's skip_mods_and_typedefs). @throws Refusal EINVAL for a loop */
export function skip(type: BtfType): BtfType {
  let at = type;
  for (let i = 0; i < CHAIN; i++) {
    switch (at.kind) {
      case "typedef":
      case "const":
      case "volatile":
      case "restrict":
      case "type_tag":
        at = at.target;
        break;
      default:
        return at;
    }
  }
  return refuse("EINVAL", `type [${type.id}] is a loop of typedefs and modifiers`);
}

export function isComposite(type: BtfType): type is StructType | UnionType {
  return type.kind === "struct" || type.kind === "union";
}

export function isEnum(type: BtfType): type is EnumType | Enum64Type {
  return type.kind === "enum" || type.kind === "enum64";
}

/** Equal kinds, ENUM and ENUM64 being one (libbpf's btf_kind_core_compat). */
export function sameKind(a: BtfType, b: BtfType): boolean {
  return a.kind === b.kind || (isEnum(a) && isEnum(b));
}

/** Size in bytes. @throws Refusal EINVAL or E2BIG for a type without one */
export function byteSizeOf(type: BtfType): number {
  try {
    const size = sizeOf(type);
    return size ?? refuse("EINVAL", `type [${type.id}] ${describe(type)} has no size`);
  } catch (error) {
    if (!(error instanceof BtfLimitError)) throw error;
    return refuse(error.code === "ERR_BTF_SIZE" ? "E2BIG" : "EINVAL", error.message);
  }
}

/** `struct task_struct`, `anonymous union [12]`. */
export function describe(type: BtfType): string {
  return type.kind === "void" || type.name === "" ? `anonymous ${type.kind} [${type.id}]` : `${type.kind} ${type.name}`;
}

/** Offsets in bits are 32 bits wide and wrap around, as libbpf's do. */
export function elementOffset(index: number, byteSize: number): number {
  const bits = index * byteSize * 8;
  return Number.isSafeInteger(bits) ? bits >>> 0 : Number(BigInt.asUintN(32, BigInt(index) * BigInt(byteSize) * 8n));
}
