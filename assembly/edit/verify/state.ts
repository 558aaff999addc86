// Access to the workspace of a verification, and the notes of its findings.
import { LINUX_KIND_MASK } from "../../format/generated/abi";
import { Finding, FINDING_SIZE, NO_ELEMENT, Verify, VERIFY_SIZE } from "../../format/generated/edit-abi";
import { kindOf, Type } from "../../format/image";

export { Verify };

export function checkVerify(): void {
  assert(offsetof<Verify>() == VERIFY_SIZE);
}

export { NO_ELEMENT };

/** Notes a finding, unless it is about a type of the base. Returns false. */
export function report(to: Verify, rule: u32, id: u32, at: usize, element: u32, value: u32): bool {
  if (id < to.firstId) return false;
  if (to.count < to.room) {
    const finding = changetype<Finding>(to.findings + <usize>to.count * FINDING_SIZE);
    finding.rule = rule;
    finding.typeId = id;
    finding.offset = <u32>(at - to.types) - to.ownStart;
    finding.element = element;
    finding.value = value;
  }
  to.count++;
  return false;
}

/** Returns the record of type `id`, 1 ≤ id < idLimit. */
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
  return id < btf.idLimit ? kindOf(typeAt(btf, id).info) & LINUX_KIND_MASK : NO_TYPE;
}

export const NO_TYPE: u32 = 0xffffffff;

/** Tells whether a kind is in a set. */
// @ts-ignore: decorator
@inline
export function among(kinds: u32, kind: u32): bool {
  return kind < 32 && ((kinds >> kind) & 1) != 0;
}
