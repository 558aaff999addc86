/** Judges an object as a whole, by the rules of an engine. */
import type { EngineName } from "../../core-relocation/engines.js";
import type { CoreTarget } from "../../core-relocation/resolution.js";
import type { BpfObject } from "../../object/object.js";
import { refusedByAya } from "./aya.js";
import { refusedByCilium } from "./cilium.js";
import type { ObjectFinding } from "./finding.js";

/** Rules of engines that do not depend on the target; libbpf's come from the plan of a load. */
const REFUSALS: Readonly<Record<EngineName, (object: BpfObject) => Iterable<ObjectFinding>>> = {
  libbpf: () => [],
  cilium: refusedByCilium,
  aya: refusedByAya,
};

/** Returns the reasons for which an engine refuses an object on any kernel. */
export function refusals(object: BpfObject, engine: EngineName): ObjectFinding[] {
  return [...REFUSALS[engine](object)];
}

/** libbpf's LIBBPF_ERRNO__ENDIAN. */
const ENDIAN = 4003;

/** Returns the finding that the object's byte order is not the target's: instructions are not converted. */
export function byteOrder(object: BpfObject, { vmlinux }: CoreTarget): ObjectFinding[] {
  if (object.endian === vmlinux.endian) return [];
  const target = vmlinux.endian === "big" ? "bpfeb" : "bpfel";
  return [
    {
      rule: "byte-order",
      severity: "breaks",
      subject: "",
      errno: ENDIAN,
      reason: `the object is ${object.endian}-endian, the target is ${vmlinux.endian}-endian: compile with -target ${target}`,
    },
  ];
}
