/** btfkit/edit: makes and reshapes BTF. Apart from the default entry, for it carries a WebAssembly module of its own. */
export {
  BtfBuilder,
  type BuilderOptions,
  type EnumeratorSpec,
  type IntSpec,
  type MemberPlace,
  type MemberSpec,
  type ParamSpec,
  type Sized,
  type TagOptions,
  type TypeRef,
  type VariableSpec,
} from "./edit/builder.js";
export {
  type DedupOptions,
  type DedupResult,
  dedup,
  type MergeOptions,
  type MergeResult,
  merge,
} from "./edit/dedup.js";
export { type EncodeOptions, encode } from "./edit/encode.js";
export { type Finding, type VerifyOptions, type VerifyResult, verify } from "./verify/verify.js";
