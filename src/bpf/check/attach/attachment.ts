/** The target of a program, or a kernel symbol, and whether a kernel has it. */
import type { LineInfo } from "../../ext/types.js";

/** A program's target, or a kernel symbol, on a kernel. */
export interface Attachment {
  /** Name of the program, of the extern, or of the struct_ops variable. */
  readonly name: string;
  /** `"fentry"`, `"kprobe"`, `"kfunc"`, `"struct_ops"`… */
  readonly kind: string;
  /** The name that is looked for, such as `"do_unlinkat"`; `undefined` where the section names nothing. */
  readonly target: string | undefined;
  /** `unknown`: BTF cannot tell. */
  readonly status: "present" | "absent" | "differs" | "unknown";
  /** Loading fails without it; otherwise attaching fails, or nothing. */
  readonly isRequired: boolean;
  /** The difference, or why it is not known. */
  readonly reason: string | undefined;
  /** The program's first line, where the object has lines. */
  readonly line?: LineInfo;
}
