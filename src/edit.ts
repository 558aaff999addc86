/**
 * btfkit/edit: makes and reshapes BTF. Apart from the default entry, for it carries a WebAssembly module of its own.
 *
 * @module btfkit/edit
 */
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
export { type DistillResult, distill } from "./edit/distill.js";
export { type EncodeOptions, encode } from "./edit/encode.js";
export { Fingerprints, fingerprints } from "./edit/fingerprint.js";
export { fixSections } from "./edit/fix-sections.js";
export { type PermuteOptions, type PermuteResult, permute, sortByName } from "./edit/permute.js";
export type { ProgressOptions } from "./edit/progress.js";
export { type RebaseResult, rebase } from "./edit/rebase.js";
export {
  BTF_FEATURES,
  type BtfFeature,
  type SanitizeOptions,
  type SanitizeResult,
  sanitize,
} from "./edit/sanitize.js";
export { type Finding, type VerifyOptions, type VerifyResult, verify } from "./verify/verify.js";
export { initEdit } from "./wasm/edit-kernel.js";
