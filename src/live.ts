/**
 * The running kernel: its BTF, maps, programs and links, on Linux in Node, Deno and Bun.
 *
 * @module btfkit/live
 */

export type { AttachType, ProgramType } from "./bpf/elf/section-names.js";
export { Attachment } from "./live/attach/attachment.js";
export type { AttachOptions } from "./live/attach/options.js";
export { BtfObject, type BtfObjectInfo } from "./live/btf-object.js";
export { possibleCpus } from "./live/cpus.js";
export { Descriptor, type DescriptorKind } from "./live/descriptor.js";
export { BtfSystemError, type SystemErrorOptions } from "./live/error.js";
export type { EventOptions } from "./live/events/event-stream.js";
export { EventStream } from "./live/events/event-stream.js";
export { EventWriter } from "./live/events/event-writer.js";
export type { Ffi, WaitOptions } from "./live/ffi/ffi.js";
export { findHolders, type Holder, type Holders } from "./live/holders.js";
export { Kernel, type KernelOptions, type MapOptions } from "./live/kernel.js";
export { Link, type LinkDetails, type LinkInfo } from "./live/link.js";
export type { LoadOptions } from "./live/loader/load.js";
export {
  type AnyApp,
  type AppShape,
  LoadedMap,
  LoadedObject,
  LoadedProgram,
  type ReadOptions,
} from "./live/loader/loaded-object.js";
export { BtfVerifierError, type VerifierPlace } from "./live/loader/verifier-error.js";
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
export { type MapSurface, StandInMap, type StandInOptions, type StandInType } from "./live/stand-in.js";
export type { LinkType, MapType } from "./live/types.js";
