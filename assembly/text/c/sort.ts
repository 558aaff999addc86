// The order of bpftool's sorted header: rank, name sorted by, own name, a hash
// that tells types of the same name apart, id (bpftool's sort_btf_c).
import {
  ARRAY_ELEMENT, ARRAY_LENGTH, ERR_C_CYCLE, KIND_ARRAY, KIND_CONST, KIND_DECL_TAG, KIND_ENUM, KIND_ENUM64, KIND_FLOAT,
  KIND_FUNC_PROTO, KIND_FWD, KIND_INT, KIND_MAX, KIND_PTR, KIND_RESTRICT, KIND_STRUCT, KIND_TYPE_TAG, KIND_TYPEDEF,
  KIND_UNION, KIND_UNKN, KIND_VOLATILE, MEMBER_SIZE, MEMBER_TYPE, TYPE_SIZE,
} from "../../format/generated/abi"; // prettier-ignore
import { idLimit, kindOf, Type, vlenOf } from "../../format/image";
import { context, fail, failure, image, spend, stringOf, typeOf } from "./context";
import { C_DEPTH_LIMIT } from "./order";

// A record holds all that is compared:
//
//   ┌───────────────────┬──────┬────┬───────────┬──────────┬───┐
//   │ key: rank, first 7│ hash │ id │ sort name │ own name │ - │
//   │ bytes of sort name│      │    │ (address) │ (address)│   │
//   └───────────────────┴──────┴────┴───────────┴──────────┴───┘
//   0                   8      16   20          24         28  32
const RECORD_SIZE: u32 = 32;

const LAST_RANK: u32 = 10;

function isReference(kind: u32): bool {
  return (
    kind == KIND_TYPE_TAG ||
    kind == KIND_CONST ||
    kind == KIND_PTR ||
    kind == KIND_VOLATILE ||
    kind == KIND_RESTRICT ||
    kind == KIND_TYPEDEF ||
    kind == KIND_DECL_TAG
  );
}

function kindAt(id: u32): u32 {
  if (id >= image.firstId) return load<u8>(image.kinds + (id - image.firstId));
  return id ? kindOf(typeOf(id).info) : KIND_UNKN;
}

/** The type an array or reference leads to next; itself otherwise. */
function step(id: u32, kind: u32): u32 {
  if (kind == KIND_ARRAY) return load<u32>(changetype<usize>(typeOf(id)), ARRAY_ELEMENT);
  return isReference(kind) ? typeOf(id).size : id;
}

function rankOf(id: u32): u32 {
  let named = false;
  for (let steps = 0; steps < C_DEPTH_LIMIT; steps++) {
    const kind = kindAt(id);
    if (id && typeOf(id).nameOff) named = true;
    switch (kind) {
      case KIND_ENUM:
      case KIND_ENUM64:
        return named ? 1 : 0;
      case KIND_INT:
      case KIND_FLOAT:
        return 2;
      case KIND_STRUCT:
      case KIND_UNION:
        return named ? 3 : LAST_RANK;
      case KIND_FUNC_PROTO:
        return named ? 4 : LAST_RANK;
      default: {
        const next = step(id, kind);
        if (next == id || !named) return LAST_RANK;
        id = next;
      }
    }
  }
  fail(ERR_C_CYCLE, id);
  return LAST_RANK;
}

/** Address of the name that a type is sorted by: its own, its target's, or its first enumerator's. */
function sortName(id: u32): usize {
  const direct = id;
  for (let steps = 0; steps < C_DEPTH_LIMIT; steps++) {
    const kind = kindAt(id);
    const next = step(id, kind);
    if (next == id) {
      if (!id) return stringOf(0);
      const type = typeOf(id);
      const isEnum = kind == KIND_ENUM || kind == KIND_ENUM64;
      if (isEnum && id == direct && !type.nameOff && vlenOf(type.info)) {
        return stringOf(load<u32>(changetype<usize>(type), TYPE_SIZE));
      }
      return stringOf(type.nameOff);
    }
    id = next;
  }
  fail(ERR_C_CYCLE, id);
  return stringOf(0);
}

/** libbpf's str_hash over signed characters; 0 for no name. */
function nameHash(nameOff: u32): u64 {
  if (!nameOff) return 0;
  let hash: u64 = 0;
  let at = stringOf(nameOff);
  for (let byte = load<i8>(at); byte; byte = load<i8>(++at)) hash = hash * 31 + <u64>(<i64>byte);
  return hash;
}

