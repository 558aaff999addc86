// Shallow identities: 64 bits of what a definition itself says, in two halves
// that are mixed apart. Named types that it refers to count by kind and name,
// types without a name with all that they say. docs/differences.md promises
// that an identity stays what it is: no step here may change.
import {
  ENUMERATOR64_SIZE, ENUMERATOR_SIZE, KIND_ARRAY, KIND_DATASEC, KIND_DECL_TAG, KIND_ENUM, KIND_ENUM64, KIND_FLOAT,
  KIND_FUNC_PROTO, KIND_FWD, KIND_INT, KIND_STRUCT, KIND_TYPE_TAG, KIND_UNION, MEMBER_SIZE, PARAM_SIZE,
  SECTION_VARIABLE_SIZE, TYPE_SIZE,
} from "../format/generated/abi"; // prettier-ignore
import {
  ERR_IDENTITY_DEPTH, ERR_IDENTITY_WORK, IDENTITY_DEPTH, NAME_HASH_SIZE, NameHash, Subject,
} from "../format/generated/inspect-abi"; // prettier-ignore
import { Image, kindFlag, kindOf, stringAt, Type, typeAt, vlenOf } from "../format/image";
import { refuse } from "../format/status";

/** Where the two halves of a hash start, and what mixes a word into them. */
const START_LOW: u32 = 0x243f6a88;
const START_HIGH: u32 = 0x05a308d3;
const MIX_LOW: u32 = 0x9e3779b1;
const MIX_HIGH: u32 = 0x85ebca77;
const PRIME: u32 = 0x01000193;

/** What stands for references without a record: void, an id beyond the last, a type inside itself. */
const VOID: u32 = 0x13198a2e;
const ABSENT: u32 = 0x03707344;
const INSIDE: u32 = 0x24093822;

/** Entries behind its place at which a string's hash is looked for. */
const PROBES: u32 = 8;

/** The halves of the empty reference to a name, of an absent type, and of a string that has no entry. */
const nothing = memory.data<u32>([0, 0]);
const absent = memory.data<u32>([ABSENT, ABSENT]);
const passing = memory.data(8, 4);

let subject: Subject = changetype<Subject>(0);
let image: Image = changetype<Image>(0);
/** The first type that nests too deep, 0 for none. */
let deepest: u32 = 0;
let steps: i64 = 0;

// @ts-ignore: decorator
@inline
function stirLow(half: u32, word: u32): u32 {
  const mixed = (rotl<u32>(half, 7) ^ word) * MIX_LOW;
  return mixed ^ (mixed >> 15);
}

// @ts-ignore: decorator
@inline
function stirHigh(half: u32, word: u32): u32 {
  const mixed = (rotl<u32>(half, 13) ^ word) * MIX_HIGH;
  return mixed ^ (mixed >> 16);
}

/** The kind as which a reference by name counts: a declaration as the struct or union, an ENUM64 as an ENUM. */
// @ts-ignore: decorator
@inline
function kindByName(kind: u32, info: u32): u32 {
  if (kind == KIND_FWD) return kindFlag(info) ? KIND_UNION : KIND_STRUCT;
  return kind == KIND_ENUM64 ? KIND_ENUM : kind;
}

/** Tells whether a type stands for itself by its name; a type tag's name is an attribute. */
// @ts-ignore: decorator
@inline
function isNamed(type: Type): bool {
  return type.nameOff != 0 && kindOf(type.info) != KIND_TYPE_TAG;
}

/** Hashes a string to the 8 bytes at `out`, unless too much was hashed before. */
function hashString(offset: u32, out: usize): void {
  if (steps < 0) return;
  let low = START_LOW;
  let high = START_HIGH;
  const start = stringAt(image, offset);
  let at = start;
  for (let byte: u32 = load<u8>(at); byte; byte = load<u8>(++at)) {
    low = (low ^ byte) * PRIME;
    high = (rotl<u32>(high, 5) ^ byte) * MIX_HIGH;
  }
  steps -= <i64>(at - start) + 1;
  low = (low ^ (low >> 15)) * MIX_LOW;
  store<u32>(out, low ? low : 1);
  store<u32>(out, (high ^ (high >> 13)) * MIX_LOW, 4);
}

