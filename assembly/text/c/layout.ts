// Sizes and alignments as libbpf derives them (btf__resolve_size, btf__align_of),
// and as compilers have them where libbpf differs.
import {
  ARRAY_ELEMENT, ARRAY_LENGTH, BIT_OFFSET_MASK, BITFIELD_SHIFT, C_OPTION_COMPATIBLE, ERR_C_CYCLE, KIND_ARRAY, KIND_CONST, KIND_DATASEC, KIND_DECL_TAG,
  KIND_ENUM, KIND_ENUM64, KIND_FLOAT, KIND_INT, KIND_PTR, KIND_RESTRICT, KIND_STRUCT, KIND_TYPE_TAG, KIND_TYPEDEF,
  KIND_UNION, KIND_VAR, KIND_VOLATILE, MEMBER_OFFSET, MEMBER_SIZE, MEMBER_TYPE, TYPE_SIZE,
} from "../../format/generated/abi"; // prettier-ignore
import { idLimit, Image, kindFlag, kindOf, Type, vlenOf } from "../../format/image";
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
      alignment = type.size == 8 ? context.wideAlignment : min(context.pointerSize, type.size);
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
      if (isExact() && kindOf(type.info) == KIND_UNION) alignment = max(alignment, raisedAlignment(type, alignment));
      break;
    default:
      break;
  }
  store<u8>(slot, failure ? 0 : <u8>(alignment + 1));
  return alignment;
}

/** Alignment in bytes that the members of a struct or union give it. */
export function naturalAlignment(type: Type): u32 {
  return compositeAlignment(type, 0);
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
    if (flagged && offset >> BITFIELD_SHIFT) {
      if (straddles(member)) return 1;
    } else if (offset % (8 * alignment)) return 1;
  }
  return type.size % widest ? 1 : widest;
}

/** Tells whether the text may differ from libbpf's, so that compilers lay types out as they are. */
export function isExact(): bool {
  return !(context.options & C_OPTION_COMPATIBLE);
}

/** The largest alignment that is asked for in an attribute. */
const RAISED_LIMIT: i64 = 64;

/**
 * The alignment that makes a union as large as it is where its members do not;
 * 0 if they do, or if none makes it so.
 */
export function raisedAlignment(type: Type, alignment: u32): u32 {
  const first = changetype<usize>(type) + TYPE_SIZE;
  const end = first + vlenOf(type.info) * MEMBER_SIZE;
  let largest: i64 = 0;
  for (let member = first; member < end; member += MEMBER_SIZE) {
    largest = max(largest, sizeOf(load<u32>(member, MEMBER_TYPE)));
  }
  if (!alignment) return 0;
  const size = <i64>type.size;
  if (!largest || (largest + alignment - 1) / alignment * alignment >= size) return 0;
  for (let raised = <i64>alignment << 1; raised <= RAISED_LIMIT; raised <<= 1) {
    if ((largest + raised - 1) / raised * raised == size) return <u32>raised;
  }
  return 0;
}

/** The type of 8 bytes that numbers have at the end of a chain of typedefs. */
function isWide(id: u32): bool {
  for (let depth = 0; depth < RESOLVE_DEPTH && id; depth++) {
    const type = typeOf(id);
    switch (kindOf(type.info)) {
      case KIND_INT:
      case KIND_ENUM64:
      case KIND_FLOAT:
        return type.size == 8;
      case KIND_TYPEDEF:
      case KIND_VOLATILE:
      case KIND_CONST:
        id = type.size;
        break;
      default:
        return false;
    }
  }
  return false;
}

/**
 * Alignment of numbers of 8 bytes where pointers have 4: 8 on Arm and MIPS, 4
 * on x86. Structs tell by where such members lie, and by their ends.
 */
export function wideAlignment(): u32 {
  if (context.pointerSize == 8 || !isExact()) return context.pointerSize;
  let votes: i32 = 0;
  const limit = idLimit(image);
  for (let id: u32 = 1; id < limit; id++) {
    const type = typeOf(id);
    if (kindOf(type.info) != KIND_STRUCT || kindFlag(type.info)) continue;
    const first = changetype<usize>(type) + TYPE_SIZE;
    const stop = first + vlenOf(type.info) * MEMBER_SIZE;
    let end: u32 = 0;
    let hasWide = false;
    for (let member = first; member < stop; member += MEMBER_SIZE) {
      const offset = load<u32>(member, MEMBER_OFFSET);
      const memberType = load<u32>(member, MEMBER_TYPE);
      if (isWide(memberType)) {
        hasWide = true;
        votes += vote(end, offset);
      }
      end = offset + (<u32>max<i64>(0, sizeOf(memberType)) << 3);
    }
    if (hasWide) votes += vote(end, type.size << 3);
  }
  return votes > 0 ? 8 : 4;
}

/** Whether what follows bit `end` stands at the next 64 bits (1), at the next 32 bits that are not (-1), or where both agree. */
function vote(end: u32, at: u32): i32 {
  const next = (end + 31) & ~31;
  if (!(next & 32)) return 0;
  return at == next ? -1 : at == next + 32 ? 1 : 0;
}

/** Tells whether a bitfield lies in two units of its type, as only packed ones do; libbpf does not look. */
function straddles(member: usize): bool {
  if (!isExact()) return false;
  const offset = load<u32>(member, MEMBER_OFFSET);
  const unit = <u32>max<i64>(0, sizeOf(load<u32>(member, MEMBER_TYPE))) << 3;
  return unit != 0 && (offset & BIT_OFFSET_MASK) % unit + (offset >> BITFIELD_SHIFT) > unit;
}

/** Tells whether C can lay the type out only as packed (libbpf's btf_is_struct_packed). */
export function isPacked(type: Type): bool {
  const first = changetype<usize>(type) + TYPE_SIZE;
  const end = first + vlenOf(type.info) * MEMBER_SIZE;
  const flagged = kindFlag(type.info);
  let widest: u32 = 1;
  for (let member = first; member < end; member += MEMBER_SIZE) {
    const alignment = alignOf(load<u32>(member, MEMBER_TYPE));
    const offset = load<u32>(member, MEMBER_OFFSET);
    if (flagged && offset >> BITFIELD_SHIFT) {
      if (straddles(member)) return true;
    } else if (alignment && offset % (8 * alignment)) return true;
    widest = max(widest, alignment);
  }
  return type.size % widest != 0;
}
