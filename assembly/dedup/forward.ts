// Forward declarations: which definition each of them stands for.
//
// A FWD, or an enum without values, stands for the struct, union or enum of
// its name if there is one definition only. Of several it stands for the one
// that a witness asks for: a struct, union or typedef that is equal to another
// one but that it refers to the declaration where the other refers to the
// definition. Without a witness it stands for the first if all turn out to be
// the same type, or if it declares an enum, else for itself. To find witnesses, classes are made first
// with such names opaque: declaration and definitions count as one type,
// whatever is in them. What is equal in the end is equal then, so that the
// classes only have to be refined afterwards; and again where a choice turns
// out not to hold, since to take a declaration for itself tells more apart.
//
// libbpf comes to the same while it compares structs (btf_dedup_is_equiv,
// btf_dedup_merge_hypot_map) and afterwards by name (btf_dedup_resolve_fwds).
import { KIND_ARRAY, KIND_CONST, KIND_ENUM, KIND_ENUM64, KIND_FUNC_PROTO, KIND_FWD, KIND_PTR, KIND_RESTRICT, KIND_STRUCT, KIND_TYPEDEF, KIND_TYPE_TAG, KIND_UNION, KIND_VOLATILE } from "../abi";
import { FORWARD_SIZE } from "../edit-abi";
import { kindFlag, kindOf, Type, vlenOf } from "../image";
import { get, get64, Graph, mixed, recordAt, set, set64 } from "./graph";

// Bits of `opaque`.
/** Declared or defined under a name that has several definitions. */
export const OPAQUE: u8 = 1;
/** An own declaration of such a name. */
const DECLARED: u8 = 2;
/** Refers to one through anonymous references. */
const REFERS: u8 = 4;

// States of a name; 0: it has one definition or none.
/** It has several. */
const SEVERAL: u32 = 1;
/** It has several, and no choice among them holds. */
const ALONE: u32 = 2;

@unmanaged
class Forward {
  name: u32;
  kind: u32;
  definition: u32;
  state: u32;
  chosen: u32;
  witness: u32;
  other: u32;
  unlike: u32;
  declaration: u32;
  latest: u32;
}

/** What is declared: KIND_STRUCT, KIND_UNION, KIND_ENUM; 0 for what is no forward declaration. */
// @ts-ignore: decorator
@inline
function declared(type: Type): u32 {
  const info = type.info;
  const kind = kindOf(info);
  if (kind == KIND_FWD) return kindFlag(info) ? KIND_UNION : KIND_STRUCT;
  // An anonymous enum without values declares nothing that could be found.
  if ((kind == KIND_ENUM || kind == KIND_ENUM64) && !vlenOf(info) && type.nameOff) return KIND_ENUM;
  return 0;
}

/** What is defined, likewise. */
// @ts-ignore: decorator
@inline
function defined(type: Type): u32 {
  const info = type.info;
  const kind = kindOf(info);
  if (!type.nameOff) return 0;
  if (kind == KIND_STRUCT || kind == KIND_UNION) return kind;
  return (kind == KIND_ENUM || kind == KIND_ENUM64) && vlenOf(info) ? KIND_ENUM : 0;
}

// @ts-ignore: decorator
@inline
function typeOf(graph: Graph, id: u32): Type {
  return changetype<Type>(recordAt(graph, id));
}

/** The entry of a name and kind, or the free one where it would be. */
function entryOf(table: usize, mask: u32, name: u32, kind: u32): Forward {
  let slot = <u32>(mixed(name, kind) >> 8) & mask;
  let entry = changetype<Forward>(table + <usize>slot * FORWARD_SIZE);
  while (entry.name && (entry.name != name || entry.kind != kind)) {
    slot = (slot + 1) & mask;
    entry = changetype<Forward>(table + <usize>slot * FORWARD_SIZE);
  }
  return entry;
}

/** Sets each type's alias to itself; returns how many own types declare something. */
export function countForwards(graph: Graph): u32 {
  let count: u32 = 0;
  for (let id: u32 = 0; id < graph.idLimit; id++) {
    set(graph.alias, id, id);
    if (id >= graph.firstId && declared(typeOf(graph, id))) count++;
  }
  return count;
}

/**
 * Enters the declared names into `table` (zeroed, mask + 1 entries, more than
 * are declared) and finds the first definition of each. Returns how many types
 * declare or define one of them.
 */
