// Access to the workspace of the edit kernels and to the records in it.
import { KIND_MAX, TYPE_SIZE } from "../../format/generated/abi";
import { Graph, GRAPH_SIZE, Group, GROUP_SIZE, recordShapes } from "../../format/generated/edit-abi";
import { kindOf, vlenOf } from "../../format/image";

export { Graph };

export function checkGraph(): void {
  assert(offsetof<Graph>() == GRAPH_SIZE);
  assert(offsetof<Group>() == GROUP_SIZE);
}

/** Address of a kind's shape; the kind is known. */
// @ts-ignore: decorator
@inline
export function shapeOf(info: u32): usize {
  return recordShapes + (kindOf(info) << 3);
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

/** Tells whether the layout of a kind's records is known. */
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
export function groupAt(graph: Graph, classId: u32): Group {
  return changetype<Group>(graph.groups + <usize>classId * GROUP_SIZE);
}

/** Address of the record of type `id`. */
// @ts-ignore: decorator
@inline
export function recordAt(graph: Graph, id: u32): usize {
  return graph.types + get(graph.offsets, id);
}

/** Slots of a table that are loaded ahead: looked up one by one, each would wait for memory. */
export const AHEAD: u32 = 32;
/** Takes the words that are loaded ahead, so that the compiler keeps the loads. */
export const ahead = memory.data(4, 4);

/** One more word into a hash. */
// @ts-ignore: decorator
@inline
export function mixed(hash: u64, word: u64): u64 {
  const product = (hash ^ word) * 0x9e3779b97f4a7c15;
  return product ^ (product >> 29);
}
