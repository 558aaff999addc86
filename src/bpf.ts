/**
 * Reads BPF objects and their `.BTF.ext`, relocates them on a kernel (CO-RE), checks them on many kernels, minimises the BTF that they need.
 *
 * @module btfkit/bpf
 */
export type { Attachment } from "./bpf/check/attach/attachment.js";
export {
  type Check,
  type CheckedRelocation,
  type CheckOptions,
  check,
  type RelocationVerdict,
  type Verdict,
} from "./bpf/check/check.js";
export type { ObjectFinding, ObjectRule } from "./bpf/check/object/finding.js";
export { junit } from "./bpf/check/report/junit.js";
export { markdown } from "./bpf/check/report/markdown.js";
export {
  type AttachmentFinding,
  type Cell,
  cellOf,
  type FindingReport,
  type Matrix,
  type RelocationFinding,
} from "./bpf/check/report/report.js";
export { type SarifOptions, sarif } from "./bpf/check/report/sarif.js";
export { type Requirement, type Requirements, requirementsOf } from "./bpf/check/requirements/requirements.js";
export type { CheckSettings } from "./bpf/check/settings.js";
export { type Disagreement, disagreements } from "./bpf/core-relocation/disagree.js";
export { ENGINES, type EngineName } from "./bpf/core-relocation/engines.js";
export { BtfRelocationError } from "./bpf/core-relocation/error.js";
export type { Errno, RelocationFailure } from "./bpf/core-relocation/failure.js";
export { Minimizer, minimize, type SplitBytes } from "./bpf/core-relocation/minimize.js";
export { type RelocateOptions, relocate } from "./bpf/core-relocation/relocate.js";
export type {
  RelocatedObject,
  Relocation,
  RelocationStatus,
  RelocationTarget,
} from "./bpf/core-relocation/relocation.js";
export { type RelocationReport, report as relocationReport, type SourceLine } from "./bpf/core-relocation/report.js";
export type { CoreTarget, Match, Resolution } from "./bpf/core-relocation/resolution.js";
export { type Accessor, formatSpec, type Spec } from "./bpf/core-relocation/spec.js";
export { type UsedTypes, usedTypes } from "./bpf/core-relocation/used-types.js";
export type { Outcome } from "./bpf/core-relocation/value.js";
export type { ElfSection } from "./bpf/elf/file.js";
export type { Program } from "./bpf/elf/programs.js";
export type { ElfRelocation } from "./bpf/elf/relocations.js";
export type { AttachType, ProgramType } from "./bpf/elf/section-names.js";
export type { ElfSymbol, SymbolBinding, SymbolType } from "./bpf/elf/symbols.js";
export { RELOCATION_KINDS, type RelocationKind } from "./bpf/ext/kinds.js";
export { readExt, type StringAt } from "./bpf/ext/read.js";
export type { CoreRelocation, Ext, ExtInfo, ExtSection, FuncInfo, LineInfo } from "./bpf/ext/types.js";
export { encodeExt, type OffsetOf } from "./bpf/ext/write.js";
export type { BpfMap } from "./bpf/object/maps.js";
export { type BpfObject, readObject } from "./bpf/object/object.js";
export type { Extern, Global } from "./bpf/object/variables.js";
