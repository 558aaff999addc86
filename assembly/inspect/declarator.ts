// Types as pahole writes them before and after a member's name.
import { phrase } from "../text/writer";
import { after, compatible, countOf, fail, failed, isDefinition, isStruct, isUnion, kindAt, Known, knownOf, named, nameOf, recordAt, strings, take, targetOf, wordOf } from "./state";

const DEPTH_LIMIT: u32 = 60;
/** The buffers that pahole writes names of types into, in bytes. */
const NAME_BUFFER: u32 = 128;
const POINTEE_BUFFER: u32 = 1024;

/** Where texts are made before they are kept: so many bytes, of which the last may be passed by a literal. */
export const SCRATCH_SIZE: u32 = 1 << 20;
const SCRATCH_SLACK: u32 = 4096;
let scratch: usize = 0;
let scratchEnd: usize = 0;
let depth: u32 = 0;
/** Names that were written: hostile prototypes lead to ever more. */
let work: u32 = 0;
const WORK_LIMIT: u32 = 1 << 23;

export function useScratch(at: usize): void {
  scratch = at;
  scratchEnd = at + SCRATCH_SIZE - SCRATCH_SLACK;
  depth = 0;
  work = 0;
}

@unmanaged
export class Declarator {
  /** A definition that is written in place; the rest is then of no use. */
  definition: u32;
  before: usize;
  beforeLength: u32;
  after: usize;
  afterLength: u32;
  /** As `after`, for the last member of a struct. */
  afterLast: usize;
  afterLastLength: u32;
  /** A member without a name is `(null)`. */
  showsNull: u32;
}

export function stringLength(at: usize): u32 {
  const start = at;
  while (load<u8>(at)) at++;
  return <u32>(at - start);
}

export function copyName(p: usize, offset: u32): usize {
  const from = strings + offset;
  const length = stringLength(from);
  if (p + length > scratchEnd) {
    fail();
    return p;
  }
  memory.copy(p, from, length);
  return p + length;
}

/** Spaces up to a column; a negative one counts as a positive one does. */
export function padTo(p: usize, start: usize, column: i32): usize {
  const end = start + abs(column);
  if (p < end) {
    memory.fill(p, 0x20, end - p);
    return end;
  }
  return p;
}

export function keyword(p: usize, id: u32): usize {
  if (isStruct(id)) return phrase(p, "struct ");
  return isUnion(id) ? phrase(p, "union ") : phrase(p, "enum ");
}

function number(p: usize, value: u32): usize {
  if (value > 9) p = number(p, value / 10);
  store<u8>(p, <u8>(48 + (value % 10)));
  return p + 1;
}

/** A type's name as pahole writes it into a buffer of so many bytes. */
export function nameTo(p: usize, id: u32, buffer: u32): usize {
  if (++depth > DEPTH_LIMIT || ++work > WORK_LIMIT || p > scratchEnd) fail();
  let end = p;
  if (!failed) end = nameWhole(p, id, buffer);
  depth--;
  return end;
}

function cut(p: usize, end: usize, buffer: u32): usize {
  if (end <= p + buffer - 1) return end;
  // What pahole cuts short is whole in C.
  if (!compatible) fail();
  return p + buffer - 1;
}

