// The flat image that edit kernels work on. The box diagram stands in abi.ts.
import { KIND_MAX, TYPE_SIZE } from "../../format/abi";
import { GRAPH_SIZE, GROUP_SIZE } from "../../format/edit-abi";
import { kindOf, vlenOf } from "../../format/image";

@unmanaged
export class Graph {
  types: usize;
  typesLength: u32;
  strings: usize;
  stringsLength: u32;
  firstId: u32;
  idLimit: u32;
  stringsStart: u32;
  offsets: usize;
  edgeStart: usize;
  edges: usize;
  nameBits: usize;
  nameRanks: usize;
  names: usize;
  slots: usize;
  slotMask: u32;
  outStrings: usize;
  outLength: u32;
  shape: usize;
  hash: usize;
  otherHash: usize;
  classes: usize;
  members: usize;
  places: usize;
  groups: usize;
  classCount: u32;
  alias: usize;
  parentStart: usize;
  parents: usize;
  touched: usize;
  touchedCount: u32;
  seed: u64;
  opaque: usize;
  kinds: usize;
  forwards: usize;
  forwardMask: u32;
  namedCount: u32;
  declaredCount: u32;
  parentsListed: u32;
  unused: u32;
}

/** A class: its members are [start, start + length), of which the first `marks` are to be looked at. */
@unmanaged
export class Group {
  start: u32;
  length: u32;
  marks: u32;
  /** Does not split yet: its members are opaque. */
  frozen: u32;
}

export function checkGraph(): void {
  assert(offsetof<Graph>() == GRAPH_SIZE);
  assert(offsetof<Group>() == GROUP_SIZE);
}

// Where names and ids stand in a record, by kind, 8 bytes each: 1 if the third
// word is an id; bytes after the record; ids among them; bytes of an element;
// offset of its name + 1; of its id + 1; two unused.
const shapes = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, // void
  0, 4, 0, 0, 0, 0, 0, 0, // INT
  1, 0, 0, 0, 0, 0, 0, 0, // PTR
  0, 12, 2, 0, 0, 0, 0, 0, // ARRAY
  0, 0, 0, 12, 1, 5, 0, 0, // STRUCT
  0, 0, 0, 12, 1, 5, 0, 0, // UNION
  0, 0, 0, 8, 1, 0, 0, 0, // ENUM
  0, 0, 0, 0, 0, 0, 0, 0, // FWD
  1, 0, 0, 0, 0, 0, 0, 0, // TYPEDEF
  1, 0, 0, 0, 0, 0, 0, 0, // VOLATILE
  1, 0, 0, 0, 0, 0, 0, 0, // CONST
  1, 0, 0, 0, 0, 0, 0, 0, // RESTRICT
  1, 0, 0, 0, 0, 0, 0, 0, // FUNC
  1, 0, 0, 8, 1, 5, 0, 0, // FUNC_PROTO
  1, 4, 0, 0, 0, 0, 0, 0, // VAR
  0, 0, 0, 12, 0, 1, 0, 0, // DATASEC
  0, 0, 0, 0, 0, 0, 0, 0, // FLOAT
  1, 4, 0, 0, 0, 0, 0, 0, // DECL_TAG
  1, 0, 0, 0, 0, 0, 0, 0, // TYPE_TAG
  0, 0, 0, 12, 1, 0, 0, 0, // ENUM64
]);

/** Address of a kind's shape; the kind is known. */
// @ts-ignore: decorator
@inline
export function shapeOf(info: u32): usize {
  return shapes + (kindOf(info) << 3);
}
// @ts-ignore: decorator
@inline
export function refers(shape: usize): bool {
  return load<u8>(shape) != 0;
}
// @ts-ignore: decorator
@inline
export function fixedBytes(shape: usize): u32 {
  return load<u8>(shape, 1);
}
// @ts-ignore: decorator
@inline
export function fixedIds(shape: usize): u32 {
  return load<u8>(shape, 2);
}
// @ts-ignore: decorator
@inline
export function elementBytes(shape: usize): u32 {
  return load<u8>(shape, 3);
}
/** Offset of an element's name + 1, 0 if it has none. */
// @ts-ignore: decorator
@inline
export function elementName(shape: usize): u32 {
  return load<u8>(shape, 4);
}
/** Offset of an element's type id + 1, 0 if it has none. */
// @ts-ignore: decorator
@inline
export function elementId(shape: usize): u32 {
  return load<u8>(shape, 5);
}

/** Bytes of the record whose `info` this is. */
// @ts-ignore: decorator
@inline
export function recordBytes(shape: usize, info: u32): u32 {
  return TYPE_SIZE + fixedBytes(shape) + vlenOf(info) * elementBytes(shape);
}

/** Whether records of a kind can be read here. */
// @ts-ignore: decorator
@inline
export function isKnown(info: u32): bool {
  return kindOf(info) - 1 < KIND_MAX;
}

// @ts-ignore: decorator
@inline
export function get(array: usize, index: u32): u32 {
  return load<u32>(array + ((<usize>index) << 2));
}
// @ts-ignore: decorator
@inline
export function set(array: usize, index: u32, value: u32): void {
  store<u32>(array + ((<usize>index) << 2), value);
}
// @ts-ignore: decorator
@inline
export function get64(array: usize, index: u32): u64 {
  return load<u64>(array + ((<usize>index) << 3));
}
// @ts-ignore: decorator
@inline
export function set64(array: usize, index: u32, value: u64): void {
  store<u64>(array + ((<usize>index) << 3), value);
}

// @ts-ignore: decorator
@inline
export function groupAt(graph: Graph, one: u32): Group {
  return changetype<Group>(graph.groups + <usize>one * GROUP_SIZE);
}

/** Address of the record of type `id`. */
// @ts-ignore: decorator
@inline
export function recordAt(graph: Graph, id: u32): usize {
  return graph.types + get(graph.offsets, id);
}

/** Slots of a table that are loaded ahead: looked up one by one, each would wait for memory. */
export const AHEAD: u32 = 32;
/** Where what is loaded ahead goes, so that it is loaded. */
export const ahead = memory.data(4, 4);

/** One more word into a hash. */
// @ts-ignore: decorator
@inline
export function mixed(hash: u64, word: u64): u64 {
  const product = (hash ^ word) * 0x9e3779b97f4a7c15;
  return product ^ (product >> 29);
}
