// The state of a C dump between types, and the undoing of a step that does
// not fit is taken back.
//
// The text of one top-level definition goes out whole or not at all: it is
// written upwards from the window's start while the old values of all that it
// changes are kept downwards from the window's end. Where the two would meet
// the changes are undone, and the host comes back with an empty window or a
// larger one.
import {
  C_CONTEXT_SIZE, C_EMITTED, C_EMITTING, C_FORWARD, C_NAMED, C_ORDERED, C_ORDERING, C_REFERENCED, Context, ERR_C_WINDOW,
  ERR_C_WORK,
} from "../../format/generated/abi"; // prettier-ignore
import { Image, stringAt, Type, typeAt } from "../../format/image";
import { refuse } from "../../format/status";

export { C_EMITTED, C_EMITTING, C_FORWARD, C_NAMED, C_ORDERED, C_ORDERING, C_REFERENCED, Context };

export function checkContext(): void {
  assert(offsetof<Context>() == C_CONTEXT_SIZE);
}

/** Text of one step, and the log entries it makes, never pass the limit by more. */
const SLACK: usize = 2048;

// The dump at hand. Kernels run one at a time: entry points set these.
export let image: Image = changetype<Image>(0);
export let context: Context = changetype<Context>(0);
/** Text past this address does not count: the step is taken back. */
export let limit: usize = 0;
/** 0, or the error code that unwinds all calls. */
export let failure: i32 = 0;
let log: usize = 0;
let logEnd: usize = 0;

/** Sets up one entry point's call. */
export function begin(owner: Image, state: Context, out: usize, length: u32): void {
  image = owner;
  context = state;
  failure = 0;
  logEnd = (out + length) & ~7;
  log = logEnd;
  limit = log - SLACK;
}

/** Starts a step: what was logged before is final. */
export function mark(): void {
  log = logEnd;
  limit = log - SLACK;
  failure = 0;
}

/** Unwinds: `typeId` is what the error is about. */
export function fail(code: i32, typeId: u32): void {
  if (failure) return;
  failure = code;
  refuse(code, 0, typeId, 0);
}

/** Tells whether the text has to stop here; true also while unwinding. */
export function full(p: usize): bool {
  if (p > limit) fail(ERR_C_WINDOW, 0);
  return failure != 0;
}

/** One unit of work: hostile graphs, walked again and again, run out of it. */
export function spend(id: u32): bool {
  if (context.work == 0) {
    fail(ERR_C_WORK, id);
    return false;
  }
  context.work--;
  return true;
}

/** Changes a word, so that it can be changed back. */
export function change(at: usize, value: u32): void {
  log -= 8;
  limit = log - SLACK;
  store<u32>(log, <u32>at);
  store<u32>(log, load<u32>(at), 4);
  store<u32>(at, value);
}

/** Takes all changes of the step back, the last one first. */
export function undo(): void {
  for (; log < logEnd; log += 8) store<u32>(load<u32>(log), load<u32>(log, 4));
  limit = log - SLACK;
}

export function flagsOf(id: u32): u8 {
  return load<u8>(context.flags + id);
}

/** Sets flags within a step. */
export function setFlags(id: u32, flags: u8): void {
  const at = context.flags + (id & ~3);
  const shift = (id & 3) << 3;
  change(at, (load<u32>(at) & ~(<u32>0xff << shift)) | (<u32>flags << shift));
}

/** Sets flags for good. */
export function keepFlags(id: u32, flags: u8): void {
  store<u8>(context.flags + id, flags);
}

/** The record of type `id`, 1 ≤ id < idLimit. */
export function typeOf(id: u32): Type {
  return typeAt(image, id);
}

/** Returns the address of the string at a logical offset. */
export function stringOf(nameOff: u32): usize {
  return stringAt(image, nameOff);
}
