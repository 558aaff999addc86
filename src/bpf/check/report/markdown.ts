/** Writes a matrix as Markdown: a table, then each fault with its targets. */
import { type Cell, faultsOf, type Matrix, problemsOf } from "./report.js";

const MARKS: Readonly<Record<Cell["verdict"], string>> = {
  ok: "✅",
  changed: "✅ changed",
  guarded: "✅ guarded",
  unattached: "⚠️ unattached",
  breaks: "❌ breaks",
};

/**
 * Returns text for a pull request's comment or a job's summary.
 *
 * @example
 * const cell = cellOf("probe.bpf.o", "6.1", check(object, btf));
 * const table = markdown({ objects: ["probe.bpf.o"], targets: ["6.1"], cells: [cell] });
 * console.log(table.includes("changed")); // true
 */
export function markdown({ objects, targets, cells }: Matrix): string {
  const at = new Map(cells.map((cell) => [`${cell.object}\n${cell.target}`, cell]));
  const row = (list: readonly string[]): string => `| ${list.join(" | ")} |\n`;
  let text = row(["object", ...targets.map(escaped)]) + row(["---", ...targets.map(() => "---")]);
  for (const object of objects) {
    const marks = targets.map((target) => {
      const cell = at.get(`${object}\n${target}`);
      return cell ? MARKS[cell.verdict] : "";
    });
    text += row([escaped(object), ...marks]);
  }
  const wrong = faultsOf(cells, problemsOf);
  if (wrong.length > 0) text += "\n";
  let last: string | undefined;
  for (const { object, targets: on, severity, where, what, line } of wrong) {
    if (object !== last) text += `- **${escaped(object)}**\n`;
    last = object;
    const place = line && line.line > 0 ? ` (${escaped(`${line.file}:${line.line}`)})` : "";
    const kernels = on.length === targets.length ? "" : ` on ${escaped(on.join(", "))}`;
    text += `  - ${severity}${kernels}: ${escaped(where)}${place}: ${escaped(what)}\n`;
  }
  return text;
}

function escaped(text: string): string {
  return text.replace(/\p{Cc}/gu, "\ufffd").replace(/[\\|`*_<>[\]]/g, "\\$&");
}
