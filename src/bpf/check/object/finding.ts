/** Findings about an object as a whole, beside its relocations and the targets of its programs. */

import type { LineInfo } from "../../ext/types.js";

/** Why a loader or a kernel refuses an object, or does other than the object expects. */
export type ObjectRule =
  /** The loader refuses to open or to prepare the object. */
  | "refused"
  /** The object and the target have different byte orders. */
  | "byte-order"
  /** A program calls a weak kernel function that the target lacks. */
  | "kfunc-call"
  /** A program calls a helper that the target lacks. */
  | "helper"
  /** The target does not know the type of a map, of a program, or of its attachment. */
  | "map-type"
  | "program-type"
  | "attach-type"
  /** The kernel refuses the definition of a map. */
  | "map-definition"
  /** A program reads kernel types at offsets that CO-RE does not relocate. */
  | "fixed-offset"
  /** A symbol of the kernel is missing, or stands for several addresses. */
  | "symbol";

/** Something about an object that matters on a target. */
export interface ObjectFinding {
  readonly rule: ObjectRule;
  /** `"breaks"`: the object does not load. `"warning"`: it may load, and then not do what it is meant to. */
  readonly severity: "breaks" | "warning";
  /** The program, map, symbol or section; `""` for the whole object. */
  readonly subject: string;
  /** The loader's or the kernel's errno as a positive number, from 4000 on libbpf's own; 0 where the loader gives none. */
  readonly errno: number;
  /** What is wrong, and how to mend it. */
  readonly reason: string;
  /** The instruction in the program named by `subject`. */
  readonly insn?: number;
  /** The line of the instruction, or the first of the program, where the object has lines. */
  readonly line?: LineInfo;
}
