import type { Btf } from "../../btf/btf.js";
import { Budget } from "../codecs/budget.js";

/** What to take of an input, and what it may cost. */
export interface ImageOptions {
  /** What errors call the input; nothing by default. */
  readonly name?: string;
  /**
   * The most that is held of any one file once it is unpacked, in bytes; 1 GiB
   * by default. What only passes by, as most of a package does, may be 16 times
   * as much.
   */
  readonly maxBytes?: number;
  /** Which file of a package or folder: its path, its file name, or a module's name. By default the first kernel. */
  readonly member?: string;
  /** The base of a module that comes without its kernel. */
  readonly base?: Btf;
  /** Keep the modules of a package or folder, all or those whose name is wanted: they take what they are packed in. */
  readonly modules?: boolean | ((name: string) => boolean);
  readonly signal?: AbortSignal;
}

const MAX_BYTES = 2 ** 30;
/** How much more than what is held may pass by. */
const PASSING_FACTOR = 16;
/** Places that look like packed data, in images that do not say where their kernel is. */
const MOST_TRIED = 64;

/** What an input may cost. */
export function budgetOf({ maxBytes = MAX_BYTES, signal }: ImageOptions): Budget {
  return new Budget(maxBytes, maxBytes * PASSING_FACTOR, MOST_TRIED, signal);
}