function nameWhole(p: usize, id: u32, buffer: u32): usize {
  if (!id) return phrase(p, "void");
  switch (kindAt(id)) {
    case 1:
      return nameOf(id) ? copyName(p, nameOf(id)) : phrase(p, "nameless base type!");
    case 16:
      return cut(p, copyName(phrase(p, "single "), nameOf(id)), 64);
    case 2: {
      if (wordOf(id) == 0) return phrase(p, "void *");
      let pointee = targetOf(id);
      if (!pointee) {
        fail();
        return p;
      }
      let isConst = false;
      if (kindAt(pointee) == 10) {
        const next = targetOf(pointee);
        if (kindAt(next) == 2) {
          isConst = true;
          pointee = next;
        }
      }
      let end = nameTo(p, pointee, POINTEE_BUFFER);
      end = isConst ? phrase(end, " const *") : phrase(end, " *");
      return cut(p, end, buffer);
    }
    case 8:
    case 9:
    case 10:
      break;
    case 11: {
      const end = nameTo(p, targetOf(id), NAME_BUFFER);
      return cut(p, phrase(end, " restrict "), buffer);
    }
    case 3:
    case 18:
      return nameTo(p, targetOf(id), buffer);
    case 13: {
      let end = nameTo(p, targetOf(id), NAME_BUFFER);
      end = phrase(end, " ()");
      return cut(p, parametersTo(end, id), buffer);
    }
    default: {
      const end = keyword(p, id);
      return nameOf(id) ? copyName(end, nameOf(id)) : end;
    }
  }
  // Typedefs are 8, `volatile` 9, `const` 10.
  if (kindAt(id) == 8) return copyName(p, nameOf(id));
  let end = kindAt(id) == 10 ? phrase(p, "const ") : phrase(p, "volatile ");
  end = nameTo(end, targetOf(id), NAME_BUFFER);
  return cut(p, phrase(end, " "), buffer);
}

function prototypeTo(p: usize, proto: u32, open: bool, name: u32): usize {
  p = nameTo(p, targetOf(proto), NAME_BUFFER);
  p = open ? phrase(p, " (*") : phrase(p, " ");
  if (name) p = copyName(p, name);
  if (open) p = phrase(p, ")");
  return parametersTo(p, proto);
}

/** `(int, char *, ...)` */
export function parametersTo(p: usize, proto: u32): usize {
  if (++depth > DEPTH_LIMIT) fail();
  store<u8>(p++, 0x28);
  let isFirst = true;
  let isVariadic = false;
  const record = recordAt(proto);
  for (let i: u32 = 0, count = countOf(proto); i < count && !failed; i++) {
    const name = named(load<u32>(record + 12 + (i << 3)));
    const type = load<u32>(record + 12 + (i << 3), 4);
    if (!type) {
      isVariadic = true;
      continue;
    }
    if (p > scratchEnd || !kindAt(type)) {
      fail();
      break;
    }
    if (!isFirst) p = phrase(p, ", ");
    isFirst = false;
    const kind = kindAt(type);
    if (kind == 2 && kindAt(targetOf(type)) == 13) p = prototypeTo(p, targetOf(type), true, name);
    else if (kind == 13) p = prototypeTo(phrase(p, "inline "), type, false, name);
    else {
      p = nameTo(p, type, NAME_BUFFER);
      if (name) p = copyName(phrase(p, " "), name);
    }
  }
  depth--;
  if (isFirst) return phrase(p, "void)");
  return isVariadic ? phrase(p, ", ...)") : phrase(p, ")");
}

/** Keeps what was written since `from`. */
function keep(from: usize, end: usize): usize {
  const length = end - from;
  const at = take(length + 16);
  if (!failed) memory.copy(at, from, length);
  return at;
}

/** What stands around the name of a member of a type, in a column of a width. */
export function declaratorOf(id: u32, width: i32): Declarator {
  const level = (26 - width) >> 3;
  const slot = changetype<usize>(knownOf(id)) + offsetof<Known>("declarators0") + (<usize>(level & 3) << 2);
  const isKept = level >= 0 && level < 4 && ((26 - width) & 7) == 0;
  if (isKept && load<u32>(slot)) return changetype<Declarator>(load<u32>(slot));
  const made = changetype<Declarator>(take(offsetof<Declarator>()));
  if (!failed) make(made, id, width);
  if (isKept && !failed) store<u32>(slot, changetype<usize>(made));
  return made;
}

