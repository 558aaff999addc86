// Fingerprints: 128 bits that say what a type is with all that it refers to,
// the same in every image.
//
// Classes of equal types (dedup/classes.ts) are the nodes here, so that no two
// are equal. Strongly connected components are met from the leaves up (Tarjan).
// A type that leads to no circle is hashed with the fingerprints of what it
// refers to. The types of a circle are numbered: each round hashes them with
// the hashes of the round before, until at least one differs from all others;
// of such the one with the lowest hash is the first, and the others get their
// numbers in the order in which they are met from there. The component's hash
// is that of all its types with these numbers for references, and a type's
// fingerprint that of the component and its number. Nothing depends on ids or
// on the order of records.
import {
  ENUMERATOR_VALUE, KIND_ARRAY, KIND_DATASEC, KIND_ENUM64, MEMBER_OFFSET, MEMBER_SIZE, SECTION_VARIABLE_OFFSET,
  TYPE_SIZE,
} from "../format/generated/abi"; // prettier-ignore
import { bytesAt, zeroBytes } from "../format/bytes";
import {
  elementBytes, elementName, fixedBytes, fixedIds, get, get64, Graph, groupAt, mixed, recordBytes, refers, set, set64, shapeOf,
} from "./dedup/graph"; // prettier-ignore
import { ERR_FINGERPRINT, FINGERPRINT_SCRATCH } from "../format/generated/edit-abi";
import { kindOf, Type } from "../format/image";
import { refuse } from "../format/status";

/** Rounds after which a circle without any type unlike all others is given up: no real one takes five. */
const ROUNDS: u32 = 64;

const LOW: u64 = 0x243f6a8885a308d3;
const HIGH: u64 = 0x13198a2e03707344;
/** Distinguishes a reference inside a cycle from a reference that leaves it. */
const INSIDE: u64 = 0x452821e638d01377;

/** One more word into the second half. */
// @ts-ignore: decorator
@inline
function stirred(hash: u64, word: u64): u64 {
  const product = (rotl<u64>(hash, 23) ^ word) * 0xd6e8feb86659fd93;
  return product ^ (product >> 32);
}

/** Hashes each different name, to 16 bytes a mark at `out`. */
export function hashNames(graph: Graph, out: usize): void {
  const words = (graph.stringsLength >> 6) + 1;
  let rank: u32 = 0;
  for (let word: u32 = 0; word < words; word++) {
    for (let rest = get64(graph.nameBits, word); rest; rest &= rest - 1) {
// The first of equal names counts; "" at another offset than 0 has the hash of "".
      if (get(graph.names, rank << 1) == rank) {
        let at = graph.strings + (word << 6) + <usize>ctz(rest);
        let low = LOW;
        let high = HIGH;
        let bytes = bytesAt(at);
        let zeros = zeroBytes(bytes);
        while (!zeros) {
          low = mixed(low, bytes);
          high = stirred(high, bytes);
          at += 8;
          bytes = bytesAt(at);
          zeros = zeroBytes(bytes);
        }
        bytes &= (<u64>1 << (ctz(zeros) & 56)) - 1;
        store<u64>(out + (<usize>rank << 4), mixed(low, bytes));
        store<u64>(out + (<usize>rank << 4), stirred(high, bytes), 8);
      }
      rank++;
    }
  }
}

let low: u64 = 0;
let high: u64 = 0;

// @ts-ignore: decorator
@inline
function add(word: u64): void {
  low = mixed(low, word);
  high = stirred(high, word);
}

/** Adds a pair of halves. */
// @ts-ignore: decorator
@inline
function addPair(at: usize): void {
  low = mixed(mixed(low, load<u64>(at)), 1);
  high = stirred(stirred(high, load<u64>(at, 8)), 1);
}

/** Adds the name at an offset. */
function addName(graph: Graph, names: usize, off: u32): void {
  if (!off) return add(0);
  const bit = <u64>1 << (off & 63);
  const rank = get(graph.nameRanks, off >> 6) + <u32>popcnt(get64(graph.nameBits, off >> 6) & (bit - 1));
  const first = get(graph.names, rank << 1);
  if (first == 0xffffffff) return add(0);
  addPair(names + (<usize>first << 4));
}

/**
 * Hashes each record but for its references, to 16 bytes an id at `out`. Names
 * still stand at their old offsets.
 */
