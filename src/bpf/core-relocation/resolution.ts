/** The result of one relocation's search in a target, before anything is patched. */
import type { Btf } from "../../btf/btf.js";
import type { BtfType } from "../../btf/types.js";
import type { RelocationFailure } from "./failure.js";
import type { Mismatch } from "./mismatch.js";
import type { Spec } from "./spec.js";
import type { Outcome } from "./value.js";

/** The types in which relocations are looked for. */
export interface CoreTarget {
  readonly vmlinux: Btf;
  /** Split BTF of modules on it, in the order in which the kernel has loaded them. */
  readonly modules: readonly Btf[];
}

/** One candidate that matched. */
export interface Match {
  readonly candidate: BtfType;
  readonly spec: Spec;
  readonly outcome: Outcome;
}

/** One candidate that did not match, and where it parts from the local type. */
export interface Unmatched {
  readonly candidate: BtfType;
  /** Why; a failure where the candidate could not be judged. */
  readonly mismatch: Mismatch;
}

/** How an earlier relocation of the same local type has narrowed the candidates. */
export interface Narrowing {
  /** The relocation that some candidates did not match. */
  readonly by: Spec;
  /** The candidates that it ruled out. */
  readonly dropped: readonly BtfType[];
}

/** The result for one relocation. */
export interface Resolution {
  /** The local root type; `undefined` where the record names none. */
  readonly root: BtfType | undefined;
  readonly local: Spec | undefined;
  /** The types that were looked at, after earlier relocations of the same type had ruled others out. */
  readonly candidates: readonly BtfType[];
  /** The candidates that match. */
  readonly matches: readonly Match[];
  /** The candidates that do not, and why. @internal */
  readonly unmatched: readonly Unmatched[];
  /** Set where an earlier relocation has ruled out other types of the name. @internal */
  readonly narrowed: Narrowing | undefined;
  readonly outcome: Outcome | undefined;
  readonly failure: RelocationFailure | undefined;
}
