/**
 * btfkit/inspect: what kernel types look like in memory, and how they relate.
 *
 * @module btfkit/inspect
 */
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
