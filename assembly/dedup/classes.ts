// Classes of equal types by partition refinement.
//
// Types begin in classes by hash. A class splits as soon as two of its members
// refer to different classes; what has left its class makes those that refer
// to it look again. Of the parts of a class the largest keeps the class's
// number and only the others count as moved (Hopcroft), so that a reference is
// looked at a logarithmic number of times at most: work grows with
// references × log(types), however many images were put together, where
// comparing types pair by pair compares the same pairs over and over.
//
// Types that refer to each other in circles start in one class and stay there
// unless something tells them apart: the result is the coarsest partition that
// holds, the largest number of merges.
import { KIND_ARRAY, KIND_DATASEC, KIND_ENUM, KIND_FUNC_PROTO, KIND_STRUCT, KIND_UNION, TYPE_SIZE } from "../abi";
import { ERR_COLLISION } from "../edit-abi";
import { kindOf, Type, vlenOf } from "../image";
import { refuse } from "../status";
import { elementBytes, elementId, fixedBytes, fixedIds, get, get64, Graph, mixed, recordAt, recordBytes, refers, set, set64, shapeOf } from "./graph";

/** Puts types of equal hash into one class. `slots` is zeroed, at least 4/3 as many as ids. */
export function startClasses(graph: Graph): void {
  const hash = graph.hash;
  const slots = graph.slots;
  const slotMask = graph.slotMask;
  const classes = graph.classes;
  const classLength = graph.classLength;
  const idLimit = graph.idLimit;
  const alias = graph.alias;
  let count: u32 = 0;
  for (let id: u32 = 0; id < idLimit; id++) {
    const own = get64(hash, id);
    let found = count;
    // Void, and what stands for another type, are in classes of their own.
    if (id && get(alias, id) == id) {
      let slot = <u32>(own >> 8) & slotMask;
      for (let taken = get(slots, slot); taken; taken = get(slots, slot)) {
        if (get64(hash, taken - 1) == own) {
          found = get(classes, taken - 1);
          break;
        }
        slot = (slot + 1) & slotMask;
      }
      if (found == count) set(slots, slot, id + 1);
    }
    if (found == count) set(classLength, count++, 0);
    set(classes, id, found);
    set(classLength, found, get(classLength, found) + 1);
  }
  graph.classCount = count;
  arrange(graph);
}

/** A class of its own for each type: nothing is merged. */
export function separate(graph: Graph): void {
  for (let id: u32 = 0; id < graph.idLimit; id++) {
    set(graph.classes, id, id);
    set(graph.classLength, id, 1);
  }
  graph.classCount = graph.idLimit;
}

/** Every member of a class of two or more is to be looked at. */
export function touchAll(graph: Graph): void {
  let count: u32 = 0;
  for (let one: u32 = 0; one < graph.classCount; one++) {
    const length = get(graph.classLength, one);
    set(graph.classMarks, one, length);
    if (length > 1) set(graph.touched, count++, one);
  }
  graph.touchedCount = count;
}

/** Lays out members class by class; every member of a class of two or more is to be looked at. */
function arrange(graph: Graph): void {
  const classes = graph.classes;
  const members = graph.members;
  const places = graph.places;
  const classStart = graph.classStart;
  const classLength = graph.classLength;
  const classMarks = graph.classMarks;
  const touched = graph.touched;
  const idLimit = graph.idLimit;
  const classCount = graph.classCount;
  let at: u32 = 0;
  let count: u32 = 0;
  for (let one: u32 = 0; one < classCount; one++) {
    const length = get(classLength, one);
    set(classStart, one, at);
    at += length;
    set(classMarks, one, 0);
    if (length > 1) set(touched, count++, one);
  }
  graph.touchedCount = count;
  for (let id: u32 = 0; id < idLimit; id++) {
    const one = get(classes, id);
    const filled = get(classMarks, one);
    const place = get(classStart, one) + filled;
    set(classMarks, one, filled + 1);
    set(members, place, id);
    set(places, id, place);
  }
}

/** What a type is and refers to, as one number; what stands for another type is like no other. */
// @ts-ignore: decorator
@inline
function signature(graph: Graph, id: u32): u64 {
  const end = graph.edges + (<usize>get(graph.edgeStart, id + 1) << 2);
  let hash = get64(graph.shape, id);
  if (get(graph.alias, id) != id) return mixed(hash, id);
  for (let edge = graph.edges + (<usize>get(graph.edgeStart, id) << 2); edge < end; edge += 4) {
    hash = mixed(hash, get(graph.classes, load<u32>(edge)) + 1);
  }
  return hash;
}

