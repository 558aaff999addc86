import { readFileSync } from "node:fs";
import { check as checkObject } from "../../check/check.js";
import { junit } from "../../check/junit.js";
import { markdown } from "../../check/markdown.js";
import { type Cell, cellOf, failedCell, type Matrix, problemsOf, unexpected } from "../../check/report.js";
import { sarif } from "../../check/sarif.js";
import type { EngineName } from "../../core-relocation/engine.js";
import { BtfError, BtfInternalError } from "../../errors.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { InputError, openTarget, VMLINUX } from "../input.js";
import { openObjectInput } from "../object-input.js";
import { openOutput } from "../output.js";
import { expandPaths } from "../paths.js";
import { printable, styler } from "../style.js";
import { UsageError } from "../usage.js";

export interface CheckCommandOptions extends CommonOptions {
  readonly target?: readonly string[];
  readonly module?: readonly string[];
  readonly junit?: string;
  readonly sarif?: string;
  readonly markdown?: boolean;
  readonly engine?: EngineName;
  readonly expect?: string;
  readonly shard?: Shard;
}

/** Part `index` of `count`, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Checks objects on targets; 1 if something breaks. */
export async function check(
  paths: readonly string[],
  options: CheckCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const files = expandPaths(paths);
  const targets = expandPaths(options.target ?? [VMLINUX]);
  if (options.module && targets.length > 1) throw new UsageError("--module belongs to one kernel: give one --target");
  const expected = options.expect === undefined ? undefined : readExpected(options.expect);
  const matrix = await run(files, targets, options, context);
  if (options.json || options.pretty) await context.out.write(jsonText(matrix, options.pretty));
  else if (options.markdown) await context.out.write(markdown(matrix));
  else await context.out.write(table(matrix, context));
  if (options.junit !== undefined) await writeFile(options.junit, junit(matrix));
  if (options.sarif !== undefined) await writeFile(options.sarif, jsonText(sarif(matrix, context.version), true));
  const worse = unexpected(matrix, expected);
  if (expected)
    for (const { object, target, verdict } of worse)
      context.warn(`${object} on ${target}: ${verdict}, which was not expected`);
  return worse.length > 0 ? 1 : 0;
}

async function run(
  files: readonly string[],
  targets: readonly string[],
  { module, shard, engine = "libbpf" }: CheckCommandOptions,
  context: Context,
): Promise<Matrix> {
  const objects = files.map((file) => ({ file, object: openObjectInput(file) }));
  // One target after the other: a shard opens few of them.
  const all = targets.flatMap((target) => objects.map((one) => ({ ...one, target })));
  const mine = shard ? all.slice(...bounds(all.length, shard)) : all;
  const cells: Cell[] = [];
  let opened: { readonly name: string; readonly target: Awaited<ReturnType<typeof openTarget>> } | undefined;
  for (const { file, object, target } of mine) {
    if (opened?.name !== target) opened = { name: target, target: await openTarget(target, module) };
    try {
      cells.push(cellOf(file, target, checkObject(object, opened.target, { engine })));
    } catch (error) {
      if (!(error instanceof BtfError) || error instanceof BtfInternalError) throw error;
      cells.push(failedCell(file, target, error.message));
    }
    context.progress(cells.length, mine.length, "checks");
  }
  return { objects: files, targets, cells };
}

function bounds(count: number, { index, count: shards }: Shard): [number, number] {
  return [Math.floor(((index - 1) * count) / shards), Math.floor((index * count) / shards)];
}

function readExpected(path: string): Pick<Matrix, "cells"> {
  let matrix: Partial<Matrix> | null;
  try {
    matrix = JSON.parse(readFileSync(path, "utf8")) as Partial<Matrix> | null;
  } catch (cause) {
    throw new InputError(`${path}: ${(cause as Error).message}`, { cause });
  }
  const { cells } = matrix ?? {};
  if (!Array.isArray(cells)) throw new InputError(`${path}: not what check --json writes: no cells`);
  return { cells };
}

async function writeFile(path: string, text: string): Promise<void> {
  const out = openOutput(path, 1);
  try {
    await out.write(text);
    await out.commit();
  } catch (cause) {
    out.abandon();
    throw cause;
  }
}

const MARKS: Readonly<Record<Cell["verdict"], string>> = {
  ok: "ok",
  changed: "changed",
  guarded: "guarded",
  unattached: "unattached",
  breaks: "BREAKS",
};

/** A row per object, a column per target, then what is wrong. */
function table({ objects, targets, cells }: Matrix, { color }: Context): string {
  const { bold, dim, red, green, yellow } = styler(color);
  const colors = { ok: green, changed: green, guarded: green, unattached: yellow, breaks: red };
  const at = new Map(cells.map((cell) => [`${cell.object}\n${cell.target}`, cell]));
  const first = Math.max(6, ...objects.map((object) => object.length));
  const widths = targets.map((target) => Math.max(10, target.length));
  let text = `${bold("object".padEnd(first))}${targets.map((target, i) => `  ${bold(printable(target).padEnd(widths[i]!))}`).join("")}`;
  text = `${text.trimEnd()}\n`;
  for (const object of objects) {
    let row = printable(object).padEnd(first);
    targets.forEach((target, i) => {
      const verdict = at.get(`${object}\n${target}`)?.verdict;
      const mark = (verdict ? MARKS[verdict] : "").padEnd(i === targets.length - 1 ? 0 : widths[i]!);
      row += `  ${verdict ? colors[verdict](mark) : mark}`;
    });
    text += `${row.trimEnd()}\n`;
  }
  for (const cell of cells) {
    const problems = problemsOf(cell);
    if (problems.length === 0) continue;
    text += `\n${bold(printable(`${cell.object} on ${cell.target}`))}\n`;
    for (const { severity, where, what, line } of problems) {
      const place = line && line.line > 0 ? `  ${line.file}:${line.line}:${line.column}` : "";
      const mark = severity === "breaks" ? red("breaks") : yellow("unattached");
      text += `  ${mark} ${printable(where)}${dim(printable(place))}\n    ${printable(what)}\n`;
    }
  }
  return text;
}
