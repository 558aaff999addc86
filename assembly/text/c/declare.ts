// C declarators: a chain of pointers, arrays, functions and modifiers around a
// name (libbpf's btf_dump_emit_type_decl, btf_dump_emit_type_chain).
import {
  ARRAY_ELEMENT, ARRAY_LENGTH, C_STACK_COUNT, ERR_C_CYCLE, KIND_ARRAY, KIND_CONST, KIND_DATASEC, KIND_DECL_TAG,
  KIND_ENUM, KIND_ENUM64, KIND_FLOAT, KIND_FUNC, KIND_FUNC_PROTO, KIND_FWD, KIND_INT, KIND_PTR, KIND_RESTRICT,
  KIND_STRUCT, KIND_TYPE_TAG, KIND_TYPEDEF, KIND_UNION, KIND_UNKN, KIND_VAR, KIND_VOLATILE, PARAM_NAME, PARAM_SIZE,
  PARAM_TYPE, TYPE_SIZE,
} from "../../format/generated/abi"; // prettier-ignore
import { char, phrase, unsigned } from "../writer";
import { idLimit, kindFlag, kindOf, Type, vlenOf } from "../../format/image";
import { enumeration, composite } from "./body";
import { context, fail, failure, full, image, spend, typeOf } from "./context";
import { isEmpty, Label, plainName, typeName, writeLabel } from "./names";
import { C_DEPTH_LIMIT } from "./order";

const SPACE: u8 = 32;

// A chain is a stretch of the stack, from its start up to `top`: the outermost
// type at the start, the one that ends the chain on top.
let top: u32 = 0;

/** Leaves `const`, `volatile`, `restrict` and type tags out (strip_mods). */
let strip: bool = false;

/** Starts a declaration of its own. */
export function beginDeclaration(withoutModifiers: bool): void {
  top = 0;
  strip = withoutModifiers;
}

function kindAt(id: u32): u32 {
  return id ? kindOf(typeOf(id).info) : KIND_UNKN;
}

function peek(): u32 {
  return load<u32>(context.stack + ((top - 1) << 2));
}

function isModifier(kind: u32): bool {
  return kind == KIND_VOLATILE || kind == KIND_CONST || kind == KIND_RESTRICT || kind == KIND_TYPE_TAG;
}

/**
 * Declares `label` as of type `id`; bodies of anonymous types are indented by
 * `level` tabs.
 */
export function declare(p: usize, id: u32, label: Label, level: u32, depth: i32): usize {
  if (failure) return p;
  if (depth > C_DEPTH_LIMIT) {
    fail(ERR_C_CYCLE, id);
    return p;
  }
  const start = top;
  let at = id;
  for (;;) {
    // The return type of a FUNC_PROTO is the one reference that opening does not check.
    if (at >= idLimit(image)) at = 0;
    const kind = kindAt(at);
    if (!strip || !isModifier(kind)) {
      if (top >= C_STACK_COUNT || !spend(at)) {
        fail(ERR_C_CYCLE, id);
        return p;
      }
      store<u32>(context.stack + (top << 2), at);
      top++;
    } else if (!spend(at)) return p;
    if (kind == KIND_ARRAY) at = load<u32>(changetype<usize>(typeOf(at)), ARRAY_ELEMENT);
    else if (kind == KIND_PTR || kind == KIND_FUNC_PROTO || isModifier(kind)) at = typeOf(at).size;
    else break;
  }
  p = chain(p, start, label, level, depth + 1);
  top = start;
  return p;
}

/** Writes and pops the modifiers on top, as they stand before a type's name. */
function prefixModifiers(p: usize, start: u32): usize {
  while (top > start && !full(p)) {
    switch (kindAt(peek())) {
      case KIND_VOLATILE:
        p = phrase(p, "volatile ");
        break;
      case KIND_CONST:
        p = phrase(p, "const ");
        break;
      case KIND_RESTRICT:
        p = phrase(p, "restrict ");
        break;
      default:
        return p;
    }
    top--;
  }
  return p;
}

function dropModifiers(start: u32): void {
  while (top > start && isModifier(kindAt(peek()))) top--;
}

function spacedName(p: usize, label: Label, afterPointer: bool): usize {
  if (isEmpty(label)) return p;
  return writeLabel(afterPointer ? p : char(p, SPACE), label);
}