/** Exchanges two places, signatures too. */
// @ts-ignore: decorator
@inline
function exchange(members: usize, hash: usize, a: u32, b: u32): void {
  const member = get(members, a);
  const sign = get64(hash, a);
  set(members, a, get(members, b));
  set64(hash, a, get64(hash, b));
  set(members, b, member);
  set64(hash, b, sign);
}

/** Sorts the places [start, start + length) by signature: insertion for few, a heap for many. */
function sort(members: usize, hash: usize, start: u32, length: u32): void {
  if (length <= 16) {
    for (let i: u32 = 1; i < length; i++) {
      for (let j = i; j > 0 && get64(hash, start + j) < get64(hash, start + j - 1); j--) exchange(members, hash, start + j, start + j - 1);
    }
    return;
  }
  for (let root = length >> 1; root-- > 0; ) sink(members, hash, start, root, length);
  for (let last = length - 1; last > 0; last--) {
    exchange(members, hash, start, start + last);
    sink(members, hash, start, 0, last);
  }
}

function sink(members: usize, hash: usize, start: u32, root: u32, length: u32): void {
  for (;;) {
    let child = (root << 1) + 1;
    if (child >= length) return;
    if (child + 1 < length && get64(hash, start + child) < get64(hash, start + child + 1)) child++;
    if (get64(hash, start + root) >= get64(hash, start + child)) return;
    exchange(members, hash, start + root, start + child);
    root = child;
  }
}

/** Makes [start, start + length) a class of its own. */
function found(graph: Graph, start: u32, length: u32): void {
  const one = graph.classCount++;
  set(graph.classStart, one, start);
  set(graph.classLength, one, length);
  set(graph.classMarks, one, 0);
  for (let place = start; place < start + length; place++) set(graph.classes, get(graph.members, place), one);
}

/** Splits a class whose first `marks` members are to be looked at. Their signatures go to `otherHash`, by place. */
function split(graph: Graph, one: u32): void {
  const members = graph.members;
  const places = graph.places;
  const classStart = graph.classStart;
  const classLength = graph.classLength;
  const signatures = graph.otherHash;
  const start = get(classStart, one);
  const length = get(classLength, one);
  const marks = get(graph.classMarks, one);
  set(graph.classMarks, one, 0);
  const first = signature(graph, get(members, start));
  set64(signatures, start, first);
  let same = true;
  for (let place = start + 1; place < start + marks; place++) {
    const sign = signature(graph, get(members, place));
    set64(signatures, place, sign);
    if (sign != first) same = false;
  }
  if (same && marks == length) return;
  if (!same) {
    sort(members, signatures, start, marks);
    for (let place = start; place < start + marks; place++) set(places, get(members, place), place);
  }
  // The largest part keeps the number: the unmarked rest, or a run of equal signatures.
  const end = start + marks;
  let keepStart = end;
  let keepLength = length - marks;
  for (let run = start; run < end; ) {
    let next = run + 1;
    while (next < end && get64(signatures, next) == get64(signatures, run)) next++;
    if (next - run > keepLength) {
      keepStart = run;
      keepLength = next - run;
    }
    run = next;
  }
  for (let run = start; run < end; ) {
    let next = run + 1;
    while (next < end && get64(signatures, next) == get64(signatures, run)) next++;
    if (run != keepStart) found(graph, run, next - run);
    run = next;
  }
  if (keepStart != end && length > marks) found(graph, end, length - marks);
  set(classStart, one, keepStart);
  set(classLength, one, keepLength);
}

/** Lists, for each type, those in classes of two or more that refer to it. */
function listParents(graph: Graph): void {
  const edges = graph.edges;
  const edgeStart = graph.edgeStart;
  const parentStart = graph.parentStart;
  const parents = graph.parents;
  const classes = graph.classes;
  const classLength = graph.classLength;
  const idLimit = graph.idLimit;
  memory.fill(parentStart, 0, (<usize>idLimit + 1) << 2);
  for (let id: u32 = 1; id < idLimit; id++) {
    if (get(classLength, get(classes, id)) < 2) continue;
    const end = get(edgeStart, id + 1);
    for (let edge = get(edgeStart, id); edge < end; edge++) {
      const to = get(edges, edge);
      set(parentStart, to, get(parentStart, to) + 1);
    }
  }
  let sum: u32 = 0;
  for (let id: u32 = 0; id <= idLimit; id++) {
    sum += get(parentStart, id);
    set(parentStart, id, sum);
  }
  for (let id: u32 = 1; id < idLimit; id++) {
    if (get(classLength, get(classes, id)) < 2) continue;
    const end = get(edgeStart, id + 1);
    for (let edge = get(edgeStart, id); edge < end; edge++) {
      const to = get(edges, edge);
      const at = get(parentStart, to) - 1;
      set(parentStart, to, at);
      set(parents, at, id);
    }
  }
}

