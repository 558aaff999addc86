// Forward declarations: which definition each of them could stand for.
//
// A FWD, or an enum without values, stands for the struct, union or enum of
// its name if there is one definition only. Of several it stands for the one
// that most witnesses ask for: a witness is a struct, union or typedef that is
// equal to another one but that it refers to the declaration where the other
// refers to the definition. Without a witness it stands for the first if all
// turn out to be the same type, or, if it declares an enum, for the one that
// libbpf comes to, which resolves these by name alone; else for itself. To
// find witnesses, classes are made first with such names opaque: declaration and
// definitions count as one type, whatever is in them. What is equal in the end
// is equal then, so that the classes only have to be refined afterwards (choice.ts).
//
// libbpf comes to the same while it compares structs (btf_dedup_is_equiv,
// btf_dedup_merge_hypot_map) and afterwards by name (btf_dedup_resolve_fwds).
import { KIND_ENUM, KIND_ENUM64, KIND_FWD, KIND_STRUCT, KIND_TYPEDEF, KIND_UNION } from "../../format/generated/abi";
import { Forward, FORWARD_SIZE, Named, NAMED_SIZE } from "../../format/generated/edit-abi";
import { kindFlag, kindOf, Type, vlenOf } from "../../format/image";
import { get, get64, Graph, groupAt, mixed, recordAt, set, set64 } from "./graph";

// Bits of `opaque`.
/** The type declares or defines a name with several definitions. */
export const OPAQUE: u8 = 1;
/** The type is a declaration of such a name, and not the base's. */
const DECLARED: u8 = 2;
/** A declaration that stands for another type and is in its class, but none of its members. */
export const RESOLVED_DECLARATION: u8 = 4;
/** The type that resolved declarations stand for. */
export const RESOLUTION: u8 = 8;
/** Position of a level: the number of references that lead to a declaration, plus 1. */
const LEVEL_SHIFT: u8 = 4;

// States of a name; 0: it has at most one definition.
/** The name has several definitions. */
export const AMBIGUOUS: u32 = 1;
/** The name has several definitions, and no choice among them holds. */
export const UNRESOLVED: u32 = 2;
/** The choice of the name was found wrong in this round. */
export const RETRACTED: u32 = 3;

export { Forward, Named };

/** Returns the kind that a forward declaration declares: KIND_STRUCT, KIND_UNION or KIND_ENUM; 0 for any other type. */
// @ts-ignore: decorator
@inline
function declared(type: Type): u32 {
  const info = type.info;
  const kind = kindOf(info);
  if (kind == KIND_FWD) return kindFlag(info) ? KIND_UNION : KIND_STRUCT;
  return (kind == KIND_ENUM || kind == KIND_ENUM64) && !vlenOf(info) ? KIND_ENUM : 0;
}

/** Returns the kind that a struct, union or enum defines, as `declared` does; 0 for any other type. */
// @ts-ignore: decorator
@inline
function defined(type: Type): u32 {
  const info = type.info;
  const kind = kindOf(info);
  if (kind == KIND_STRUCT || kind == KIND_UNION) return kind;
  return (kind == KIND_ENUM || kind == KIND_ENUM64) && vlenOf(info) ? KIND_ENUM : 0;
}

// @ts-ignore: decorator
@inline
function typeOf(graph: Graph, id: u32): Type {
  return changetype<Type>(recordAt(graph, id));
}

/** The name's entry in the table of forward declarations, or the free one where it would be. */
function entryOf(graph: Graph, name: u32, kind: u32): Forward {
  const table = graph.forwards;
  const mask = graph.forwardMask;
  let slot = <u32>(mixed(graph.seed ^ name, kind) >> 8) & mask;
  let entry = changetype<Forward>(table + <usize>slot * FORWARD_SIZE);
  while (entry.name && (entry.name != name || entry.kind != kind)) {
    slot = (slot + 1) & mask;
    entry = changetype<Forward>(table + <usize>slot * FORWARD_SIZE);
  }
  return entry;
}

// @ts-ignore: decorator
@inline
function entryOfType(graph: Graph, type: Type): Forward {
  const declares = declared(type);
  return entryOf(graph, type.nameOff, declares ? declares : defined(type));
}

export function entryOfId(graph: Graph, id: u32): Forward {
  return entryOfType(graph, typeOf(graph, id));
}

// @ts-ignore: decorator
@inline
export function entryAt(graph: Graph, slot: u32): Forward {
  return changetype<Forward>(graph.forwards + <usize>slot * FORWARD_SIZE);
}

