import type { Command } from "commander";
import { merge } from "../../edit/dedup/dedup.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { shrinkReport, writeImage } from "../image-output.js";
import { openInputs } from "../input.js";
import { files } from "../options.js";

export interface MergeCommandOptions extends CommonOptions {
  readonly dedup?: boolean;
}

export function define(command: Command): void {
  command
    .addArgument(files())
    .option("--no-dedup", "keep equal types, as btf__add_btf does")
    .addHelpText("after", "\nExample:\n  btfkit merge a.bpf.o b.bpf.o -o both.btf --json");
}

/** Writes the types of several files as one BTF. */
export async function run(files: readonly string[], options: MergeCommandOptions, context: Context): Promise<ExitCode> {
  const { base, inputs } = await openInputs(files, options);
  const { btf } = merge(inputs, {
    onProgress: context.progress,
    dedup: options.dedup ?? true,
    ...(base && { base }),
  });
  await writeImage(btf, options, context, shrinkReport(inputs, btf));
  return 0;
}
