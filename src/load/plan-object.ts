/** Plans the load of an object as it is handed to the kernel, its BTF made fit for it. */
import type { BpfObject } from "../bpf/object/object.js";
import type { LoadTarget } from "./kernel.js";
import { type LoadPlan, type PlanOptions, planWith } from "./plan.js";
import { sanitizedTypes } from "./sanitize.js";

/**
 * Returns what a loader hands to bpf(2) for an object on a kernel, as libbpf
 * would: CO-RE relocations applied, subprograms appended, externs resolved, maps
 * defined, BTF completed. It needs no kernel and has no effect. Where libbpf
 * refuses the object, `error` says why, with libbpf's errno.
 *
 * @throws BtfError ERR_ARGUMENT for options that name what the object does not have;
 *   BtfLimitError ERR_CORE_WORK
 * @example
 * const plan = planObject(object, { vmlinux: btf, release: "6.1.0", cpus: 2 });
 * console.log(plan.error, plan.programs.map(({ name }) => name)); // undefined [ 'program' ]
 */
export function planObject(object: BpfObject, target: LoadTarget, options: PlanOptions = {}): LoadPlan {
  return planWith(object, target, { ...options, sanitize: sanitizedTypes });
}