export function hashRecords(graph: Graph, names: usize, out: usize): void {
  const end = graph.types + graph.typesLength;
  store<u64>(out, LOW);
  store<u64>(out, HIGH, 8);
  out += 16;
  for (let at = graph.types; at < end; out += 16) {
    const type = changetype<Type>(at);
    const info = type.info;
    const kind = kindOf(info);
    const shape = shapeOf(info);
    const next = at + recordBytes(shape, info);
    low = LOW;
    high = HIGH;
    add(info);
    addName(graph, names, type.nameOff);
    if (!refers(shape)) add(type.size);
    at += TYPE_SIZE;
    const fixed = at + fixedBytes(shape);
    for (at += fixedIds(shape) << 2; at < fixed; at += 4) add(load<u32>(at));
    const size = elementBytes(shape);
    if (size) {
      for (; at < next; at += size) {
        if (elementName(shape)) addName(graph, names, load<u32>(at));
        if (kind == KIND_ENUM64 || kind == KIND_DATASEC) add(load<u64>(at, SECTION_VARIABLE_OFFSET, 4));
        else if (size == MEMBER_SIZE) add(load<u32>(at, MEMBER_OFFSET));
        else if (kind != KIND_ARRAY && !refers(shape)) add(load<u32>(at, ENUMERATOR_VALUE));
      }
    }
    store<u64>(out, low);
    store<u64>(out, high, 8);
    at = next;
  }
}

// The columns of a run: first those of a word for each class, then those of 8 bytes.
let index: usize = 0;
let lowest: usize = 0;
let open: usize = 0;
let path: usize = 0;
let nextEdge: usize = 0;
let inside: usize = 0;
let queue: usize = 0;
let count: usize = 0;
let hash: usize = 0;
let other: usize = 0;

// @ts-ignore: decorator
@inline
function first(graph: Graph, classId: u32): u32 {
  return get(graph.members, groupAt(graph, classId).start);
}

/**
 * Fingerprints of all classes, 16 bytes each at `out`; `records` are the
 * hashes of the records by id, `scratch` FINGERPRINT_SCRATCH zeroed bytes a class. Returns 0, or
 * a refusal.
 */
export function fingerprint(graph: Graph, records: usize, scratch: usize, out: usize): i32 {
  const classes = graph.classCount;
  index = scratch;
  lowest = index + (<usize>classes << 2);
  open = lowest + (<usize>classes << 2);
  path = open + (<usize>classes << 2);
  nextEdge = path + (<usize>classes << 2);
  inside = nextEdge + (<usize>classes << 2);
  queue = inside + (<usize>classes << 2);
  count = queue + (<usize>classes << 2);
  hash = count + (<usize>classes << 2);
  other = hash + (<usize>classes << 3);
  assert(other + (<usize>classes << 3) == scratch + <usize>classes * FINGERPRINT_SCRATCH);
  let met: u32 = 1;
  let opened: u32 = 0;
  for (let root: u32 = 0; root < classes; root++) {
    if (get(index, root)) continue;
    let depth: u32 = 1;
    set(path, 0, root);
    set(nextEdge, 0, get(graph.edgeStart, first(graph, root)));
    set(index, root, met);
    set(lowest, root, met++);
    set(open, opened++, root);
    set(inside, root, 1);
    while (depth) {
      const classId = get(path, depth - 1);
      const edge = get(nextEdge, depth - 1);
      if (edge < get(graph.edgeStart, first(graph, classId) + 1)) {
        set(nextEdge, depth - 1, edge + 1);
        const to = get(graph.classes, get(graph.edges, edge));
        if (!get(index, to)) {
          set(path, depth, to);
          set(nextEdge, depth, get(graph.edgeStart, first(graph, to)));
          depth++;
          set(index, to, met);
          set(lowest, to, met++);
          set(open, opened++, to);
          set(inside, to, 1);
        } else if (get(inside, to)) set(lowest, classId, min(get(lowest, classId), get(index, to)));
        continue;
      }
      depth--;
      if (depth) {
        const above = get(path, depth - 1);
        set(lowest, above, min(get(lowest, above), get(lowest, classId)));
      }
      if (get(lowest, classId) != get(index, classId)) continue;
      let start = opened;
      do {
        start--;
        set(inside, get(open, start), 0);
      } while (get(open, start) != classId);
      const refused = finish(graph, records, out, start, opened);
      if (refused) return refused;
      opened = start;
    }
  }
  return 0;
}

/** A component: the classes at [start, end) of `open`. */
function finish(graph: Graph, records: usize, out: usize, start: u32, end: u32): i32 {
  for (let i = start; i < end; i++) set(inside, get(open, i), 2);
  let refused = 0;
  const classId = get(open, start);
  if (end - start == 1 && !refersInside(graph, classId)) {
    set(inside, classId, 0);
    startPair(graph, records, classId);
    addReferences(graph, classId, out, false);
    store<u64>(out + (<usize>classId << 4), low);
    store<u64>(out + (<usize>classId << 4), high, 8);
  } else refused = finishCircle(graph, records, out, start, end);
  for (let i = start; i < end; i++) set(inside, get(open, i), 0);
  return refused;
}