// @ts-ignore: decorator
@inline
function combine(hash: u64, value: u64): u64 {
  return hash * 31 + value;
}

/** Combines a name; none leaves the hash as it is. */
function combineName(hash: u64, nameOff: u32): u64 {
  return nameOff ? combine(hash, nameHash(nameOff)) : hash;
}

/** bpftool's btf_type_disambig_hash; remembered, with members and without. */
function hashOf(id: u32, members: bool, depth: i32): u64 {
  if (!id || failure) return 0;
  if (depth > C_DEPTH_LIMIT) {
    fail(ERR_C_CYCLE, id);
    return 0;
  }
  const slot = context.hashes + (id << 4) + (members ? 8 : 0);
  const known = load<u64>(slot);
  if (known) return known;
  const type = typeOf(id);
  const at = changetype<usize>(type);
  const kind = kindOf(type.info);
  let hash = nameHash(type.nameOff);
  if (kind == KIND_ENUM || kind == KIND_ENUM64) {
    const size: u32 = kind == KIND_ENUM ? 8 : 12;
    const end = at + TYPE_SIZE + vlenOf(type.info) * size;
    for (let value = at + TYPE_SIZE; value < end; value += size) hash = combineName(hash, load<u32>(value));
  } else if (kind == KIND_STRUCT || kind == KIND_UNION) {
    const end = at + TYPE_SIZE + (members ? vlenOf(type.info) : <u32>0) * MEMBER_SIZE;
    for (let member = at + TYPE_SIZE; member < end; member += MEMBER_SIZE) {
      hash = combineName(hash, load<u32>(member));
      hash = combine(hash, hashOf(load<u32>(member, MEMBER_TYPE), false, depth + 1));
    }
  } else if (kind == KIND_ARRAY) {
    hash = combine(hash, load<u32>(at, ARRAY_LENGTH));
    hash = combine(hash, hashOf(load<u32>(at, ARRAY_ELEMENT), members, depth + 1));
  } else if (isReference(kind)) {
    hash = combine(hash, hashOf(type.size, members, depth + 1));
  }
  store<u64>(slot, hash);
  return hash;
}

/** The first 7 bytes of a name as a number that sorts as strcmp does. */
function prefixOf(name: usize): u64 {
  let prefix: u64 = 0;
  let ended = false;
  for (let i = 0; i < 7; i++) {
    const byte: u8 = ended ? 0 : load<u8>(name + i);
    if (!byte) ended = true;
    prefix = (prefix << 8) | byte;
  }
  return prefix;
}

function compareStrings(a: usize, b: usize): i32 {
  if (a == b) return 0;
  let left = load<u8>(a);
  while (left && left == load<u8>(b)) {
    b++;
    left = load<u8>(++a);
  }
  return <i32>left - <i32>load<u8>(b);
}

/** Tells whether record `a` sorts after record `b`. */
function isBehind(a: usize, b: usize): bool {
  const left = load<u64>(a);
  const right = load<u64>(b);
  if (left != right) return left > right;
  let order = compareStrings(load<u32>(a, 20), load<u32>(b, 20));
  if (!order) order = compareStrings(load<u32>(a, 24), load<u32>(b, 24));
  if (order) return order > 0;
  const hash = load<u64>(a, 8);
  const otherHash = load<u64>(b, 8);
  return hash != otherHash ? hash > otherHash : load<u32>(a, 16) > load<u32>(b, 16);
}

function copyRecord(to: usize, from: usize): void {
  // memory.copy is a call for the host.
  store<u64>(to, load<u64>(from));
  store<u64>(to, load<u64>(from, 8), 8);
  store<u64>(to, load<u64>(from, 16), 16);
  store<u64>(to, load<u64>(from, 24), 24);
}

const RUN: u32 = 8 * RECORD_SIZE;

