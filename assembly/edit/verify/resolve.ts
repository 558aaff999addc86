// The kernel's second pass: what types refer to (btf_check_all_types, btf_resolve
// and the resolve functions of its kinds), then type tags (btf_check_type_tags).
//
// A stack of 32 types bounds the depth of references, as in the kernel, and
// a type is resolved once. After a finding the types on the stack count as
// failed, and what meets one of them fails with it without a finding of its own.
import {
  ARRAY_ELEMENT, ARRAY_INDEX, ARRAY_LENGTH, DECL_TAG_COMPONENT, INT_BITS_MASK, INT_DATA, INT_OFFSET_SHIFT, KIND_ARRAY,
  KIND_DATASEC, KIND_DECL_TAG, KIND_ENUM, KIND_ENUM64, KIND_FLOAT, KIND_FUNC, KIND_FUNC_PROTO, KIND_FWD, KIND_INT,
  KIND_PTR, KIND_STRUCT, KIND_TYPE_TAG, KIND_TYPEDEF, KIND_UNION, KIND_VAR, LINUX_VLEN_MASK, MEMBER_OFFSET, MEMBER_SIZE,
  MEMBER_TYPE, MODIFIER_KINDS, PARAM_NAME, PARAM_SIZE, PARAM_TYPE, SECTION_VARIABLE_LENGTH, SECTION_VARIABLE_SIZE,
  SECTION_VARIABLE_TYPE, TYPE_SIZE, TYPE_SIZE_OR_ID,
} from "../../format/generated/abi"; // prettier-ignore
import * as rule from "../../format/generated/edit-abi";
import { kindFlag, vlenOf } from "../../format/image";
import { checkPlace } from "./member";
import { isIdentifier, offsetValid } from "./name";
import { among, kindAt, NO_TYPE, report, typeAt, Verify, NO_ELEMENT } from "./state";

const VISITED: u8 = 1;
const RESOLVED: u8 = 2;
const FAILED: u8 = 3;

/** MAX_RESOLVE_DEPTH */
const DEPTH: u32 = 32;
/** Modifiers in a row that btf_check_type_tags follows. */
const CHAIN: u32 = 32;

const COMPOSITES: u32 = (1 << KIND_STRUCT) | (1 << KIND_UNION);
/** Kinds that refer to other types, and that no type but a tag or section may refer to. */
const SOURCES: u32 = (1 << KIND_VAR) | (1 << KIND_DECL_TAG) | (1 << KIND_DATASEC);
const RESOLVING: u32 = MODIFIER_KINDS | COMPOSITES | SOURCES | (1 << KIND_PTR) | (1 << KIND_ARRAY) | (1 << KIND_FUNC);
const SIZED: u32 = COMPOSITES | (1 << KIND_INT) | (1 << KIND_ENUM) | (1 << KIND_DATASEC) | (1 << KIND_FLOAT) | (1 << KIND_ENUM64);
/** Void (0) among them. */
const SIZELESS: u32 = 1 | (1 << KIND_FWD) | (1 << KIND_FUNC) | (1 << KIND_FUNC_PROTO) | (1 << KIND_DECL_TAG);
/** Kinds without a size that a pointer or modifier may lead to. */
const POINTEES: u32 = 1 | (1 << KIND_FWD) | (1 << KIND_FUNC_PROTO);
const TAGGED: u32 = COMPOSITES | (1 << KIND_FUNC) | (1 << KIND_VAR) | (1 << KIND_TYPEDEF);

// The kernel's resolve mode: it decides at which kinds a resolution stops.
const MODE_ANY: u32 = 0;
const MODE_PTR: u32 = 1;
const MODE_COMPOSITE: u32 = 2;
let mode: u32 = MODE_ANY;

/** The types being resolved: {id, next element}. */
const stack = memory.data(256, 4);
let top: u32 = 0;

/** Results of a step: the type is resolved, another type was pushed, or the type was refused. */
const POPPED: u32 = 0;
const PUSHED: u32 = 1;
const REFUSED: u32 = 2;
/** The type was refused for a reason that was reported before. */
const POISONED: u32 = 3;
const TOO_DEEP: u32 = 4;
const LOOPS: u32 = 5;

// @ts-ignore: decorator
@inline
function stateOf(btf: Verify, id: u32): u8 {
  return load<u8>(btf.states + id);
}

