/** btfkit: BTF (BPF Type Format) in Node, Deno, Bun and browsers. */
export { Btf, type OwnOption, type SearchOptions } from "./btf.js";
export type { Endian, Header } from "./core/header.js";
export type { BtfSource } from "./core/source.js";
export { minimize } from "./core-relocation/minimize.js";
export {
  type RelocatedObject,
  type Relocation,
  type RelocationStatus,
  type RelocationTarget,
  relocate,
} from "./core-relocation/relocate.js";
export { type RelocationReport, report as relocationReport } from "./core-relocation/report.js";
export type { CoreTarget, Match, Resolution } from "./core-relocation/resolve.js";
export { type Accessor, formatSpec, type Spec } from "./core-relocation/spec.js";
export type { Outcome } from "./core-relocation/value.js";
export { type COptions, dumpC } from "./dump/c.js";
export { type DeclarationOptions, declaration } from "./dump/declaration.js";
export { Dump, type DumpOptions } from "./dump/dump.js";
export { dumpJson, type JsonOptions } from "./dump/json.js";
export { dumpRaw } from "./dump/raw.js";
export type { ElfSection } from "./elf/file.js";
export type { Program, ProgramType } from "./elf/programs.js";
export type { ElfRelocation } from "./elf/relocations.js";
export type { ElfSymbol, SymbolBinding, SymbolType } from "./elf/symbols.js";
export {
  BtfEnvironmentError,
  BtfError,
  BtfFormatError,
  BtfInternalError,
  BtfLimitError,
  BtfLookupError,
  BtfRelocationError,
  type ErrorCode,
  type ErrorDetails,
} from "./errors.js";
export { RELOCATION_KINDS, type RelocationKind } from "./ext/kinds.js";
export { readExt, type StringAt } from "./ext/read.js";
export type { CoreRelocation, Ext, ExtInfo, ExtSection, FuncInfo, LineInfo } from "./ext/types.js";
export { encodeExt, type OffsetOf } from "./ext/write.js";
export { KINDS, type Kind } from "./model/kind.js";
export type * from "./model/types.js";
export type { BpfMap } from "./object/maps.js";
export { type BpfObject, readObject } from "./object/object.js";
export type { Extern, Global } from "./object/variables.js";
export { type Field, fieldOf } from "./query/field.js";
export { alignOf, resolve, sizeOf } from "./query/resolve.js";
export { type KindTally, tally } from "./query/tally.js";
export { init, type KernelSource } from "./wasm/kernel.js";