/** Marks those that refer to the members of classes from `from` on. */
function markParents(graph: Graph, from: u32): void {
  const members = graph.members;
  const places = graph.places;
  const parents = graph.parents;
  const parentStart = graph.parentStart;
  const classes = graph.classes;
  const classStart = graph.classStart;
  const classLength = graph.classLength;
  const classMarks = graph.classMarks;
  const touched = graph.touched;
  let count: u32 = 0;
  for (let one = from; one < graph.classCount; one++) {
    const last = get(classStart, one) + get(classLength, one);
    for (let moved = get(classStart, one); moved < last; moved++) {
      const id = get(members, moved);
      const end = get(parentStart, id + 1);
      for (let at = get(parentStart, id); at < end; at++) {
        const parent = get(parents, at);
        const group = get(classes, parent);
        if (get(classLength, group) < 2) continue;
        const start = get(classStart, group);
        const marks = get(classMarks, group);
        const place = get(places, parent);
        if (place < start + marks) continue;
        if (!marks) set(touched, count++, group);
        const other = get(members, start + marks);
        set(members, start + marks, parent);
        set(places, parent, start + marks);
        set(members, place, other);
        set(places, other, place);
        set(classMarks, group, marks + 1);
      }
    }
  }
  graph.touchedCount = count;
}

/**
 * Splits classes until none splits any more, or `budget` classes have been
 * looked at. `listed` says whether parents have been listed by an earlier call.
 * Returns 1 if there is more to do.
 */
export function refine(graph: Graph, budget: u32, listed: bool): bool {
  while (graph.touchedCount) {
    const known = graph.classCount;
    const count = graph.touchedCount;
    for (let i: u32 = 0; i < count; i++) split(graph, get(graph.touched, i));
    graph.touchedCount = 0;
    if (graph.classCount == known) return false;
    if (!listed) listParents(graph);
    listed = true;
    markParents(graph, known);
    if (count >= budget) break;
    budget -= count;
  }
  return graph.touchedCount > 0;
}

/** Whether two records are the same but for the ids they hold. */
function sameShape(a: usize, b: usize): bool {
  const info = changetype<Type>(a).info;
  if (info != changetype<Type>(b).info || changetype<Type>(a).nameOff != changetype<Type>(b).nameOff) return false;
  const shape = shapeOf(info);
  if (!refers(shape) && changetype<Type>(a).size != changetype<Type>(b).size) return false;
  const fixed = TYPE_SIZE + fixedBytes(shape);
  for (let off = TYPE_SIZE + (fixedIds(shape) << 2); off < fixed; off += 4) {
    if (load<u32>(a + off) != load<u32>(b + off)) return false;
  }
  const size = elementBytes(shape);
  if (!size) return true;
  const end = a + recordBytes(shape, info);
  const id = elementId(shape);
  a += fixed;
  b += fixed;
  if (!id) return memory.compare(a, b, end - a) == 0;
  for (; a < end; a += size) {
    for (let off: u32 = 0; off < size; off += 4) {
      if (off + 1 != id && load<u32>(a + off) != load<u32>(b + off)) return false;
    }
    b += size;
  }
  return true;
}

/**
 * Compares the members of each class, word by word and reference by reference:
 * no merge rests on a hash. Refuses with ERR_COLLISION if two differ.
 */
export function checkClasses(graph: Graph): i32 {
  const members = graph.members;
  const classStart = graph.classStart;
  const classLength = graph.classLength;
  const edges = graph.edges;
  const edgeStart = graph.edgeStart;
  const classes = graph.classes;
  for (let one: u32 = 0; one < graph.classCount; one++) {
    const length = get(classLength, one);
    if (length < 2) continue;
    const start = get(classStart, one);
    const first = get(members, start);
    const edge = edges + (<usize>get(edgeStart, first) << 2);
    const count = get(edgeStart, first + 1) - get(edgeStart, first);
    for (let place = start + 1; place < start + length; place++) {
      const id = get(members, place);
      let same = sameShape(recordAt(graph, first), recordAt(graph, id));
      const other = edges + (<usize>get(edgeStart, id) << 2);
      for (let i: u32 = 0; same && i < count; i++) {
        same = get(classes, get(edge, i)) == get(classes, get(other, i));
      }
      if (!same) return refuse(ERR_COLLISION, 0, id, first);
    }
  }
  return 0;
}