/** Void and kinds that refer to nothing are resolved from the start. */
// @ts-ignore: decorator
@inline
function isResolved(btf: Verify, id: u32): bool {
  return stateOf(btf, id) == RESOLVED;
}

// @ts-ignore: decorator
@inline
function isSink(kind: u32): bool {
  if (mode == MODE_ANY) return !among(RESOLVING, kind);
  if (mode == MODE_PTR) return !among(MODIFIER_KINDS | (1 << KIND_PTR), kind);
  return !among(MODIFIER_KINDS | COMPOSITES | (1 << KIND_ARRAY), kind);
}

function push(btf: Verify, id: u32, kind: u32): u32 {
  if (top == DEPTH) return TOO_DEEP;
  const state = stateOf(btf, id);
  if (state == FAILED) return POISONED;
  if (state) return LOOPS;
  store<u8>(btf.states + id, VISITED);
  store<u32>(stack + (top << 3), id);
  store<u32>(stack + (top << 3), 0, 4);
  top++;
  if (mode == MODE_ANY) {
    if (kind == KIND_PTR) mode = MODE_PTR;
    else if (among(COMPOSITES | (1 << KIND_ARRAY), kind)) mode = MODE_COMPOSITE;
  }
  return PUSHED;
}

function pop(btf: Verify, id: u32, size: u32): u32 {
  const done = load<u32>(stack + ((--top) << 3));
  store<u32>(btf.ids + (<usize>done << 2), id);
  store<u32>(btf.sizes + (<usize>done << 2), size);
  store<u8>(btf.states + done, RESOLVED);
  return POPPED;
}

/** Returns the type that a type resolved to; 0 before it is resolved. */
// @ts-ignore: decorator
@inline
function resolvedId(btf: Verify, id: u32): u32 {
  return load<u32>(btf.ids + (<usize>id << 2));
}

/** Size in bytes of the type that `hasSize` found last, and its id. */
let foundSize: u32 = 0;
let foundId: u32 = 0;

/**
 * Tells whether a type has a size, through the type that it resolved to, and
 * leaves that size and type in `foundSize` and `foundId` (btf_type_id_size).
 */
function hasSize(btf: Verify, id: u32): bool {
  let kind = kindAt(btf, id);
  if (kind == NO_TYPE || among(SIZELESS, kind)) return false;
  if (among(MODIFIER_KINDS | (1 << KIND_VAR), kind)) {
    id = resolvedId(btf, id);
    kind = kindAt(btf, id);
    if (kind == NO_TYPE || among(SIZELESS, kind)) return false;
  }
  if (among(SIZED, kind)) foundSize = typeAt(btf, id).size;
  else if (kind == KIND_ARRAY) foundSize = load<u32>(btf.sizes + (<usize>id << 2));
  else if (kind == KIND_PTR) foundSize = btf.pointer;
  else return false;
  foundId = id;
  return true;
}

// @ts-ignore: decorator
@inline
function isRegularInt(btf: Verify, id: u32): bool {
  const data = load<u32>(changetype<usize>(typeAt(btf, id)), INT_DATA);
  const bits = data & INT_BITS_MASK;
  return !((data >> INT_OFFSET_SHIFT) & INT_BITS_MASK) && (bits == 8 || bits == 16 || bits == 32 || bits == 64 || bits == 128);
}

