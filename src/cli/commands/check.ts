import { readFileSync } from "node:fs";
import { availableParallelism as cores } from "node:os";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { withFirstKernels } from "../../bpf/check/report/first-kernel.js";
import { junit } from "../../bpf/check/report/junit.js";
import { markdown } from "../../bpf/check/report/markdown.js";
import { type Matrix, unexpected } from "../../bpf/check/report/report.js";
import { sarif } from "../../bpf/check/report/sarif.js";
import { requirementsOf } from "../../bpf/check/requirements/requirements.js";
import { ENGINES, type EngineName } from "../../bpf/core-relocation/engines.js";
import { expandTargets } from "../archive/target.js";
import { CellMaker, type CellTask, type CellWork, type TimedCell } from "../check/cells.js";
import { table } from "../check/table.js";
import { tasksOf } from "../check/tasks.js";
import { hasThreads, inThreads } from "../check/threads.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { InputError, UsageError } from "../exit.js";
import { VMLINUX } from "../input.js";
import { inputError } from "../input-error.js";
import { readKallsyms } from "../kallsyms.js";
import { readKconfig } from "../kconfig.js";
import { openObjectInput } from "../object-input.js";
import { moduleOption } from "../options.js";
import { openOutput } from "../output.js";
import { expandPaths } from "../paths.js";
import { printable, styler } from "../style.js";

export interface CheckCommandOptions extends CommonOptions {
  readonly target?: readonly string[];
  readonly module?: readonly string[];
  readonly junit?: string;
  readonly sarif?: string;
  readonly sourceRoot?: string;
  readonly markdown?: boolean;
  readonly markdownFile?: string;
  readonly requirements?: boolean;
  readonly strict?: boolean;
  readonly kallsyms?: string;
  readonly engine?: EngineName;
  readonly rodata?: "unknown" | "initial";
  readonly kconfig?: string;
  readonly expect?: string;
  readonly shard?: Shard;
  readonly jobs?: number;
}

/** Part `index` of `count`, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export function define(command: Command): void {
  command
    .argument("<objects...>", "BPF object files, folders of them, or patterns")
    .option(
      "-t, --target <files...>",
      "kernels' BTF: files, folders, patterns, archives (default: the running kernel's)",
    )
    .addOption(moduleOption())
    .addOption(
      new Option("--rodata <values>", "what .rodata holds when programs are loaded: a loader may set it before")
        .choices(["unknown", "initial"])
        .default("unknown"),
    )
    .option("--kconfig <file>", "the kernel's configuration and version, for .kconfig externs")
    .option(
      "--kallsyms <file>",
      "the kernel's symbols, /proc/kallsyms or a System.map: for symbols without types, and probes",
    )
    .option("--strict", "exit code 1 for warnings too, such as reads of kernel types at fixed offsets")
    .option("--requirements", "say what the objects need of a kernel at least, and check nothing")
    .option("--markdown", "the table as Markdown")
    .option("--markdown-file <file>", "write the table as Markdown there too")
    .option("--junit <file>", "write a JUnit report there too")
    .option("--sarif <file>", "write a SARIF report there too")
    .option(
      "--source-root <folder>",
      "with --sarif: where the sources lay when they were compiled; their paths are relative to it (default: the current folder)",
    )
    .option("--expect <file>", "an earlier --json: fail only where something became worse")
    .addOption(new Option("--shard <i/n>", "only part i of n of the matrix").argParser(shard))
    .addOption(new Option("--jobs <n>", "threads (default: one per core where the matrix is large)").argParser(jobs))
    .option("--progress", "say on standard error how far it is, also where that is no terminal")
    .addOption(new Option("--engine <engine>", "whose rules to follow").choices(ENGINES).default("libbpf"))
    .addHelpText(
      "after",
      "\nExit code 1 if an object breaks on a target; with --expect if a cell became worse. ok means that nothing is known against loading: limits of the verifier and permissions are not checked.\n\nExample:\n  btfkit check probes/*.bpf.o --target kernels/ --junit report.xml",
    );
}

/** Checks objects on targets; 1 if something breaks. */
export async function run(paths: readonly string[], options: CheckCommandOptions, context: Context): Promise<ExitCode> {
  const files = expandPaths(paths);
  if (options.requirements) return listRequirements(files, options, context);
  const targets = await expandTargets(options.target ?? [VMLINUX]);
  for (const name of ["module", "kconfig", "kallsyms"] as const) {
    if (options[name] && targets.length > 1) throw new UsageError(`--${name} belongs to one kernel: give one --target`);
  }
  const expected = options.expect === undefined ? undefined : readExpected(options.expect);
  const cells = await makeCells(files, targets, options, context);
  const matrix = withFirstKernels({ objects: files, targets, cells: cells.map(({ cell }) => cell) });
  if (options.json || options.pretty) await context.out.write(jsonText({ version: 1, ...matrix }, options.pretty));
  else if (options.markdown) await context.out.write(markdown(matrix));
  else await context.out.write(table(matrix, context));
  if (options.junit !== undefined)
    await writeFile(
      options.junit,
      junit(
        matrix,
        cells.map(({ seconds }) => seconds),
      ),
    );
  if (options.markdownFile !== undefined) await writeFile(options.markdownFile, markdown(matrix));
  if (options.sarif !== undefined) {
    const folders = { sourceRoot: resolve(options.sourceRoot ?? ""), folder: resolve() };
    await writeFile(options.sarif, `${JSON.stringify(sarif(matrix, context.version, folders), null, 2)}\n`);
  }
  const worse = unexpected(matrix, expected);
  if (expected)
    for (const { object, target, verdict } of worse)
      context.warn(`${object} on ${target}: ${verdict}, which was not expected`);
  const hasWarnings = matrix.cells.some(({ findings }) => findings.some(({ severity }) => severity === "warning"));
  return worse.length > 0 || (options.strict && hasWarnings) ? 1 : 0;
}

