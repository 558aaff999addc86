/** Results as a table for a terminal. */
import { quantity, ratio, target } from "./format.mjs";

const HEAD = ["", "btfkit", "native", "ratio", "target", "", "against"];
/** Columns of text; the others hold figures and stand to the right. */
const LEFT = [0, 5, 6];

function cells(row) {
  const verdict = row.pass === undefined ? "" : row.pass ? "pass" : "MISS";
  const note = [verdict, row.note].filter(Boolean).join(", ");
  return [
    row.name,
    quantity(row.ours, row.unit),
    quantity(row.theirs, row.unit),
    ratio(row.ratio),
    target(row),
    note,
    row.against ?? "",
  ];
}

export function table(rows) {
  const lines = rows.map(cells);
  const widths = HEAD.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i].length)));
  const pad = (cell, i) => (LEFT.includes(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
  const print = (line) => line.map(pad).join("  ").trimEnd();
  const text = [print(HEAD)];
  rows.forEach(({ group }, i) => {
    if (group !== rows[i - 1]?.group) text.push("", group);
    text.push(print(lines[i]));
  });
  return `${text.join("\n")}\n`;
}