export function findDefinitions(graph: Graph, table: usize, mask: u32): u32 {
  const limit = graph.idLimit;
  let count: u32 = 0;
  for (let id = graph.firstId; id < limit; id++) {
    const type = typeOf(graph, id);
    const kind = declared(type);
    // An anonymous FWD is no name either.
    if (!kind || !type.nameOff) continue;
    const entry = entryOf(table, mask, type.nameOff, kind);
    entry.name = type.nameOff;
    entry.kind = kind;
  }
  for (let id: u32 = 1; id < limit; id++) {
    const type = typeOf(graph, id);
    const declares = declared(type);
    const kind = declares ? declares : defined(type);
    if (!kind || !type.nameOff) continue;
    const entry = entryOf(table, mask, type.nameOff, kind);
    if (!entry.name) continue;
    count++;
    if (declares) {
      if (!entry.declaration) entry.declaration = id;
    } else if (!entry.definition) {
      entry.definition = id;
      entry.latest = id;
    } else {
      const shape = get64(graph.shape, id);
      entry.state = SEVERAL;
      if (get64(graph.shape, entry.definition) == shape) continue;
      entry.unlike = 1;
      const isOpen = entry.declaration <= entry.definition;
      if (isOpen && get64(graph.shape, entry.latest) != shape) entry.latest = id;
    }
  }
  return count;
}

/** Lets own declarations stand for their definitions, where these are known. */
export function applyForwards(graph: Graph, table: usize, mask: u32): void {
  for (let id = graph.firstId; id < graph.idLimit; id++) {
    const type = typeOf(graph, id);
    const kind = declared(type);
    if (!kind || !type.nameOff) continue;
    const entry = entryOf(table, mask, type.nameOff, kind);
    let stands = entry.state ? entry.chosen : entry.definition;
    // A declaration of an enum is like any other of its name, of whatever kind and size.
    if (!stands && kind == KIND_ENUM) stands = entry.declaration;
    set(graph.alias, id, stands ? stands : id);
  }
}

/**
 * Makes all types opaque whose name has several definitions, and keeps their
 * shapes in `kept`, 16 bytes each. Returns how many.
 */
export function makeOpaque(graph: Graph, table: usize, mask: u32, kept: usize): u32 {
  let count: u32 = 0;
  for (let id: u32 = 1; id < graph.idLimit; id++) {
    const type = typeOf(graph, id);
    const declares = declared(type);
    const kind = declares ? declares : defined(type);
    if (!kind || !type.nameOff) continue;
    const entry = entryOf(table, mask, type.nameOff, kind);
    if (entry.state != SEVERAL) continue;
    store<u32>(kept + (<usize>count << 4), id);
    store<u64>(kept + (<usize>count << 4), get64(graph.shape, id), 8);
    set64(graph.shape, id, mixed(mixed(graph.seed, entry.name), entry.kind));
    store<u8>(graph.opaque + id, OPAQUE | (declares && id >= graph.firstId ? DECLARED : 0));
    count++;
  }
  return count;
}

/**
 * Gives `count` opaque types their shapes back. Their classes, and they alone,
 * are to be looked at again.
 */
export function endOpaque(graph: Graph, kept: usize, count: u32): void {
  memory.fill(graph.opaque, 0, graph.idLimit);
  let touched: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(kept + (<usize>i << 4));
    set64(graph.shape, id, load<u64>(kept + (<usize>i << 4), 8));
    const group = get(graph.classes, id);
    if (get(graph.classMarks, group)) continue;
    const length = get(graph.classLength, group);
    set(graph.classMarks, group, length);
    set(graph.touched, touched++, group);
  }
  graph.touchedCount = touched;
}

/** Bits of kinds that lie between a witness and a declaration; structs and unions if they have no name. */
const COMPOSITES: u32 = (1 << KIND_STRUCT) | (1 << KIND_UNION);
const ANONYMOUS: u32 = COMPOSITES | (1 << KIND_PTR) | (1 << KIND_CONST) | (1 << KIND_VOLATILE) | (1 << KIND_RESTRICT) |
  (1 << KIND_ARRAY) | (1 << KIND_FUNC_PROTO) | (1 << KIND_TYPE_TAG); // prettier-ignore
const WITNESSES: u32 = COMPOSITES | (1 << KIND_TYPEDEF);
/** Anonymous references that lie between a witness and a declaration at most. */
const REACH: u32 = 4;
/** Pairs of types that wait to be compared; how many members of a class are compared with a witness. */
const PAIRS: u32 = 256;
const OTHERS: u32 = 8;
const pairs = memory.data(2048, 8);

/** Whether one of the types that `id` refers to has one of the bits. */
function refersTo(graph: Graph, id: u32, bits: u8): bool {
  const end = get(graph.edgeStart, id + 1);
  for (let edge = get(graph.edgeStart, id); edge < end; edge++) {
    if (load<u8>(graph.opaque + get(graph.edges, edge)) & bits) return true;
  }
  return false;
}

