// The position of a text dump, and the type of its next line.
import { Cursor, CURSOR_SIZE, PHASE_DONE, PHASE_END, PHASE_START, PHASE_TYPES } from "../format/generated/abi";
import { Image, Type, typeAt } from "../format/image";

export { Cursor, PHASE_DONE, PHASE_END, PHASE_START, PHASE_TYPES };

export function checkCursor(): void {
  assert(offsetof<Cursor>() == CURSOR_SIZE);
}

/** The id the cursor is at. */
// @ts-ignore: decorator
@inline
export function currentId(image: Image, cursor: Cursor): u32 {
  return cursor.ids ? load<u32>(cursor.ids + (cursor.index << 2)) : image.firstId + cursor.index;
}

/** The record of void: bpftool shows id 0 as an unknown kind without a name. */
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