/** The address of the two halves of a string's hash, valid until the next call. */
function nameHash(offset: u32): usize {
  if (!offset) return nothing;
  let at = subject.hashes + ((offset >> 2) & subject.hashMask) * NAME_HASH_SIZE;
  for (const end = at + PROBES * NAME_HASH_SIZE; at < end; at += NAME_HASH_SIZE) {
    const entry = changetype<NameHash>(at);
    if (entry.offset == offset) return at + offsetof<NameHash>("low");
    if (entry.offset) continue;
    entry.offset = offset;
    hashString(offset, at + offsetof<NameHash>("low"));
    return at + offsetof<NameHash>("low");
  }
  hashString(offset, passing);
  return passing;
}

// @ts-ignore: decorator
@inline
function idLimit(): u32 {
  return image.firstId + image.count;
}

/** The address of the two halves that a reference to a type counts as. */
function reference(id: u32, depth: u32): usize {
  if (id >= idLimit()) return absent;
  if (id >= image.firstId && !load<u8>(subject.states + (id - image.firstId))) refer(id, depth + 1);
  return subject.references + ((<usize>id) << 3);
}

/** Finds out what references to an own type count as. */
function refer(id: u32, depth: u32): void {
  const index = id - image.firstId;
  const out = subject.references + ((<usize>id) << 3);
  store<u8>(subject.states + index, 1);
  store<u32>(out, INSIDE);
  store<u32>(out, INSIDE, 4);
  if (depth > IDENTITY_DEPTH) {
    if (!deepest) deepest = id;
    return;
  }
  const type = typeAt(image, id);
  if (!isNamed(type)) return hashRecord(type, depth, out);
  const name = subject.names + ((<usize>index) << 3);
  const low = START_LOW ^ kindByName(kindOf(type.info), type.info);
  store<u32>(out, stirLow(low, load<u32>(name)));
  store<u32>(out, stirHigh(START_HIGH, load<u32>(name, 4)), 4);
}

