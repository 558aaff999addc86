/** Judges an object as a whole, by the rules of an engine. */
import type { EngineName } from "../../core-relocation/engines.js";
import type { CoreTarget } from "../../core-relocation/resolution.js";
import type { BpfObject } from "../../object/object.js";
import { refusedByAya } from "./aya.js";
import { refusedByCilium } from "./cilium.js";
import type { ObjectFinding } from "./finding.js";

/** How an engine judges objects: by rules that do not depend on the target, or by the plan of a load. */
interface ObjectRules {
  readonly refusals: (object: BpfObject) => Iterable<ObjectFinding>;
  readonly plansLoads: boolean;
}

const PLANNED: ObjectRules = { refusals: () => [], plansLoads: true };

const RULES: Readonly<Record<EngineName, ObjectRules>> = {
  libbpf: PLANNED,
  "libbpf-1.8": PLANNED,
  cilium: { refusals: refusedByCilium, plansLoads: false },
  aya: { refusals: refusedByAya, plansLoads: false },
};

/** Tells whether an engine judges an object by the plan of its load. */
export function plansLoads(engine: EngineName): boolean {
  return RULES[engine].plansLoads;
}

/** Returns the reasons for which an engine refuses an object on any kernel. */
export function refusals(object: BpfObject, engine: EngineName): ObjectFinding[] {
  return [...RULES[engine].refusals(object)];
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
