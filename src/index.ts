/**
 * btfkit: BTF (BPF Type Format) in Node, Deno, Bun and browsers.
 *
 * In examples, `bytes` are those of a kernel's BTF and `btf` is that opened; `module` is a module's BTF on it, and
 * `object` a BPF object that reads `pid` of `struct task_struct`.
 *
 * @module btfkit
 */
export { Btf, type OwnOption, type SearchOptions } from "./btf.js";
export type { Endian, Header } from "./core/header.js";
export type { BtfSource } from "./core/source.js";
export { type COptions, dumpC } from "./dump/c.js";
export { type DeclarationOptions, declaration } from "./dump/declaration.js";
export { Dump, type DumpOptions } from "./dump/dump.js";
export { dumpJson, type JsonOptions } from "./dump/json.js";
export { dumpRaw } from "./dump/raw.js";
export {
  BtfEnvironmentError,
  BtfError,
  BtfFormatError,
  BtfInternalError,
  BtfLimitError,
  BtfLookupError,
  type ErrorCode,
  type ErrorDetails,
} from "./errors.js";
export { KINDS, type Kind } from "./model/kind.js";
export type * from "./model/types.js";
export { type Field, fieldOf } from "./query/field.js";
export { alignOf, resolve, sizeOf } from "./query/resolve.js";
export { type KindTally, tally } from "./query/tally.js";
export { init, type KernelSource } from "./wasm/kernel.js";
