/**
 * btfkit: BTF (BPF Type Format) in Node, Deno, Bun and browsers.
 *
 * In examples, `bytes` are those of a kernel's BTF and `btf` is that opened; `module` is a module's BTF on it, and
 * `object` a BPF object that reads `pid` of `struct task_struct`.
 *
 * @module btfkit
 */
export { Btf, type OwnOption, type SearchOptions } from "./btf/btf.js";
export { type COptions, dumpC } from "./btf/dump/c.js";
export { type DeclarationOptions, declaration } from "./btf/dump/declaration.js";
export { Dump, type DumpOptions } from "./btf/dump/dump.js";
export { dumpJson, type JsonOptions } from "./btf/dump/json.js";
export { dumpRaw } from "./btf/dump/raw.js";
export type { Endian, Header } from "./btf/header.js";
export { type Field, fieldOf } from "./btf/query/field.js";
export { alignOf, resolve, sizeOf } from "./btf/query/resolve.js";
export { type KindTally, tally } from "./btf/query/tally.js";
export type { BtfSource } from "./btf/source.js";
export type * from "./btf/types.js";
export {
  BtfEnvironmentError,
  BtfError,
  BtfFormatError,
  BtfInternalError,
  BtfLimitError,
  BtfLookupError,
  type ErrorCode,
  type ErrorDetails,
} from "./errors/error.js";
export { KINDS, type Kind } from "./format/kind.js";
export { init, type KernelSource } from "./memory/kernel.js";
