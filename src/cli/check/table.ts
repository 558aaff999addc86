/** Writes a matrix for a terminal: a table, what is wrong or out of reach, and a line that sums it up. */
import { type Cell, faultsOf, guardedOf, type Matrix, problemsOf, VERDICTS } from "../../bpf/check/report/report.js";
import { printable, styler } from "../style.js";

const MARKS: Readonly<Record<Cell["verdict"], string>> = {
  ok: "ok",
  changed: "changed",
  guarded: "guarded",
  unattached: "unattached",
  breaks: "BREAKS",
};
const COLORS = { ok: "green", changed: "green", guarded: "green", unattached: "yellow", breaks: "red" } as const;
const SEVERITIES = { breaks: "red", unattached: "yellow", warning: "yellow", guarded: "dim" } as const;

/** Kernels that are named with a fault. */
const NAMED = 4;

export interface TableOptions {
  readonly color: boolean;
  /** Characters in a line. */
  readonly columns: number;
}

/** A table that is too wide is turned round, and folded where that does not help. */
export function table(matrix: Matrix, { color, columns }: TableOptions): string {
  const { bold, dim, ...styles } = styler(color);
  const { objects, targets, cells } = matrix;
  const objectNames = shortNames(objects);
  const targetNames = shortNames(targets);
  const verdicts = new Map(cells.map(({ object, target, verdict }) => [`${object}\n${target}`, verdict]));
  const upright: Grid = {
    corner: "object",
    rows: objectNames,
    columns: targetNames,
    at: (row, column) => verdicts.get(`${objects[row]}\n${targets[column]}`),
  };
  const turned: Grid = {
    corner: "target",
    rows: targetNames,
    columns: objectNames,
    at: (row, column) => verdicts.get(`${objects[column]}\n${targets[row]}`),
  };
  const blocksOf = (grid: Grid): number => blocks(grid, columns).length;
  const grid = blocksOf(upright) <= blocksOf(turned) ? upright : turned;
  let text = blocks(grid, columns)
    .map((some) => gridText(grid, some, bold, (verdict, mark) => styles[COLORS[verdict]](mark)))
    .join("\n");

  const short = new Map(targets.map((target, i) => [target, targetNames[i]!]));
  const wrong = faultsOf(cells, problemsOf);
  const guarded = faultsOf(cells, guardedOf).map((one) => ({
    ...one,
    severity: "guarded" as const,
    what: `${one.what}; nothing leads to the instruction there`,
  }));
  for (const object of objects) {
    const mine = [...wrong, ...guarded].filter((fault) => fault.object === object);
    if (mine.length > 0) text += `\n${bold(printable(object))}\n`;
    for (const { severity, where, what, line, targets: on } of mine) {
      const place = line && line.line > 0 ? `  ${line.file}:${line.line}:${line.column}` : "";
      const style = severity === "guarded" ? dim : styles[SEVERITIES[severity]];
      const names = printable(
        onTargets(
          on.map((target) => short.get(target)!),
          targets.length,
        ),
      );
      text += `  ${style(severity)} ${printable(where)}${dim(printable(place))}${names}\n    ${printable(what)}\n`;
    }
  }
  return `${text}\n${summary(matrix)}\n`;
}

/** A table's names, and what stands at a place. */
interface Grid {
  readonly corner: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly at: (row: number, column: number) => Cell["verdict"] | undefined;
}

const WIDEST_MARK = Math.max(...Object.values(MARKS).map(({ length }) => length));
const widthOf = (name: string): number => Math.max(WIDEST_MARK, name.length);
const firstWidth = ({ corner, rows }: Grid): number => Math.max(corner.length, ...rows.map(({ length }) => length));

/** The columns of each table that fits, at least one. */
function blocks(grid: Grid, width: number): number[][] {
  const found: number[][] = [];
  let left = 0;
  for (const [i, name] of grid.columns.entries()) {
    if (left < widthOf(name)) {
      found.push([]);
      left = width - firstWidth(grid) - 2;
    }
    found.at(-1)!.push(i);
    left -= widthOf(name) + 2;
  }
  return found.length > 0 ? found : [[]];
}

function gridText(
  grid: Grid,
  columns: readonly number[],
  bold: (text: string) => string,
  style: (verdict: Cell["verdict"], mark: string) => string,
): string {
  const first = firstWidth(grid);
  const names = columns.map((i) => `  ${bold(printable(grid.columns[i]!.padEnd(widthOf(grid.columns[i]!))))}`);
  let text = `${`${bold(grid.corner.padEnd(first))}${names.join("")}`.trimEnd()}\n`;
  for (const [i, name] of grid.rows.entries()) {
    const marks = columns.map((column, at) => {
      const verdict = grid.at(i, column);
      const width = at === columns.length - 1 ? 0 : widthOf(grid.columns[column]!);
      const mark = (verdict ? MARKS[verdict] : "").padEnd(width);
      return `  ${verdict ? style(verdict, mark) : mark}`;
    });
    text += `${`${printable(name).padEnd(first)}${marks.join("")}`.trimEnd()}\n`;
  }
  return text;
}

/** Where a fault is, unless there is one target alone. */
function onTargets(names: readonly string[], all: number): string {
  if (all === 1) return "";
  if (names.length === all) return ` on all ${all}`;
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return ` on ${names.slice(0, NAMED).join(", ")}${more}`;
}

function summary({ objects, targets, cells }: Matrix): string {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;
  const verdicts = VERDICTS.map(
    (verdict) => [verdict, cells.filter((cell) => cell.verdict === verdict).length] as const,
  );
  const told = verdicts.filter(([, number]) => number > 0).map(([verdict, number]) => `${number} ${MARKS[verdict]}`);
  return `${count(objects.length, "object")} on ${count(targets.length, "target")}: ${told.join(", ") || "nothing checked"}`;
}

/** File names without what all such files end in; where two would be the same, as much of their paths as tells them apart. */
export function shortNames(paths: readonly string[]): string[] {
  const split = paths.map((path) => path.split("/"));
  const named = (parts: readonly string[], depth: number): string =>
    parts
      .slice(-depth)
      .join("/")
      .replace(/(?:\.bpf\.o|\.o|\.btf)?(?:\.tar)?(?:\.(?:gz|xz|zst|lz4|bz2))?$/, "") || parts.join("/");
  return split.map((parts, i) => {
    let depth = 1;
    while (depth < parts.length && split.some((other, j) => j !== i && named(other, depth) === named(parts, depth)))
      depth++;
    return named(parts, depth);
  });
}