/** Looks for witnesses, in the order of ids; the first for a name decides. Without one definitions of equal shape may be equal. */
export function findWitnesses(graph: Graph, table: usize, mask: u32): void {
  const limit = graph.idLimit;
  for (let sweep: u32 = 0; sweep < REACH; sweep++) {
    let marked = false;
    for (let id: u32 = 1; id < limit; id++) {
      if (load<u8>(graph.opaque + id) || !refersTo(graph, id, DECLARED | REFERS)) continue;
      const type = typeOf(graph, id);
      const bit: u32 = 1 << kindOf(type.info);
      if (!(ANONYMOUS & bit) || ((COMPOSITES & bit) && type.nameOff)) continue;
      store<u8>(graph.opaque + id, REFERS);
      marked = true;
    }
    if (!marked) break;
  }
  for (let id: u32 = 1; id < limit; id++) {
    if ((load<u8>(graph.opaque + id) & OPAQUE) || !refersTo(graph, id, DECLARED | REFERS)) continue;
    const type = typeOf(graph, id);
    if (!type.nameOff || !((WITNESSES >> kindOf(type.info)) & 1)) continue;
    const group = get(graph.classes, id);
    const length = get(graph.classLength, group);
    if (length < 2) continue;
    const start = get(graph.classStart, group);
    const end = start + min(length, OTHERS);
    for (let place = start; place < end; place++) compare(graph, table, mask, id, get(graph.members, place));
  }
  for (let slot: u32 = 0; slot <= mask; slot++) {
    const entry = changetype<Forward>(table + <usize>slot * FORWARD_SIZE);
    if (entry.state != SEVERAL || entry.chosen) continue;
    if (!entry.unlike) entry.chosen = entry.definition;
    else if (entry.kind == KIND_ENUM) giveUp(entry);
  }
}

/** No choice holds: declarations stand for themselves; those of enums, which libbpf resolves by name alone, for the definition that it comes to. */
function giveUp(entry: Forward): void {
  entry.state = ALONE;
  entry.chosen = entry.kind == KIND_ENUM ? entry.latest : entry.declaration;
}

/** Walks two types of one class side by side and notes where one declares what the other defines. */
function compare(graph: Graph, table: usize, mask: u32, witness: u32, other: u32): void {
  store<u64>(pairs, (<u64>other << 32) | witness);
  let waiting: u32 = 1;
  let seen: u32 = 0;
  while (waiting && seen++ < PAIRS) {
    const pair = load<u64>(pairs + ((--waiting) << 3));
    const a = <u32>pair;
    const b = <u32>(pair >> 32);
    const from = get(graph.edgeStart, a);
    const count = get(graph.edgeStart, a + 1) - from;
    const beside = get(graph.edgeStart, b);
    for (let i: u32 = 0; i < count; i++) {
      const x = get(graph.edges, from + i);
      const y = get(graph.edges, beside + i);
      const flags = load<u8>(graph.opaque + x);
      if (x == y || !flags) continue;
      if (flags & REFERS) {
        if (waiting < PAIRS) store<u64>(pairs + ((waiting++) << 3), (<u64>y << 32) | x);
        continue;
      }
      const type = typeOf(graph, y);
      const kind = defined(type);
      if (!(flags & DECLARED) || !kind) continue;
      const entry = entryOf(table, mask, type.nameOff, kind);
      if (entry.chosen) continue;
      entry.chosen = y;
      entry.witness = witness;
      entry.other = other;
    }
  }
}

/**
 * Judges what declarations stand for by the classes that came of it. Where a
 * choice does not hold they stand for the first declaration from now on.
 * Returns how many names that concerns: if any, the classes are to be refined.
 * With `last` it concerns every choice, so that the next time is the last.
 */
export function judgeForwards(graph: Graph, table: usize, mask: u32, last: bool): u32 {
  let mistaken: u32 = 0;
  for (let id: u32 = 1; id < graph.idLimit; id++) {
    const type = typeOf(graph, id);
    const kind = defined(type);
    if (!kind) continue;
    const entry = entryOf(table, mask, type.nameOff, kind);
    if (entry.state != SEVERAL || !entry.chosen || entry.witness) continue;
    if (!last && get(graph.classes, entry.chosen) == get(graph.classes, id)) continue;
    giveUp(entry);
    mistaken++;
  }
  for (let slot: u32 = 0; slot <= mask; slot++) {
    const entry = changetype<Forward>(table + <usize>slot * FORWARD_SIZE);
    if (entry.state != SEVERAL || !entry.witness) continue;
    if (!last && get(graph.classes, entry.witness) == get(graph.classes, entry.other)) continue;
    giveUp(entry);
    mistaken++;
  }
  return mistaken;
}
