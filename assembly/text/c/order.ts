// Orders the definitions that have to come before a type, as libbpf does
// (btf_dump_order_type), and which types are referred to at all.
import {
  ARRAY_ELEMENT, ARRAY_INDEX, C_DEPTH_LIMIT, ERR_C_CYCLE, KIND_ARRAY, KIND_CONST, KIND_DATASEC, KIND_DECL_TAG,
  KIND_ENUM, KIND_ENUM64, KIND_FLOAT, KIND_FUNC, KIND_FUNC_PROTO, KIND_FWD, KIND_INT, KIND_PTR, KIND_RESTRICT,
  KIND_STRUCT, KIND_TYPE_TAG, KIND_TYPEDEF, KIND_UNION, KIND_VAR, KIND_VOLATILE, MEMBER_SIZE, MEMBER_TYPE, PARAM_SIZE,
  PARAM_TYPE, SECTION_VARIABLE_SIZE, SECTION_VARIABLE_TYPE, TYPE_SIZE,
} from "../../format/generated/abi"; // prettier-ignore
import { idLimit, Image, kindOf, Type, vlenOf } from "../../format/image";
import { context, fail, failure, flagsOf, image, keepFlags, C_ORDERED, C_ORDERING, C_REFERENCED, spend, typeOf } from "./context";

export { C_DEPTH_LIMIT };

function refer(id: u32): void {
  if (id < idLimit(image)) keepFlags(id, flagsOf(id) | C_REFERENCED);
}

function referElements(at: usize, size: u32, idAt: u32): void {
  const end = at + TYPE_SIZE + vlenOf(changetype<Type>(at).info) * size;
  for (let element = at + TYPE_SIZE; element < end; element += size) refer(load<u32>(element + idAt));
}

/**
 * Marks what is referred to, so that an anonymous enum that nothing refers to
 * becomes a definition of its own; void counts as ordered and emitted. Returns
 * how many names the name counters may have to hold.
 */
export function markReferenced(): u32 {
  let names: u32 = 0;
  const end = idLimit(image);
  for (let id: u32 = 1; id < end; id++) {
    const type = typeOf(id);
    const at = changetype<usize>(type);
    switch (kindOf(type.info)) {
      case KIND_TYPEDEF:
        names++;
      // fall through
      case KIND_VOLATILE:
      case KIND_CONST:
      case KIND_RESTRICT:
      case KIND_PTR:
      case KIND_FUNC:
      case KIND_VAR:
      case KIND_DECL_TAG:
      case KIND_TYPE_TAG:
        refer(type.size);
        break;
      case KIND_ARRAY:
        refer(load<u32>(at, ARRAY_ELEMENT));
        refer(load<u32>(at, ARRAY_INDEX));
        break;
      case KIND_ENUM:
      case KIND_ENUM64:
        names += 1 + vlenOf(type.info);
        break;
      case KIND_STRUCT:
      case KIND_UNION:
        names++;
        referElements(at, MEMBER_SIZE, MEMBER_TYPE);
        break;
      case KIND_FUNC_PROTO:
        referElements(at, PARAM_SIZE, PARAM_TYPE);
        break;
      case KIND_DATASEC:
        referElements(at, SECTION_VARIABLE_SIZE, SECTION_VARIABLE_TYPE);
        break;
      default:
        break;
    }
  }
  return names;
}

const STRONG: i32 = 1;
const WEAK: i32 = 0;

/** Adds a type to what is to be written; the queue has room for each type and one more. */
export function queue(id: u32): void {
  store<u32>(context.queue + (context.queued << 2), id);
  context.queued++;
}

/**
 * Queues what has to be defined before `id` and then `id` itself. Strong: the
 * full definition is needed; weak: a forward declaration does.
 */
export function order(id: u32, throughPtr: bool, depth: i32): i32 {
  if (failure || !spend(id)) return WEAK;
  const flags = flagsOf(id);
  if (flags & C_ORDERED) return STRONG;
  const type = typeOf(id);
  const at = changetype<usize>(type);
  const kind = kindOf(type.info);
  if (flags & C_ORDERING) {
    // Only a named struct or union can be declared before it is defined.
    if (throughPtr && type.nameOff && (kind == KIND_STRUCT || kind == KIND_UNION)) return WEAK;
    fail(ERR_C_CYCLE, id);
    return WEAK;
  }
  if (depth > C_DEPTH_LIMIT) {
    fail(ERR_C_CYCLE, id);
    return WEAK;
  }
  switch (kind) {
    case KIND_INT:
    case KIND_FLOAT:
      keepFlags(id, flags | C_ORDERED);
      return WEAK;
    case KIND_PTR: {
      const strength = order(type.size, true, depth + 1);
      keepFlags(id, flagsOf(id) | C_ORDERED);
      return strength;
    }
    case KIND_ARRAY:
      return order(load<u32>(at, ARRAY_ELEMENT), false, depth + 1);
    case KIND_STRUCT:
    case KIND_UNION: {
      if (throughPtr && type.nameOff) return WEAK;
      keepFlags(id, flags | C_ORDERING);
      const end = at + TYPE_SIZE + vlenOf(type.info) * MEMBER_SIZE;
      for (let member = at + TYPE_SIZE; member < end; member += MEMBER_SIZE) {
        order(load<u32>(member, MEMBER_TYPE), false, depth + 1);
        if (failure) return WEAK;
      }
      if (type.nameOff) queue(id);
      keepFlags(id, (flags & ~C_ORDERING) | C_ORDERED);
      return STRONG;
    }
    case KIND_ENUM:
    case KIND_ENUM64:
    case KIND_FWD:
      if (type.nameOff || !(flags & C_REFERENCED)) queue(id);
      keepFlags(id, flags | C_ORDERED);
      return STRONG;
    case KIND_TYPEDEF: {
      const strength = order(type.size, throughPtr, depth + 1);
      if (failure || (throughPtr && strength == WEAK)) return WEAK;
      queue(id);
      keepFlags(id, flags | C_ORDERED);
      return STRONG;
    }
    case KIND_VOLATILE:
    case KIND_CONST:
    case KIND_RESTRICT:
    case KIND_TYPE_TAG:
      return order(type.size, throughPtr, depth + 1);
    case KIND_FUNC_PROTO: {
      // The one reference that opening does not check.
      let strength = type.size < idLimit(image) ? order(type.size, throughPtr, depth + 1) : WEAK;
      const end = at + TYPE_SIZE + vlenOf(type.info) * PARAM_SIZE;
      for (let param = at + TYPE_SIZE; param < end; param += PARAM_SIZE) {
        if (order(load<u32>(param, PARAM_TYPE), throughPtr, depth + 1) == STRONG) strength = STRONG;
        if (failure) return WEAK;
      }
      return strength;
    }
    default:
      // FUNC, VAR, DATASEC, DECL_TAG, and kinds that are not known.
      keepFlags(id, flags | C_ORDERED);
      return WEAK;
  }
}
