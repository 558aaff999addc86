import { merge as mergeAll } from "../../edit/dedup/dedup.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { shrinkReport, writeImage } from "../image-output.js";
import { openInputs } from "../input.js";

export interface MergeCommandOptions extends CommonOptions {
  readonly dedup?: boolean;
}

/** Writes the types of several files as one BTF. */
export async function merge(
  files: readonly string[],
  options: MergeCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const { base, inputs } = await openInputs(files, options);
  const { btf } = mergeAll(inputs, {
    onProgress: context.progress,
    dedup: options.dedup ?? true,
    ...(base && { base }),
  });
  await writeImage(btf, options, context, shrinkReport(inputs, btf));
  return 0;
}