/** Writes what each object needs of a kernel. */
async function listRequirements(
  files: readonly string[],
  options: CheckCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const { bold, dim } = styler(context.color);
  const all = files.map((file) => {
    try {
      return { object: file, ...requirementsOf(openObjectInput(file)) };
    } catch (cause) {
      throw inputError(file, cause);
    }
  });
  if (options.json || options.pretty) {
    await context.out.write(jsonText({ version: 1, objects: all }, options.pretty));
    return 0;
  }
  for (const { object, since, items } of all) {
    await context.out.write(
      `${bold(printable(object))}: ${since === undefined ? "no known release" : `Linux ${since}`}\n`,
    );
    for (const { kind, name, since: release, neededBy } of items) {
      const by = neededBy === undefined ? "" : dim(`  ${printable(neededBy)}`);
      await context.out.write(`  ${(release ?? "-").padEnd(5)} ${kind} ${printable(name)}${by}\n`);
    }
  }
  return 0;
}

/** Cells that a thread has to make to pay for its start: it opens the targets itself, and its code is cold. */
const CELLS_A_THREAD = 100;
async function makeCells(
  files: readonly string[],
  targets: readonly string[],
  {
    module: modules = [],
    shard,
    jobs,
    engine = "libbpf",
    rodata = "unknown",
    kconfig,
    kallsyms,
    base,
    maxSize,
    json,
    pretty,
  }: CheckCommandOptions,
  context: Context,
): Promise<TimedCell[]> {
  const objects = files.map((file) => ({ file, bytes: openObjectInput(file).bytes }));
  const options = {
    engine,
    rodata,
    ...(kconfig !== undefined && { kconfig: readKconfig(kconfig) }),
    ...(kallsyms !== undefined && { kallsyms: readKallsyms(kallsyms) }),
  };
  const work: CellWork = { objects, modules, input: { ...(base !== undefined && { base }), maxSize }, options };
  // JSON has the ids of types.
  const isExact = Boolean(json || pretty) || modules.length > 0;
  const all = targets.length * objects.length;
  const [first, end] = shard ? bounds(all, shard) : [0, all];
  const placed = tasksOf(targets, objects.length, first, end, isExact);
  const tasks = placed.map(({ task }) => task);
  const done = (cells: number): void => context.progress(cells, end - first, "checks");
  // What comes in through standard input can be read once.
  const most = targets.includes("-") ? 1 : tasks.length;
  const threads = Math.min(most, jobs ?? Math.min(cores(), Math.floor((end - first) / CELLS_A_THREAD)));
  const made = await (threads > 1 && hasThreads()
    ? inThreads(threads, work, tasks, done)
    : inThisThread(work, tasks, done));
  const cells: TimedCell[] = new Array(made.length);
  let next = 0;
  for (const { places } of placed) for (const place of places) cells[place - first] = made[next++]!;
  return cells;
}

async function inThisThread(
  work: CellWork,
  tasks: readonly CellTask[],
  done: (cells: number) => void,
): Promise<TimedCell[]> {
  const maker = new CellMaker(work);
  const cells: TimedCell[] = [];
  for (const task of tasks) {
    cells.push(...(await maker.make(task)));
    done(cells.length);
  }
  return cells;
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

/** `2/5`: the second of five parts. */
function shard(value: string): Shard {
  const [, index, count] = (/^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(value) ?? []).map(Number) as [
    number,
    number?,
    number?,
  ];
  if (index && count && index <= count) return { index, count };
  throw new InvalidArgumentError("It is i/n with 1 ≤ i ≤ n, such as 2/5.");
}

function jobs(value: string): number {
  if (/^[1-9]\d?$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It is a number from 1 to 99.");
}
