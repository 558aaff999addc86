// Layouts as pahole writes them: src/inspect/layout/printer.ts in its default
// style. Whatever is out of the ordinary fails, and is the host's.
import { phrase } from "../text/writer";
import { hashString, sameString } from "../format/bytes";
import { Declarator, declaratorOf, stringLength, useScratch } from "./declarator";
import { Composite, compositeOf, embedsFlexibleArray, endsInFlexibleArray, Field, fieldAt, findHoles, inferPacked, inferPackedInUnion } from "./shapes";
import { isMisprinted } from "./misprint";
import { after, cacheline, compatible, countOf, fail, failed, infoOf, isDefinition, isEnum, isStruct, isUnion, kindAt, limit, nameOf, recordAt, strings, take, targetOf } from "./state";

const DEPTH_LIMIT: u32 = 60;
const TYPE_COLUMN: i32 = 26;
const NESTED_COLUMN: i32 = 8;
/** A member's line takes at most so much besides its type and name. */
const SLACK: usize = 4096;

/** Where the next byte goes, and where the window ends. */
let out: usize = 0;
let end: usize = 0;
/** The window is full: the whole text is begun anew in a larger one. */
let isFull: bool = false;

/** The definition at hand has a type that pahole misprints: it is the host's. */
let isForeign: bool = false;

let nameColumn: i32 = 23;
let line: u32 = 0;
let depth: u32 = 0;
let next: u32 = 1;
let table: usize = 0;
let mask: u32 = 0;

/** What a definition takes over from the one around it. */
@unmanaged
class Scope {
  indent: u32;
  column: i32;
  base: u32;
  isRelative: u32;
  hasSummary: u32;
  suffix: usize;
  /** -1: none. */
  suffixLength: i32;
  inUnion: u32;
  isFirst: u32;
  isLast: u32;
}

const SCOPES = memory.data(48 * 80, 16);
let scopes: usize = SCOPES;

function scopeFrom(scope: Scope): Scope {
  const made = scopes;
  scopes += 48;
  if (scopes > SCOPES + 48 * 78) {
    fail();
    scopes = SCOPES + 48 * 70;
  }
  memory.copy(made, changetype<usize>(scope), offsetof<Scope>());
  return changetype<Scope>(made);
}

// @ts-ignore: decorator
@inline
function say(literal: string): void {
  out = phrase(out, literal);
}

function put(from: usize, length: u32): void {
  if (out + length > end) {
    isFull = true;
    return;
  }
  memory.copy(out, from, length);
  out += length;
}

function fits(): bool {
  if (out <= end) return true;
  isFull = true;
  return false;
}

function putName(offset: u32): void {
  const from = strings + offset;
  put(from, stringLength(from));
}

function spaces(count: i32): void {
  if (count < 1) count = 1;
  memory.fill(out, 0x20, count);
  out += count;
}

function tabs(count: u32): void {
  count = min(count, 16);
  memory.fill(out, 9, count);
  out += count;
}

function digitsOf(value: u64): u32 {
  let digits: u32 = 1;
  for (; value > 9; value /= 10) digits++;
  return digits;
}

function putNumber(value: u64, width: u32): void {
  const digits = digitsOf(value);
  const columns = max(digits, width);
  memory.fill(out, 0x20, columns - digits);
  let at = out + columns;
  for (let i: u32 = 0; i < digits; i++) {
    store<u8>(--at, <u8>(48 + (value % 10)));
    value /= 10;
  }
  out += columns;
}

function putSigned(value: i64): void {
  if (value < 0) {
    say("-");
    putNumber(<u64>-value, 0);
  } else putNumber(<u64>value, 0);
}

// @ts-ignore: decorator
@inline
function isOpenEnded(scope: Scope): bool {
  return scope.isLast != 0 && scope.isFirst == 0 && scope.inUnion == 0;
}

