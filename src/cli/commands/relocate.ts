import { type Command, Option } from "commander";
import { disagreements } from "../../bpf/core-relocation/disagree.js";
import { ENGINES, type EngineName } from "../../bpf/core-relocation/engines.js";
import { BtfRelocationError } from "../../bpf/core-relocation/error.js";
import { relocate } from "../../bpf/core-relocation/relocate.js";
import type { RelocatedObject, RelocationStatus } from "../../bpf/core-relocation/relocation.js";
import { report } from "../../bpf/core-relocation/report.js";
import { accessPath, formatSpec } from "../../bpf/core-relocation/spec.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { Refused, UsageError } from "../exit.js";
import { VMLINUX } from "../input.js";
import { inputError } from "../input-error.js";
import { openObjectInput } from "../object-input.js";
import { moduleOption, OBJECT_HELP } from "../options.js";
import { printable, styler } from "../style.js";
import { openTarget } from "../target-input.js";

export interface RelocateCommandOptions extends CommonOptions {
  readonly target?: string;
  readonly module?: readonly string[];
  readonly keepRecords?: boolean;
  readonly explain?: boolean;
  readonly engine?: EngineName;
}

export function define(command: Command): void {
  command
    .argument("<object>", OBJECT_HELP)
    .option("-t, --target <file>", "the kernel's BTF (default: the running kernel's)")
    .addOption(moduleOption())
    .option("-k, --keep-records", "leave the relocation records in, to look at: loaders would relocate again")
    .option("-e, --explain", "say for each relocation what was searched, what matched, and why")
    .addOption(new Option("--engine <engine>", "whose rules to follow").choices(ENGINES).default("libbpf"))
    .addHelpText(
      "after",
      "\nExample:\n  btfkit relocate probe.bpf.o --target vmlinux.btf -o probe.relocated.o --explain",
    );
}

/** Applies an object's CO-RE relocations, and reports them. */
export async function run(file: string, options: RelocateCommandOptions, context: Context): Promise<ExitCode> {
  const wantsReport = options.json || options.pretty || options.explain;
  const writesObject = options.output !== undefined || !wantsReport;
  if (writesObject && context.outIsTerminal)
    throw new UsageError("an object file on the terminal: give -o FILE, --explain or --json");
  const object = openObjectInput(file);
  const target = await openTarget(options.target, options.module, { ...options, warn: context.warn });
  let relocated: RelocatedObject;
  try {
    relocated = relocate(object, target, options);
  } catch (cause) {
    throw inputError(file, cause);
  }
  if (options.json || options.pretty) {
    const shown = {
      version: 1,
      object: file,
      target: options.target ?? VMLINUX,
      engine: relocated.engine,
      relocations: report(relocated, disagreements(relocated)),
    };
    await context.stdout.write(jsonText(shown, options.pretty));
  } else if (options.explain) {
    await context.stdout.write(explained(relocated, context));
  }
  const { error } = relocated;
  if (error instanceof BtfRelocationError) throw new Refused(`${file}: ${error.message}`, { cause: error });
  if (error) throw inputError(file, error);
  const poisoned = relocated.relocations.filter(({ status }) => status === "poisoned").length;
  if (poisoned > 0) {
    context.warn(
      `${file}: ${poisoned} of ${relocated.relocations.length} relocations are poisoned: the kernel refuses programs that can reach one`,
    );
  }
  if (writesObject) await context.out.write(relocated.toBytes({ keepRecords: options.keepRecords ?? false }));
  return 0;
}

const MARKS: Readonly<Record<RelocationStatus, string>> = {
  same: "=",
  changed: "~",
  absent: "-",
  poisoned: "!",
  error: "x",
};

function explained(relocated: RelocatedObject, { color }: Context): string {
  const { relocations } = relocated;
  const others = disagreements(relocated);
  const { bold, dim } = styler(color);
  let text = "";
  const say = (line: string): void => {
    text += `    ${printable(line)}\n`;
  };
  for (const [i, one] of relocations.entries()) {
    const { program, section, insn, record, status, line, resolution, reason } = one;
    const { local, candidates, matches } = resolution;
    const where = line && line.line > 0 ? `  ${line.file}:${line.line}:${line.column}` : "";
    text += `${bold(`${MARKS[status]} ${status}`)} ${printable(program?.name ?? section)} insn ${insn}${dim(printable(where))}\n`;
    const code = line?.text.trim();
    if (code) text += `    ${dim(printable(code))}\n`;
    say(local ? formatSpec(local) : `${record.kind} [${record.typeId}] ${record.access ?? "?"}`);
    if (candidates.length > 0)
      say(`searched ${candidates.map(({ id, kind, name }) => `${kind} ${name} [${id}]`).join(", ")}`);
    for (const { candidate, spec } of matches)
      say(`matched [${candidate.id}] ${candidate.name}${accessPath(spec.accessors)} (${spec.path.join(":")})`);
    const { outcome } = resolution;
    if (outcome && status !== "error")
      say(`value ${outcome.original} -> ${status === "poisoned" ? "poison" : outcome.value}`);
    if (reason) say(reason);
    for (const { engine, status: theirs, value } of others[i]!)
      say(`${engine} disagrees: ${theirs}${value === undefined ? "" : `, value ${value}`}`);
  }
  const counts = new Map<RelocationStatus, number>();
  for (const { status } of relocations) counts.set(status, (counts.get(status) ?? 0) + 1);
  return `${text}${relocations.length} relocations${[...counts].map(([status, count]) => `, ${count} ${status}`).join("")}\n`;
}
