/**
 * BPF objects: read them, their `.BTF.ext`, relocate them on a kernel (CO-RE), check them on many, minimise what they need of its BTF.
 *
 * @module btfkit/bpf
 */
export type { Attachment } from "./check/attach.js";
export {
  type Check,
  type CheckedRelocation,
  type CheckOptions,
  check,
  type RelocationVerdict,
  type Verdict,
} from "./check/check.js";
export { junit } from "./check/junit.js";
export { markdown } from "./check/markdown.js";
export { type AttachmentFinding, type Cell, cellOf, type Matrix, type RelocationFinding } from "./check/report.js";
export { sarif } from "./check/sarif.js";
export type { CheckSettings } from "./check/settings.js";
export { type Disagreement, disagreements } from "./core-relocation/disagree.js";
export { ENGINES, type EngineName } from "./core-relocation/engines.js";
export { BtfRelocationError } from "./core-relocation/error.js";
export { Minimizer, minimize } from "./core-relocation/minimize.js";
export type { Errno, Refusal } from "./core-relocation/refusal.js";
export {
  type RelocatedObject,
  type RelocateOptions,
  type Relocation,
  type RelocationStatus,
  type RelocationTarget,
  relocate,
} from "./core-relocation/relocate.js";
export { type RelocationReport, report as relocationReport } from "./core-relocation/report.js";
export type { CoreTarget, Match, Resolution } from "./core-relocation/resolve.js";
export { type Accessor, formatSpec, type Spec } from "./core-relocation/spec.js";
export { type UsedTypes, usedTypes } from "./core-relocation/used-types.js";
export type { Outcome } from "./core-relocation/value.js";
export type { ElfSection } from "./elf/file.js";
export type { Program, ProgramType } from "./elf/programs.js";
export type { ElfRelocation } from "./elf/relocations.js";
export type { ElfSymbol, SymbolBinding, SymbolType } from "./elf/symbols.js";
export { RELOCATION_KINDS, type RelocationKind } from "./ext/kinds.js";
export { readExt, type StringAt } from "./ext/read.js";
export type { CoreRelocation, Ext, ExtInfo, ExtSection, FuncInfo, LineInfo } from "./ext/types.js";
export { encodeExt, type OffsetOf } from "./ext/write.js";
export type { BpfMap } from "./object/maps.js";
export { type BpfObject, readObject } from "./object/object.js";
export type { Extern, Global } from "./object/variables.js";
