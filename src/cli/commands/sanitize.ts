import { type BtfFeature, sanitize as sanitizeFor } from "../../edit/sanitize.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { writeImage } from "../image-output.js";
import { openInput } from "../input.js";

export interface SanitizeCommandOptions extends CommonOptions {
  readonly kernel: string;
}

/** Replaces what an older kernel does not know. */
export async function sanitize(
  file: string | undefined,
  options: SanitizeCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const { kernel } = options;
  const features = kernel.split(",").filter(Boolean) as BtfFeature[];
  const opened = await openInput(file, options);
  const { btf, changed } = sanitizeFor(opened, {
    onProgress: context.progress,
    ...(/^v?\d/.test(kernel) ? { kernel } : { features }),
  });
  await writeImage(btf, options, context, {
    changed: changed.length,
    types: btf.size - btf.firstId,
    bytes: btf.byteLength,
  });
  return 0;
}
