// The image descriptor as kernels see it, and how ids and name offsets find
// their image in a chain of split BTFs.
import { Image, IMAGE_SIZE, KIND_MASK, KIND_SHIFT, recordSizes, Type, VLEN_MASK } from "./generated/abi";

export { Image, Type };

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

/** Returns the number of ids from 0 (void) on, bases included. */
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

/** Returns the address of the name at logical offset `off`, which has been checked. */
// @ts-ignore: decorator
@inline
export function stringAt(image: Image, off: u32): usize {
  while (off < image.stringsStart) image = image.base!;
  return image.strings + (off - image.stringsStart);
}

/** Bytes of each of the `vlen` elements that follow a record; 0 for kinds without elements. */
// @ts-ignore: decorator
@inline
export function elementSize(kind: u32): u32 {
  return load<u8>(recordSizes + (kind << 1), 1);
}