/** One step with the type on top of the stack. */
function step(btf: Verify): u32 {
  const entry = stack + ((top - 1) << 3);
  const id = load<u32>(entry);
  const type = typeAt(btf, id);
  const at = changetype<usize>(type);
  const kind = kindAt(btf, id);
  switch (kind) {
    case KIND_STRUCT:
    case KIND_UNION:
      return resolveMembers(btf, id, entry);
    case KIND_ARRAY:
      return resolveArray(btf, id, at);
    case KIND_DATASEC:
      return resolveSection(btf, id, at, entry);
    case KIND_FUNC: {
      const proto = type.size;
      if (kindAt(btf, proto) != KIND_FUNC_PROTO) return refuse(btf, rule.RULE_TYPE_ID, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, proto);
      const target = typeAt(btf, proto);
      const count = vlenOf(target.info) & LINUX_VLEN_MASK;
      for (let i: u32 = 0; i < count; i++) {
        const param = changetype<usize>(target) + TYPE_SIZE + i * PARAM_SIZE;
        if (!load<u32>(param, PARAM_NAME) && load<u32>(param, PARAM_TYPE)) return refuse(btf, rule.RULE_ARGUMENT, id, at + TYPE_SIZE_OR_ID, i, load<u32>(param, PARAM_TYPE));
      }
      return pop(btf, proto, 0);
    }
    case KIND_DECL_TAG: {
      const target = type.size;
      const targetKind = kindAt(btf, target);
      if (!among(TAGGED, targetKind)) return refuse(btf, rule.RULE_TYPE_ID, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, target);
      if (!isSink(targetKind) && !isResolved(btf, target)) return push(btf, target, targetKind);
      const component = load<i32>(at, DECL_TAG_COMPONENT);
      if (component != -1) {
        if (targetKind == KIND_VAR || targetKind == KIND_TYPEDEF) return refuse(btf, rule.RULE_COMPONENT, id, at + DECL_TAG_COMPONENT, NO_ELEMENT, component);
        const counted = targetKind == KIND_FUNC ? typeAt(btf, target).size : target;
        if (<u32>component >= (vlenOf(typeAt(btf, counted).info) & LINUX_VLEN_MASK)) {
          return refuse(btf, rule.RULE_COMPONENT, id, at + DECL_TAG_COMPONENT, NO_ELEMENT, component);
        }
      }
      return pop(btf, target, 0);
    }
    default:
      return resolveReference(btf, id, at, kind);
  }
}

function refuse(btf: Verify, which: u32, id: u32, at: usize, element: u32, value: u32): u32 {
  report(btf, which, id, at, element, value);
  return REFUSED;
}

/** Modifiers, typedefs, pointers and variables. */
function resolveReference(btf: Verify, id: u32, at: usize, kind: u32): u32 {
  let next = load<u32>(at, TYPE_SIZE_OR_ID);
  const nextKind = kindAt(btf, next);
  if (nextKind == NO_TYPE || among(SOURCES, nextKind)) return refuse(btf, rule.RULE_TYPE_ID, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, next);
  if (!isSink(nextKind) && !isResolved(btf, next)) return push(btf, next, nextKind);
  if (!among(MODIFIER_KINDS, kind) && among(MODIFIER_KINDS, nextKind)) {
    // A modifier that was resolved from a struct or array may have stopped at a pointer.
    const pointer = resolvedId(btf, next);
    const pointerKind = kindAt(btf, pointer);
    if (pointerKind == KIND_PTR && !isSink(pointerKind) && !isResolved(btf, pointer)) return push(btf, pointer, pointerKind);
  }
  if (hasSize(btf, next)) return pop(btf, foundId, 0);
  if (kind == KIND_VAR) return refuse(btf, rule.RULE_TYPE_ID, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, next);
  let last = nextKind;
  const resolving = nextKind != KIND_FUNC || btf.features & rule.FEATURE_FUNC_TARGET ? RESOLVING : 0;
  if (among(resolving, nextKind) && isResolved(btf, next)) {
    const written = next;
    next = resolvedId(btf, next);
    last = kindAt(btf, next);
    if (!among(POINTEES, last)) return refuse(btf, rule.RULE_TYPE_ID, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, written);
  }
  if (!among(POINTEES, last)) return refuse(btf, rule.RULE_TYPE_ID, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, next);
  return pop(btf, next, 0);
}

function resolveArray(btf: Verify, id: u32, at: usize): u32 {
  const index = load<u32>(at, ARRAY_INDEX);
  const indexKind = kindAt(btf, index);
  if (indexKind == NO_TYPE || among(SIZELESS | SOURCES, indexKind)) {
    return refuse(btf, rule.RULE_INDEX, id, at + ARRAY_INDEX, NO_ELEMENT, index);
  }
  if (!isSink(indexKind) && !isResolved(btf, index)) return push(btf, index, indexKind);
  if (!hasSize(btf, index) || kindAt(btf, foundId) != KIND_INT || !isRegularInt(btf, foundId)) {
    return refuse(btf, rule.RULE_INDEX, id, at + ARRAY_INDEX, NO_ELEMENT, index);
  }
  const element = load<u32>(at, ARRAY_ELEMENT);
  const elementKind = kindAt(btf, element);
  if (elementKind == NO_TYPE || among(SIZELESS | SOURCES, elementKind)) {
    return refuse(btf, rule.RULE_ELEMENT, id, at + ARRAY_ELEMENT, NO_ELEMENT, element);
  }
  if (!isSink(elementKind) && !isResolved(btf, element)) return push(btf, element, elementKind);
  if (!hasSize(btf, element)) return refuse(btf, rule.RULE_ELEMENT, id, at + ARRAY_ELEMENT, NO_ELEMENT, element);
  if (kindAt(btf, foundId) == KIND_INT && !isRegularInt(btf, foundId)) {
    return refuse(btf, rule.RULE_INT_ARRAY, id, at + ARRAY_ELEMENT, NO_ELEMENT, element);
  }
  const length = load<u32>(at, ARRAY_LENGTH);
  if (<u64>foundSize * length > <u64>u32.MAX_VALUE) return refuse(btf, rule.RULE_ARRAY_OVERFLOW, id, at + ARRAY_LENGTH, NO_ELEMENT, length);
  return pop(btf, foundId, foundSize * length);
}

