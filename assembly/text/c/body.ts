// Bodies of structs, unions and enums (libbpf's btf_dump_emit_struct_def,
// btf_dump_emit_bit_padding, btf_dump_emit_enum_def).
import {
  BIT_OFFSET_MASK, BITFIELD_SHIFT, C_OPTION_ANNOTATE, ENUMERATOR64_HIGH, ENUMERATOR64_LOW, ENUMERATOR_VALUE,
  ERR_C_CYCLE, KIND_ENUM64, KIND_MAX, KIND_STRUCT, KIND_UNKN, MEMBER_OFFSET, MEMBER_SIZE, MEMBER_TYPE, TYPE_SIZE,
} from "../../format/generated/abi"; // prettier-ignore
import { char, signed, signed64, phrase, unsigned, unsigned64 } from "../writer";
import { kindFlag, kindOf, Type, vlenOf } from "../../format/image";
import { context, fail, failure, full, image, spend, typeOf } from "./context";
import { declare } from "./declare";
import { alignOf, isExact, isPacked, naturalAlignment, raisedAlignment, sizeOf } from "./layout";
import { enumeratorName, plainName, typeName } from "./names";
import { C_DEPTH_LIMIT } from "./order";

/** libbpf's longest indent, in tabs. */
const INDENT_LIMIT: u32 = 13;

/** A line break and `level` tabs. */
function newline(p: usize, level: u32): usize {
  store<u64>(p, 0x090909090909090a, 0, 1);
  store<u64>(p, 0x0909090909090909, 8, 1);
  return p + 1 + min(level, INDENT_LIMIT);
}

// Padding is made of bitfields without a name, of the widest type that fits.
const LONG: u32 = 0;
const CHAR: u32 = 3;

function padBits(kind: u32): i32 {
  return kind == LONG ? <i32>context.pointerSize << 3 : 64 >> kind;
}

function pad(p: usize, kind: u32, bits: i32, level: u32): usize {
  p = newline(p, level);
  switch (kind) {
    case 0:
      p = phrase(p, "long: ");
      break;
    case 1:
      p = phrase(p, "int: ");
      break;
    case 2:
      p = phrase(p, "short: ");
      break;
    default:
      p = phrase(p, "char: ");
      break;
  }
  return char(signed(p, bits), 59);
}

function roundUp(value: i32, to: i32): i32 {
  return to ? ((value + to - 1) / to) * to : value;
}

/**
 * Fills the gap from bit `from` to bit `to`, before a member that C aligns to
 * `alignment` bytes, with bitfields of kind `widest` or a smaller one. Offsets
 * are 32 bits wide and wrap, as libbpf's.
 */
function padding(p: usize, from: i32, to: i32, alignment: u32, inBitfield: bool, widest: u32, level: u32): usize {
  if (from >= to) return p;
  if (isExact() && !inBitfield && roundUp(from, <i32>alignment << 3) == to) return p;
  let kind = widest;
  let next = roundUp(from, padBits(kind));
  while (next > to && kind < CHAR) next = roundUp(from, padBits(++kind));
  if (next > from && next <= to) {
    // C aligns by itself, unless the next member asks for less, or all of what remains would go unseen.
    if (
      inBitfield ||
      (next == to && roundUp(from, <i32>alignment << 3) != next) ||
      (next != to && to - next <= next - from)
    ) {
      p = pad(p, kind, inBitfield ? next - from : 0, level);
    }
    from = next;
  }
  while (from < to) {
    if (full(p)) return p;
    const rest = min(to - from, padBits(kind));
    if (rest < padBits(kind)) {
      kind = CHAR;
      while (padBits(kind) < rest && kind > widest) kind--;
    }
    p = pad(p, kind, rest, level);
    from += rest;
  }
  return p;
}

/** Tells whether a member's type has an unknown kind, which C cannot lay out. */
function isUnknown(id: u32): bool {
  for (let steps = 0; id && steps < 32; steps++) {
    const type = typeOf(id);
    const kind = kindOf(type.info);
    if (kind > KIND_MAX || kind == KIND_UNKN) return true;
    // typedef, volatile, const, restrict, type_tag
    if ((kind < 8 || kind > 11) && kind != 18) return false;
    id = type.size;
  }
  return false;
}

/** A comment with where a member lies and how long it is: bytes, and bits for a bitfield. */
function annotation(p: usize, bit: u32, bits: u32, size: i64): usize {
  p = unsigned(phrase(p, " /* "), bit >> 3);
  if (bits) {
    p = unsigned(char(p, 58), bit & 7);
    p = phrase(unsigned(char(p, 32), bits), " bits");
  } else p = unsigned(char(p, 32), size < 0 ? 0 : <u32>size);
  return phrase(p, " */");
}

