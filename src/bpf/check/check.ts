/** Objects against targets: what resolves, what is guarded, what would fail. */
import {
  type RelocatedObject,
  type RelocateOptions,
  type Relocation,
  type RelocationTarget,
  relocate,
  targetOf,
} from "../core-relocation/relocate.js";
import type { BpfObject } from "../object/object.js";
import { type Attachment, attachments } from "./attach/attach.js";
import { Reach } from "./control-flow/reach.js";
import { type CheckSettings, Settings } from "./settings.js";

/**
 * `ok`: as the program was compiled. `changed`: another value. `guarded`: the
 * poisoned instruction cannot be reached, or only in a program that is not
 * loaded by itself. `breaks`: it can be reached, or libbpf refuses the object.
 */
export type RelocationVerdict = "ok" | "changed" | "guarded" | "breaks";

/** One relocation, and what it means for loading. */
export interface CheckedRelocation {
  readonly relocation: Relocation;
  readonly verdict: RelocationVerdict;
}

/**
 * `ok`, `changed` and `guarded`: it loads, and the worst of its relocations is
 * so. `unattached`: it loads, and something that a program attaches to is not
 * there. `breaks`: it does not load.
 */
export type Verdict = RelocationVerdict | "unattached";

/** One cell of the matrix. */
export interface Check {
  readonly verdict: Verdict;
  readonly relocations: readonly CheckedRelocation[];
  readonly attachments: readonly Attachment[];
}

/** Options of `check`. */
export interface CheckOptions extends RelocateOptions, CheckSettings {}

/**
 * Checks an object on a target without loading it. An object without
 * `.BTF.ext` has no relocations; what it attaches to is looked for all the same.
 *
 * @throws as `relocate`, for malformed objects
 * @example
 * const { verdict, relocations } = check(object, btf);
 * console.log(verdict, relocations[0]?.relocation.reason);
 * // changed struct task_struct.pid has moved from byte 0 to 2416
 */
export function check(object: BpfObject, target: RelocationTarget, options: CheckOptions = {}): Check {
  const relocated = object.hasExt ? relocate(object, target, options) : undefined;
  let known: Reach | undefined;
  const reach = (): Reach => {
    const starts = object.programs.filter(({ isSubprogram, autoload }) => !isSubprogram && autoload);
    known ??= new Reach(object, relocated, starts, new Settings(object, options));
    return known;
  };
  const relocations = relocated ? verdicts(relocated, reach) : [];
  const attached = attachments(object, targetOf(target), (program) => reach().usesOf(program));
  return { verdict: overall(relocations, attached), relocations, attachments: attached };
}

function verdicts({ relocations }: RelocatedObject, reach: () => Reach): CheckedRelocation[] {
  return relocations.map((relocation) => {
    const { status, program, record } = relocation;
    switch (status) {
      case "same":
        return { relocation, verdict: "ok" };
      case "changed":
      case "absent":
        return { relocation, verdict: "changed" };
      case "poisoned":
        return { relocation, verdict: reach().has(program!, record.insnByteOffset) ? "breaks" : "guarded" };
      default:
        return { relocation, verdict: "breaks" };
    }
  });
}

function overall(relocations: readonly CheckedRelocation[], attached: readonly Attachment[]): Verdict {
  const has = (verdict: RelocationVerdict): boolean => relocations.some((one) => one.verdict === verdict);
  const missing = attached.filter(({ status }) => status === "absent" || status === "differs");
  if (has("breaks") || missing.some(({ isRequired }) => isRequired)) return "breaks";
  if (missing.some(({ kind }) => kind !== "kfunc" && kind !== "ksym")) return "unattached";
  return has("guarded") ? "guarded" : has("changed") ? "changed" : "ok";
}
