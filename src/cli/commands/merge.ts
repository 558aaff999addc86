import type { Command } from "commander";
import type { Btf } from "../../btf/btf.js";
import { merge } from "../../edit/dedup/dedup.js";
import { flatten } from "../../edit/reshape/flatten.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { shrinkReport, writeImage } from "../image-output.js";
import { type InputOptions, openInputs } from "../input.js";
import { inputError } from "../input-error.js";
import { openInputFile } from "../input-file.js";
import { openKernelInput, type Source } from "../kernel-input.js";
import { files } from "../options.js";

export interface MergeCommandOptions extends CommonOptions {
  readonly dedup?: boolean;
  /** The base's types too. */
  readonly flatten?: boolean;
}

export function define(command: Command): void {
  command
    .addArgument(files())
    .option("--no-dedup", "keep equal types, as btf__add_btf does")
    .option("--flatten", "a kernel and its modules as one BTF that stands alone: the first FILE, or -B, is the kernel")
    .addHelpText(
      "after",
      "\nExamples:\n  btfkit merge a.bpf.o b.bpf.o -o both.btf --json\n  btfkit merge --flatten /sys/kernel/btf -o all.btf",
    );
}

/** Writes the types of several files as one BTF. */
export async function run(files: readonly string[], options: MergeCommandOptions, context: Context): Promise<ExitCode> {
  const { base, inputs } = options.flatten ? await openAll(files, options, context) : await openInputs(files, options);
  const made = merge(inputs, {
    onProgress: context.progress,
    dedup: options.dedup ?? true,
    ...(base && { base }),
  }).btf;
  const btf = options.flatten ? flatten(made) : made;
  await writeImage(btf, options, context, shrinkReport(options.flatten && base ? [base, ...inputs] : inputs, btf));
  return 0;
}

/** A kernel with the modules that come with it, and the modules in further files. */
async function openAll(
  files: readonly string[],
  options: MergeCommandOptions & InputOptions,
  context: Context,
): Promise<{ base: Btf; inputs: Btf[] }> {
  const [first, ...others] = options.base === undefined ? files : [options.base, ...files];
  const { base: _, ...taken } = options;
  const { sources } = await openKernelInput(first, taken, context.warn);
  const [{ btf: base }, ...modules] = sources as [Source, ...Source[]];
  const inputs = modules.map(({ btf }) => btf);
  for (const file of others) {
    try {
      inputs.push(await openInputFile(file, base));
    } catch (cause) {
      throw inputError(file, cause);
    }
  }
  return { base, inputs };
}
