// What a verification knows, and its findings. The box diagrams stand in
// edit-abi.ts.
import { FINDING_SIZE, VERIFY_SIZE } from "../../format/edit-abi";
import { kindOf, Type } from "../../format/image";

@unmanaged
export class Verify {
  types: usize;
  typesLength: u32;
  strings: usize;
  stringsLength: u32;
  firstId: u32;
  ownStart: u32;
  idLimit: u32;
  offsets: usize;
  states: usize;
  ids: usize;
  sizes: usize;
  findings: usize;
  room: u32;
  count: u32;
  maxKind: u32;
  features: u32;
  pointer: u32;
}

export function checkVerify(): void {
  assert(offsetof<Verify>() == VERIFY_SIZE);
}

/** No member, value, parameter or variable. */
export const WHOLE: u32 = 0xffffffff;

/** Notes a finding in own types; in the base's it is none. Returns false. */
export function report(to: Verify, rule: u32, id: u32, at: usize, element: u32, value: u32): bool {
  if (id < to.firstId) return false;
  if (to.count < to.room) {
    const finding = to.findings + <usize>to.count * FINDING_SIZE;
    store<u32>(finding, rule);
    store<u32>(finding, id, 4);
    store<u32>(finding, <u32>(at - to.types) - to.ownStart, 8);
    store<u32>(finding, element, 12);
    store<u32>(finding, value, 16);
  }
  to.count++;
  return false;
}

/** The record of a type, or null if there is none with this id; void is one. */
// @ts-ignore: decorator
@inline
export function typeAt(btf: Verify, id: u32): Type {
  return changetype<Type>(btf.types + load<u32>(btf.offsets + ((<usize>id) << 2)));
}

/** Kind of a type: 0 for void, 0xffffffff if there is none with this id. */
// @ts-ignore: decorator
@inline
export function kindAt(btf: Verify, id: u32): u32 {
  if (!id) return 0;
  return id < btf.idLimit ? kindOf(typeAt(btf, id).info) & 0x1f : NO_TYPE;
}

export const NO_TYPE: u32 = 0xffffffff;

/** Whether a kind's bit is set. */
// @ts-ignore: decorator
@inline
export function among(kinds: u32, kind: u32): bool {
  return kind < 32 && ((kinds >> kind) & 1) != 0;
}