function resolveMembers(btf: Verify, id: u32, entry: usize): u32 {
  const type = typeAt(btf, id);
  const at = changetype<usize>(type);
  const flag = kindFlag(type.info);
  const count = type.info & LINUX_VLEN_MASK;
  let i = load<u32>(entry, 4);
  // A member that had to be resolved first is looked at again now.
  if (i) i--;
  for (; i < count; i++) {
    const member = at + TYPE_SIZE + i * MEMBER_SIZE;
    const to = load<u32>(member, MEMBER_TYPE);
    const kind = kindAt(btf, to);
    if (kind == NO_TYPE || among(SIZELESS | SOURCES, kind)) return refuse(btf, rule.RULE_MEMBER, id, member + MEMBER_TYPE, i, to);
    if (!isSink(kind) && !isResolved(btf, to)) {
      store<u32>(entry, i + 1, 4);
      return push(btf, to, kind);
    }
    let concrete = to;
    if (among(MODIFIER_KINDS, kind)) {
      if (!hasSize(btf, to)) return refuse(btf, rule.RULE_MEMBER, id, member + MEMBER_TYPE, i, to);
      concrete = foundId;
    }
    let size: u32 = 0;
    if (kindAt(btf, concrete) == KIND_ARRAY && hasSize(btf, concrete)) size = foundSize;
    const broken = checkPlace(typeAt(btf, concrete), kindAt(btf, concrete), size, load<u32>(member, MEMBER_OFFSET), flag, type.size, btf.pointer);
    if (broken) return refuse(btf, broken, id, member + MEMBER_OFFSET, i, load<u32>(member, MEMBER_OFFSET));
  }
  return pop(btf, 0, 0);
}

function resolveSection(btf: Verify, id: u32, at: usize, entry: usize): u32 {
  mode = MODE_ANY;
  const count = typeAt(btf, id).info & LINUX_VLEN_MASK;
  for (let i = load<u32>(entry, 4); i < count; i++) {
    const variable = at + TYPE_SIZE + i * SECTION_VARIABLE_SIZE;
    const to = load<u32>(variable, SECTION_VARIABLE_TYPE);
    if (kindAt(btf, to) != KIND_VAR) return refuse(btf, rule.RULE_NOT_VAR, id, variable, i, to);
    if (!isResolved(btf, to)) {
      store<u32>(entry, i + 1, 4);
      return push(btf, to, KIND_VAR);
    }
    if (!hasSize(btf, typeAt(btf, to).size)) return refuse(btf, rule.RULE_VARIABLE_TYPE, id, variable, i, to);
    if (load<u32>(variable, SECTION_VARIABLE_LENGTH) < foundSize) return refuse(btf, rule.RULE_VARIABLE_SMALL, id, variable + SECTION_VARIABLE_LENGTH, i, load<u32>(variable, SECTION_VARIABLE_LENGTH));
  }
  return pop(btf, 0, 0);
}

/** Resolves a type and all that it leads to. Returns whether that was possible. */
function resolve(btf: Verify, id: u32): bool {
  const at = changetype<usize>(typeAt(btf, id));
  top = 0;
  mode = MODE_ANY;
  let result = push(btf, id, kindAt(btf, id));
  while (result <= PUSHED && top) result = step(btf);
  if (result <= PUSHED) return true;
  if (result == TOO_DEEP) report(btf, rule.RULE_DEPTH, id, at, NO_ELEMENT, DEPTH);
  else if (result == LOOPS) report(btf, rule.RULE_LOOP, id, at, NO_ELEMENT, 0);
  while (top) store<u8>(btf.states + load<u32>(stack + ((--top) << 3)), FAILED);
  store<u8>(btf.states + id, FAILED);
  return false;
}

