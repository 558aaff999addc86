import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import type { Btf } from "../../btf/btf.js";
import { type PaholeArguments, PaholeUsage, parsePaholeArguments } from "../../inspect/pahole/options.js";
import { PaholeRun } from "../../inspect/pahole/run.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { InputError, UsageError } from "../exit.js";
import { openInput, VMLINUX } from "../input.js";

export function define(command: Command): void {
  command
    .argument("[arguments...]", "pahole's arguments: options, and files with BTF (default: the running kernel's)")
    .addHelpText("after", "\nExamples:\n  btfkit pahole -C task_struct\n  btfkit pahole -F btf --sizes vmlinux");
}

/** Prints what pahole 1.31 prints. */
export async function run(args: readonly string[], _options: CommonOptions, context: Context): Promise<ExitCode> {
  try {
    await print(parsePaholeArguments(args), context);
  } catch (error) {
    if (error instanceof PaholeUsage) throw new UsageError(`pahole: ${error.message}`);
    throw error;
  }
  return 0;
}

async function print(args: PaholeArguments, context: Context): Promise<void> {
  if (args.version) {
    await context.out.write(args.version === "number" ? "131\n" : "v1.31\n");
    return;
  }
  const { format } = args;
  if (format !== undefined && !format.split(",").includes("btf")) {
    throw new PaholeUsage(`option -F/--format_path ${format} of pahole is not supported: BTF is all that is read`);
  }
  let { files } = args;
  let { className } = args;
  const [first] = files;
  // pahole takes an argument that is no file for the name of a type.
  if (className === undefined && first !== undefined && first !== "-" && !existsSync(first)) {
    className = first;
    args = { ...args, className };
    files = [];
  }
  const pahole = new PaholeRun(args, className === undefined ? [] : namesIn(className));
  for (const file of files.length > 0 ? files : [running()]) {
    for (const chunk of pahole.file(await openFile(file, args), file)) await context.out.write(chunk);
  }
  for (const chunk of pahole.end()) await context.out.write(chunk);
  if (pahole.missing !== undefined) context.warn(pahole.missing);
}

function running(): string {
  return process.env["PAHOLE_VMLINUX_BTF_FILENAME"] ?? VMLINUX;
}

function openFile(file: string, { base }: PaholeArguments): Promise<Btf> {
  return openInput(file, base === undefined ? {} : { base }, "give its base with --btf_base FILE");
}

/** Names with commas between them; `file://PATH` holds one a line. */
function namesIn(text: string): string[] {
  return text.split(/,(?![^(]*\))/).flatMap((name) => {
    if (!name.startsWith("file://")) return [name];
    const path = name.slice("file://".length);
    try {
      // The last character of each line goes, whatever it is.
      return readFileSync(path, "utf8")
        .split(/(?<=\n)/)
        .map((line) => line.slice(0, -1));
    } catch {
      throw new InputError(`${path}: cannot be read as a list of types`);
    }
  });
}
