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
import { TYPE_SIZE } from "../../format/generated/abi";
import { ERR_COLLISION } from "../../format/generated/edit-abi";
import { Type } from "../../format/image";
import { refuse } from "../../format/status";
import { follow, Named, OPAQUE, RESOLUTION } from "./forward";
import { AHEAD, ahead, elementBytes, elementId, fixedBytes, fixedIds, get, get64, Graph, groupAt, mixed, recordAt, recordBytes, refers, set, set64, shapeOf } from "./graph";

/**
 * Puts types of equal hash into one class. `slots` is zeroed, at least 4/3 as
 * many as ids; one holds an id + 1 and, in the bits that ids leave, bits of its hash.
 */
export function startClasses(graph: Graph): void {
  const hash = graph.hash;
  const slots = graph.slots;
  const slotMask = graph.slotMask;
  const classes = graph.classes;
  const idLimit = graph.idLimit;
  const alias = graph.alias;
  const idMask: u32 = (1 << (32 - clz(idLimit))) - 1;
  let count: u32 = 0;
  // Images put together resemble each other: what follows a type is mostly what follows its equal.
  let near: u32 = 0;
  for (let block: u32 = 0; block < idLimit; block += AHEAD) {
    const end = min(block + AHEAD, idLimit);
    let loaded: u32 = 0;
    for (let id = block; id < end; id++) loaded ^= get(slots, <u32>(get64(hash, id) >> 8) & slotMask);
    store<u32>(ahead, loaded);
    for (let id = block; id < end; id++) {
      const ownHash = get64(hash, id);
      let found = count;
      // Void, and what stands for another type, are in classes of their own.
      if (id && get(alias, id) == id) {
        if (near && near < id && get64(hash, near) == ownHash && get(alias, near) == near) found = get(classes, near++);
        else {
          const tag = <u32>(ownHash >> 32) & ~idMask;
          let slot = <u32>(ownHash >> 8) & slotMask;
          for (let taken = get(slots, slot); taken; taken = get(slots, slot)) {
            const other = (taken & idMask) - 1;
            if ((taken & ~idMask) == tag && get64(hash, other) == ownHash) {
              found = get(classes, other);
              near = other + 1;
              break;
            }
            slot = (slot + 1) & slotMask;
          }
          if (found == count) set(slots, slot, tag | (id + 1));
        }
      }
      if (found == count) groupAt(graph, count++).length = 0;
      set(classes, id, found);
      groupAt(graph, found).length++;
    }
  }
  graph.classCount = count;
  graph.parentsListed = 0;
  arrange(graph);
  touchAll(graph);
}

/** A class of its own for each type: nothing is merged. */
export function separate(graph: Graph): void {
  for (let id: u32 = 0; id < graph.idLimit; id++) {
    set(graph.classes, id, id);
    groupAt(graph, id).length = 1;
  }
  graph.classCount = graph.idLimit;
}

/** The first `count` classes as `kept` has them. */
export function restoreClasses(graph: Graph, kept: usize, count: u32): void {
  const classes = graph.classes;
  memory.copy(classes, kept, <usize>graph.idLimit << 2);
  graph.classCount = count;
  for (let classId: u32 = 0; classId < count; classId++) groupAt(graph, classId).length = 0;
  for (let id: u32 = 0; id < graph.idLimit; id++) groupAt(graph, get(classes, id)).length++;
  arrange(graph);
}

/** Lays out members class by class. */
function arrange(graph: Graph): void {
  const classes = graph.classes;
  const members = graph.members;
  const places = graph.places;
  const idLimit = graph.idLimit;
  const classCount = graph.classCount;
  let at: u32 = 0;
  for (let classId: u32 = 0; classId < classCount; classId++) {
    const group = groupAt(graph, classId);
    group.start = at;
    at += group.length;
    group.length = 0;
    group.marks = 0;
    group.frozen = 0;
  }
  for (let id: u32 = 0; id < idLimit; id++) {
    const group = groupAt(graph, get(classes, id));
    const place = group.start + group.length++;
    set(members, place, id);
    set(places, id, place);
  }
}

/** Every member of a class of two or more is to be looked at, but opaque ones. */
function touchAll(graph: Graph): void {
  let count: u32 = 0;
  for (let classId: u32 = 0; classId < graph.classCount; classId++) {
    const group = groupAt(graph, classId);
    if (group.length < 2) continue;
    if (load<u8>(graph.opaque + get(graph.members, group.start)) & OPAQUE) group.frozen = 1;
    else {
      group.marks = group.length;
      set(graph.touched, count++, classId);
    }
  }
  graph.touchedCount = count;
}

