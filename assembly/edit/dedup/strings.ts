// Names: each string that a record refers to, once. A name is known by the
// offset it has in the strings that come out, so that equal names are equal
// words. Strings go out in the order in which records refer to them, which is
// libbpf's (btf_dedup_strings).
import { ERR_NAME_OVERLAP } from "../../format/generated/edit-abi";
import { bytesAt, sameString, zeroBytes } from "../../format/bytes";
import { refuse } from "../../format/status";
import { get, get64, Graph, mixed, set } from "./graph";

/** A name that is "" at an offset other than 0. */
const EMPTY: u32 = 0xffffffff;
/**
* The number of times that the string section may be read in all. Names that share their
 * tails are read once each; a section in which half a million of them overlap
 * would take hours.
 */
const READ_LIMIT: u64 = 8;
const READ_LEAST: u64 = 1 << 20;

// @ts-ignore: decorator
@inline
function mark(bits: usize, off: u32): void {
  const at = bits + (off >> 3);
  store<u8>(at, load<u8>(at) | (1 << <u8>(off & 7)));
}

/** Marks `count` name offsets at `list`: those that other sections hold. */
export function markList(graph: Graph, list: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) mark(graph.nameBits, get(list, i));
}

/** Counts the marks below each word of bits; returns how many there are. */
export function rankNames(graph: Graph): u32 {
  let rank: u32 = 0;
  const words = (graph.stringsLength >> 6) + 1;
  for (let word: u32 = 0; word < words; word++) {
    set(graph.nameRanks, word, rank);
    rank += <u32>popcnt(get64(graph.nameBits, word));
  }
  return rank;
}

/** Length in bytes of the name that was hashed last, without its NUL. */
let hashedLength: u32 = 0;
/** Holds n bytes of ones, then zeros, from 16 - n on. */
const masks = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]); // prettier-ignore

function hashName(at: usize, seed: u64): u64 {
  let hash = seed;
  const start = at;
  if (ASC_FEATURE_SIMD) {
    // Most names end within the first step.
    for (;;) {
      let bytes = v128.load(at);
      const zeros = i8x16.bitmask(i8x16.eq(bytes, i64x2.splat(0)));
      if (zeros) {
        const length = <u32>ctz(zeros);
        bytes = v128.and(bytes, v128.load(masks + 16 - length));
        hashedLength = <u32>(at - start) + length;
        return mixed(mixed(hash, i64x2.extract_lane(bytes, 0)), i64x2.extract_lane(bytes, 1));
      }
      hash = mixed(mixed(hash, i64x2.extract_lane(bytes, 0)), i64x2.extract_lane(bytes, 1));
      at += 16;
    }
  }
  let word = bytesAt(at);
  let zeros = zeroBytes(word);
  while (!zeros) {
    hash = mixed(hash, word);
    at += 8;
    word = bytesAt(at);
    zeros = zeroBytes(word);
  }
  const bit = <u32>ctz(zeros);
  hashedLength = <u32>(at - start) + (bit >> 3);
  return mixed(hash, word & ((<u64>1 << (bit & 56)) - 1));
}

/** Returns the length of two equal names, NUL included; 0 if they differ. */
function commonLength(a: usize, b: usize): u32 {
  const start = a;
  if (ASC_FEATURE_SIMD) {
    for (;;) {
      const bytes = v128.load(a);
      const same = i8x16.bitmask(i8x16.eq(bytes, v128.load(b)));
      const zeros = i8x16.bitmask(i8x16.eq(bytes, i64x2.splat(0)));
      if (zeros) {
        const upTo = zeros ^ (zeros - 1);
        return (same & upTo) == upTo ? <u32>(a - start) + <u32>ctz(zeros) + 1 : 0;
      }
      if (same != 0xffff) return 0;
      a += 16;
      b += 16;
    }
  }
  if (!sameString(a, b)) return 0;
  while (load<u8>(a)) a++;
  return <u32>(a - start) + 1;
}

/**
 * Finds equal names: `names` gets the rank of the first of them for each mark.
 * `slots` (zeroed, at least 4/3 as many as marks) is the table; `hashes` has
 * room for a u32 a mark, `offsets` likewise. Returns 0 with `outLength` set to
 * the bytes that own names take, or a refusal.
 */
