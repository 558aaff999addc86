// Opening an image: every name, id and length is checked, so that all later
// kernels may run unchecked. `open` does it in one walk; what it does not take
// `scan` walks and counts again, and `fill` names what is wrong. The rules are
// libbpf's (btf_parse_type_sec, btf_type_size, btf_validate_type).
import {
  ARRAY_ELEMENT, ARRAY_INDEX, ARRAY_LENGTH, ENUMERATOR64_SIZE, ENUMERATOR_NAME, ENUMERATOR_SIZE, ERR_FUNC_PROTO,
  ERR_NAME_OFFSET, ERR_TYPE_ID, ERR_TYPE_TRAILING, ERR_TYPE_TRUNCATED, ERR_UNKNOWN_KIND, KIND_ARRAY, KIND_CONST,
  KIND_COUNT, KIND_DATASEC, KIND_DECL_TAG, KIND_ENUM, KIND_ENUM64, KIND_FLOAT, KIND_FUNC, KIND_FUNC_PROTO, KIND_FWD,
  KIND_INT, KIND_MAX, KIND_PTR, KIND_RESTRICT, KIND_STRUCT, KIND_TYPE_TAG, KIND_TYPEDEF, KIND_UNION, KIND_UNKN,
  KIND_VAR, KIND_VOLATILE, LAYOUT_ENTRY_SIZE, MEMBER_NAME, MEMBER_SIZE, MEMBER_TYPE, PARAM_NAME, PARAM_SIZE, PARAM_TYPE,
  recordSizes, REFERENCE_KINDS, SECTION_VARIABLE_SIZE, SECTION_VARIABLE_TYPE, TYPE_SIZE, TYPE_SIZE_OR_ID,
} from "../format/generated/abi"; // prettier-ignore
import { elementSize, idLimit, Image, kindOf, Type, typeAt, vlenOf } from "../format/image";
import { refuse } from "../format/status";

/** Bytes of every field. */
const WORD: u32 = 4;
/** Kinds whose third word is checked: libbpf does not look at what a FUNC_PROTO returns. */
const CHECKED_KINDS: u32 = REFERENCE_KINDS & ~(1 << KIND_FUNC_PROTO);
/** The mark of a kind of unknown size in `recordSizes`. */
const UNKNOWN_SIZE: u8 = 1;
/** The pairs of all 128 kinds, as the image at hand has them. */
const sizes = memory.data(256, 16);

/** Sets the sizes: ours, then the layout's; a split without a layout uses its base's. */
function readLayout(image: Image): void {
  let layout = image.layout;
  let length = image.layoutLength;
  const base = image.base;
  if (!layout && base != null) {
    layout = base.layout;
    length = base.layoutLength;
  }
  memory.fill(sizes, UNKNOWN_SIZE, KIND_COUNT * 2);
  memory.copy(sizes, recordSizes, (KIND_MAX + 1) * 2);
  // A swapped image is refused: nothing says how the body would be turned.
  if (image.swapped) return;
  const known = min(length / LAYOUT_ENTRY_SIZE, KIND_COUNT);
  for (let kind = KIND_UNKN; kind < known; kind++) {
    if (kind == KIND_INT) kind = KIND_MAX + 1;
    if (kind >= known) break;
    const entry = load<u16>(layout + kind * LAYOUT_ENTRY_SIZE);
    if (!(entry & 0x0303)) store<u16>(sizes + (kind << 1), entry);
  }
}

/**
 * Walks the type section: every kind has a size and every body lies inside.
 * Returns the number of types, or a refusal.
 */
export function scan(image: Image): i32 {
  readLayout(image);
  const start = image.types;
  const end = start + image.typesLength;
  let at = start;
  let count: u32 = 0;
  while (end - at >= TYPE_SIZE) {
    const info = changetype<Type>(at).info;
    const pair = load<u16>(sizes + (kindOf(info) << 1));
    if (pair & UNKNOWN_SIZE) {
      return refuse(ERR_UNKNOWN_KIND, <u32>(at - start), image.firstId + count, kindOf(info));
    }
    // At most 12 + 252 + 0xffffff * 252 < 2^32: no overflow.
    const length = TYPE_SIZE + (pair & 0xff) + vlenOf(info) * (pair >> 8);
    if (length > <u32>(end - at)) {
      return refuse(ERR_TYPE_TRUNCATED, <u32>(at - start), image.firstId + count, length);
    }
    at += length;
    count++;
  }
  if (at != end) {
    return refuse(ERR_TYPE_TRAILING, <u32>(at - start), image.firstId + count, <u32>(end - at));
  }
  image.count = count;
  return count;
}

