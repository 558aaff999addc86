/**
 * btfkit/inspect: what kernel types look like in memory, and how they relate.
 *
 * @module btfkit/inspect
 */

export { type ComparedKernel, type DiffOptions, diff } from "./inspect/diff/diff.js";
export { type DifferenceTextOptions, differenceMarkdown, differenceText } from "./inspect/diff/text.js";
export * from "./inspect/diff/types.js";
export {
  history,
  type KernelOfHistory,
  type MemberHistory,
  type MemberState,
} from "./inspect/history/history.js";
export { historySvg } from "./inspect/history/svg.js";
export { historyText } from "./inspect/history/text.js";
export { Identities, identities } from "./inspect/identity.js";
export { layout } from "./inspect/layout/layout.js";
export { type LayoutTextOptions, type LayoutTextsOptions, layoutText, layoutTexts } from "./inspect/layout/text.js";
export type {
  InnerSpace,
  Layout,
  LayoutGap,
  LayoutMember,
  LayoutOptions,
  LayoutStatistics,
  MemberCategory,
} from "./inspect/layout/types.js";
export { type BitPlace, memberAt, memberTextAt, type PlaceAt } from "./inspect/member-at.js";
export { type PackedMember, type Packing, type PackOptions, pack, packAll } from "./inspect/pack/pack.js";
export { packedText } from "./inspect/pack/text.js";
export {
  type Holder,
  type HolderType,
  type Kfunc,
  Relations,
  relations,
  type StructOps,
  type Tracepoint,
} from "./inspect/relations/relations.js";
export { type LayoutBox, type LayoutRow, layoutRows } from "./inspect/svg/rows.js";
export { type LayoutSvgOptions, layoutSvg } from "./inspect/svg/svg.js";