/** Returns a hash of a type's class and of the classes that it refers to. */
// @ts-ignore: decorator
@inline
function signature(graph: Graph, id: u32): u64 {
  const end = graph.edges + (<usize>get(graph.edgeStart, id + 1) << 2);
  let hash = get64(graph.shape, id);
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

/** Makes the places [start, start + length) a class of their own. */
export function found(graph: Graph, start: u32, length: u32): void {
  const classId = graph.classCount++;
  const group = groupAt(graph, classId);
  group.start = start;
  group.length = length;
  group.marks = 0;
  group.frozen = 0;
  for (let place = start; place < start + length; place++) set(graph.classes, get(graph.members, place), classId);
}

/** Splits a class whose first `marks` members are to be looked at. Their signatures go to `otherHash`, by place. */
function split(graph: Graph, classId: u32): void {
  const members = graph.members;
  const places = graph.places;
  const signatures = graph.otherHash;
  const group = groupAt(graph, classId);
  const start = group.start;
  const length = group.length;
  const marks = group.marks;
  group.marks = 0;
  const first = signature(graph, get(members, start));
  let same = true;
  for (let place = start + 1; place < start + marks; place++) {
    const sign = signature(graph, get(members, place));
    set64(signatures, place, sign);
    if (sign != first) same = false;
  }
  if (same && marks == length) return;
  set64(signatures, start, first);
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
  group.start = keepStart;
  group.length = keepLength;
}

/** Lists, for each type, those in classes of two or more that refer to it. */
export function listParents(graph: Graph): void {
  if (graph.parentsListed) return;
  graph.parentsListed = 1;
  const edges = graph.edges;
  const edgeStart = graph.edgeStart;
  const parentStart = graph.parentStart;
  const parents = graph.parents;
  const classes = graph.classes;
  const idLimit = graph.idLimit;
  memory.fill(parentStart, 0, (<usize>idLimit + 1) << 2);
  for (let id: u32 = 1; id < idLimit; id++) {
    if (groupAt(graph, get(classes, id)).length < 2) continue;
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
    if (groupAt(graph, get(classes, id)).length < 2) continue;
    const end = get(edgeStart, id + 1);
    for (let edge = get(edgeStart, id); edge < end; edge++) {
      const to = get(edges, edge);
      const at = get(parentStart, to) - 1;
      set(parentStart, to, at);
      set(parents, at, id);
    }
  }
}

/** Marks those that refer to `id`. */
export function markParents(graph: Graph, id: u32): void {
  const members = graph.members;
  const places = graph.places;
  const parents = graph.parents;
  const end = get(graph.parentStart, id + 1);
  for (let at = get(graph.parentStart, id); at < end; at++) {
    const parent = get(parents, at);
    const classId = get(graph.classes, parent);
    const group = groupAt(graph, classId);
    if (group.length < 2 || group.frozen) continue;
    const place = get(places, parent);
    const first = group.start + group.marks;
    if (place < first) continue;
    if (!group.marks++) set(graph.touched, graph.touchedCount++, classId);
    const other = get(members, first);
    set(members, first, parent);
    set(places, parent, first);
    set(members, place, other);
    set(places, other, place);
  }
}

/** Marks those that refer to members of classes from `from` on, or to what stands for one. */
function markMoved(graph: Graph, from: u32): void {
  const members = graph.members;
  for (let classId = from; classId < graph.classCount; classId++) {
    const group = groupAt(graph, classId);
    const last = group.start + group.length;
    for (let place = group.start; place < last; place++) {
      const id = get(members, place);
      markParents(graph, id);
      if (load<u8>(graph.opaque + id) & RESOLUTION) {
        for (let shadow = follow(graph, id, 0); shadow; shadow = follow(graph, id, shadow)) {
          const declaration = changetype<Named>(shadow).id;
          set(graph.classes, declaration, classId);
          markParents(graph, declaration);
        }
      }
    }
  }
}

/**
 * Splits classes until none splits any more, or `budget` classes have been
 * looked at. Returns 1 if there is more to do.
 */
export function refine(graph: Graph, budget: u32): bool {
  while (graph.touchedCount) {
    const known = graph.classCount;
    const count = graph.touchedCount;
    for (let i: u32 = 0; i < count; i++) split(graph, get(graph.touched, i));
    graph.touchedCount = 0;
    if (graph.classCount == known) return false;
    listParents(graph);
    markMoved(graph, known);
    if (count >= budget) break;
    budget -= count;
  }
  return graph.touchedCount > 0;
}

/** Tells whether two records are equal except for the ids that they hold. */
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
  const edges = graph.edges;
  const edgeStart = graph.edgeStart;
  const classes = graph.classes;
  for (let classId: u32 = 0; classId < graph.classCount; classId++) {
    const group = groupAt(graph, classId);
    const length = group.length;
    if (length < 2) continue;
    const start = group.start;
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
