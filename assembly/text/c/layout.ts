// Sizes and alignments as libbpf derives them (btf__resolve_size, btf__align_of).
import {
  ARRAY_ELEMENT, ARRAY_LENGTH, BITFIELD_SHIFT, ERR_C_CYCLE, KIND_ARRAY, KIND_CONST, KIND_DATASEC, KIND_DECL_TAG,
  KIND_ENUM, KIND_ENUM64, KIND_FLOAT, KIND_INT, KIND_PTR, KIND_RESTRICT, KIND_STRUCT, KIND_TYPE_TAG, KIND_TYPEDEF,
  KIND_UNION, KIND_VAR, KIND_VOLATILE, MEMBER_OFFSET, MEMBER_SIZE, MEMBER_TYPE, TYPE_SIZE,
} from "../../format/generated/abi"; // prettier-ignore
import { Image, kindFlag, kindOf, Type, vlenOf } from "../../format/image";
import { context, fail, failure, image, typeOf } from "./context";

/** libbpf's MAX_RESOLVE_DEPTH. */
const RESOLVE_DEPTH: i32 = 32;
/** By-value nesting that is followed. */
const ALIGN_DEPTH: i32 = 256;

/** Size in bytes; -1 for what has none, is too deep, or passes 4 GiB. */
export function sizeOf(id: u32): i64 {
  let elements: u64 = 1;
  for (let depth = 0; depth < RESOLVE_DEPTH && id; depth++) {
    const type = typeOf(id);
    switch (kindOf(type.info)) {
      case KIND_INT:
      case KIND_STRUCT:
      case KIND_UNION:
      case KIND_ENUM:
      case KIND_ENUM64:
      case KIND_DATASEC:
      case KIND_FLOAT:
        return product(elements, type.size);
      case KIND_PTR:
        return product(elements, context.pointerSize);
      case KIND_TYPEDEF:
      case KIND_VOLATILE:
      case KIND_CONST:
      case KIND_RESTRICT:
      case KIND_VAR:
      case KIND_DECL_TAG:
      case KIND_TYPE_TAG:
        id = type.size;
        break;
      case KIND_ARRAY: {
        const total = product(elements, load<u32>(changetype<usize>(type), ARRAY_LENGTH));
        if (total < 0) return -1;
        elements = total;
        id = load<u32>(changetype<usize>(type), ARRAY_ELEMENT);
        break;
      }
      default:
        return -1;
    }
  }
  return -1;
}

function product(a: u64, b: u64): i64 {
  const total = a * b;
  return total > u32.MAX_VALUE ? -1 : total;
}

// Alignments are remembered as value + 1; a type being worked out has BUSY.
const BUSY: u8 = 0xff;

/** Alignment in bytes, 0 for what has none. */
export function alignOf(id: u32, depth: i32 = 0): u32 {
  if (!id || failure) return 0;
  const slot = context.alignments + id;
  const known = load<u8>(slot);
  if (known == BUSY || depth > ALIGN_DEPTH) {
    fail(ERR_C_CYCLE, id);
    return 0;
  }
  if (known) return known - 1;
  const type = typeOf(id);
  let alignment: u32 = 0;
  switch (kindOf(type.info)) {
    case KIND_INT:
    case KIND_ENUM:
    case KIND_ENUM64:
    case KIND_FLOAT:
      alignment = min(context.pointerSize, type.size);
      break;
    case KIND_PTR:
      alignment = context.pointerSize;
      break;
    case KIND_TYPEDEF:
    case KIND_VOLATILE:
    case KIND_CONST:
    case KIND_RESTRICT:
    case KIND_TYPE_TAG:
      store<u8>(slot, BUSY);
      alignment = alignOf(type.size, depth + 1);
      break;
    case KIND_ARRAY:
      store<u8>(slot, BUSY);
      alignment = alignOf(load<u32>(changetype<usize>(type), ARRAY_ELEMENT), depth + 1);
      break;
    case KIND_STRUCT:
    case KIND_UNION:
      store<u8>(slot, BUSY);
      alignment = compositeAlignment(type, depth);
      break;
    default:
      break;
  }
  store<u8>(slot, failure ? 0 : <u8>(alignment + 1));
  return alignment;
}

function compositeAlignment(type: Type, depth: i32): u32 {
  const first = changetype<usize>(type) + TYPE_SIZE;
  const end = first + vlenOf(type.info) * MEMBER_SIZE;
  const flagged = kindFlag(type.info);
  let widest: u32 = 1;
  for (let member = first; member < end; member += MEMBER_SIZE) {
    const alignment = alignOf(load<u32>(member, MEMBER_TYPE), depth + 1);
    if (!alignment) return 0;
    widest = max(widest, alignment);
    const offset = load<u32>(member, MEMBER_OFFSET);
    // With a bitfield size of 0 the raw offset is the offset.
    if (!(flagged && offset >> BITFIELD_SHIFT) && offset % (8 * alignment)) return 1;
  }
  return type.size % widest ? 1 : widest;
}

/** Tells whether C can lay the struct out only as packed (libbpf's btf_is_struct_packed). */
export function isPacked(type: Type): bool {
  const first = changetype<usize>(type) + TYPE_SIZE;
  const end = first + vlenOf(type.info) * MEMBER_SIZE;
  const flagged = kindFlag(type.info);
  let widest: u32 = 1;
  for (let member = first; member < end; member += MEMBER_SIZE) {
    const alignment = alignOf(load<u32>(member, MEMBER_TYPE));
    const offset = load<u32>(member, MEMBER_OFFSET);
    if (alignment && !(flagged && offset >> BITFIELD_SHIFT) && offset % (8 * alignment)) return true;
    widest = max(widest, alignment);
  }
  return type.size % widest != 0;
}
