// JSON, byte for byte `bpftool -j btf dump file FILE`, and `-j -p` when pretty
// (bpftool's dump_btf_type and json_writer.c).
import {
  ARRAY_ELEMENT, ARRAY_INDEX, ARRAY_LENGTH, BIT_OFFSET_MASK, BITFIELD_SHIFT, DECL_TAG_COMPONENT, ENUMERATOR64_HIGH,
  ENUMERATOR64_LOW, ENUMERATOR_VALUE, INT_BITS_MASK, INT_DATA, INT_ENCODING_SHIFT, INT_OFFSET_SHIFT, KIND_ARRAY,
  KIND_CONST, KIND_DATASEC, KIND_DECL_TAG, KIND_ENUM, KIND_ENUM64, KIND_FLOAT, KIND_FUNC, KIND_FUNC_PROTO, KIND_FWD,
  KIND_INT, KIND_MAX, KIND_PTR, KIND_RESTRICT, KIND_STRUCT, KIND_TYPE_TAG, KIND_TYPEDEF, KIND_UNION, KIND_VAR,
  KIND_VOLATILE, MEMBER_OFFSET, MEMBER_TYPE, PARAM_TYPE, SECTION_VARIABLE_LENGTH, SECTION_VARIABLE_OFFSET, TYPE_SIZE,
  VAR_LINKAGE, WINDOW_SLACK,
} from "../format/generated/abi"; // prettier-ignore
import { elementSize, Image, kindFlag, kindOf, Type, vlenOf } from "../format/image";
import { currentId, Cursor, PHASE_DONE, PHASE_END, PHASE_START, PHASE_TYPES, recordOf } from "./cursor";
import { intEncoding, linkage } from "./words";
import { char, jsonName, ready, signed, signed64, text, unsigned, unsigned64 } from "./writer";
import { kindName } from "./generated/kind-name";

const QUOTE: u8 = 34;
const COMMA: u8 = 44;
const OPEN: u8 = 123;
const CLOSE: u8 = 125;
const END_ARRAY: u8 = 93;

// Depth of the names of a type and of one of its elements, in steps of 4 spaces.
const TYPE_DEPTH: u32 = 3;
const ELEMENT_DEPTH: u32 = 5;

/** A line break and `depth` indents, at most 20 spaces. */
function newline(p: usize, depth: u32): usize {
  store<u8>(p, 10);
  store<u64>(p, 0x2020202020202020, 1, 1);
  store<u64>(p, 0x2020202020202020, 9, 1);
  store<u64>(p, 0x2020202020202020, 17, 1);
  return p + 1 + (depth << 2);
}

/**
 * Starts a property when pretty: the comma (if any) stays on its line, the
 * name gets a line of its own, a space follows the colon.
 */
function prettyKey(p: usize, depth: u32, literal: string): usize {
  const from = changetype<usize>(literal);
  const comma: usize = load<u8>(from) == COMMA ? 1 : 0;
  // The literal's own comma lands on the last space of the indent: put the space back.
  const at = newline(p + comma, depth) - comma;
  const end = text(at, literal);
  if (comma) {
    store<u8>(at, 32);
    store<u8>(p, COMMA);
  }
  return char(end, 32);
}

/** Starts a property; `literal` is `"name":` for the first of an object, else `,"name":`. */
// @ts-ignore: decorator
@inline
function key(p: usize, pretty: bool, depth: u32, literal: string): usize {
  return pretty ? prettyKey(p, depth, literal) : text(p, literal);
}

/** Closes an object or array that is not empty, whose names stand at `depth`. */
// @ts-ignore: decorator
@inline
function close(p: usize, pretty: bool, depth: u32, bracket: u8): usize {
  if (pretty) p = newline(p, depth - 1);
  return char(p, bracket);
}

