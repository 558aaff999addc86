// The C dump's entry points.
import { C_NEEDED, ERR_C_WINDOW, KIND_MAX, KIND_UNKN } from "../../format/generated/abi";
import { currentId, Cursor, PHASE_DONE, PHASE_TYPES } from "../cursor";
import { char, name, ready, phrase, unsigned } from "../writer";
import { Image, kindOf } from "../../format/image";
import { begin, context, Context, C_EMITTED, failure, full, image, keepFlags, limit, mark, C_ORDERED, typeOf, undo } from "./context";
import { beginDeclaration, declare } from "./declare";
import { emit } from "./emit";
import { wideAlignment } from "./layout";
import { Label, labelAddress } from "./names";
import { markReferenced, order, queue } from "./order";
import { sortIds } from "./sort";

/**
 * Before the first type: marks what is referred to. All columns of the context
 * are zeroed by the host. Returns how many names may have to be counted.
 */
export function prepareC(owner: Image, state: Context): u32 {
  begin(owner, state, 0, 1 << 16);
  keepFlags(0, C_ORDERED | C_EMITTED);
  state.wideAlignment = wideAlignment();
  return markReferenced();
}

/** Writes the ids in bpftool's sorted order to `out`; returns how many, or a negated error code. */
export function sortC(owner: Image, state: Context, records: usize, spare: usize, out: usize): i32 {
  begin(owner, state, 0, 1 << 16);
  const count = sortIds(records, spare, out);
  return failure ? -failure : count;
}

function unknownKind(p: usize, id: u32): usize {
  const type = typeOf(id);
  p = phrase(unsigned(phrase(p, "/* type ["), id), "] '");
  p = phrase(name(p, limit, image, type.nameOff), "' has kind ");
  return phrase(unsigned(p, kindOf(type.info)), ", which is unknown: left out */\n\n");
}

/**
 * Fills the window with definitions and moves the cursor. Returns the bytes
 * written, 0 with the cursor not at its end if the next definition alone is
 * longer than the window, or a negated error code.
 */
export function emitC(owner: Image, state: Context, cursor: Cursor, out: usize, length: u32): i32 {
  ready();
  begin(owner, state, out, length);
  let p = out;
  cursor.phase = PHASE_TYPES;
  while (cursor.index < cursor.count) {
    if (cursor.part == 0) {
      context.queued = 0;
      context.next = 0;
      const id = currentId(owner, cursor) & ~C_NEEDED;
      const kind = id ? kindOf(typeOf(id).info) : 1;
      if (kind == KIND_UNKN || kind > KIND_MAX) {
        mark();
        const end = unknownKind(p, id);
        if (full(end)) return <i32>(p - out);
        p = end;
      } else {
        order(id, false, 0);
        if (failure) return -failure;
      }
      // As the members of a struct, it takes forward declarations and typedefs beyond what it holds by value.
      if (!failure && currentId(owner, cursor) & C_NEEDED) queue(id);
      cursor.part = 1;
    }
    while (context.next < context.queued) {
      mark();
      beginDeclaration(false);
      const needed = currentId(owner, cursor) & C_NEEDED && context.next + 1 == context.queued;
      const end = emit(p, load<u32>(context.queue + (context.next << 2)), needed ? C_NEEDED : 0, 0);
      // A name stops where the room ends: what passed the limit is not whole.
      if (full(end)) {
        undo();
        return failure == ERR_C_WINDOW ? <i32>(p - out) : -failure;
      }
      p = end;
      context.next++;
    }
    cursor.part = 0;
    cursor.index++;
  }
  cursor.phase = PHASE_DONE;
  return <i32>(p - out);
}

/**
 * Writes one declaration: of the name at string offset `nameOff`, or of the
 * NUL-terminated bytes at `address`. With `forget` the names it numbered are
 * free again. Returns the bytes written, or a negated error code.
 */
export function declareC(
  owner: Image,
  state: Context,
  id: u32,
  nameOff: u32,
  address: usize,
  level: u32,
  strip: bool,
  forget: bool,
  out: usize,
  length: u32,
): i32 {
  ready();
  begin(owner, state, out, length);
  beginDeclaration(strip);
  const label: Label = address ? labelAddress(address) : nameOff;
  const p = declare(out, id, label, level, 0);
  full(p);
  if (failure || forget) undo();
  return failure ? -failure : <i32>(p - out);
}
