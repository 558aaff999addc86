/** Judges an object as libbpf does: plans its load, and tells where the plan fails. */
import { type LoadPlan, planWith } from "../../../load/plan.js";
import type { RelocatedObject } from "../../core-relocation/relocation.js";
import type { BpfObject } from "../../object/object.js";
import type { AttachTarget } from "../attach/kernel-symbols.js";
import type { ObjectFinding } from "./finding.js";

/** Externs without an answer count as present: the release matters to LINUX_KERNEL_VERSION alone. */
const ASSUMED_KERNEL = { release: "6.18.0", cpus: 1, presumesExterns: true };

/**
 * Plans the load of an object on a target.
 *
 * @param relocated the object's relocations on the target, if it has any
 * @param kconfig the text of the kernel's configuration, if it is known
 */
export function planFor(
  object: BpfObject,
  { vmlinux, modules, kallsyms }: AttachTarget,
  relocated: RelocatedObject | undefined,
  kconfig: string | undefined,
): LoadPlan {
  const [, release] = /^# Linux\/\S+ (\d+\.\d+(?:\.\d+)?)/m.exec(kconfig ?? "") ?? [];
  const target = {
    ...ASSUMED_KERNEL,
    vmlinux,
    modules: modules.map((btf, i) => ({ name: `module${i}`, btf })),
    ...(release !== undefined && { release }),
    ...(kconfig !== undefined && { kconfig }),
    ...(kallsyms && { kallsyms: kallsyms.addresses }),
  };
  // The names of modules are not known here: a function of any of them will do.
  const attachTo = Object.fromEntries(
    object.programs.flatMap(({ name, attachTo: wanted }) => {
      const [, symbol] = /^[\w-]+:(\w+)$/.exec(wanted ?? "") ?? [];
      return symbol === undefined ? [] : [[name, symbol]];
    }),
  );
  return planWith(object, target, { sanitize: undefined, attachTo, ...(relocated && { relocated }) });
}

/**
 * Returns the failure of a plan as a finding.
 *
 * @param isWhole the target's BTF lists functions: one that does not cannot tell of failures after the object is opened
 */
export function failureOf({ error }: LoadPlan, isWhole: boolean): ObjectFinding[] {
  if (!error) return [];
  const { errno, errnoName, stage, details } = error;
  // Plans are made for little-endian kernels; the byte order has been compared with the target's.
  if (errnoName === "ENDIAN" || (stage === "load" && !isWhole)) return [];
  const when = stage === "open" ? "libbpf does not open the object" : "libbpf does not load the object";
  return [
    { rule: "refused", severity: "breaks", subject: "", errno, reason: `${when}: ${details.note ?? error.message}` },
  ];
}