function enumeration(id: u32, scope: Scope): void {
  say("enum");
  if (nameOf(id)) {
    say(" ");
    putName(nameOf(id));
  }
  const count = countOf(id);
  if (!count) return;
  say(" {\n");
  const isWide = kindAt(id) == 19;
  const isSigned = <i32>infoOf(id) < 0;
  const step: u32 = isWide ? 12 : 8;
  let width: u32 = 0;
  const first = recordAt(id) + 12;
  for (let i: u32 = 0; i < count; i++) width = max(width, stringLength(strings + load<u32>(first + i * step)));
  for (let i: u32 = 0; i < count && fits(); i++) {
    const at = first + i * step;
    tabs(scope.indent);
    say("\t");
    const from = strings + load<u32>(at);
    const length = stringLength(from);
    put(from, length);
    if (isFull || out + width > end) {
      isFull = true;
      return;
    }
    memory.fill(out, 0x20, width - length);
    out += width - length;
    say(" = ");
    if (isWide) {
      const value = (<u64>load<u32>(at, 8) << 32) | load<u32>(at, 4);
      if (isSigned) putSigned(<i64>value);
      else putNumber(value, 0);
    } else if (isSigned) putSigned(load<i32>(at, 4));
    else putNumber(load<u32>(at, 4), 0);
    say(",\n");
  }
  tabs(scope.indent);
  say("}");
  const size = load<u32>(recordAt(id), 8);
  if (size && size != 4) say(" __attribute__((__packed__))");
  suffix(scope);
}

function suffix(scope: Scope): void {
  if (scope.suffixLength < 0) return;
  say(" ");
  put(scope.suffix, scope.suffixLength);
}

function definition(id: u32, scope: Scope, column: i32): void {
  if (++depth > DEPTH_LIMIT) fail();
  else if (isEnum(id)) enumeration(id, scope);
  else {
    const inner = scopeFrom(scope);
    inner.column = column - NESTED_COLUMN;
    if (isUnion(id)) union(compositeOf(id), inner);
    else struct(compositeOf(id), inner);
    scopes = changetype<usize>(inner);
  }
  depth--;
}

/** A type and the name of what has it; a length of -1 where a definition's name follows by itself. */
function type(id: u32, name: usize, length: i32, outer: Scope, column: i32): void {
  const scope = scopeFrom(outer);
  let at = id;
  let room = column;
  if (isDefinition(at)) {
    scope.suffix = name;
    scope.suffixLength = length;
    scope.hasSummary = 0;
  }
  for (let steps: u32 = 0; !failed; steps++) {
    if (steps > DEPTH_LIMIT) fail();
    const kind = kindAt(at);
    if (kind == 10 && targetOf(at)) {
      say("const ");
      room -= 6;
      at = targetOf(at);
      continue;
    }
    if (kind == 18 && targetOf(at)) {
      at = targetOf(at);
      continue;
    }
    if (kind == 2) {
      const inPlace = declaratorOf(at, room).definition;
      if (!inPlace) break;
      const starred = take(<usize>max(length, 0) + 8);
      if (length < 0 || length > 250) {
        fail();
        break;
      }
      store<u16>(starred, 0x202a);
      memory.copy(starred + 2, name, length);
      scope.suffix = starred;
      scope.suffixLength = length + 2;
      scope.hasSummary = 0;
      scope.isRelative = 1;
      room -= NESTED_COLUMN;
      at = inPlace;
      continue;
    }
    if (kind == 3) {
      let element = targetOf(at);
      const count = after(at, 2);
      if (count == 0 && kindAt(element) == 10) element = targetOf(element);
      if (!element || ++depth > DEPTH_LIMIT) fail();
      else type(element, name, length, scope, room);
      depth--;
      if (count == 0 && isOpenEnded(scope)) say("[]");
      else {
        say("[");
        putNumber(count, 0);
        say("]");
      }
      scopes = changetype<usize>(scope);
      return;
    }
    if (isDefinition(at) && !nameOf(at)) {
      if (isUnion(at) && scope.suffixLength < 0) {
        scope.suffix = name;
        scope.suffixLength = length;
      }
      definition(at, scope, room);
      scopes = changetype<usize>(scope);
      return;
    }
    break;
  }
  scopes = changetype<usize>(scope);
  if (failed) return;
  const declarator = declaratorOf(at, room);
  if (failed) return;
  put(declarator.before, declarator.beforeLength);
  if (length >= 0) put(name, length);
  else if (declarator.showsNull) say("(null)");
  put(declarator.after, declarator.afterLength);
}

