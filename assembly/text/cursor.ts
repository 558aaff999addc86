// Where a text dump stands, and the type its next line is about.
import { CURSOR_SIZE } from "../format/abi";
import { Image, Type, typeAt } from "../format/image";

/** The box diagram stands in abi.ts. */
@unmanaged
export class Cursor {
  ids: usize;
  count: u32;
  index: u32;
  part: u32;
  phase: u32;
}

export const PHASE_START: u32 = 0;
export const PHASE_TYPES: u32 = 1;
export const PHASE_END: u32 = 2;
export const PHASE_DONE: u32 = 3;

export function checkCursor(): void {
  assert(offsetof<Cursor>() == CURSOR_SIZE);
}

/** The id the cursor is at. */
// @ts-ignore: decorator
@inline
export function currentId(image: Image, cursor: Cursor): u32 {
  return cursor.ids ? load<u32>(cursor.ids + (cursor.index << 2)) : image.firstId + cursor.index;
}

/** What void looks like: bpftool shows id 0 as an unknown kind without a name. */
const nothing = memory.data(16, 16);

// @ts-ignore: decorator
@inline
export function recordOf(image: Image, id: u32): usize {
  return id ? changetype<usize>(typeAt(image, id)) : nothing;
}

/** The record of a reference, for a line that shows it: kind and name. */
// @ts-ignore: decorator
@inline
export function referred(image: Image, id: u32): Type {
  return changetype<Type>(recordOf(image, id));
}
