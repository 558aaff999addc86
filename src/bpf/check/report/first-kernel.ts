/** Names, for what a target lacks, the first of the other targets that has it. */
import type { ObjectRule } from "../object/finding.js";
import type { Cell, Matrix } from "./report.js";

/** Findings about features that another kernel may have. */
const FEATURES: readonly ObjectRule[] = ["helper", "map-type", "program-type", "attach-type", "kfunc-call"];

/** Returns the matrix with the first target that has it in the reason of each missing feature. */
export function withFirstKernels(matrix: Matrix): Matrix {
  const byObject = new Map<string, Cell[]>();
  for (const cell of matrix.cells) {
    const row = byObject.get(cell.object);
    if (row) row.push(cell);
    else byObject.set(cell.object, [cell]);
  }
  const cells = matrix.cells.map((cell) => {
    if (!cell.findings.some(({ rule }) => FEATURES.includes(rule))) return cell;
    const row = byObject.get(cell.object)!;
    const findings = cell.findings.map((finding) => {
      if (!FEATURES.includes(finding.rule)) return finding;
      const first = row.find(
        ({ error, findings: others }) =>
          error === null &&
          !others.some(({ rule }) => rule === "byte-order") &&
          !others.some(({ rule, subject, reason }) => same(finding, { rule, subject, reason })),
      );
      return first ? { ...finding, reason: `${finding.reason}; ${first.target} has it` } : finding;
    });
    return { ...cell, findings };
  });
  return { ...matrix, cells };
}

type Identity = Pick<Cell["findings"][number], "rule" | "subject" | "reason">;

function same(a: Identity, b: Identity): boolean {
  return a.rule === b.rule && a.subject === b.subject && a.reason === b.reason;
}