function boundary(offset: u32, indent: u32): void {
  const at = offset / cacheline;
  if (at <= line) return;
  line = at;
  const ago = offset % cacheline;
  say("/* --- cacheline ");
  putNumber(at, 0);
  say(" boundary (");
  putNumber(offset - ago, 0);
  say(" bytes)");
  if (ago) {
    say(" was ");
    putNumber(ago, 0);
    if (ago > 1) say(" bytes ago");
    else say(" byte ago");
  }
  say(" --- */\n");
  tabs(indent);
}

function member(field: Field, scope: Scope, isInUnion: bool): void {
  if (!fits()) return;
  if (!compatible && isMisprinted(field.typeId)) {
    isForeign = true;
    return;
  }
  let offset = field.byteOffset;
  let base = scope.base;
  if (!scope.isRelative) {
    offset += base;
    if (!isInUnion) base = offset;
  }
  boundary(offset, scope.indent);
  const start = out;
  const id = field.typeId;
  const column = scope.column;
  const declarator = declaratorOf(id, column);
  if (failed) return;
  const isHere = isDefinition(id);
  if (declarator.definition) {
    const inner = scopeFrom(scope);
    inner.base = base;
    const name = strings + field.name;
    if (isHere) {
      type(id, 0, -1, inner, column);
      if (field.name) {
        if (!nameOf(id)) say(" ");
        putName(field.name);
      }
    } else type(id, name, field.name ? <i32>stringLength(name) : -1, inner, column);
    scopes = changetype<usize>(inner);
  } else {
    put(declarator.before, declarator.beforeLength);
    if (field.name) putName(field.name);
    else if (declarator.showsNull) say("(null)");
    if (isOpenEnded(scope)) put(declarator.afterLast, declarator.afterLastLength);
    else put(declarator.after, declarator.afterLength);
  }
  if (!fits()) return;
  if (field.bitfieldBits) {
    say(":");
    putNumber(field.bitfieldBits, 0);
  }
  let taken: i32 = 0;
  if (field.alignment) {
    const from = out;
    say(" __attribute__((__aligned__(");
    putNumber(field.alignment, 0);
    say(")))");
    taken = <i32>(out - from);
  }
  say(";");
  let spacing = column + nameColumn - <i32>(out - start);
  if (isHere && !nameOf(id)) {
    taken += field.name ? <i32>stringLength(strings + field.name) : -1;
    if (isStruct(id) && compositeOf(id).packed) taken += 28;
    spacing = abs(column + nameColumn - taken - 3);
    if (spacing > 3000) {
      fail();
      return;
    }
  }
  spaces(spacing);
  say("/* ");
  putNumber(offset, 5);
  if (field.bitfieldBits) {
    say(":");
    putNumber(field.bitfieldOffset, 2);
    say(" ");
    putNumber(field.byteSize, 2);
  } else {
    say(" ");
    putNumber(field.byteSize, 5);
  }
  say(" */");
}

function union(composite: Composite, scope: Scope): void {
  const indent = min(scope.indent, 16);
  const inner = scopeFrom(scope);
  inner.indent = indent + 1;
  inner.inUnion = 1;
  say("union");
  if (nameOf(composite.id)) {
    say(" ");
    putName(nameOf(composite.id));
  }
  say(" {\n");
  inferPackedInUnion(composite);
  const before = line;
  for (let i: u32 = 0; i < composite.count && !failed && !isForeign && fits(); i++) {
    tabs(indent + 1);
    member(fieldAt(composite, i), inner, true);
    say("\n");
    line = before;
  }
  tabs(indent);
  say("}");
  suffix(scope);
  scopes = changetype<usize>(inner);
}

/** Sums over the members' own types. */
@unmanaged
class Totals {
  paddings: u32;
  paddingBytes: u32;
  bitPaddings: u32;
  paddingBits: u32;
  withHoles: u32;
  holes: u32;
  withBitHoles: u32;
  bitHoles: u32;
  flexible: u32;
  embedded: u32;
}

const TOTALS = memory.data(48 * 80, 16);
let totalsAt: usize = TOTALS;

function counted(count: u32, unit: string): void {
  say(" ");
  putNumber(count, 0);
  say(unit);
  if (count != 1) say("s");
}

let isFirstPart = true;

function part(): void {
  if (!isFirstPart) say(",");
  isFirstPart = false;
}

