// Raw text, byte for byte `bpftool btf dump file FILE` (bpftool's dump_btf_type).
import {
  ARRAY_ELEMENT, ARRAY_INDEX, ARRAY_LENGTH, BIT_OFFSET_MASK, BITFIELD_SHIFT, DECL_TAG_COMPONENT, ENUMERATOR64_HIGH,
  ENUMERATOR64_LOW, ENUMERATOR_VALUE, INT_BITS_MASK, INT_DATA, INT_ENCODING_SHIFT, INT_OFFSET_SHIFT, KIND_ARRAY,
  KIND_CONST, KIND_DATASEC, KIND_DECL_TAG, KIND_ENUM, KIND_ENUM64, KIND_FLOAT, KIND_FUNC, KIND_FUNC_PROTO, KIND_FWD,
  KIND_INT, KIND_MAX, KIND_PTR, KIND_RESTRICT, KIND_STRUCT, KIND_TYPE_TAG, KIND_TYPEDEF, KIND_UNION, KIND_VAR,
  KIND_VOLATILE, MEMBER_OFFSET, MEMBER_TYPE, PARAM_TYPE, SECTION_VARIABLE_LENGTH, SECTION_VARIABLE_OFFSET, TYPE_SIZE,
  VAR_LINKAGE, WINDOW_SLACK,
} from "../format/generated/abi"; // prettier-ignore
import { elementSize, Image, kindFlag, kindOf, Type, vlenOf } from "../format/image";
import { currentId, Cursor, PHASE_DONE, PHASE_TYPES, recordOf, referred } from "./cursor";
import { intEncoding, linkage } from "./words";
import { char, name, ready, signed, signed64, text, unsigned, unsigned64 } from "./writer";
import { kindName } from "./generated/kind-name";

const QUOTE: u8 = 39;
const NEWLINE: u8 = 10;

function head(p: usize, limit: usize, image: Image, id: u32, at: usize): usize {
  const type = changetype<Type>(at);
  const kind = kindOf(type.info);
  p = text(unsigned(char(p, 91), id), "] ");
  p = text(kindName(p, kind), " '");
  p = char(name(p, limit, image, type.nameOff), QUOTE);
  switch (kind) {
    case KIND_INT: {
      const data = load<u32>(at, INT_DATA);
      p = unsigned(text(p, " size="), type.size);
      p = unsigned(text(p, " bits_offset="), (data >> INT_OFFSET_SHIFT) & INT_BITS_MASK);
      p = unsigned(text(p, " nr_bits="), data & INT_BITS_MASK);
      return intEncoding(text(p, " encoding="), (data >> INT_ENCODING_SHIFT) & 0xf);
    }
    case KIND_PTR:
    case KIND_CONST:
    case KIND_VOLATILE:
    case KIND_RESTRICT:
    case KIND_TYPEDEF:
    case KIND_TYPE_TAG:
      return unsigned(text(p, " type_id="), type.size);
    case KIND_ARRAY:
      p = unsigned(text(p, " type_id="), load<u32>(at, ARRAY_ELEMENT));
      p = unsigned(text(p, " index_type_id="), load<u32>(at, ARRAY_INDEX));
      return unsigned(text(p, " nr_elems="), load<u32>(at, ARRAY_LENGTH));
    case KIND_ENUM:
    case KIND_ENUM64:
      p = kindFlag(type.info) ? text(p, " encoding=SIGNED") : text(p, " encoding=UNSIGNED");
    // fall through
    case KIND_STRUCT:
    case KIND_UNION:
    case KIND_DATASEC:
      p = unsigned(text(p, " size="), type.size);
      return unsigned(text(p, " vlen="), vlenOf(type.info));
    case KIND_FWD:
      return kindFlag(type.info) ? text(p, " fwd_kind=union") : text(p, " fwd_kind=struct");
    case KIND_FUNC:
      p = unsigned(text(p, " type_id="), type.size);
      return linkage(text(p, " linkage="), vlenOf(type.info));
    case KIND_FUNC_PROTO:
      p = unsigned(text(p, " ret_type_id="), type.size);
      return unsigned(text(p, " vlen="), vlenOf(type.info));
    case KIND_VAR:
      p = unsigned(text(p, " type_id="), type.size);
      return linkage(text(p, ", linkage="), load<u32>(at, VAR_LINKAGE));
    case KIND_FLOAT:
      return unsigned(text(p, " size="), type.size);
    case KIND_DECL_TAG:
      p = unsigned(text(p, " type_id="), type.size);
      return signed(text(p, " component_idx="), load<i32>(at, DECL_TAG_COMPONENT));
    default:
      return p;
  }
}