/** Fills the offset and kind columns. `scan` has accepted the section. */
function fillColumns(image: Image): void {
  const start = image.types;
  const end = start + image.typesLength;
  let offsets = image.offsets;
  let kinds = image.kinds;
  for (let at = start; at < end; ) {
    const info = changetype<Type>(at).info;
    const kind = kindOf(info);
    store<u32>(offsets, <u32>(at - start));
    store<u8>(kinds, <u8>kind);
    offsets += 4;
    kinds++;
    const pair = load<u16>(sizes + (kind << 1));
    at += TYPE_SIZE + (pair & 0xff) + vlenOf(info) * (pair >> 8);
  }
}

/** Checks the name offset, or the id, at `at`. */
function check(image: Image, id: u32, at: usize, limit: u32, code: i32): i32 {
  const value = load<u32>(at);
  return value < limit ? 0 : refuse(code, <u32>(at - image.types), id, value);
}

/**
 * Fills the columns, then checks every name offset and type id.
 * Returns 0, or a refusal.
 */
export function fill(image: Image): i32 {
  fillColumns(image);
  const types = image.types;
  const nameLimit = image.stringsStart + image.stringsLength;
  const limit = idLimit(image);
  for (let id = image.firstId; id < limit; id++) {
    const at = types + load<u32>(image.offsets + ((id - image.firstId) << 2));
    const type = changetype<Type>(at);
    const kind = kindOf(type.info);
    let refused = check(image, id, at, nameLimit, ERR_NAME_OFFSET);
    if (kind > KIND_MAX) {
      if (refused) return refused;
      continue;
    }
    if (!refused && (CHECKED_KINDS >> kind) & 1) refused = check(image, id, at + TYPE_SIZE_OR_ID, limit, ERR_TYPE_ID);
    if (!refused && kind == KIND_ARRAY) {
      refused = check(image, id, at + ARRAY_ELEMENT, limit, ERR_TYPE_ID);
      if (!refused) refused = check(image, id, at + ARRAY_INDEX, limit, ERR_TYPE_ID);
    }
    if (!refused && kind == KIND_FUNC) {
      if (type.size == 0 || kindOf(typeAt(image, type.size).info) != KIND_FUNC_PROTO) {
        refused = refuse(ERR_FUNC_PROTO, <u32>(at - types) + TYPE_SIZE_OR_ID, id, type.size);
      }
    }
    const size = elementSize(kind);
    const end = at + TYPE_SIZE + vlenOf(type.info) * size;
    for (let element = at + TYPE_SIZE; element < end && !refused; element += size) {
      if (kind == KIND_DATASEC) refused = check(image, id, element + SECTION_VARIABLE_TYPE, limit, ERR_TYPE_ID);
      else {
        refused = check(image, id, element + MEMBER_NAME, nameLimit, ERR_NAME_OFFSET);
        if (!refused && kind != KIND_ENUM && kind != KIND_ENUM64) {
          refused = check(image, id, element + MEMBER_TYPE, limit, ERR_TYPE_ID);
        }
      }
    }
    if (refused) return refused;
  }
  return 0;
}

/** Bytes that follow the record of an ARRAY. */
const ARRAY_BYTES: u32 = ARRAY_LENGTH + WORD - TYPE_SIZE;

/** The fast walk gives up. */
const NONE: i32 = -1;

/**
 * `scan` and `fill` at once, for images without unknown kinds: the columns have
 * room for as many types as the section could hold. Returns the number of
 * types, or -1 where the two have to look closely, be it to name the error.
 * One walk with a branch a kind takes 0.4 of their time: the processor guesses
 * where the next type starts instead of waiting for its sizes.
 */