function innerSpace(inner: Composite, totals: Totals, indent: u32): bool {
  findHoles(inner);
  inferPacked(inner);
  const isFlexible = endsInFlexibleArray(inner);
  const isEmbedding = embedsFlexibleArray(inner);
  if (!inner.padding && !inner.bitPadding && !inner.holes && !inner.bitHoles && !isFlexible && !isEmbedding) return false;
  say("\n\n");
  tabs(indent);
  say("/* XXX last struct has");
  isFirstPart = true;
  if (isFlexible) {
    part();
    say(" a flexible array");
    totals.flexible++;
  }
  if (isEmbedding) {
    part();
    say(" embedded flexible array(s)");
    totals.embedded++;
  }
  if (inner.padding) {
    part();
    counted(inner.padding, " byte");
    say(" of padding");
    totals.paddings++;
    totals.paddingBytes += inner.padding;
  }
  if (inner.bitPadding) {
    part();
    counted(inner.bitPadding, " bit");
    say(" of padding");
    totals.bitPaddings++;
    totals.paddingBits += inner.bitPadding;
  }
  if (inner.holes) {
    part();
    counted(inner.holes, " hole");
    totals.withHoles++;
    totals.holes += inner.holes;
  }
  if (inner.bitHoles) {
    part();
    counted(inner.bitHoles, " bit hole");
    totals.withBitHoles++;
    totals.bitHoles += inner.bitHoles;
  }
  say(" */");
  return true;
}

function hole(count: u32, unit: string, indent: u32): void {
  tabs(indent);
  say("/* XXX");
  counted(count, unit);
  say(" hole, try to pack */");
}

