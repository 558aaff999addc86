// The kernel's first pass: each record by itself (btf_check_all_metas and the
// check_meta functions of its kinds).
import {
  ARRAY_ELEMENT, ARRAY_INDEX, BIT_OFFSET_MASK, DECL_TAG_COMPONENT, ENUMERATOR64_SIZE, ENUMERATOR_NAME, ENUMERATOR_SIZE,
  KIND_ARRAY, KIND_CONST, KIND_DATASEC, KIND_ENUM, KIND_ENUM64, KIND_FLOAT, KIND_FUNC, KIND_FUNC_PROTO, KIND_FWD,
  KIND_INT, KIND_PTR, KIND_RESTRICT, KIND_SHIFT, KIND_STRUCT, KIND_TYPE_TAG, KIND_TYPEDEF, KIND_UNION, KIND_VAR,
  KIND_VOLATILE, LINUX_KIND_MASK, LINUX_VLEN_MASK, MEMBER_NAME, MEMBER_OFFSET, MEMBER_SIZE, MEMBER_TYPE, recordSizes,
  SECTION_VARIABLE_LENGTH, SECTION_VARIABLE_OFFSET, SECTION_VARIABLE_SIZE, SECTION_VARIABLE_TYPE, TYPE_INFO, TYPE_SIZE,
  TYPE_SIZE_OR_ID, VAR_LINKAGE,
} from "../../format/generated/abi"; // prettier-ignore
import * as rule from "../../format/generated/edit-abi";
import { kindFlag, Type } from "../../format/image";
import { isEmpty, isIdentifier, isSectionName, offsetValid } from "./name";
import { report, Verify, NO_ELEMENT } from "./state";

/** BTF_INFO_MASK: kind_flag, 5 bits of kind, 16 of vlen. */
const INFO_MASK: u32 = 0x9f00ffff;
/** BTF_MAX_TYPE */
const ID_MAX: u32 = 0xfffff;
/** BITS_PER_U128 */
const BITS_MAX: u32 = 128;

/**
 * Checks all records, and notes where they start. Goes on behind a record that
 * breaks a rule as long as its length is known.
 */
export function checkRecords(btf: Verify): void {
  const end = btf.types + btf.typesLength;
  let at = btf.types;
  let id: u32 = 1;
  store<u32>(btf.offsets, 0);
  while (at < end) {
    const left = <u32>(end - at);
    store<u32>(btf.offsets + (<usize>id << 2), <u32>(at - btf.types));
    if (id > ID_MAX) {
      report(btf, rule.RULE_TYPE_COUNT, id, at, NO_ELEMENT, ID_MAX);
      break;
    }
    if (left < TYPE_SIZE) {
      report(btf, rule.RULE_TRUNCATED, id, at, left, TYPE_SIZE);
      break;
    }
    const type = changetype<Type>(at);
    const info = type.info;
    const kind = (info >> KIND_SHIFT) & LINUX_KIND_MASK;
    if (info & ~INFO_MASK) {
      report(btf, rule.RULE_INFO, id, at + TYPE_INFO, NO_ELEMENT, info);
      break;
    }
    if (kind - 1 >= btf.maxKind) {
      report(btf, rule.RULE_KIND, id, at + TYPE_INFO, NO_ELEMENT, kind);
      break;
    }
    const fixed = <u32>load<u8>(recordSizes + (kind << 1));
    const perElement = <u32>load<u8>(recordSizes + (kind << 1), 1);
    const vlen = info & LINUX_VLEN_MASK;
    const needed = fixed + vlen * perElement;
    if (!offsetValid(btf, type.nameOff)) {
      report(btf, rule.RULE_NAME_OFFSET, id, at, NO_ELEMENT, type.nameOff);
    } else if (left - TYPE_SIZE < needed) {
      report(btf, rule.RULE_TRUNCATED, id, at, left - TYPE_SIZE, needed);
    } else checkRecord(btf, id, at, type, kind, vlen);
    if (left - TYPE_SIZE < needed) break;
    at += TYPE_SIZE + needed;
    id++;
  }
  btf.idLimit = id;
}

// @ts-ignore: decorator
@inline
function validId(id: u32): bool {
  return id <= ID_MAX;
}

/** Reports a kind_flag that has no meaning. */
// @ts-ignore: decorator
@inline
function noFlag(btf: Verify, id: u32, at: usize, type: Type): bool {
  return kindFlag(type.info) ? report(btf, rule.RULE_KIND_FLAG, id, at + TYPE_INFO, NO_ELEMENT, 1) : true;
}

// @ts-ignore: decorator
@inline
function noVlen(btf: Verify, id: u32, at: usize, vlen: u32): bool {
  return vlen ? report(btf, rule.RULE_VLEN, id, at + TYPE_INFO, NO_ELEMENT, vlen) : true;
}

// @ts-ignore: decorator
@inline
function named(btf: Verify, id: u32, at: usize, name: u32): bool {
  return name && isIdentifier(btf, name) ? true : report(btf, rule.RULE_NAME, id, at, NO_ELEMENT, name);
}