export function uniteNames(graph: Graph, hashes: usize, offsets: usize): i32 {
  const slots = graph.slots;
  const slotMask = graph.slotMask;
  const strings = graph.strings;
  const names = graph.names;
  const seed = graph.seed;
  const words = (graph.stringsLength >> 6) + 1;
  let budget = <i64>(READ_LEAST + READ_LIMIT * graph.stringsLength);
  let rank: u32 = 0;
  let room: u32 = 0;
  // Images put together resemble each other: what follows a name is mostly what follows its equal.
  let near: u32 = 0;
  for (let word: u32 = 0; word < words; word++) {
    for (let rest = get64(graph.nameBits, word); rest; rest &= rest - 1) {
      const off = (word << 6) + <u32>ctz(rest);
      const at = strings + off;
      set(offsets, rank, off);
      // A base's names stay where they are.
      const entry = names + (<usize>rank << 3);
      store<u32>(entry, off < graph.stringsStart ? off : 0, 4);
      if (!load<u8>(at)) {
        store<u32>(entry, EMPTY);
        set(hashes, rank++, 0);
        continue;
      }
      if (near < rank) {
        const common = commonLength(at, strings + get(offsets, near));
        if (common) {
          budget -= common;
          if (budget < 0) return refuse(ERR_NAME_OVERLAP, 0, 0, off);
          store<u32>(entry, get(names, near << 1));
          set(hashes, rank++, get(hashes, near++));
          continue;
        }
      }
      const hash = hashName(at, seed);
      const length = hashedLength;
      budget -= length;
      const tag = <u32>(hash >> 32);
      set(hashes, rank, tag);
      let slot = <u32>hash & slotMask;
      let found = rank;
      for (let taken = get(slots, slot); taken; taken = get(slots, slot)) {
        if (get(hashes, taken - 1) == tag) {
          budget -= length;
          if (budget < 0) break;
          if (commonLength(at, strings + get(offsets, taken - 1))) {
            found = taken - 1;
            break;
          }
        }
        slot = (slot + 1) & slotMask;
        if (--budget < 0) break;
      }
      if (budget < 0) return refuse(ERR_NAME_OVERLAP, 0, 0, off);
      if (found == rank) {
        set(slots, slot, rank + 1);
        if (off >= graph.stringsStart) room += length + 1;
      } else near = found + 1;
      store<u32>(entry, found);
      rank++;
    }
  }
  graph.outLength = room;
  return 0;
}

/**
 * The new offset of the name at old offset `off`, which is marked. The first
 * time that an own name is asked for it is written to the strings that come out.
 */
export function nameOf(graph: Graph, off: u32): u32 {
  if (!off) return 0;
  const bit = <u64>1 << (off & 63);
  const rank = get(graph.nameRanks, off >> 6) + <u32>popcnt(get64(graph.nameBits, off >> 6) & (bit - 1));
  const first = get(graph.names, rank << 1);
  if (first == EMPTY) return 0;
  const entry = graph.names + (<usize>first << 3) + 4;
  let name = load<u32>(entry);
  if (!name) {
    name = graph.stringsStart + graph.outLength;
    store<u32>(entry, name);
    let from = graph.strings + off;
    let to = graph.outStrings + graph.outLength;
    const start = to;
    // Whole steps: what is written too much the next name overwrites.
    if (ASC_FEATURE_SIMD) {
      for (;;) {
        const bytes = v128.load(from);
        v128.store(to, bytes);
        const zeros = i8x16.bitmask(i8x16.eq(bytes, i64x2.splat(0)));
        if (zeros) {
          graph.outLength += <u32>(to - start) + <u32>ctz(zeros) + 1;
          return name;
        }
        from += 16;
        to += 16;
      }
    }
    while (!zeroBytes(bytesAt(from))) {
      store<u64>(to, bytesAt(from), 0, 1);
      from += 8;
      to += 8;
    }
    store<u64>(to, bytesAt(from), 0, 1);
    to += (<usize>ctz(zeroBytes(bytesAt(from))) >> 3) + 1;
    graph.outLength += <u32>(to - start);
  }
  return name;
}

/** Rewrites `count` name offsets at `list`, in their order. */
export function renameList(graph: Graph, list: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) set(list, i, nameOf(graph, get(list, i)));
}