function head(p: usize, limit: usize, image: Image, id: u32, at: usize, pretty: bool): usize {
  const type = changetype<Type>(at);
  const kind = kindOf(type.info);
  p = unsigned(key(char(p, OPEN), pretty, TYPE_DEPTH, '"id":'), id);
  p = char(kindName(char(key(p, pretty, TYPE_DEPTH, ',\"kind":'), QUOTE), kind), QUOTE);
  p = char(jsonName(char(key(p, pretty, TYPE_DEPTH, ',\"name":'), QUOTE), limit, image, type.nameOff), QUOTE);
  switch (kind) {
    case KIND_INT: {
      const data = load<u32>(at, INT_DATA);
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"size":'), type.size);
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"bits_offset":'), (data >> INT_OFFSET_SHIFT) & INT_BITS_MASK);
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"nr_bits":'), data & INT_BITS_MASK);
      return char(intEncoding(char(key(p, pretty, TYPE_DEPTH, ',\"encoding":'), QUOTE), (data >> INT_ENCODING_SHIFT) & 0xf), QUOTE);
    }
    case KIND_PTR:
    case KIND_CONST:
    case KIND_VOLATILE:
    case KIND_RESTRICT:
    case KIND_TYPEDEF:
    case KIND_TYPE_TAG:
      return unsigned(key(p, pretty, TYPE_DEPTH, ',\"type_id":'), type.size);
    case KIND_ARRAY:
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"type_id":'), load<u32>(at, ARRAY_ELEMENT));
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"index_type_id":'), load<u32>(at, ARRAY_INDEX));
      return unsigned(key(p, pretty, TYPE_DEPTH, ',\"nr_elems":'), load<u32>(at, ARRAY_LENGTH));
    case KIND_STRUCT:
    case KIND_UNION:
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"size":'), type.size);
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"vlen":'), vlenOf(type.info));
      return char(key(p, pretty, TYPE_DEPTH, ',\"members":'), 91);
    case KIND_ENUM:
    case KIND_ENUM64:
      p = char(key(p, pretty, TYPE_DEPTH, ',\"encoding":'), QUOTE);
      p = char(kindFlag(type.info) ? text(p, "SIGNED") : text(p, "UNSIGNED"), QUOTE);
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"size":'), type.size);
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"vlen":'), vlenOf(type.info));
      return char(key(p, pretty, TYPE_DEPTH, ',\"values":'), 91);
    case KIND_FWD:
      p = char(key(p, pretty, TYPE_DEPTH, ',\"fwd_kind":'), QUOTE);
      return char(kindFlag(type.info) ? text(p, "union") : text(p, "struct"), QUOTE);
    case KIND_FUNC:
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"type_id":'), type.size);
      return char(linkage(char(key(p, pretty, TYPE_DEPTH, ',\"linkage":'), QUOTE), vlenOf(type.info)), QUOTE);
    case KIND_FUNC_PROTO:
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"ret_type_id":'), type.size);
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"vlen":'), vlenOf(type.info));
      return char(key(p, pretty, TYPE_DEPTH, ',\"params":'), 91);
    case KIND_VAR:
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"type_id":'), type.size);
      return char(linkage(char(key(p, pretty, TYPE_DEPTH, ',\"linkage":'), QUOTE), load<u32>(at, VAR_LINKAGE)), QUOTE);
    case KIND_DATASEC:
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"size":'), type.size);
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"vlen":'), vlenOf(type.info));
      return char(key(p, pretty, TYPE_DEPTH, ',\"vars":'), 91);
    case KIND_FLOAT:
      return unsigned(key(p, pretty, TYPE_DEPTH, ',\"size":'), type.size);
    case KIND_DECL_TAG:
      p = unsigned(key(p, pretty, TYPE_DEPTH, ',\"type_id":'), type.size);
      return signed(key(p, pretty, TYPE_DEPTH, ',\"component_idx":'), load<i32>(at, DECL_TAG_COMPONENT));
    default:
      return p;
  }
}

