// Definitions in the order that C wants them, with forward declarations where
// they are needed (libbpf's btf_dump_emit_type).
import {
  ARRAY_ELEMENT, C_OPTION_COMPATIBLE, ERR_C_CYCLE, KIND_ARRAY, KIND_CONST, KIND_ENUM, KIND_ENUM64, KIND_FUNC_PROTO, KIND_FWD, KIND_INT,
  KIND_PTR, KIND_RESTRICT, KIND_STRUCT, KIND_TYPE_TAG, KIND_TYPEDEF, KIND_UNION, KIND_VOLATILE, MEMBER_SIZE,
  MEMBER_TYPE, PARAM_SIZE, PARAM_TYPE, TYPE_SIZE,
} from "../../format/generated/abi"; // prettier-ignore
import { char, phrase } from "../writer";
import { idLimit, kindFlag, kindOf, Type, vlenOf } from "../../format/image";
import { composite, enumeration } from "./body";
import { context, C_EMITTED, C_EMITTING, fail, failure, flagsOf, C_FORWARD, full, image, setFlags, spend, stringOf, typeOf } from "./context";
import { declare } from "./declare";
import { labelTypedef, plainName, typeName } from "./names";
import { C_DEPTH_LIMIT } from "./order";

/** Ends a definition of its own. */
function semicolon(p: usize): usize {
  return phrase(p, ";\n\n");
}

/** Tells whether the NUL-terminated name at `nameOff` equals the literal. */
function isNamed(nameOff: u32, literal: string): bool {
  if (!nameOff) return false;
  const name = stringOf(nameOff);
  const at = changetype<usize>(literal);
  const length = load<u32>(at - 4) >> 1;
  for (let i: u32 = 0; i < length; i++) {
    if (load<u8>(name + i) != load<u8>(at + (i << 1))) return false;
  }
  return load<u8>(name + length) == 0;
}

/** Compilers have it built in, each its own. */
function isBuiltin(type: Type): bool {
  return isNamed(type.nameOff, "__builtin_va_list");
}

/**
 * Types that compilers have built in under names that C does not know: GCC's
 * of Arm SIMD intrinsics, and C23's `bool`, which libbpf leaves.
 */
function missingAlias(p: usize, nameOff: u32): usize {
  const start = p;
  p = phrase(p, "typedef ");
  if (!(context.options & C_OPTION_COMPATIBLE) && isNamed(nameOff, "bool")) {
    return semicolon(plainName(phrase(p, "_Bool "), nameOff));
  }
  p = phrase(p, "unsigned ");
  if (isNamed(nameOff, "__Poly8_t")) p = phrase(p, "char ");
  else if (isNamed(nameOff, "__Poly16_t")) p = phrase(p, "short ");
  else if (isNamed(nameOff, "__Poly64_t")) p = phrase(p, "long long ");
  else if (isNamed(nameOff, "__Poly128_t")) p = phrase(p, "__int128 ");
  else return start;
  return semicolon(plainName(p, nameOff));
}

function forward(p: usize, id: u32, type: Type): usize {
  return semicolon(typeName(phrase(p, kindOf(type.info) == KIND_STRUCT ? "struct " : "union "), id));
}

function typedefOf(p: usize, id: u32, type: Type): usize {
  // Old GCC refers to void here.
  if (type.size == 0 && isNamed(type.nameOff, "__gnuc_va_list")) {
    p = phrase(phrase(p, "typedef "), "__builtin_va_list");
    return semicolon(phrase(char(p, 32), "__gnuc_va_list"));
  }
  // The name takes its number before the enumerators that the type may hold take theirs.
  p = phrase(p, "typedef ");
  typeName(p, id);
  return semicolon(declare(p, type.size, labelTypedef(id), 0, 0));
}

/**
 * Writes what `id` needs, and `id` itself where it is a definition. `container`
 * is the struct or typedef being defined, 0 at top level.
 */
