/** A matrix of checks as plain data, for JSON and for the other formats, which are made of it. */
import { type RelocationReport, reportOne, type SourceLine, sourceLine } from "../../core-relocation/report.js";
import type { Attachment } from "../attach/attachment.js";
import type { Check, RelocationVerdict, Verdict } from "../check.js";
import type { ObjectFinding, ObjectRule } from "../object/finding.js";

/** One relocation of a cell. */
export interface RelocationFinding extends RelocationReport {
  readonly verdict: RelocationVerdict;
}

/** One object on one target. */
export interface Cell {
  readonly object: string;
  readonly target: string;
  readonly verdict: Verdict;
  /** Why it could not be checked, which counts as `breaks`. */
  readonly error: string | null;
  readonly relocations: readonly RelocationFinding[];
  readonly attachments: readonly AttachmentFinding[];
  readonly findings: readonly FindingReport[];
}

/** A finding beside relocations and attachments. */
export interface FindingReport extends Omit<ObjectFinding, "line"> {
  readonly line: SourceLine | null;
}

/** A program's target, or a kernel symbol. */
export interface AttachmentFinding extends Omit<Attachment, "target" | "reason" | "line"> {
  readonly target: string | null;
  readonly reason: string | null;
  readonly line: SourceLine | null;
}

/** All objects on all targets. */
export interface Matrix {
  readonly objects: readonly string[];
  readonly targets: readonly string[];
  readonly cells: readonly Cell[];
}

/**
 * Returns the plain data of a cell.
 *
 * @example
 * const cell = cellOf("probe.bpf.o", "6.1", check(object, btf));
 * console.log(cell.verdict, cell.relocations.length); // changed 1
 */
export function cellOf(object: string, target: string, { verdict, relocations, attachments, findings }: Check): Cell {
  return {
    object,
    target,
    verdict,
    error: null,
    relocations: relocations.map(({ relocation, verdict }) => ({ ...reportOne(relocation), verdict })),
    attachments: attachments.map(({ target: wanted, reason, line, ...rest }) => ({
      ...rest,
      target: wanted ?? null,
      reason: reason ?? null,
      line: sourceLine(line),
    })),
    findings: findings.map(({ line, ...rest }) => ({ ...rest, line: sourceLine(line) })),
  };
}

/** Returns a cell for an object that could not be checked. */
export function failedCell(object: string, target: string, error: string): Cell {
  return { object, target, verdict: "breaks", error, relocations: [], attachments: [], findings: [] };
}

/** A finding that a person has to look at. */
export interface Problem {
  /** `"breaks"`: it does not load. `"unattached"`: it loads, and a target of its programs is missing. `"warning"`: it may not do what it is meant to. */
  readonly severity: "breaks" | "unattached" | "warning";
  readonly rule: "relocation" | "attach-target" | "object" | ObjectRule;
  /** The program and instruction, or the program. */
  readonly where: string;
  readonly what: string;
  readonly line: SourceLine | null;
}

/** Returns the problems of a cell, the worst first. */
export function problemsOf({ error, relocations, attachments, findings }: Cell): Problem[] {
  const problems: Problem[] = [];
  if (error !== null) problems.push({ severity: "breaks", rule: "object", where: "object", what: error, line: null });
  for (const { verdict, program, section, insn, kind, localSpec, reason, line } of relocations) {
    if (verdict !== "breaks") continue;
    const where = `${program ?? section} insn ${insn}`;
    problems.push({ severity: "breaks", rule: "relocation", where, what: reason ?? localSpec ?? String(kind), line });
  }
  for (const { name, kind, target, status, isRequired, reason, line } of attachments) {
    if (status !== "absent" && status !== "differs") continue;
    const isSymbol = kind === "kfunc" || kind === "ksym";
    if (isSymbol && !isRequired) continue;
    const what = `${kind} ${target ?? name} ${status === "absent" ? "is not in the target" : "differs"}${reason ? `: ${reason}` : ""}`;
    problems.push({
      severity: isRequired ? "breaks" : "unattached",
      rule: "attach-target",
      where: name,
      what,
      line,
    });
  }
  for (const { rule, severity, subject, errno, reason, insn, line } of findings) {
    const where = `${subject || "object"}${insn === undefined ? "" : ` insn ${insn}`}`;
    problems.push({ severity, rule, where, what: `${reason}${errno > 0 ? ` (errno ${errno})` : ""}`, line });
  }
  const order = ["breaks", "unattached", "warning"];
  return problems.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

/** Returns what a cell lacks and cannot reach, which is why it is `guarded`. */
export function guardedOf({ relocations }: Cell): Guarded[] {
  return relocations.flatMap(({ verdict, program, section, insn, reason, localSpec, line }) =>
    verdict === "guarded"
      ? [
          {
            where: `${program ?? section} insn ${insn}`,
            what: reason ?? localSpec ?? "a relocation has no result",
            line,
          },
        ]
      : [],
  );
}

/** An instruction that cannot be reached on a target. */
export type Guarded = Pick<Problem, "where" | "what" | "line">;

/** The same problem of an object on all targets that have it. */
export type Fault<P> = P & { readonly object: string; readonly targets: readonly string[] };

/** Returns what `of` finds in the cells: object by object, each fault once. */
export function faultsOf<P extends Guarded>(cells: readonly Cell[], of: (cell: Cell) => readonly P[]): Fault<P>[] {
  const faults = new Map<string, P & { readonly object: string; readonly targets: string[] }>();
  for (const cell of cells) {
    for (const problem of of(cell)) {
      const key = JSON.stringify([cell.object, problem]);
      const known = faults.get(key);
      // A problem may stand twice in a cell.
      if (!known) faults.set(key, { ...problem, object: cell.object, targets: [cell.target] });
      else if (known.targets.at(-1) !== cell.target) known.targets.push(cell.target);
    }
  }
  const order = [...new Set(cells.map(({ object }) => object))];
  return [...faults.values()].sort((a, b) => order.indexOf(a.object) - order.indexOf(b.object));
}

/** All verdicts, from the best to the worst. */
export const VERDICTS: readonly Verdict[] = ["ok", "changed", "guarded", "unattached", "breaks"];

/** Returns the cells that are worse than in an earlier matrix, or broken where that matrix lacks them. */
export function unexpected({ cells }: Matrix, expected: Pick<Matrix, "cells"> | undefined): Cell[] {
  const key = ({ object, target }: Cell): string => `${object}\n${target}`;
  const known = new Map(expected?.cells.map((cell) => [key(cell), cell.verdict]));
  return cells.filter((cell) => {
    const before = known.get(key(cell));
    return before === undefined ? cell.verdict === "breaks" : VERDICTS.indexOf(cell.verdict) > VERDICTS.indexOf(before);
  });
}
