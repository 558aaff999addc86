/** Checks an object on a target: which relocations resolve, which are guarded, which fail. */
import { type RelocateOptions, relocate, targetOf } from "../core-relocation/relocate.js";
import type { RelocatedObject, Relocation, RelocationTarget } from "../core-relocation/relocation.js";
import type { LineInfo } from "../ext/types.js";
import type { BpfObject } from "../object/object.js";
import type { Attachment } from "./attach/attachment.js";
import { attachments } from "./attach/attachments.js";
import { kernelSymbols } from "./attach/externs.js";
import { symbolTable } from "./attach/kallsyms.js";
import { listsFunctions } from "./attach/kernel-symbols.js";
import { ControlFlow } from "./control-flow/control-flow.js";
import type { ObjectFinding } from "./object/finding.js";
import { fixedOffsets } from "./object/fixed-offsets.js";
import { absentCalls } from "./object/kernel-functions.js";
import { failureOf, planFor } from "./object/libbpf.js";
import { loadedPrograms } from "./object/loaded-programs.js";
import { refusedMaps } from "./object/map-definitions.js";
import { byteOrder, plansLoads, refusals } from "./object/object-findings.js";
import { missingFeatures } from "./object/target-features.js";
import { type CheckSettings, type KernelFacts, kconfigText, Settings } from "./settings.js";
import { SourceLines } from "./source-lines.js";

/**
 * `ok`: the value is as compiled. `changed`: the value differs. `guarded`: the
 * poisoned instruction cannot be reached, or only in a program that is not
 * loaded by itself. `breaks`: the instruction can be reached, or libbpf refuses
 * the object.
 */
export type RelocationVerdict = "ok" | "changed" | "guarded" | "breaks";

/** One relocation, and its consequence for loading. */
export interface CheckedRelocation {
  readonly relocation: Relocation;
  readonly verdict: RelocationVerdict;
}

/**
 * `ok`, `changed` and `guarded`: nothing is known against loading the object, and
 * this is the worst verdict of its relocations. `unattached`: it loads, and the
 * target of a program is missing. `breaks`: it does not load.
 */
export type Verdict = RelocationVerdict | "unattached";

/** One cell of the matrix. */
export interface Check {
  readonly verdict: Verdict;
  readonly relocations: readonly CheckedRelocation[];
  readonly attachments: readonly Attachment[];
  /** Beside relocations and attachments: refusals by the loader, features that the target lacks. */
  readonly findings: readonly ObjectFinding[];
}

/** Options of `check`. */
export interface CheckOptions extends RelocateOptions, CheckSettings, KernelFacts {}

/**
 * Checks an object on a target without loading it. An object without
 * `.BTF.ext` has no relocations; the targets of its programs are looked for all
 * the same.
 *
 * @throws as `relocate`, for malformed objects
 * @example
 * const { verdict, relocations } = check(object, btf);
 * console.log(verdict, relocations[0]?.relocation.reason);
 * // changed struct task_struct.pid has moved from byte 0 to 2416
 */
export function check(object: BpfObject, target: RelocationTarget, options: CheckOptions = {}): Check {
  const { engine = "libbpf" } = options;
  const core = targetOf(target);
  const relocated = object.hasExt ? relocate(object, target, options) : undefined;
  const { kallsyms: text } = options;
  const kallsyms = text === undefined ? undefined : symbolTable(text);
  const place = { ...core, kallsyms };
  const symbols = kernelSymbols(object, place);
  let known: ControlFlow | undefined;
  const flow = (): ControlFlow => {
    const starts = loadedPrograms(object);
    known ??= new ControlFlow(object, relocated, starts, new Settings(object, options), symbols);
    return known;
  };
  const relocations = relocated ? verdicts(relocated, flow) : [];
  const attached = attachments(object, place, (program) => flow().usesOf(program));
  const findings = [
    ...byteOrder(object, core),
    ...refusals(object, engine),
    ...(symbols.absent.size > 0 ? absentCalls(flow()) : []),
    ...missingFeatures(object, core, flow),
    ...refusedMaps(object),
    ...fixedOffsets(object, flow),
  ];
  const early = overall(relocations, attached, findings);
  // A plan stops at the first failure: it is asked only where nothing else is known against the object.
  if (early !== "breaks" && plansLoads(engine)) {
    findings.push(...failureOf(planFor(object, place, relocated, kconfigText(options)), listsFunctions(core)));
  }
  const lines = new SourceLines(object);
  return {
    verdict: overall(relocations, attached, findings),
    relocations,
    attachments: attached.map((one) => withLine(one, lines.of(one.name))),
    findings: findings.map((one) => withLine(one, lines.of(one.subject, one.insn))),
  };
}

function withLine<T extends { readonly line?: LineInfo }>(one: T, line: LineInfo | undefined): T {
  return line ? { ...one, line } : one;
}

function verdicts({ relocations }: RelocatedObject, flow: () => ControlFlow): CheckedRelocation[] {
  return relocations.map((relocation) => {
    const { status, program, record } = relocation;
    switch (status) {
      case "same":
        return { relocation, verdict: "ok" };
      case "changed":
      case "absent":
        return { relocation, verdict: "changed" };
      case "poisoned":
        return { relocation, verdict: flow().reaches(program!, record.insnByteOffset) ? "breaks" : "guarded" };
      default:
        return { relocation, verdict: "breaks" };
    }
  });
}

function overall(
  relocations: readonly CheckedRelocation[],
  attached: readonly Attachment[],
  findings: readonly ObjectFinding[],
): Verdict {
  const has = (wanted: RelocationVerdict): boolean => relocations.some(({ verdict }) => verdict === wanted);
  const missing = attached.filter(({ status }) => status === "absent" || status === "differs");
  if (has("breaks") || missing.some(({ isRequired }) => isRequired)) return "breaks";
  if (findings.some(({ severity }) => severity === "breaks")) return "breaks";
  if (missing.some(({ kind }) => kind !== "kfunc" && kind !== "ksym")) return "unattached";
  return has("guarded") ? "guarded" : has("changed") ? "changed" : "ok";
}
