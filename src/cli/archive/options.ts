/** What the actions of `btfkit archive` get. */
import type { CommonOptions } from "../context.js";

export interface ArchiveOptions extends CommonOptions {
  readonly id?: string;
  readonly release?: string;
  readonly distribution?: string;
  readonly architecture?: string;
  readonly modules: boolean;
  readonly module?: string;
}
