// What the layout kernel works on: a copy of a Btf and its bases, tables by id,
// and memory that it takes as it goes. The host lays it out.
import { KIND_FWD, KIND_MAX, KIND_STRUCT, KIND_UNION } from "../format/generated/abi";
import { kindFlag, vlenOf } from "../format/image";

/** Addresses of the records, by id; 0 for void. */
export let records: usize = 0;
/** Kinds, by id; 0 for void and for what is no type: functions, variables, sections, tags of declarations. */
export let kinds: usize = 0;
/** What is known of each id: `Known`. */
export let known: usize = 0;
/** All strings, the base's first. */
export let strings: usize = 0;
/** One past the last id. */
export let limit: u32 = 0;
export let pointerSize: u32 = 8;
export let cacheline: u32 = 64;
/** What pahole 1.31 misprints is copied; otherwise those definitions are the host's. */
export let compatible: bool = true;

/** Memory that is not given back, and where it ends. */
let heap: usize = 0;
let heapEnd: usize = 0;

/** The kernel gives up: the host writes this image by itself. */
export let failed: bool = false;

export function fail(): void {
  failed = true;
}

/** What is known of a type. Zeros: nothing yet. */
@unmanaged
export class Known {
  /** Size in bytes and 1. */
  size: u32;
  natural: u32;
  /** The type without typedefs and qualifiers, and 1. */
  stripped: u32;
  /** Of a struct or union. */
  composite: usize;
  /** The type's text for the four outermost columns. */
  declarators0: usize;
  declarators1: usize;
  declarators2: usize;
  declarators3: usize;
  /** Whether pahole misprints the type. 0: not known; 1: no; 2: yes. */
  misprinted: u32;
}

export function start(
  recordsAt: usize,
  kindsAt: usize,
  knownAt: usize,
  stringsAt: usize,
  idLimit: u32,
  pointer: u32,
  line: u32,
  isCompatible: u32,
  heapAt: usize,
  end: usize,
): u32 {
  records = recordsAt;
  kinds = kindsAt;
  known = knownAt;
  strings = stringsAt;
  limit = idLimit;
  pointerSize = pointer;
  cacheline = line;
  compatible = isCompatible != 0;
  heap = heapAt;
  heapEnd = end;
  failed = false;
  return offsetof<Known>();
}

/** Takes one image's own types. */
export function adopt(types: usize, offsets: usize, from: usize, firstId: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(records + ((firstId + i) << 2), types + load<u32>(offsets + (i << 2)));
    const kind: u32 = load<u8>(from + i);
    // FUNC, VAR, DATASEC, DECL_TAG.
    const isNone = kind > KIND_MAX || kind == 12 || kind == 14 || kind == 15 || kind == 17;
    store<u8>(kinds + firstId + i, isNone ? 0 : <u8>kind);
  }
}

/** Zeroed memory; fails where there is none left. */
export function take(bytes: usize): usize {
  const at = (heap + 7) & ~7;
  if (at + bytes > heapEnd) {
    failed = true;
    return heapEnd - 256;
  }
  heap = at + bytes;
  memory.fill(at, 0, bytes);
  return at;
}

// @ts-ignore: decorator
@inline
export function recordAt(id: u32): usize {
  return load<u32>(records + (id << 2));
}

// @ts-ignore: decorator
@inline
export function kindAt(id: u32): u32 {
  return id < limit ? <u32>load<u8>(kinds + id) : 0;
}

// @ts-ignore: decorator
@inline
export function knownOf(id: u32): Known {
  return changetype<Known>(known + id * offsetof<Known>());
}

/** Third word of the record: a size or a type's id. */
// @ts-ignore: decorator
@inline
export function wordOf(id: u32): u32 {
  return load<u32>(recordAt(id), 8);
}

// @ts-ignore: decorator
@inline
export function infoOf(id: u32): u32 {
  return load<u32>(recordAt(id), 4);
}

// @ts-ignore: decorator
@inline
export function countOf(id: u32): u32 {
  return vlenOf(infoOf(id));
}

/** An offset of a name, 0 where the name is empty. */
// @ts-ignore: decorator
@inline
export function named(offset: u32): u32 {
  return load<u8>(strings + offset) ? offset : 0;
}

// @ts-ignore: decorator
@inline
export function nameOf(id: u32): u32 {
  return named(load<u32>(recordAt(id)));
}

/** A word of what follows the record. */
// @ts-ignore: decorator
@inline
export function after(id: u32, index: u32): u32 {
  return load<u32>(recordAt(id) + 12 + (index << 2));
}

export function isStruct(id: u32): bool {
  const kind = kindAt(id);
  return kind == KIND_STRUCT || (kind == KIND_FWD && !kindFlag(infoOf(id)));
}

export function isUnion(id: u32): bool {
  const kind = kindAt(id);
  return kind == KIND_UNION || (kind == KIND_FWD && kindFlag(infoOf(id)));
}

export function isEnum(id: u32): bool {
  const kind = kindAt(id);
  return kind == 6 || kind == 19;
}

export function isDefinition(id: u32): bool {
  const kind = kindAt(id);
  return kind == KIND_STRUCT || kind == KIND_UNION || kind == KIND_FWD || kind == 6 || kind == 19;
}

/** What a reference or array refers to, 0 for void and for what is no type. */
export function targetOf(id: u32): u32 {
  const target = kindAt(id) == 3 ? after(id, 0) : wordOf(id);
  return kindAt(target) ? target : 0;
}