/** `struct NAME { … }`, without a semicolon, its members one tab deeper than `level`. */
export function composite(p: usize, id: u32, level: u32, depth: i32): usize {
  if (!spend(id)) return p;
  if (depth > C_DEPTH_LIMIT) {
    fail(ERR_C_CYCLE, id);
    return p;
  }
  const type = typeOf(id);
  const isStruct = kindOf(type.info) == KIND_STRUCT;
  const flagged = kindFlag(type.info);
  const vlen = vlenOf(type.info);
  const annotated = (context.options & C_OPTION_ANNOTATE) != 0;
  const alignment = alignOf(id);
  const exact = isExact();
  const packed = (isStruct || exact) && isPacked(type);
  // On Arm a bitfield aligns what holds it, with a name or without: the size has to be a multiple of it.
  const unit = context.pointerSize == 8 ? type.size : alignment;
  let widest = LONG;
  if (exact && !packed && alignment) while (widest < CHAR && (unit << 3) % padBits(widest)) widest++;
  p = phrase(p, isStruct ? "struct" : "union");
  if (type.nameOff) p = typeName(char(p, 32), id);
  p = phrase(p, " {");
  let end: i32 = 0;
  let afterBitfield = false;
  const first = changetype<usize>(type) + TYPE_SIZE;
  for (let member = first; member < first + vlen * MEMBER_SIZE; member += MEMBER_SIZE) {
    if (full(p)) return p;
    const memberType = load<u32>(member, MEMBER_TYPE);
    const offset = load<u32>(member, MEMBER_OFFSET);
    const bits = flagged ? offset >> BITFIELD_SHIFT : 0;
    const start = flagged ? offset & BIT_OFFSET_MASK : offset;
    const size = sizeOf(memberType);
    p = padding(p, end, start, packed ? 1 : alignOf(memberType), afterBitfield && bits != 0, widest, level + 1);
    p = newline(p, level + 1);
    if (isUnknown(memberType)) {
      p = phrase(plainName(phrase(p, "/* "), load<u32>(member)), ": unknown kind */");
    } else {
      p = declare(p, memberType, load<u32>(member), level + 1, depth + 1);
      if (bits) p = unsigned(phrase(p, ": "), bits);
      p = char(p, 59);
      if (annotated) p = annotation(p, start, bits, size);
    }
    afterBitfield = bits != 0;
    end = start + (bits ? bits : <i32>max<i64>(0, size) << 3);
    if (failure) return p;
  }
  if (isStruct) p = padding(p, end, type.size << 3, alignment, false, widest, level + 1);
  // `struct empty {}` stays on one line.
  if (vlen || type.size) p = newline(p, level);
  p = char(p, 125);
  if (packed) p = phrase(p, " __attribute__((packed))");
  else if (exact && !isStruct && raisedAlignment(type, naturalAlignment(type))) {
    p = phrase(unsigned(phrase(p, " __attribute__((aligned("), alignment), ")))");
  }
  if (annotated) p = phrase(unsigned(phrase(p, " /* size: "), type.size), " */");
  return p;
}

/** `enum NAME { … }`, without a semicolon; `enum NAME` if it has no enumerators. */
export function enumeration(p: usize, id: u32, level: u32): usize {
  const type = typeOf(id);
  p = phrase(p, "enum");
  if (type.nameOff) p = typeName(char(p, 32), id);
  const vlen = vlenOf(type.info);
  if (!vlen) return p;
  p = phrase(p, " {");
  const wide = kindOf(type.info) == KIND_ENUM64;
  const isSigned = kindFlag(type.info);
  const size: u32 = wide ? 12 : 8;
  const first = changetype<usize>(type) + TYPE_SIZE;
  let high: u32 = 0;
  for (let value = first; value < first + vlen * size; value += size) {
    if (full(p)) return p;
    p = phrase(enumeratorName(newline(p, level + 1), load<u32>(value)), " = ");
    if (wide) {
      high |= load<u32>(value, ENUMERATOR64_HIGH);
      const bits = (<u64>load<u32>(value, ENUMERATOR64_HIGH) << 32) | load<u32>(value, ENUMERATOR64_LOW);
      p = isSigned ? phrase(signed64(p, bits), "LL,") : phrase(unsigned64(p, bits), "ULL,");
    } else {
      const bits = load<u32>(value, ENUMERATOR_VALUE);
      p = char(isSigned ? signed(p, bits) : unsigned(p, bits), 44);
    }
  }
  p = char(newline(p, level), 125);
  if (type.size == 1) return phrase(p, " __attribute__((mode(byte)))");
  if (isExact()) {
    if (type.size == 2) return phrase(p, " __attribute__((mode(HI)))");
    if (type.size == 8 && context.pointerSize == 4 && !high) return phrase(p, " __attribute__((mode(DI)))");
  }
  // 8 bytes although no enumerator needs them.
  if (type.size == 8 && context.pointerSize == 8 && !high) return phrase(p, " __attribute__((mode(word)))");
  return p;
}
