import type { Btf } from "../../btf/btf.js";
import { dedup as dedupOne, merge } from "../../edit/dedup/dedup.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { shrinkReport, writeImage } from "../image-output.js";
import { inputError, openInputs } from "../input.js";

/** Writes one BTF with equal types and strings once. */
export async function dedup(files: readonly string[], options: CommonOptions, context: Context): Promise<ExitCode> {
  const { base, inputs } = await openInputs(files, options);
  const shown = { onProgress: context.progress };
  const [only] = inputs;
  let btf: Btf;
  try {
    btf = inputs.length === 1 ? dedupOne(only!, shown).btf : merge(inputs, { ...shown, ...(base && { base }) }).btf;
  } catch (cause) {
    throw inputs.length === 1 ? inputError(files[0]!, cause) : cause;
  }
  await writeImage(btf, options, context, shrinkReport(inputs, btf));
  return 0;
}
