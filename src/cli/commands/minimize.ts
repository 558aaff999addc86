import type { Command } from "commander";
import { BtfRelocationError } from "../../bpf/core-relocation/error.js";
import { Minimizer } from "../../bpf/core-relocation/minimize.js";
import { Btf } from "../../btf/btf.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { Refused, UsageError } from "../exit.js";
import { inputError, openTarget, VMLINUX } from "../input.js";
import { openObjectInput } from "../object-input.js";
import { moduleOption, OBJECT_HELP } from "../options.js";

export interface MinimizeCommandOptions extends CommonOptions {
  readonly target?: string;
  readonly module?: readonly string[];
}

export function define(command: Command): void {
  command
    .argument("<objects...>", OBJECT_HELP)
    .option("-t, --target <file>", "the kernel's BTF (default: the running kernel's)")
    .addOption(moduleOption())
    .addHelpText("after", "\nExample:\n  btfkit minimize probe.bpf.o --target vmlinux.btf -o probe.btf");
}

/** Writes the smallest BTF that objects need. */
export async function run(
  files: readonly string[],
  options: MinimizeCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const wantsReport = options.json || options.pretty;
  const writesBtf = options.output !== undefined || !wantsReport;
  if (writesBtf && context.outIsTerminal) throw new UsageError("binary BTF on the terminal: give -o FILE or --json");
  const target = await openTarget(options.target, options.module, { ...options, warn: context.warn });
  const minimizer = new Minimizer(target);
  for (const file of files) {
    const object = openObjectInput(file);
    try {
      minimizer.add(object);
    } catch (cause) {
      if (cause instanceof BtfRelocationError) throw new Refused(`${file}: ${cause.message}`, { cause });
      throw inputError(file, cause);
    }
    object[Symbol.dispose]();
  }
  const bytes = minimizer.toBytes();
  if (wantsReport) {
    const types = Btf.parse(bytes).size - 1;
    const shown = { objects: files, target: options.target ?? VMLINUX, types, bytes: bytes.length };
    await context.stdout.write(jsonText(shown, options.pretty));
  }
  if (writesBtf) await context.out.write(bytes);
  return 0;
}
