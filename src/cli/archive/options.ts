/** What the actions of `btfkit archive` get. */
import type { DefinitionKind } from "../../inspect/diff/types.js";
import type { CommonOptions } from "../context.js";

export interface ArchiveOptions extends CommonOptions {
  readonly id?: string;
  readonly release?: string;
  readonly distribution?: string;
  readonly architecture?: string;
  readonly modules: boolean;
  readonly module?: string;
  readonly kind?: readonly DefinitionKind[];
  readonly size?: { readonly least: number; readonly most: number };
  readonly withMember?: string;
  readonly type?: readonly string[];
  readonly directory?: string;
  readonly svg?: boolean;
  readonly markdown?: boolean;
  readonly port: number;
  readonly host: string;
}