/** Tells whether a type can be resolved. A type that failed before is not reported again. */
function resolves(btf: Verify, id: u32, kind: u32): bool {
  if (!among(RESOLVING, kind) || isResolved(btf, id)) return true;
  return stateOf(btf, id) == FAILED ? false : resolve(btf, id);
}

/** Return type and parameters (btf_func_proto_check). */
function checkProto(btf: Verify, id: u32): bool {
  const type = typeAt(btf, id);
  const at = changetype<usize>(type);
  const returns = type.size;
  if (returns) {
    const kind = kindAt(btf, returns);
    if (kind == NO_TYPE || among(SOURCES, kind)) return report(btf, rule.RULE_RETURN_TYPE, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, returns);
    if (!resolves(btf, returns, kind)) return false;
    if (!hasSize(btf, returns)) return report(btf, rule.RULE_RETURN_TYPE, id, at + TYPE_SIZE_OR_ID, NO_ELEMENT, returns);
  }
  let count = type.info & LINUX_VLEN_MASK;
  if (!count) return true;
  const last = at + TYPE_SIZE + (count - 1) * PARAM_SIZE;
  if (!load<u32>(last, PARAM_TYPE)) {
    if (load<u32>(last, PARAM_NAME)) return report(btf, rule.RULE_ARGUMENT, id, last, count - 1, 0);
    count--;
  }
  for (let i: u32 = 0; i < count; i++) {
    const param = at + TYPE_SIZE + i * PARAM_SIZE;
    const name = load<u32>(param, PARAM_NAME);
    const to = load<u32>(param, PARAM_TYPE);
    const kind = kindAt(btf, to);
    if (kind == NO_TYPE || among(SOURCES, kind)) return report(btf, rule.RULE_ARGUMENT, id, param + PARAM_TYPE, i, to);
    if (name && (!offsetValid(btf, name) || !isIdentifier(btf, name))) return report(btf, rule.RULE_ARGUMENT, id, param, i, name);
    if (!resolves(btf, to, kind)) return false;
    if (!hasSize(btf, to)) return report(btf, rule.RULE_ARGUMENT, id, param + PARAM_TYPE, i, to);
  }
  return true;
}

/** Checks all references, in the kernel's order. `checkRecords` has found nothing wrong. */
export function checkReferences(btf: Verify): void {
  const limit = btf.idLimit;
  store<u8>(btf.states, RESOLVED);
  store<u32>(btf.ids, 0);
  for (let id: u32 = 1; id < limit; id++) {
    const kind = kindAt(btf, id);
    store<u32>(btf.ids + (<usize>id << 2), 0);
    store<u32>(btf.sizes + (<usize>id << 2), 0);
    if (!among(RESOLVING, kind)) store<u8>(btf.states + id, RESOLVED);
  }
  for (let id: u32 = 1; id < limit; id++) {
    const kind = kindAt(btf, id);
    if (among(RESOLVING, kind) && !stateOf(btf, id)) resolve(btf, id);
    if (kind == KIND_FUNC_PROTO) checkProto(btf, id);
  }
}

/** Type tags stand in front of modifiers, and chains of these end (btf_check_type_tags). */
export function checkTags(btf: Verify): void {
  for (let id: u32 = 1; id < btf.idLimit; id++) {
    let at = id;
    let kind = kindAt(btf, at);
    if (!among(MODIFIER_KINDS, kind)) continue;
    let tags = kind == KIND_TYPE_TAG;
    for (let left = CHAIN; among(MODIFIER_KINDS, kind); left--) {
      if (!left) {
        report(btf, rule.RULE_CHAIN, id, changetype<usize>(typeAt(btf, id)), NO_ELEMENT, CHAIN);
        break;
      }
      if (kind == KIND_TYPE_TAG) {
        if (!tags && !(btf.features & rule.FEATURE_LATE_TAGS)) {
          report(btf, rule.RULE_TAG_ORDER, id, changetype<usize>(typeAt(btf, id)), NO_ELEMENT, at);
          break;
        }
      } else tags = false;
      at = typeAt(btf, at).size;
      kind = kindAt(btf, at);
    }
  }
}