/** One member, enumerator, parameter or section entry; `at` is its record. */
function element(p: usize, limit: usize, image: Image, info: u32, kind: u32, at: usize): usize {
  if (kind == KIND_DATASEC) {
    const id = load<u32>(at);
    p = unsigned(text(p, "\n\ttype_id="), id);
    p = unsigned(text(p, " offset="), load<u32>(at, SECTION_VARIABLE_OFFSET));
    p = unsigned(text(p, " size="), load<u32>(at, SECTION_VARIABLE_LENGTH));
    const variable = referred(image, id);
    p = text(kindName(text(p, " ("), kindOf(variable.info)), " '");
    return text(name(p, limit, image, variable.nameOff), "')");
  }
  p = char(name(text(p, "\n\t'"), limit, image, load<u32>(at)), QUOTE);
  switch (kind) {
    case KIND_STRUCT:
    case KIND_UNION: {
      const offset = load<u32>(at, MEMBER_OFFSET);
      const flagged = kindFlag(info);
      p = unsigned(text(p, " type_id="), load<u32>(at, MEMBER_TYPE));
      p = unsigned(text(p, " bits_offset="), flagged ? offset & BIT_OFFSET_MASK : offset);
      const bits = flagged ? offset >> BITFIELD_SHIFT : 0;
      return bits ? unsigned(text(p, " bitfield_size="), bits) : p;
    }
    case KIND_ENUM:
      p = text(p, " val=");
      return kindFlag(info) ? signed(p, load<i32>(at, ENUMERATOR_VALUE)) : unsigned(p, load<u32>(at, ENUMERATOR_VALUE));
    case KIND_ENUM64: {
      p = text(p, " val=");
      const value = (<u64>load<u32>(at, ENUMERATOR64_HIGH) << 32) | load<u32>(at, ENUMERATOR64_LOW);
      return kindFlag(info) ? text(signed64(p, value), "LL") : text(unsigned64(p, value), "ULL");
    }
    default:
      return unsigned(text(p, " type_id="), load<u32>(at, PARAM_TYPE));
  }
}

/**
 * Fills the window [out, out + length) with whole lines and moves the cursor.
 * Returns the bytes written: 0 with the cursor not at its end means that the
 * next line alone is longer than the window.
 */
export function emitRaw(image: Image, cursor: Cursor, out: usize, length: u32): u32 {
  ready();
  const limit = out + length - WINDOW_SLACK;
  let p = out;
  cursor.phase = PHASE_TYPES;
  while (cursor.index < cursor.count) {
    const id = currentId(image, cursor);
    const at = recordOf(image, id);
    const info = changetype<Type>(at).info;
    let line = p;
    if (cursor.part == 0) {
      if (p > limit) return <u32>(p - out);
      p = head(p, limit, image, id, at);
      if (p > limit) return <u32>(line - out);
      cursor.part = 1;
    }
    const kind = kindOf(info);
    const size = kind <= KIND_MAX ? elementSize(kind) : 0;
    if (size) {
      const vlen = vlenOf(info);
      while (cursor.part <= vlen) {
        line = p;
        p = element(p, limit, image, info, kind, at + TYPE_SIZE + (cursor.part - 1) * size);
        if (p > limit) return <u32>(line - out);
        cursor.part++;
      }
    }
    p = char(p, NEWLINE);
    cursor.part = 0;
    cursor.index++;
  }
  cursor.phase = PHASE_DONE;
  return <u32>(p - out);
}