/** Checks the name if there is one. */
// @ts-ignore: decorator
@inline
function maybeNamed(btf: Verify, id: u32, at: usize, name: u32): bool {
  return !name || isIdentifier(btf, name) ? true : report(btf, rule.RULE_NAME, id, at, NO_ELEMENT, name);
}

/** Checks a record by the rules of its kind. It stops at the first broken rule, as the kernel does. */
function checkRecord(btf: Verify, id: u32, at: usize, type: Type, kind: u32, vlen: u32): bool {
  const name = type.nameOff;
  switch (kind) {
    case KIND_INT: {
      if (!noVlen(btf, id, at, vlen) || !noFlag(btf, id, at, type)) return false;
      const data = load<u32>(at, TYPE_SIZE);
      const encoding = data >> 24;
      if (data & 0xf0000000) return report(btf, rule.RULE_INT_DATA, id, at + TYPE_SIZE, NO_ELEMENT, data);
      const bits = (data & 0xff) + ((data >> 16) & 0xff);
      if (bits > BITS_MAX) return report(btf, rule.RULE_INT_BITS, id, at + TYPE_SIZE, NO_ELEMENT, bits);
      if ((bits + 7) >> 3 > type.size) return report(btf, rule.RULE_INT_SIZE, id, at + TYPE_SIZE, NO_ELEMENT, bits);
      if (encoding && encoding != 1 && encoding != 2 && encoding != 4) {
        return report(btf, rule.RULE_INT_ENCODING, id, at + TYPE_SIZE, NO_ELEMENT, encoding);
      }
      return true;
    }
    case KIND_PTR:
    case KIND_TYPEDEF:
    case KIND_VOLATILE:
    case KIND_CONST:
    case KIND_RESTRICT:
    case KIND_TYPE_TAG: {
      if (!noVlen(btf, id, at, vlen)) return false;
      if (kind != KIND_TYPE_TAG || !(btf.features & rule.FEATURE_TAG_FLAG)) if (!noFlag(btf, id, at, type)) return false;
      if (!validId(type.size)) return report(btf, rule.RULE_TYPE_ID, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, type.size);
      if (kind == KIND_TYPEDEF) return named(btf, id, at, name);
      if (kind == KIND_TYPE_TAG) return isEmpty(btf, name) ? report(btf, rule.RULE_NAME, id, at, NO_ELEMENT, name) : true;
      return name ? report(btf, rule.RULE_NAME, id, at, NO_ELEMENT, name) : true;
    }
    case KIND_ARRAY: {
      if (name) return report(btf, rule.RULE_NAME, id, at, NO_ELEMENT, name);
      if (!noVlen(btf, id, at, vlen) || !noFlag(btf, id, at, type)) return false;
      if (type.size) return report(btf, rule.RULE_ARRAY_SIZE, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, type.size);
      const element = load<u32>(at, ARRAY_ELEMENT);
      if (!element || !validId(element)) return report(btf, rule.RULE_ELEMENT, id, at + ARRAY_ELEMENT, NO_ELEMENT, element);
      const index = load<u32>(at, ARRAY_INDEX);
      if (!index || !validId(index)) return report(btf, rule.RULE_INDEX, id, at + ARRAY_INDEX, NO_ELEMENT, index);
      return true;
    }
    case KIND_STRUCT:
    case KIND_UNION:
      return maybeNamed(btf, id, at, name) && checkMembers(btf, id, at, type, kind == KIND_UNION, vlen);
    case KIND_ENUM:
    case KIND_ENUM64: {
      if (!(btf.features & rule.FEATURE_ENUM_FLAG) && !noFlag(btf, id, at, type)) return false;
      if (type.size > 8 || popcnt(type.size) != 1) return report(btf, rule.RULE_ENUM_SIZE, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, type.size);
      if (!maybeNamed(btf, id, at, name)) return false;
      const size: u32 = kind == KIND_ENUM ? ENUMERATOR_SIZE : ENUMERATOR64_SIZE;
      for (let i: u32 = 0; i < vlen; i++) {
        const value = at + TYPE_SIZE + i * size;
        const label = load<u32>(value, ENUMERATOR_NAME);
        if (!offsetValid(btf, label)) return report(btf, rule.RULE_VALUE_NAME_OFFSET, id, value, i, label);
        if (!label || !isIdentifier(btf, label)) return report(btf, rule.RULE_VALUE_NAME, id, value, i, label);
      }
      return true;
    }
    case KIND_FWD:
      if (!noVlen(btf, id, at, vlen)) return false;
      if (type.size) return report(btf, rule.RULE_FWD_TYPE, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, type.size);
      return named(btf, id, at, name);
    case KIND_FUNC:
      if (!named(btf, id, at, name)) return false;
      if (vlen > (btf.features & rule.FEATURE_FUNC_LINKAGE ? 1 : 0)) return report(btf, rule.RULE_FUNC_LINKAGE, id, at + TYPE_INFO, NO_ELEMENT, vlen);
      return noFlag(btf, id, at, type);
    case KIND_FUNC_PROTO:
      if (name) return report(btf, rule.RULE_NAME, id, at, NO_ELEMENT, name);
      return noFlag(btf, id, at, type);
    case KIND_VAR: {
      if (!noVlen(btf, id, at, vlen) || !noFlag(btf, id, at, type) || !named(btf, id, at, name)) return false;
      if (!type.size || !validId(type.size)) return report(btf, rule.RULE_TYPE_ID, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, type.size);
      const linkage = load<u32>(at, VAR_LINKAGE);
      return linkage > 1 ? report(btf, rule.RULE_VAR_LINKAGE, id, at + VAR_LINKAGE, NO_ELEMENT, linkage) : true;
    }
    case KIND_DATASEC:
      return checkSection(btf, id, at, type, vlen);
    case KIND_FLOAT: {
      if (!noVlen(btf, id, at, vlen) || !noFlag(btf, id, at, type)) return false;
      const size = type.size;
      if (size == 2 || size == 4 || size == 8 || size == 12 || size == 16) return true;
      return report(btf, rule.RULE_FLOAT_SIZE, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, size);
    }
    default: {
      if (isEmpty(btf, name)) return report(btf, rule.RULE_TAG_VALUE, id, at, NO_ELEMENT, name);
      if (!noVlen(btf, id, at, vlen)) return false;
      if (!(btf.features & rule.FEATURE_TAG_FLAG) && !noFlag(btf, id, at, type)) return false;
      const component = load<i32>(at, DECL_TAG_COMPONENT);
      return component < -1 ? report(btf, rule.RULE_COMPONENT, id, at + DECL_TAG_COMPONENT, NO_ELEMENT, component) : true;
    }
  }
}