function set(made: Declarator, before: usize, middle: usize, end: usize): void {
  const at = keep(before, end);
  made.before = at;
  made.beforeLength = <u32>(middle - before);
  made.after = at + (middle - before);
  made.afterLength = <u32>(end - middle);
  made.afterLast = made.after;
  made.afterLastLength = made.afterLength;
}

function make(made: Declarator, id: u32, width: i32): void {
  const start = scratch;
  let p = start;
  let at = id;
  let room = width;
  let isInArray = false;
  /** Lengths of arrays from the outermost in. */
  let dimensions: u32 = 0;
  for (let steps: u32 = 0; ; steps++) {
    if (steps > DEPTH_LIMIT) {
      fail();
      return;
    }
    const kind = kindAt(at);
    if (kind == 10) {
      p = phrase(p, "const ");
      room -= 6;
      const target = targetOf(at);
      if (!target) {
        // `const void`
        const from = p;
        p = padTo(nameTo(p, at, NAME_BUFFER), from, room);
        p = phrase(p, " ");
        set(made, start, p, p);
        made.showsNull = 1;
        return;
      }
      at = target;
    } else if (kind == 18) {
      at = targetOf(at);
      if (!at) {
        fail();
        return;
      }
    } else if (kind == 3) {
      // Arrays of arrays are rare, and left to the host.
      if (isInArray) {
        fail();
        return;
      }
      isInArray = true;
      dimensions = after(at, 2);
      let element = targetOf(at);
      if (dimensions == 0 && kindAt(element) == 10) element = targetOf(element);
      if (!element) {
        fail();
        return;
      }
      at = element;
    } else break;
  }
  const kind = kindAt(at);
  let proto: u32 = 0;
  let isPointer = false;
  if (kind == 2) {
    let pointee = targetOf(at);
    for (let steps: u32 = 0; kindAt(pointee) == 18 && steps < DEPTH_LIMIT; steps++) pointee = targetOf(pointee);
    if (kindAt(pointee) == 13) {
      proto = pointee;
      isPointer = true;
    } else if (isDefinition(pointee) && !nameOf(pointee)) {
      made.definition = pointee;
      return;
    }
  } else if (kind == 13) proto = at;
  else if (isDefinition(at)) {
    if (!nameOf(at)) {
      made.definition = at;
      return;
    }
    const from = keyword(p, at);
    const column = room - <i32>(from - p);
    p = padTo(copyName(from, nameOf(at)), from, column);
    p = phrase(p, " ");
    finish(made, start, p, isInArray, dimensions, false);
    return;
  }
  const from = p;
  if (proto) {
    p = padTo(nameTo(p, targetOf(proto), NAME_BUFFER), from, room);
    p = isPointer ? phrase(p, " (*") : phrase(p, " (");
    const middle = p;
    p = phrase(p, ")");
    p = parametersTo(p, proto);
    if (isInArray) {
      // Its dimension follows the parameters.
      if (dimensions == 0) {
        fail();
        return;
      }
      p = dimension(p, dimensions);
    }
    set(made, start, middle, p);
    return;
  }
  p = padTo(nameTo(p, at, NAME_BUFFER), from, room);
  p = phrase(p, " ");
  finish(made, start, p, isInArray, dimensions, true);
}

function dimension(p: usize, length: u32): usize {
  store<u8>(p, 0x5b);
  p = number(p + 1, length);
  store<u8>(p, 0x5d);
  return p + 1;
}

function finish(made: Declarator, start: usize, middle: usize, isInArray: bool, length: u32, showsNull: bool): void {
  made.showsNull = showsNull ? 1 : 0;
  if (!isInArray) {
    set(made, start, middle, middle);
    return;
  }
  const end = dimension(middle, length);
  const last = length ? end : phrase(end, "[]");
  set(made, start, middle, last);
  made.afterLength = <u32>(end - middle);
  if (!length) {
    made.afterLast = made.after + made.afterLength;
    made.afterLastLength = 2;
  }
}