// @ts-ignore: decorator
@inline
function startPair(graph: Graph, records: usize, classId: u32): void {
  const at = records + (<usize>first(graph, classId) << 4);
  low = load<u64>(at);
  high = load<u64>(at, 8);
}

function refersInside(graph: Graph, classId: u32): bool {
  const id = first(graph, classId);
  for (let edge = get(graph.edgeStart, id); edge < get(graph.edgeStart, id + 1); edge++) {
    if (get(inside, get(graph.classes, get(graph.edges, edge))) == 2) return true;
  }
  return false;
}

/** Adds what a class refers to: fingerprints, and inside of a circle numbers (`numbered`) or hashes. */
function addReferences(graph: Graph, classId: u32, out: usize, numbered: bool): void {
  const id = first(graph, classId);
  const end = get(graph.edgeStart, id + 1);
  for (let edge = get(graph.edgeStart, id); edge < end; edge++) {
    const to = get(graph.classes, get(graph.edges, edge));
    if (get(inside, to) != 2) addPair(out + (<usize>to << 4));
    else {
      add(INSIDE);
      add(numbered ? get(count, to) : get64(hash, to));
    }
  }
}

function finishCircle(graph: Graph, records: usize, out: usize, start: u32, end: u32): i32 {
  for (let i = start; i < end; i++) {
    const classId = get(open, i);
    startPair(graph, records, classId);
    set64(hash, classId, low);
  }
  let root: u32 = 0xffffffff;
  for (let round: u32 = 0; root == 0xffffffff; round++) {
    if (round == ROUNDS) return refuse(ERR_FINGERPRINT, 0, first(graph, get(open, start)), end - start);
    for (let i = start; i < end; i++) {
      const classId = get(open, i);
      startPair(graph, records, classId);
      addReferences(graph, classId, out, false);
      set64(other, classId, low ^ rotl<u64>(high, 32));
    }
    for (let i = start; i < end; i++) set64(hash, get(open, i), get64(other, get(open, i)));
    root = unlike(graph, start, end);
  }
  return number(graph, records, out, root);
}

/** Returns the class with the lowest hash among those whose hash no other class of the component has; 0xffffffff if there is none. */
function unlike(graph: Graph, start: u32, end: u32): u32 {
  let mask: u32 = 16;
  while (mask < (end - start) << 1) mask <<= 1;
  mask = min(mask - 1, graph.slotMask);
  memory.fill(graph.slots, 0, (<usize>mask + 1) << 2);
  for (let i = start; i < end; i++) {
    const classId = get(open, i);
    const ownHash = get64(hash, classId);
    let slot = <u32>(ownHash >> 16) & mask;
    let taken = get(graph.slots, slot);
    while (taken && get64(hash, taken - 1) != ownHash) {
      slot = (slot + 1) & mask;
      taken = get(graph.slots, slot);
    }
    set(count, classId, 1);
    if (taken) set(count, taken - 1, 2);
    else set(graph.slots, slot, classId + 1);
    if (taken) set(count, classId, 2);
  }
  let root: u32 = 0xffffffff;
  for (let i = start; i < end; i++) {
    const classId = get(open, i);
    if (get(count, classId) == 1 && (root == 0xffffffff || get64(hash, classId) < get64(hash, root))) root = classId;
  }
  for (let i = start; i < end; i++) set(count, get(open, i), 0);
  return root;
}

/** Numbers a component from `root` on and hashes it. */
function number(graph: Graph, records: usize, out: usize, root: u32): i32 {
  let found: u32 = 1;
  set(queue, 0, root);
  set(count, root, 1);
  for (let i: u32 = 0; i < found; i++) {
    const id = first(graph, get(queue, i));
    for (let edge = get(graph.edgeStart, id); edge < get(graph.edgeStart, id + 1); edge++) {
      const to = get(graph.classes, get(graph.edges, edge));
      if (get(inside, to) != 2 || get(count, to)) continue;
      set(queue, found++, to);
      set(count, to, found);
    }
  }
  let totalLow = LOW;
  let totalHigh = HIGH;
  for (let i: u32 = 0; i < found; i++) {
    const classId = get(queue, i);
    startPair(graph, records, classId);
    addReferences(graph, classId, out, true);
    totalLow = mixed(totalLow, low);
    totalHigh = stirred(totalHigh, high);
  }
  for (let i: u32 = 0; i < found; i++) {
    const classId = get(queue, i);
    low = totalLow;
    high = totalHigh;
    add(i + 1);
    store<u64>(out + (<usize>classId << 4), low);
    store<u64>(out + (<usize>classId << 4), high, 8);
  }
  return 0;
}
