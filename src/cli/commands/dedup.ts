import type { Command } from "commander";
import type { Btf } from "../../btf/btf.js";
import { dedup, merge } from "../../edit/dedup/dedup.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { shrinkReport, writeImage } from "../image-output.js";
import { openInputs } from "../input.js";
import { inputError } from "../input-error.js";
import { files } from "../options.js";

export function define(command: Command): void {
  command
    .addArgument(files())
    .addHelpText(
      "after",
      "\nExamples:\n  btfkit dedup prog.bpf.o -o prog.btf\n  btfkit dedup a.ko b.ko -B vmlinux -o modules.btf",
    );
}

/** Writes one BTF with equal types and strings once. */
export async function run(files: readonly string[], options: CommonOptions, context: Context): Promise<ExitCode> {
  const { base, inputs } = await openInputs(files, options);
  const shown = { onProgress: context.progress };
  const [only] = inputs;
  let btf: Btf;
  try {
    btf = inputs.length === 1 ? dedup(only!, shown).btf : merge(inputs, { ...shown, ...(base && { base }) }).btf;
  } catch (cause) {
    throw inputs.length === 1 ? inputError(files[0]!, cause) : cause;
  }
  await writeImage(btf, options, context, shrinkReport(inputs, btf));
  return 0;
}