/** Hashes a record with its elements to the 8 bytes at `out`. */
function hashRecord(type: Type, depth: u32, out: usize): void {
  const info = type.info;
  const kind = kindOf(info);
  const count: usize = vlenOf(info);
  const third = type.size;
  let at = changetype<usize>(type) + TYPE_SIZE;
  let pair = nameHash(type.nameOff);
  let low = stirLow(START_LOW ^ kindByName(kind, info), load<u32>(pair));
  let high = stirHigh(START_HIGH, load<u32>(pair, 4));
  switch (kind) {
    case KIND_STRUCT:
    case KIND_UNION:
      low = stirLow(low, third);
      high = stirHigh(high, third);
      for (const end = at + count * MEMBER_SIZE; at < end; at += MEMBER_SIZE) {
        pair = nameHash(load<u32>(at));
        low = stirLow(low, load<u32>(pair));
        high = stirHigh(high, load<u32>(pair, 4));
        pair = reference(load<u32>(at, 4), depth);
        low = stirLow(low, load<u32>(pair));
        high = stirHigh(high, load<u32>(pair, 4));
        // With kind_flag the upper 8 bits are the width of a bitfield.
        const place = load<u32>(at, 8);
        low = stirLow(low, kindFlag(info) ? place & 0xffffff : place);
        high = stirHigh(high, kindFlag(info) ? place >> 24 : 0);
      }
      break;
    case KIND_ENUM:
      low = stirLow(low, third);
      high = stirHigh(high, third);
      for (const end = at + count * ENUMERATOR_SIZE; at < end; at += ENUMERATOR_SIZE) {
        pair = nameHash(load<u32>(at));
        low = stirLow(low, load<u32>(pair));
        high = stirHigh(high, load<u32>(pair, 4));
        const value = load<i32>(at, 4);
        low = stirLow(low, value);
        high = stirHigh(high, kindFlag(info) ? value >> 31 : 0);
      }
      break;
    case KIND_ENUM64:
      low = stirLow(low, third);
      high = stirHigh(high, third);
      for (const end = at + count * ENUMERATOR64_SIZE; at < end; at += ENUMERATOR64_SIZE) {
        pair = nameHash(load<u32>(at));
        low = stirLow(stirLow(low, load<u32>(pair)), load<u32>(at, 4));
        high = stirHigh(stirHigh(high, load<u32>(pair, 4)), load<u32>(at, 8));
      }
      break;
    case KIND_FUNC_PROTO:
      pair = reference(third, depth);
      low = stirLow(low, load<u32>(pair));
      high = stirHigh(high, load<u32>(pair, 4));
      for (const end = at + count * PARAM_SIZE; at < end; at += PARAM_SIZE) {
        pair = nameHash(load<u32>(at));
        low = stirLow(low, load<u32>(pair));
        high = stirHigh(high, load<u32>(pair, 4));
        pair = reference(load<u32>(at, 4), depth);
        low = stirLow(low, load<u32>(pair));
        high = stirHigh(high, load<u32>(pair, 4));
      }
      break;
    case KIND_ARRAY:
      pair = reference(load<u32>(at), depth);
      low = stirLow(stirLow(low, load<u32>(pair)), load<u32>(at, 8));
      high = stirHigh(stirHigh(high, load<u32>(pair, 4)), 0);
      break;
    case KIND_DATASEC:
      low = stirLow(low, third);
      high = stirHigh(high, third);
      for (const end = at + count * SECTION_VARIABLE_SIZE; at < end; at += SECTION_VARIABLE_SIZE) {
        pair = reference(load<u32>(at), depth);
        low = stirLow(stirLow(low, load<u32>(pair)), load<u32>(at, 4));
        high = stirHigh(stirHigh(high, load<u32>(pair, 4)), load<u32>(at, 8));
      }
      break;
    case KIND_INT:
      low = stirLow(low, third);
      high = stirHigh(high, load<u32>(at));
      break;
    case KIND_FLOAT:
      low = stirLow(low, third);
      high = stirHigh(high, third);
      break;
    case KIND_FWD:
      break;
    case KIND_DECL_TAG:
      pair = reference(third, depth);
      low = stirLow(stirLow(low, load<u32>(pair)), load<u32>(at));
      high = stirHigh(stirHigh(high, load<u32>(pair, 4)), 0);
      break;
    default:
      // A reference; the third word of a kind unknown to us may be anything.
      if (kind < KIND_ENUM64) {
        pair = reference(third, depth);
        low = stirLow(low, load<u32>(pair));
        high = stirHigh(high, load<u32>(pair, 4));
      } else {
        low = stirLow(low, third);
        high = stirHigh(high, kind);
      }
  }
  store<u32>(out, low);
  store<u32>(out, high, 4);
}

/** Fills `names`, `own` and `references` of a subject. Returns 0, or a refusal. */
export function identify(given: Subject): i32 {
  subject = given;
  image = given.image!;
  deepest = 0;
  steps = given.steps;
  const firstId = image.firstId;
  const count = image.count;
  if (firstId == 1) {
    store<u32>(subject.references, VOID);
    store<u32>(subject.references, VOID, 4);
  }
  for (let i: u32 = 0; i < count; i++) {
    const type = typeAt(image, firstId + i);
    if (!type.nameOff) continue;
    const pair = nameHash(type.nameOff);
    const low = stirLow(START_LOW, load<u32>(pair));
    const out = subject.names + ((<usize>i) << 3);
    store<u32>(out, low ? low : 1);
    store<u32>(out, stirHigh(START_HIGH, load<u32>(pair, 4)), 4);
    if (steps < 0) return refuse(ERR_IDENTITY_WORK, 0, firstId + i, 0);
  }
  for (let i: u32 = 0; i < count; i++) {
    if (!load<u8>(subject.states + i)) refer(firstId + i, 0);
    if (deepest) return refuse(ERR_IDENTITY_DEPTH, 0, deepest, 0);
    if (steps < 0) return refuse(ERR_IDENTITY_WORK, 0, firstId + i, 0);
  }
  for (let i: u32 = 0; i < count; i++) {
    const type = typeAt(image, firstId + i);
    const out = subject.own + ((<usize>i) << 3);
    if (isNamed(type)) hashRecord(type, 0, out);
    else memory.copy(out, subject.references + (<usize>(firstId + i) << 3), 8);
    if (steps < 0) return refuse(ERR_IDENTITY_WORK, 0, firstId + i, 0);
  }
  return 0;
}