function struct(composite: Composite, scope: Scope): void {
  const indent = min(scope.indent, 16);
  const inner = scopeFrom(scope);
  const inside = indent + 1;
  inner.indent = inside;
  const totals = changetype<Totals>(totalsAt);
  totalsAt += 48;
  memory.fill(changetype<usize>(totals), 0, offsetof<Totals>());
  say("struct");
  if (nameOf(composite.id)) {
    say(" ");
    putName(nameOf(composite.id));
  }
  say(" {\n");
  findHoles(composite);
  inferPacked(composite);
  let sumHoles: u32 = 0;
  let sumBitHoles: u32 = 0;
  let sumBytes: u32 = 0;
  let sumBits: u32 = 0;
  let forced: u32 = 0;
  let forcedHoles: u32 = 0;
  let sumForcedHoles: u32 = 0;
  let isBlankDue = false;
  if (composite.preBitHole || composite.preHole) {
    say("\n");
    isBlankDue = true;
    if (composite.preBitHole) {
      hole(composite.preBitHole, " bit", inside);
      say("\n");
    }
    if (composite.preHole) {
      hole(composite.preHole, " byte", inside);
      say("\n");
    }
    sumBitHoles += composite.preBitHole;
    sumHoles += composite.preHole;
  }
  let last = changetype<Field>(0);
  let lastSize: u32 = 0;
  const count = composite.count;
  for (let i: u32 = 0; i < count && !failed && fits(); i++) {
    const field = fieldAt(composite, i);
    const hasLast = changetype<usize>(last) != 0;
    if (field.alignment) {
      const before: i32 = hasLast ? last.hole : composite.preHole;
      if (before) {
        forcedHoles++;
        sumForcedHoles += before;
      }
      forced++;
    }
    if (hasLast && lastSize) {
      if (last.bitHole && field.bitfieldBits) {
        let bits: u32 = last.bitHole;
        if (last.byteOffset != field.byteOffset) {
          say("\n");
          tabs(inside);
          say("/* Force alignment to the next boundary: */\n");
          bits = 0;
        }
        tabs(inside);
        type(field.typeId, strings, 0, inner, inner.column);
        say(":");
        putNumber(bits, 0);
        say(";\n");
      }
      const moved: i32 = field.byteOffset - last.byteOffset;
      const previous = moved < 0 || (moved == 0 && !last.bitfieldBits && field.bitfieldBits != 0);
      if (previous || (moved > 0 && <u32>moved < lastSize)) {
        if (!isBlankDue) say("\n");
        tabs(inside);
        if (previous) say("/* Bitfield combined with previous fields */\n");
        else say("/* Bitfield combined with next fields */\n");
        isBlankDue = true;
      }
    }
    if (isBlankDue) say("\n");
    isBlankDue = false;
    tabs(inside);
    inner.isLast = i == count - 1 ? 1 : 0;
    inner.isFirst = hasLast ? 0 : 1;
    member(field, inner, false);
    if (failed || isFull || isForeign) break;
    if (isStruct(field.typeId)) isBlankDue = innerSpace(compositeOf(field.typeId), totals, inside);
    if (field.bitHole) {
      say(isBlankDue ? "\n" : "\n\n");
      hole(field.bitHole, " bit", inside);
      isBlankDue = true;
      sumBitHoles += field.bitHole;
    }
    if (field.hole > 0) {
      say(isBlankDue ? "\n" : "\n\n");
      hole(field.hole, " byte", inside);
      isBlankDue = true;
      sumHoles += field.hole;
    }
    say("\n");
    if (field.bitfieldBits) sumBits += field.bitfieldBits;
    else sumBytes += field.byteSize;
    if (!hasLast || !lastSize || last.byteOffset != field.byteOffset || (!last.bitfieldBits && field.bitfieldBits)) {
      lastSize = field.byteSize;
    }
    last = field;
  }
  if (scope.hasSummary && fits()) {
    const size = composite.size;
    const real: u32 = size == 1 && !count ? 0 : size;
    say("\n");
    tabs(inside);
    say("/* size: ");
    putNumber(size, 0);
    say(", cachelines: ");
    putNumber((real + cacheline - 1) / cacheline, 0);
    say(", members: ");
    putNumber(count, 0);
    say(" */\n");
    if (sumHoles || sumBitHoles) {
      if (sumBytes) {
        tabs(inside);
        say("/* sum members: ");
        putNumber(sumBytes, 0);
        if (sumHoles) {
          say(", holes: ");
          putNumber(composite.holes, 0);
          say(", sum holes: ");
          putNumber(sumHoles, 0);
        }
        say(" */\n");
      }
      if (sumBits) {
        tabs(inside);
        say("/* sum bitfield members: ");
        putNumber(sumBits, 0);
        say(" bits");
        if (sumBitHoles) {
          say(", bit holes: ");
          putNumber(composite.bitHoles, 0);
          say(", sum bit holes: ");
          putNumber(sumBitHoles, 0);
          say(" bits");
        } else {
          say(" (");
          putNumber(sumBits / 8, 0);
          say(" bytes)");
        }
        say(" */\n");
      }
    }
    if (composite.padding) {
      tabs(inside);
      say("/* padding: ");
      putNumber(composite.padding, 0);
      say(" */\n");
    }
    if (totals.withHoles || totals.withBitHoles || totals.bitPaddings) {
      tabs(inside);
      say("/* member types with ");
      if (totals.withHoles) {
        say("holes: ");
        putNumber(totals.withHoles, 0);
        say(", total: ");
        putNumber(totals.holes, 0);
      }
      if (totals.withBitHoles) {
        if (totals.withHoles) say(", ");
        say("bit holes: ");
        putNumber(totals.withBitHoles, 0);
        say(", total: ");
        putNumber(totals.bitHoles, 0);
      }
      if (totals.bitPaddings) {
        if (totals.withHoles || totals.withBitHoles) say(", ");
        say("bit paddings: ");
        putNumber(totals.bitPaddings, 0);
        say(", total: ");
        putNumber(totals.paddingBits, 0);
        say(" bit");
        if (totals.paddingBits > 1) say("s");
      }
      say(" */\n");
    }
    if (totals.paddings) {
      tabs(inside);
      say("/* paddings: ");
      putNumber(totals.paddings, 0);
      say(", sum paddings: ");
      putNumber(totals.paddingBytes, 0);
      say(" */\n");
    }
    if (composite.bitPadding) {
      tabs(inside);
      say("/* bit_padding: ");
      putNumber(composite.bitPadding, 0);
      say(" bits */\n");
    }
    if (forced) {
      tabs(inside);
      say("/* forced alignments: ");
      putNumber(forced, 0);
      if (forcedHoles) {
        say(", forced holes: ");
        putNumber(forcedHoles, 0);
        say(", sum forced holes: ");
        putNumber(sumForcedHoles, 0);
      }
      say(" */\n");
    }
    if (totals.flexible || totals.embedded) {
      tabs(inside);
      say("/* flexible array members: ");
      if (totals.flexible) {
        say("end: ");
        putNumber(totals.flexible, 0);
        if (totals.embedded) say(", ");
      }
      if (totals.embedded) {
        say("middle: ");
        putNumber(totals.embedded, 0);
      }
      say(" */\n");
    }
    const rest = (scope.base + size) % cacheline;
    if (rest) {
      tabs(inside);
      say("/* last cacheline: ");
      putNumber(rest, 0);
      say(" bytes */\n");
    }
    // The sums do not add up: pahole has a line for that, and the host has it too.
    const sum = (sumBytes + sumHoles + composite.padding) * 8 + sumBits + sumBitHoles + composite.bitPadding;
    if (sum != size * 8 && count && !isForeign) fail();
  }
  tabs(indent);
  say("}");
  if (composite.packed) say(" __attribute__((__packed__))");
  suffix(scope);
  if (composite.alignment && !composite.packed) {
    say(" __attribute__((__aligned__(");
    putNumber(composite.alignment, 0);
    say(")))");
  }
  totalsAt = changetype<usize>(totals);
  scopes = changetype<usize>(inner);
}

