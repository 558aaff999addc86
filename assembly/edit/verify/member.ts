// Checks that a member fits at its offset (the kernel's check_member and
// check_kflag_member functions).
import {
  BIT_OFFSET_MASK, BITFIELD_SHIFT, INT_BITS_MASK, INT_DATA, INT_OFFSET_SHIFT, KIND_ARRAY, KIND_ENUM, KIND_ENUM64,
  KIND_FLOAT, KIND_INT, KIND_PTR,
} from "../../format/generated/abi"; // prettier-ignore
import {
  RULE_BITFIELD_SIZE, RULE_BITS_OVERFLOW, RULE_BYTE_ALIGNED, RULE_COPY_BITS, RULE_FLOAT_ALIGNED, RULE_MEMBER_BASE,
  RULE_MEMBER_EXCEEDS, RULE_MEMBER_START,
} from "../../format/generated/edit-abi"; // prettier-ignore
import { Type } from "../../format/image";

const BITS_MAX: u32 = 128;
/** Bits of an enum that a bitfield can use. */
const ENUM_BITS: u32 = 32;

/**
 * The rule that a member of a struct of `structSize` bytes breaks, or 0. `word`
 * is its offset, with the width of a bitfield if `flag`; `arraySize` the size
 * of an array in bytes, `pointer` that of a pointer.
 */
export function checkPlace(type: Type, kind: u32, arraySize: u32, word: u32, flag: bool, structSize: u32, pointer: u32): u32 {
  const width = flag ? word >> BITFIELD_SHIFT : 0;
  let offset = flag ? word & BIT_OFFSET_MASK : word;
  if (kind == KIND_INT) return checkInt(load<u32>(changetype<usize>(type), INT_DATA), width, offset, flag, structSize);
  if (kind == KIND_ENUM || kind == KIND_ENUM64) {
    if (flag) {
      let bits = width;
      if (!bits) {
        if (offset & 7) return RULE_BYTE_ALIGNED;
        bits = ENUM_BITS;
      } else if (bits > ENUM_BITS) return RULE_BITFIELD_SIZE;
      return structSize < (offset + bits + 7) >> 3 ? RULE_MEMBER_EXCEEDS : 0;
    }
  } else if (width) return RULE_BITFIELD_SIZE;
  if (kind == KIND_FLOAT) {
    const align = min(pointer, type.size) << 3;
    if (offset % align) return RULE_FLOAT_ALIGNED;
    return <u64>(offset >> 3) + type.size > structSize ? RULE_MEMBER_EXCEEDS : 0;
  }
  if (offset & 7) return RULE_BYTE_ALIGNED;
  offset >>= 3;
  const size = kind == KIND_PTR ? pointer : kind == KIND_ARRAY ? arraySize : type.size;
  return structSize - offset < size ? RULE_MEMBER_EXCEEDS : 0;
}

function checkInt(data: u32, width: u32, offset: u32, flag: bool, structSize: u32): u32 {
  const shift = (data >> INT_OFFSET_SHIFT) & INT_BITS_MASK;
  let bits = data & INT_BITS_MASK;
  if (flag) {
    if (shift || (bits != 8 && bits != 16 && bits != 32 && bits != 64 && bits != 128)) return RULE_MEMBER_BASE;
    if (!width) {
      if (offset & 7) return RULE_MEMBER_START;
    } else if (width > bits) return RULE_BITFIELD_SIZE;
    else bits = width;
  } else {
    if (u32.MAX_VALUE - offset < shift) return RULE_BITS_OVERFLOW;
    offset += shift;
  }
  const first = offset >> 3;
  const copied = bits + (offset & 7);
  if (copied > BITS_MAX) return RULE_COPY_BITS;
  return structSize < first || structSize - first < (copied + 7) >> 3 ? RULE_MEMBER_EXCEEDS : 0;
}