/** One member, enumerator, parameter or section entry; `at` is its record. */
function element(p: usize, limit: usize, image: Image, info: u32, kind: u32, at: usize, pretty: bool): usize {
  p = char(p, OPEN);
  if (kind == KIND_DATASEC) {
    p = unsigned(key(p, pretty, ELEMENT_DEPTH, '"type_id":'), load<u32>(at));
    p = unsigned(key(p, pretty, ELEMENT_DEPTH, ',\"offset":'), load<u32>(at, SECTION_VARIABLE_OFFSET));
    p = unsigned(key(p, pretty, ELEMENT_DEPTH, ',\"size":'), load<u32>(at, SECTION_VARIABLE_LENGTH));
    return close(p, pretty, ELEMENT_DEPTH, CLOSE);
  }
  p = char(key(p, pretty, ELEMENT_DEPTH, '"name":'), QUOTE);
  p = char(jsonName(p, limit, image, load<u32>(at)), QUOTE);
  switch (kind) {
    case KIND_STRUCT:
    case KIND_UNION: {
      const offset = load<u32>(at, MEMBER_OFFSET);
      const flagged = kindFlag(info);
      p = unsigned(key(p, pretty, ELEMENT_DEPTH, ',\"type_id":'), load<u32>(at, MEMBER_TYPE));
      p = unsigned(key(p, pretty, ELEMENT_DEPTH, ',\"bits_offset":'), flagged ? offset & BIT_OFFSET_MASK : offset);
      const bits = flagged ? offset >> BITFIELD_SHIFT : 0;
      if (bits) p = unsigned(key(p, pretty, ELEMENT_DEPTH, ',\"bitfield_size":'), bits);
      break;
    }
    case KIND_ENUM:
      p = key(p, pretty, ELEMENT_DEPTH, ',\"val":');
      // bpftool widens the value as signed, whatever the enum is.
      p = kindFlag(info) ? signed(p, load<i32>(at, ENUMERATOR_VALUE)) : unsigned64(p, <u64>(<i64>load<i32>(at, ENUMERATOR_VALUE)));
      break;
    case KIND_ENUM64: {
      p = key(p, pretty, ELEMENT_DEPTH, ',\"val":');
      const value = (<u64>load<u32>(at, ENUMERATOR64_HIGH) << 32) | load<u32>(at, ENUMERATOR64_LOW);
      p = kindFlag(info) ? signed64(p, value) : unsigned64(p, value);
      break;
    }
    default:
      p = unsigned(key(p, pretty, ELEMENT_DEPTH, ',\"type_id":'), load<u32>(at, PARAM_TYPE));
      break;
  }
  return close(p, pretty, ELEMENT_DEPTH, CLOSE);
}

/** Writes JSON as `emitRaw` writes text; the whole document is {"types":[…]} and a line break. */
export function emitJson(image: Image, cursor: Cursor, out: usize, length: u32, pretty: bool): u32 {
  ready();
  const limit = out + length - WINDOW_SLACK;
  let p = out;
  if (cursor.phase == PHASE_START) {
    p = char(key(char(p, OPEN), pretty, 1, '"types":'), 91);
    cursor.phase = PHASE_TYPES;
  }
  while (cursor.index < cursor.count) {
    const id = currentId(image, cursor);
    const at = recordOf(image, id);
    const info = changetype<Type>(at).info;
    let line = p;
    if (cursor.part == 0) {
      if (p > limit) return <u32>(p - out);
      if (cursor.index) p = char(p, COMMA);
      p = head(p, limit, image, id, at, pretty);
      if (p > limit) return <u32>(line - out);
      cursor.part = 1;
    }
    const kind = kindOf(info);
    const size = kind <= KIND_MAX ? elementSize(kind) : 0;
    if (size) {
      const vlen = vlenOf(info);
      while (cursor.part <= vlen) {
        line = p;
        if (cursor.part > 1) p = char(p, COMMA);
        p = element(p, limit, image, info, kind, at + TYPE_SIZE + (cursor.part - 1) * size, pretty);
        if (p > limit) return <u32>(line - out);
        cursor.part++;
      }
      p = vlen ? close(p, pretty, TYPE_DEPTH + 1, END_ARRAY) : char(p, END_ARRAY);
    }
    p = close(p, pretty, TYPE_DEPTH, CLOSE);
    cursor.part = 0;
    cursor.index++;
  }
  if (cursor.phase == PHASE_TYPES) {
    if (p > limit) return <u32>(p - out);
    cursor.phase = PHASE_END;
    p = cursor.count ? close(p, pretty, 2, END_ARRAY) : char(p, END_ARRAY);
    p = char(close(p, pretty, 1, CLOSE), 10);
    cursor.phase = PHASE_DONE;
  }
  return <u32>(p - out);
}