export function open(image: Image): i32 {
  const start = image.types;
  const end = start + image.typesLength;
  const kinds = image.kinds;
  const first = image.firstId;
  let at = start;
  let offset = image.offsets;
  let count: u32 = 0;
  let lastName: u32 = 0;
  let lastId: u32 = 0;
// True once a FUNC refers to a later type or to the base.
  let later = false;
  while (at + TYPE_SIZE <= end) {
    const type = changetype<Type>(at);
    const info = type.info;
    const kind = kindOf(info);
    store<u32>(offset, <u32>(at - start));
    store<u8>(kinds + count, <u8>kind);
    offset += 4;
    lastName = max(lastName, type.nameOff);
    at += TYPE_SIZE;
    switch (kind) {
      case KIND_PTR:
      case KIND_TYPEDEF:
      case KIND_VOLATILE:
      case KIND_CONST:
      case KIND_RESTRICT:
      case KIND_TYPE_TAG:
        lastId = max(lastId, type.size);
        break;
      case KIND_FUNC: {
        const proto = type.size;
        lastId = max(lastId, proto);
        if (proto - first >= count) later = true;
        else if (load<u8>(kinds + (proto - first)) != KIND_FUNC_PROTO) return NONE;
        break;
      }
      case KIND_FUNC_PROTO: {
        const length = vlenOf(info) * PARAM_SIZE;
        if (<u32>(end - at) < length) return NONE;
        for (const stop = at + length; at < stop; at += PARAM_SIZE) {
          lastName = max(lastName, load<u32>(at, PARAM_NAME));
          lastId = max(lastId, load<u32>(at, PARAM_TYPE));
        }
        break;
      }
      case KIND_STRUCT:
      case KIND_UNION: {
        const length = vlenOf(info) * MEMBER_SIZE;
        if (<u32>(end - at) < length) return NONE;
        for (const stop = at + length; at < stop; at += MEMBER_SIZE) {
          lastName = max(lastName, load<u32>(at, MEMBER_NAME));
          lastId = max(lastId, load<u32>(at, MEMBER_TYPE));
        }
        break;
      }
      case KIND_ENUM: {
        const length = vlenOf(info) * ENUMERATOR_SIZE;
        if (<u32>(end - at) < length) return NONE;
        for (const stop = at + length; at < stop; at += ENUMERATOR_SIZE) {
          lastName = max(lastName, load<u32>(at, ENUMERATOR_NAME));
        }
        break;
      }
      case KIND_ENUM64: {
        const length = vlenOf(info) * ENUMERATOR64_SIZE;
        if (<u32>(end - at) < length) return NONE;
        for (const stop = at + length; at < stop; at += ENUMERATOR64_SIZE) {
          lastName = max(lastName, load<u32>(at, ENUMERATOR_NAME));
        }
        break;
      }
      case KIND_DATASEC: {
        const length = vlenOf(info) * SECTION_VARIABLE_SIZE;
        if (<u32>(end - at) < length) return NONE;
        for (const stop = at + length; at < stop; at += SECTION_VARIABLE_SIZE) {
          lastId = max(lastId, load<u32>(at, SECTION_VARIABLE_TYPE));
        }
        break;
      }
      case KIND_ARRAY:
        if (<u32>(end - at) < ARRAY_BYTES) return NONE;
        lastId = max(lastId, max(load<u32>(at, ARRAY_ELEMENT - TYPE_SIZE), load<u32>(at, ARRAY_INDEX - TYPE_SIZE)));
        at += ARRAY_BYTES;
        break;
      case KIND_VAR:
      case KIND_DECL_TAG:
        lastId = max(lastId, type.size);
        at += WORD;
        break;
      case KIND_INT:
        at += WORD;
        break;
      case KIND_FWD:
      case KIND_FLOAT:
        break;
      default:
        return NONE;
    }
    count++;
  }
  if (at != end) return NONE;
  if (lastName >= image.stringsStart + image.stringsLength || lastId >= first + count) return NONE;
  image.count = count;
  if (later && !functionsHaveProtos(image)) return NONE;
  // Without asserts their arguments are still worked out.
  if (!ASC_NO_ASSERT) assert(scan(image) == count && fill(image) == 0);
  return count;
}

function functionsHaveProtos(image: Image): bool {
  const kinds = image.kinds;
  for (let i: u32 = 0; i < image.count; i++) {
    if (load<u8>(kinds + i) != KIND_FUNC) continue;
    const proto = typeAt(image, image.firstId + i).size;
    if (!proto || kindOf(typeAt(image, proto).info) != KIND_FUNC_PROTO) return false;
  }
  return true;
}

/** Adds up types and bytes by kind: 128 u32 counts, then 128 u32 byte sums, at `out`. */
export function tally(image: Image, out: usize): void {
  memory.fill(out, 0, KIND_COUNT * 8);
  const end = image.kinds + image.count;
  let column = image.offsets;
  for (let at = image.kinds; at < end; at++) {
    const slot = out + (<u32>load<u8>(at) << 2);
    const next = at + 1 < end ? load<u32>(column, 4) : image.typesLength;
    store<u32>(slot, load<u32>(slot) + 1);
    store<u32>(slot, load<u32>(slot, KIND_COUNT * 4) + (next - load<u32>(column)), KIND_COUNT * 4);
    column += 4;
  }
}
