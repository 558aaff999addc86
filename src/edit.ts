/**
 * btfkit/edit: makes and reshapes BTF. Apart from the default entry, for it carries a WebAssembly module of its own.
 *
 * @module btfkit/edit
 */
export {
  type ArraySpec,
  BtfBuilder,
  type BuilderOptions,
  type EnumeratorSpec,
  type IntSpec,
  type MaybeSized,
  type MemberPlace,
  type MemberSpec,
  type ParamSpec,
  type Sized,
  type TagOptions,
  type TypeRef,
  type VariableSpec,
} from "./edit/build/builder.js";
export { type EncodeOptions, encode } from "./edit/build/encode.js";
export type { TypeId } from "./edit/build/type-id.js";
export {
  type DedupOptions,
  type DedupResult,
  dedup,
  type MergeOptions,
  type MergeResult,
  merge,
} from "./edit/dedup/dedup.js";
export { Fingerprints, fingerprints } from "./edit/dedup/fingerprint.js";
export type { ProgressOptions } from "./edit/progress.js";
export { type FitOptions, type FitResult, fitForC } from "./edit/reshape/c-names.js";
export { type DistillResult, distill } from "./edit/reshape/distill.js";
export { fixSections } from "./edit/reshape/fix-sections.js";
export { flatten } from "./edit/reshape/flatten.js";
export { type PermuteOptions, type PermuteResult, permute, sortByName } from "./edit/reshape/permute.js";
export { type RebaseResult, rebase } from "./edit/reshape/rebase.js";
export {
  BTF_FEATURES,
  type BtfFeature,
  type SanitizeOptions,
  type SanitizeResult,
  sanitize,
} from "./edit/reshape/sanitize.js";
export { type Finding, type VerifyOptions, type VerifyResult, verify } from "./edit/verify/verify.js";
export { initEdit } from "./memory/edit-kernel.js";