export function emit(p: usize, id: u32, container: u32, depth: i32): usize {
  if (full(p) || id >= idLimit(image)) return p;
  const flags = flagsOf(id);
  if (flags & C_EMITTED || !spend(id)) return p;
  if (depth > C_DEPTH_LIMIT) {
    fail(ERR_C_CYCLE, id);
    return p;
  }
  const type = typeOf(id);
  const at = changetype<usize>(type);
  const kind = kindOf(type.info);
  if (flags & C_EMITTING) {
    if (flags & C_FORWARD) return p;
    if (kind == KIND_STRUCT || kind == KIND_UNION) {
      if (id == container || !type.nameOff) return p;
      p = forward(p, id, type);
    } else if (kind == KIND_TYPEDEF) {
      if (!isBuiltin(type)) p = typedefOf(p, id, type);
    } else return p;
    setFlags(id, flagsOf(id) | C_FORWARD);
    return p;
  }
  switch (kind) {
    case KIND_INT:
      p = missingAlias(p, type.nameOff);
      setFlags(id, flags | C_EMITTED);
      return p;
    case KIND_ENUM:
    case KIND_ENUM64:
      if (container == 0) p = semicolon(enumeration(p, id, 0));
      setFlags(id, flagsOf(id) | C_EMITTED);
      return p;
    case KIND_PTR:
    case KIND_VOLATILE:
    case KIND_CONST:
    case KIND_RESTRICT:
    case KIND_TYPE_TAG:
      return emit(p, type.size, container, depth + 1);
    case KIND_ARRAY:
      return emit(p, load<u32>(at, ARRAY_ELEMENT), container, depth + 1);
    case KIND_FWD:
      p = semicolon(typeName(phrase(p, kindFlag(type.info) ? "union " : "struct "), id));
      setFlags(id, flagsOf(id) | C_EMITTED);
      return p;
    case KIND_TYPEDEF:
      setFlags(id, flags | C_EMITTING);
      p = emit(p, type.size, id, depth + 1);
      if (!(flagsOf(id) & C_FORWARD) && !isBuiltin(type)) p = typedefOf(p, id, type);
      setFlags(id, (flagsOf(id) & ~C_EMITTING) | C_EMITTED);
      return p;
    case KIND_STRUCT:
    case KIND_UNION:
      return emitComposite(p, id, type, container, depth);
    case KIND_FUNC_PROTO: {
      p = emit(p, type.size, container, depth + 1);
      const end = at + TYPE_SIZE + vlenOf(type.info) * PARAM_SIZE;
      for (let param = at + TYPE_SIZE; param < end && !failure; param += PARAM_SIZE) {
        p = emit(p, load<u32>(param, PARAM_TYPE), container, depth + 1);
      }
      return p;
    }
    default:
      return p;
  }
}

function emitComposite(p: usize, id: u32, type: Type, container: u32, depth: i32): usize {
  setFlags(id, flagsOf(id) | C_EMITTING);
  if (container == 0 || !type.nameOff) {
    // The body will be written: what its members name has to be declared before.
    const inner = type.nameOff ? id : container;
    const first = changetype<usize>(type) + TYPE_SIZE;
    const end = first + vlenOf(type.info) * MEMBER_SIZE;
    for (let member = first; member < end && !failure; member += MEMBER_SIZE) {
      p = emit(p, load<u32>(member, MEMBER_TYPE), inner, depth + 1);
    }
  } else if (!(flagsOf(id) & C_FORWARD) && id != container) {
    p = forward(p, id, type);
    setFlags(id, flagsOf(id) | C_FORWARD);
  }
  if (container) {
    setFlags(id, flagsOf(id) & ~C_EMITTING);
    return p;
  }
  p = semicolon(composite(p, id, 0, 0));
  setFlags(id, (flagsOf(id) & ~C_EMITTING) | C_EMITTED);
  return p;
}