/**
 * Enters the declared names into the table (zeroed, with more room than names
 * are declared), finds the first definition of each, and lets own declarations
 * stand for it where it is the only one. Of what hashShapes has listed it
 * leaves those whose names have several definitions; returns how many.
 */
export function findDefinitions(graph: Graph): u32 {
  const list = graph.members;
  let rest: u32 = 0;
  for (let i: u32 = 0; i < graph.namedCount; i++) {
    const id = get(list, i);
    const type = typeOf(graph, id);
    const kind = declared(type);
    if (id < graph.firstId || !kind) continue;
    const entry = entryOf(graph, type.nameOff, kind);
    entry.name = type.nameOff;
    entry.kind = kind;
  }
  for (let i: u32 = 0; i < graph.namedCount; i++) {
    const id = get(list, i);
    const type = typeOf(graph, id);
    const entry = entryOfType(graph, type);
    if (!entry.name) continue;
    set(list, rest++, id);
    if (declared(type)) {
      if (!entry.declaration) entry.declaration = id;
    } else if (!entry.definition) {
      entry.definition = id;
      entry.latest = id;
    } else {
      const shape = get64(graph.shape, id);
      entry.state = AMBIGUOUS;
      if (get64(graph.shape, entry.definition) == shape) continue;
      entry.unlike = 1;
      const isOpen = entry.declaration <= entry.definition;
      if (isOpen && get64(graph.shape, entry.latest) != shape) entry.latest = id;
    }
  }
  let several: u32 = 0;
  for (let i: u32 = 0; i < rest; i++) {
    const id = get(list, i);
    const type = typeOf(graph, id);
    const entry = entryOfType(graph, type);
    if (entry.state == AMBIGUOUS) set(list, several++, id);
    else if (id >= graph.firstId && declared(type)) {
      // A declaration of an enum is like any other of its name, of whatever kind and size.
      const stands = entry.definition || entry.kind != KIND_ENUM ? entry.definition : entry.declaration;
      if (stands) set(graph.alias, id, stands);
    }
  }
  return several;
}

/** Makes the `count` types opaque that findDefinitions has left, and keeps their shapes in `kept`. */
export function makeOpaque(graph: Graph, kept: usize, count: u32): void {
  for (let i = count; i-- > 0; ) {
    const id = get(graph.members, i);
    const type = typeOf(graph, id);
    const entry = entryOfType(graph, type);
    const named = changetype<Named>(kept + <usize>i * NAMED_SIZE);
    named.id = id;
    named.shape = get64(graph.shape, id);
    named.witness = 0;
    named.other = 0;
    named.votes = 0;
    set64(graph.shape, id, mixed(mixed(graph.seed, entry.name), entry.kind));
    // Lists in the order of ids.
    if (declared(type)) {
      named.next = entry.declarations;
      entry.declarations = changetype<usize>(named);
      store<u8>(graph.opaque + id, id < graph.firstId ? OPAQUE : OPAQUE | DECLARED);
    } else {
      named.next = entry.definitions;
      entry.definitions = changetype<usize>(named);
      store<u8>(graph.opaque + id, OPAQUE);
    }
  }
}

/** The next declaration after `shadow` (0: the first) that stands for `id`, or 0. */
export function follow(graph: Graph, id: u32, shadow: usize): usize {
  let at = shadow ? changetype<Named>(shadow).next : entryOfType(graph, typeOf(graph, id)).declarations;
  for (; at; at = changetype<Named>(at).next) {
    const declaration = changetype<Named>(at).id;
    if (declaration != id && get(graph.alias, declaration) == id) return at;
  }
  return 0;
}

const WITNESSES: u32 = (1 << KIND_STRUCT) | (1 << KIND_UNION) | (1 << KIND_TYPEDEF);
/** References between a declaration and what votes, at most. */
const REACH: u32 = 6;
/** Pairs of types that wait to be compared; members of a class compared with one; definitions of a name that may be chosen. */
const PAIRS: u32 = 256;
const OTHERS: u32 = 16;
const CHOICES: u32 = 64;
const pairs = memory.data(2048, 8);

// @ts-ignore: decorator
@inline
function levelOf(graph: Graph, id: u32): u32 {
  return load<u8>(graph.opaque + id) >> LEVEL_SHIFT;
}

