/** Relocation results as plain data, for JSON. */
import type { LineInfo } from "../ext/types.js";
import type { Disagreement } from "./disagree.js";
import type { RelocatedObject, Relocation, RelocationStatus } from "./relocation.js";
import { formatSpec } from "./spec.js";

/** A line of the source; `line` is 0 where the compiler gave none. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A result, as it is written as JSON. */
export interface RelocationReport {
  /** Name of the program, or of the subprogram. */
  readonly program: string | null;
  readonly section: string;
  /** Index of the instruction in its program. */
  readonly insn: number;
  /** The line of the source, if the object has lines. */
  readonly line: SourceLine | null;
  /** A name of `RELOCATION_KINDS`, or the number of an unknown one. */
  readonly kind: string | number;
  readonly access: string | null;
  /** The root type in the program's BTF. */
  readonly local: { readonly id: number; readonly name: string } | null;
  /** Ids of the types of the target that were looked at. */
  readonly candidates: readonly number[];
  /** Ids of the candidates that match. */
  readonly matched: readonly number[];
  /** The value that the compiler put in, and the value on the target: numbers, strings of digits beyond 2^53; `null` where there is none. */
  readonly original: number | string | null;
  readonly value: number | string | null;
  readonly status: RelocationStatus;
  /** In words; `null` where there is nothing to say. */
  readonly reason: string | null;
  /** The instruction's bytes in hex, as they lie in the file. */
  readonly before: string;
  readonly after: string;
  /** As libbpf's messages show them. */
  readonly localSpec: string | null;
  readonly targetSpec: string | null;
  /** Other engines whose result differs; only in a report that compares them. */
  readonly disagree?: readonly {
    readonly engine: string;
    readonly status: RelocationStatus;
    readonly value: number | string | null;
  }[];
}

/**
 * Returns the results of an object as plain data.
 *
 * @param others the result of `disagreements`
 * @example
 * const [pid] = relocationReport(relocate(object, btf));
 * console.log(pid?.kind, pid?.value, pid?.targetSpec); // byte_off 2416 <byte_off> [191] struct task_struct.pid (0:83 @ offset 2416)
 */
export function report(
  { relocations }: RelocatedObject,
  others?: readonly (readonly Disagreement[])[],
): RelocationReport[] {
  return relocations.map((relocation, i) => {
    const plain = reportOne(relocation);
    const disagree = others?.[i]?.map(({ engine, status, value }) => ({
      engine,
      status,
      value: value === undefined ? null : number(value),
    }));
    return disagree ? { ...plain, disagree } : plain;
  });
}

/** Returns one result as plain data. */
export function reportOne(relocation: Relocation): RelocationReport {
  const { record, program, section, insn, status, resolution, before, after, line, reason } = relocation;
  const { root, local, candidates, matches, outcome } = resolution;
  return {
    program: program?.name ?? null,
    section,
    insn,
    line: sourceLine(line),
    kind: record.kind === "unknown" ? record.kindNumber : record.kind,
    access: record.access ?? null,
    local: root ? { id: root.id, name: root.name } : null,
    candidates: candidates.map(({ id }) => id),
    matched: matches.map(({ candidate }) => candidate.id),
    original: outcome ? number(outcome.original) : null,
    value: outcome && status !== "poisoned" && status !== "error" ? number(outcome.value) : null,
    status,
    reason: reason ?? null,
    before: hex(before),
    after: hex(after),
    localSpec: local ? formatSpec(local) : null,
    targetSpec: matches[0] ? formatSpec(matches[0].spec) : null,
  };
}

/** Returns a line without its place in the code; `null` for none. */
export function sourceLine(line: LineInfo | undefined): SourceLine | null {
  return line ? { file: line.file, line: line.line, column: line.column, text: line.text.trim() } : null;
}

function number(value: bigint): number | string {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
