/**
 * Loading of BPF objects as a plan: what a loader hands to bpf(2), without a kernel.
 *
 * @module btfkit/load
 */
export type { TargetProgram } from "./load/attach-target.js";
export type { MapChanges } from "./load/changes.js";
export type { ExtRecords } from "./load/ext-records.js";
export { BtfLoadError, type LoadErrno, type LoadStage } from "./load/failure.js";
export type { GlobalValues } from "./load/globals.js";
export { KERNEL_FEATURES, type KernelFeature, type KernelModule, type LoadTarget } from "./load/kernel.js";
export type { MapOrigin } from "./load/maps.js";
export type {
  LoadPlan,
  OpenedProgram,
  PlannedMap,
  PlannedProgram,
  PlanOptions,
  ProgramFunction,
} from "./load/plan.js";
export { type MapJson, type PlanJson, type ProgramJson, planJson } from "./load/plan-json.js";
export { planObject } from "./load/plan-object.js";
export type { Fixup } from "./load/references.js";
export type { StructOpsSlot } from "./load/struct-ops.js";