function chain(p: usize, start: u32, label: Label, level: u32, depth: i32): usize {
  if (depth > C_DEPTH_LIMIT) {
    fail(ERR_C_CYCLE, 0);
    return p;
  }
  // True at first: a lone `*` inside parentheses takes no space before it.
  let afterPointer = true;
  while (top > start) {
    if (full(p)) return p;
    const id = peek();
    top--;
    const type = id ? typeOf(id) : changetype<Type>(0);
    const kind = kindAt(id);
    if (kind == KIND_ARRAY) return arrayOf(p, start, type, label, level, depth, afterPointer);
    if (kind == KIND_FUNC_PROTO) return functionOf(p, start, type, label, level, depth, afterPointer);
    if (!id) {
      p = phrase(prefixModifiers(p, start), "void");
    } else {
      switch (kind) {
        case KIND_PTR:
          p = afterPointer ? char(p, 42) : phrase(p, " *");
          break;
        case KIND_VOLATILE:
          p = phrase(p, " volatile");
          break;
        case KIND_CONST:
          p = phrase(p, " const");
          break;
        case KIND_RESTRICT:
          p = phrase(p, " restrict");
          break;
        case KIND_TYPE_TAG:
          p = typeTag(prefixModifiers(p, start), type);
          break;
        default:
          if (!isDeclarable(kind)) return p;
          p = terminal(prefixModifiers(p, start), id, type, kind, level, depth);
          break;
      }
    }
    afterPointer = kind == KIND_PTR;
  }
  return spacedName(p, label, afterPointer);
}

function typeTag(p: usize, tag: Type): usize {
  if (kindFlag(tag.info)) {
    return phrase(plainName(phrase(p, " __attribute__(("), tag.nameOff), "))");
  }
  return phrase(plainName(phrase(p, ' __attribute__((btf_type_tag("'), tag.nameOff), '")))');
}

/** FUNC, VAR, DATASEC and DECL_TAG are no types of anything: libbpf writes nothing for them. */
function isDeclarable(kind: u32): bool {
  return kind != KIND_FUNC && kind != KIND_VAR && kind != KIND_DATASEC && kind != KIND_DECL_TAG;
}

/** The type that a chain ends in. */
function terminal(p: usize, id: u32, type: Type, kind: u32, level: u32, depth: i32): usize {
  switch (kind) {
    case KIND_INT:
    case KIND_FLOAT:
      return plainName(p, type.nameOff);
    case KIND_STRUCT:
    case KIND_UNION:
      if (!type.nameOff) return composite(p, id, level, depth);
      return typeName(phrase(p, kind == KIND_STRUCT ? "struct " : "union "), id);
    case KIND_ENUM:
    case KIND_ENUM64:
      if (!type.nameOff) return enumeration(p, id, level);
      return typeName(phrase(p, "enum "), id);
    case KIND_FWD:
      return typeName(phrase(p, kindFlag(type.info) ? "union " : "struct "), id);
    case KIND_TYPEDEF:
      return typeName(p, id);
    default:
      return phrase(p, "void /* unknown kind */");
  }
}

function arrayOf(p: usize, start: u32, array: Type, label: Label, level: u32, depth: i32, afterPointer: bool): usize {
  // Modifiers of an array say nothing that its elements' do not: GCC writes them twice.
  dropModifiers(start);
  if (top == start) {
    p = spacedName(p, label, afterPointer);
  } else {
    const parentheses = kindAt(peek()) != KIND_ARRAY;
    if (!afterPointer && !isEmpty(label)) p = char(p, SPACE);
    if (parentheses) p = char(p, 40);
    p = chain(p, start, label, level, depth + 1);
    if (parentheses) p = char(p, 41);
  }
  return char(unsigned(char(p, 91), load<u32>(changetype<usize>(array), ARRAY_LENGTH)), 93);
}

function functionOf(p: usize, start: u32, proto: Type, label: Label, level: u32, depth: i32, afterPointer: bool): usize {
  // GCC marks functions that do not return as volatile.
  dropModifiers(start);
  if (top > start) p = char(chain(phrase(p, " ("), start, label, level, depth + 1), 41);
  else p = spacedName(p, label, afterPointer);
  p = char(p, 40);
  const first = changetype<usize>(proto) + TYPE_SIZE;
  const end = first + vlenOf(proto.info) * 8;
  if (first == end || (first + PARAM_SIZE == end && load<u32>(first, PARAM_TYPE) == 0)) return phrase(p, "void)");
  for (let param = first; param < end; param += PARAM_SIZE) {
    if (full(p)) return p;
    if (param != first) p = phrase(p, ", ");
    const type = load<u32>(param, PARAM_TYPE);
    if (type == 0 && param + PARAM_SIZE == end) p = phrase(p, "...");
    else p = declare(p, type, load<u32>(param, PARAM_NAME), level, depth + 1);
  }
  return char(p, 41);
}
