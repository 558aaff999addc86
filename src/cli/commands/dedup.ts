import { dedup as dedupOne, merge } from "../../edit/dedup.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { shrinkReport, writeImage } from "../image-output.js";
import { openInputs } from "../input.js";

/** Writes one BTF with equal types and strings once. */
export async function dedup(files: readonly string[], options: CommonOptions, context: Context): Promise<ExitCode> {
  const { base, inputs } = await openInputs(files, options);
  const shown = { onProgress: context.progress };
  const [only] = inputs;
  const { btf } = inputs.length === 1 ? dedupOne(only!, shown) : merge(inputs, { ...shown, ...(base && { base }) });
  await writeImage(btf, options, context, shrinkReport(inputs, btf));
  return 0;
}
