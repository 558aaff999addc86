/** Writes a matrix as JUnit XML: a suite per target, a case per object. */
import { type Cell, type Matrix, problemsOf } from "./report.js";

/**
 * Returns the text of a report that CI systems read.
 *
 * @param seconds how long each cell took, in their order
 *
 * @example
 * const cell = cellOf("probe.bpf.o", "6.1", check(object, btf));
 * const xml = junit({ objects: ["probe.bpf.o"], targets: ["6.1"], cells: [cell] });
 * console.log(xml.includes("<testsuites")); // true
 */
export function junit({ targets, cells }: Matrix, seconds?: readonly number[]): string {
  const times = new Map(cells.map((cell, i) => [cell, seconds?.[i] ?? 0]));
  const time = (some: readonly Cell[]): string =>
    seconds ? ` time="${some.reduce((sum, cell) => sum + times.get(cell)!, 0).toFixed(3)}"` : "";
  const failures = cells.filter(({ verdict }) => verdict === "breaks").length;
  let text = `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites tests="${cells.length}" failures="${failures}"${time(cells)}>\n`;
  for (const target of targets) {
    const mine = cells.filter((cell) => cell.target === target);
    const broken = mine.filter(({ verdict }) => verdict === "breaks").length;
    text += `  <testsuite name="${escaped(target)}" tests="${mine.length}" failures="${broken}"${time(mine)}>\n`;
    for (const cell of mine) {
      const open = `    <testcase classname="${escaped(target)}" name="${escaped(cell.object)}"${time([cell])}`;
      const problems = problemsOf(cell).map(({ where, what }) => `${where}: ${what}`);
      if (cell.verdict === "breaks") {
        text += `${open}>\n      <failure message="${escaped(problems[0] ?? "breaks")}">${escaped(problems.join("\n"))}</failure>\n    </testcase>\n`;
      } else if (problems.length > 0) {
        text += `${open}>\n      <system-out>${escaped(problems.join("\n"))}</system-out>\n    </testcase>\n`;
      } else text += `${open}/>\n`;
    }
    text += "  </testsuite>\n";
  }
  return `${text}</testsuites>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
};

/** Escapes text; control characters, which XML cannot hold, are replaced. */
function escaped(text: string): string {
  return text.replace(/[&<>"\n]/g, (char) => ENTITIES[char]!).replace(/\p{Cc}/gu, "\ufffd");
}