/** A definition met before, in the order of meeting. */
@unmanaged
class Met {
  composite: Composite;
  chain: usize;
}

function isSame(a: Composite, b: Composite): bool {
  if (a.size != b.size || a.count != b.count) return false;
  if (!sameString(strings + nameOf(a.id), strings + nameOf(b.id))) return false;
  for (let i: u32 = 0; i < a.count; i++) {
    const one = fieldAt(a, i);
    const other = fieldAt(b, i);
    if (one.bitOffset != other.bitOffset || one.bitfieldBits != other.bitfieldBits) return false;
    if (one.name != other.name && one.name && other.name && !sameString(strings + one.name, strings + other.name)) {
      return false;
    }
  }
  return true;
}

/** Whether a definition was met before; it is now. */
function meet(composite: Composite): bool {
  const head = table + ((<u32>hashString(strings + nameOf(composite.id), 0x9e3779b9) & mask) << 2);
  let steps: u32 = 0;
  for (let at: usize = load<u32>(head); at; at = changetype<Met>(at).chain) {
    if (isSame(changetype<Met>(at).composite, composite)) return true;
    // Names that were chosen to meet are the host's.
    if (++steps > 4096) fail();
    if (failed) return false;
  }
  const met = changetype<Met>(take(offsetof<Met>()));
  if (failed) return false;
  met.composite = composite;
  met.chain = load<u32>(head);
  store<u32>(head, changetype<usize>(met));
  return false;
}

/** Begins: `scratchAt` has SCRATCH_SIZE bytes, `heads` a table of `headMask` + 1 words of zeros. */
export function begin(scratchAt: usize, heads: usize, headMask: u32): void {
  useScratch(scratchAt);
  table = heads;
  mask = headMask;
  next = 1;
  isForeign = false;
}

/** Leaves out the definition that the host has written. */
export function skip(): void {
  isForeign = false;
  next++;
}

/** Id that the next call begins with. */
export function position(): u32 {
  return next;
}

/**
 * Writes definitions until half of the window is full. Returns the bytes; -1
 * where a definition does not fit, -2 where the host has to do it all by itself,
 * -3 where it has to write the next definition and to call `skip`.
 */
export function layouts(window: usize, length: u32): i32 {
  out = window;
  end = window + length - SLACK;
  const enough = window + (length >> 1);
  isFull = false;
  if (isForeign) return -3;
  for (; next < limit && out < enough; next++) {
    const kind = kindAt(next);
    if ((kind != 4 && kind != 5) || !nameOf(next)) continue;
    const composite = compositeOf(next);
    if (failed) return -2;
    if (meet(composite)) continue;
    if (failed) return -2;
    line = 0;
    depth = 0;
    totalsAt = TOTALS;
    scopes = SCOPES;
    nameColumn = kind == 5 ? 21 : 23;
    const from = out;
    const scope = changetype<Scope>(scopes);
    scopes += 48;
    memory.fill(changetype<usize>(scope), 0, offsetof<Scope>());
    scope.column = TYPE_COLUMN;
    scope.hasSummary = 1;
    scope.suffixLength = -1;
    if (kind == 5) union(composite, scope);
    else struct(composite, scope);
    say(";\n");
    if (failed) return -2;
    if (isForeign) {
      out = from;
      return out > window ? <i32>(out - window) : -3;
    }
    if (isFull) return -1;
  }
  return <i32>(out - window);
}
