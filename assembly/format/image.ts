// The image descriptor as kernels see it, and how ids and name offsets find
// their image in a chain of split BTFs.
import { IMAGE_SIZE, KIND_MASK, KIND_SHIFT, VLEN_MASK } from "./abi";

/** One BTF of a family. The box diagram stands in abi.ts. */
@unmanaged
export class Image {
  base: Image | null;
  types: usize;
  typesLength: u32;
  strings: usize;
  stringsLength: u32;
  stringsStart: u32;
  firstId: u32;
  count: u32;
  offsets: usize;
  kinds: usize;
  layout: usize;
  layoutLength: u32;
  swapped: u32;
  nameHeads: usize;
  nameMask: u32;
  nameChain: usize;
  seed: u64;
}

/** What every type starts with; `size` is the referred type's id in kinds that refer. */
@unmanaged
export class Type {
  nameOff: u32;
  info: u32;
  size: u32;
}

export function checkAbi(): void {
  assert(offsetof<Image>() == IMAGE_SIZE);
}

// @ts-ignore: decorator
@inline
export function kindOf(info: u32): u32 {
  return (info >> KIND_SHIFT) & KIND_MASK;
}

// @ts-ignore: decorator
@inline
export function vlenOf(info: u32): u32 {
  return info & VLEN_MASK;
}

// @ts-ignore: decorator
@inline
export function kindFlag(info: u32): bool {
  return <i32>info < 0;
}

/** How many ids there are from 0 (void) on, bases included. */
// @ts-ignore: decorator
@inline
export function idLimit(image: Image): u32 {
  return image.firstId + image.count;
}

/** The record of type `id`, 1 ≤ id < idLimit. */
// @ts-ignore: decorator
@inline
export function typeAt(image: Image, id: u32): Type {
  while (id < image.firstId) image = image.base!;
  return changetype<Type>(image.types + load<u32>(image.offsets + ((id - image.firstId) << 2)));
}

/** Where the name at logical offset `off` starts; the offset has been checked. */
// @ts-ignore: decorator
@inline
export function stringAt(image: Image, off: u32): usize {
  while (off < image.stringsStart) image = image.base!;
  return image.strings + (off - image.stringsStart);
}

/** Bytes of each of the `vlen` elements behind a record: a member, enumerator, parameter or section entry; 0 for none. */
// @ts-ignore: decorator
@inline
export function elementSize(kind: u32): u32 {
  return load<u8>(elementSizes + kind);
}

// struct/union 12, enum 8, func_proto 8, datasec 12, enum64 12
const elementSizes = memory.data<u8>([
  0, 0, 0, 0, 12, 12, 8, 0, 0, 0, 0, 0, 0, 8, 0, 12, 0, 0, 0, 12,
]);
