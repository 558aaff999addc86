/**
 * The running kernel: its BTF, maps, programs and links, on Linux in Node, Deno and Bun.
 *
 * @module btfkit/live
 */

export { BtfObject, type BtfObjectInfo } from "./live/btf-object.js";
export { possibleCpus } from "./live/cpus.js";
export { Descriptor, type DescriptorKind } from "./live/descriptor.js";
export { BtfSystemError, type SystemErrorOptions } from "./live/error.js";
export type { Ffi, WaitOptions } from "./live/ffi/ffi.js";
export { Kernel, type KernelOptions, type MapOptions } from "./live/kernel.js";
export { Link, type LinkDetails, type LinkInfo } from "./live/link.js";
export { BpfMap, type MapBytes, type MapEntry, type MapInfo, type MapStatus, type UpdateMode } from "./live/map.js";
export { Mapping, pageSize } from "./live/mapping.js";
export {
  type FunctionRecord,
  type LineRecord,
  Program,
  type ProgramCode,
  type ProgramInfo,
  type RunOptions,
  type RunResult,
} from "./live/program.js";
export type { AttachType, LinkType, MapType, ProgramType } from "./live/types.js";