/** Types looked at for one name; steps for all of them by id: witnesses stand close by, and hostile names are many. */
const ANCESTORS: u32 = 8192;
const STEPS_BY_ID: u32 = 8;
let stepsLeft: u32 = 0;

/**
 * Looks for witnesses among what leads to opaque declarations, and counts
 * votes: of all types, whatever their kind, that would be equal to others.
 * `queue` has a word an id; parents are listed.
 */
export function findWitnesses(graph: Graph, kept: usize, count: u32, queue: usize): void {
  stepsLeft = graph.idLimit * STEPS_BY_ID;
  for (const end = kept + <usize>count * NAMED_SIZE; kept < end; kept += NAMED_SIZE) {
    const id = changetype<Named>(kept).id;
    const entry = entryOfId(graph, id);
    if (entry.declarations == kept) findWitness(graph, kept, queue);
  }
}

/** The same for the name of one list of declarations. */
function findWitness(graph: Graph, declarations: usize, queue: usize): void {
  const opaque = graph.opaque;
  let tail: u32 = 0;
  for (; declarations; declarations = changetype<Named>(declarations).next) {
    const id = changetype<Named>(declarations).id;
    if (!(load<u8>(opaque + id) & DECLARED)) continue;
    store<u8>(opaque + id, OPAQUE | DECLARED | (1 << LEVEL_SHIFT));
    set(queue, tail++, id);
  }
  for (let head: u32 = 0; head < tail; head++) {
    const id = get(queue, head);
    const level = levelOf(graph, id);
    if (level > 1) vote(graph, id);
    if (level > REACH) continue;
    const end = get(graph.parentStart, id + 1);
    for (let at = get(graph.parentStart, id); at < end && tail < ANCESTORS && stepsLeft; at++) {
      stepsLeft--;
      const parent = get(graph.parents, at);
      if (load<u8>(opaque + parent)) continue;
      store<u8>(opaque + parent, <u8>((level + 1) << LEVEL_SHIFT));
      set(queue, tail++, parent);
    }
  }
  while (tail > 0) {
    const at = opaque + get(queue, --tail);
    store<u8>(at, load<u8>(at) & (OPAQUE | DECLARED));
  }
}

/** Compares a type with the others of its class. */
function vote(graph: Graph, id: u32): void {
  const group = groupAt(graph, get(graph.classes, id));
  if (group.length < 2) return;
  const end = group.start + min(group.length, OTHERS);
  for (let place = group.start; place < end; place++) compare(graph, id, get(graph.members, place));
}

/** Walks two types of one class side by side, towards declarations, and notes where one declares what the other defines. */
function compare(graph: Graph, witness: u32, other: u32): void {
  store<u64>(pairs, (<u64>other << 32) | witness);
  const witnesses = ((WITNESSES >> load<u8>(graph.kinds + witness)) & 1) != 0;
  let waiting: u32 = 1;
  let seen: u32 = 0;
  while (waiting && seen++ < PAIRS && stepsLeft) {
    const pair = load<u64>(pairs + ((--waiting) << 3));
    const a = <u32>pair;
    const b = <u32>(pair >> 32);
    const from = get(graph.edgeStart, a);
    const count = get(graph.edgeStart, a + 1) - from;
    const beside = get(graph.edgeStart, b);
    stepsLeft -= min(stepsLeft, count + 1);
    if (get(graph.edgeStart, b + 1) - beside != count) continue;
    const level = levelOf(graph, a);
    for (let i: u32 = 0; i < count; i++) {
      const x = get(graph.edges, from + i);
      const flags = load<u8>(graph.opaque + x);
      const below: u32 = flags >> LEVEL_SHIFT;
      if (!below || below >= level) continue;
      const y = get(graph.edges, beside + i);
      if (x == y) continue;
      if (!(flags & DECLARED)) {
        if (waiting < PAIRS) store<u64>(pairs + ((waiting++) << 3), (<u64>y << 32) | x);
        continue;
      }
      const type = typeOf(graph, y);
      if (declared(type) || !(load<u8>(graph.opaque + y) & OPAQUE)) continue;
      let at = entryOfType(graph, type).definitions;
      for (let n: u32 = 0; at && n < CHOICES && changetype<Named>(at).id != y; n++) at = changetype<Named>(at).next;
      const named = changetype<Named>(at);
      if (!at || named.id != y) continue;
      named.votes++;
      if (!witnesses || named.witness) continue;
      named.witness = witness;
      named.other = other;
    }
  }
}