/** Merge sort of [from, end); `spare` has the same room. Returns where the result lies. */
function sortRecords(from: usize, end: usize, spare: usize): usize {
  for (let run = from; run < end; run += RUN) {
    const stop = min(run + RUN, end);
    for (let next = run + RECORD_SIZE; next < stop; next += RECORD_SIZE) {
      copyRecord(spare, next);
      let at = next;
      for (; at > run && isBehind(at - RECORD_SIZE, spare); at -= RECORD_SIZE) copyRecord(at, at - RECORD_SIZE);
      copyRecord(at, spare);
    }
  }
  const length = end - from;
  for (let width: usize = RUN; width < length; width <<= 1) {
    let to = spare;
    for (let at: usize = 0; at < length; at += width << 1) {
      let left = from + at;
      const middle = from + min(at + width, length);
      let right = middle;
      const stop = from + min(at + (width << 1), length);
      while (left < middle && right < stop) {
        if (isBehind(left, right)) {
          copyRecord(to, right);
          right += RECORD_SIZE;
        } else {
          copyRecord(to, left);
          left += RECORD_SIZE;
        }
        to += RECORD_SIZE;
      }
      for (; left < middle; left += RECORD_SIZE, to += RECORD_SIZE) copyRecord(to, left);
      for (; right < stop; right += RECORD_SIZE, to += RECORD_SIZE) copyRecord(to, right);
    }
    const swap = from;
    from = spare;
    spare = swap;
  }
  return from;
}

/**
* Tells whether a type of the last rank may write anything. What has a lower rank is
 * written by then, but for the first of all, `lost`, where bpftool is copied;
 * besides, what is left are forward declarations and typedefs of void or of
 * these. The walk goes where `order` would go; a kernel has 28,000
 * prototypes that need not be sorted then.
 */
function leadsToRest(id: u32, lost: u32, depth: i32): bool {
  if (id && id == lost) return true;
  if (!id || id >= idLimit(image) || failure) return false;
  if (depth > C_DEPTH_LIMIT || !spend(id)) {
    fail(ERR_C_CYCLE, id);
    return false;
  }
  const kind = kindAt(id);
  if (kind == KIND_FWD || kind > KIND_MAX || kind == KIND_UNKN) return true;
  if (kind == KIND_TYPEDEF) return rankOf(id) == LAST_RANK;
  const next = kind == KIND_DECL_TAG ? id : step(id, kind);
  if (next != id) return leadsToRest(next, lost, depth + 1);
  const type = typeOf(id);
  let size: u32 = 0;
  if (kind == KIND_FUNC_PROTO) {
    if (leadsToRest(type.size, lost, depth + 1)) return true;
    size = 8;
  } else if ((kind == KIND_STRUCT || kind == KIND_UNION) && !type.nameOff) size = 12;
  if (!size) return false;
  const first = changetype<usize>(type) + TYPE_SIZE;
  const end = first + vlenOf(type.info) * size;
  for (let element = first; element < end; element += size) {
    if (leadsToRest(load<u32>(element, 4), lost, depth + 1)) return true;
  }
  return false;
}

function record(at: usize, id: u32): void {
  const name = sortName(id);
  store<u64>(at, (<u64>rankOf(id) << 56) | prefixOf(name));
  store<u64>(at, hashOf(id, true, 0), 8);
  store<u32>(at, id, 16);
  store<u32>(at, <u32>name, 20);
  store<u32>(at, <u32>stringOf(id ? typeOf(id).nameOff : 0), 24);
}

/**
 * Writes to `out` the ids from 0 (void) on in bpftool's order, those left out
 * that write nothing at their place; `records` and `spare` have room for 32 bytes an id.
 * Returns how many, 0 after a failure.
 */
export function sortIds(records: usize, spare: usize, out: usize): u32 {
  let end = records;
  let first = records;
  let last = out;
  const limit = idLimit(image);
  for (let id: u32 = 0; id < limit; id++) {
    if (rankOf(id) == LAST_RANK) {
      store<u32>(last, id);
      last += 4;
      continue;
    }
    record(end, id);
    if (isBehind(first, end)) first = end;
    end += RECORD_SIZE;
  }
  const lost = end > records ? load<u32>(first, 16) : 0;
  for (let at = out; at < last && !failure; at += 4) {
    const id = load<u32>(at);
    if (id && !leadsToRest(id, lost, 0)) continue;
    record(end, id);
    end += RECORD_SIZE;
  }
  if (failure) return 0;
  const sorted = sortRecords(records, end, spare);
  if (failure) return 0;
  const count = <u32>((end - records) / RECORD_SIZE);
  for (let i: u32 = 0; i < count; i++) store<u32>(out + (i << 2), load<u32>(sorted + i * RECORD_SIZE, 16));
  return count;
}