function checkMembers(btf: Verify, id: u32, at: usize, type: Type, isUnion: bool, vlen: u32): bool {
  const flag = kindFlag(type.info);
  let last: u32 = 0;
  for (let i: u32 = 0; i < vlen; i++) {
    const member = at + TYPE_SIZE + i * MEMBER_SIZE;
    const name = load<u32>(member, MEMBER_NAME);
    if (!offsetValid(btf, name)) return report(btf, rule.RULE_MEMBER_NAME_OFFSET, id, member, i, name);
    if (name && !isIdentifier(btf, name)) return report(btf, rule.RULE_MEMBER_NAME, id, member, i, name);
    const to = load<u32>(member, MEMBER_TYPE);
    if (!to || !validId(to)) return report(btf, rule.RULE_MEMBER_TYPE_ID, id, member + MEMBER_TYPE, i, to);
    const word = load<u32>(member, MEMBER_OFFSET);
    const offset = flag ? word & BIT_OFFSET_MASK : word;
    if ((isUnion && offset) || last > offset) return report(btf, rule.RULE_MEMBER_OFFSET, id, member + MEMBER_OFFSET, i, offset);
    if ((<u64>offset + 7) >> 3 > type.size) return report(btf, rule.RULE_MEMBER_BEYOND, id, member + MEMBER_OFFSET, i, offset);
    last = offset;
  }
  return true;
}

function checkSection(btf: Verify, id: u32, at: usize, type: Type, vlen: u32): bool {
  const size = type.size;
  if (!vlen && !(btf.features & rule.FEATURE_EMPTY_SECTION)) return report(btf, rule.RULE_SECTION_EMPTY, id, at + TYPE_INFO, NO_ELEMENT, 0);
  if (!size) return report(btf, rule.RULE_SECTION_SIZE, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, 0);
  if (!noFlag(btf, id, at, type)) return false;
  if (!type.nameOff || !isSectionName(btf, type.nameOff)) return report(btf, rule.RULE_NAME, id, at, NO_ELEMENT, type.nameOff);
  let end: u64 = 0;
  let sum: u64 = 0;
  for (let i: u32 = 0; i < vlen; i++) {
    const variable = at + TYPE_SIZE + i * SECTION_VARIABLE_SIZE;
    const to = load<u32>(variable, SECTION_VARIABLE_TYPE);
    const offset = load<u32>(variable, SECTION_VARIABLE_OFFSET);
    const length = load<u32>(variable, SECTION_VARIABLE_LENGTH);
    if (!to || !validId(to)) return report(btf, rule.RULE_VARIABLE_TYPE_ID, id, variable, i, to);
    if (offset < end || offset >= size) return report(btf, rule.RULE_VARIABLE_OFFSET, id, variable + SECTION_VARIABLE_OFFSET, i, offset);
    if (!length || length > size) return report(btf, rule.RULE_VARIABLE_SIZE, id, variable + SECTION_VARIABLE_LENGTH, i, length);
    end = <u64>offset + length;
    if (end > size) return report(btf, rule.RULE_VARIABLE_END, id, variable + SECTION_VARIABLE_OFFSET, i, <u32>end);
    sum += length;
  }
  return size < sum ? report(btf, rule.RULE_SECTION_SUM, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, size) : true;
}
