import { encode } from "../../edit/build/encode.js";
import { distill as distillBase } from "../../edit/reshape/distill.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { openInput } from "../input.js";
import { openOutput } from "../output.js";
import { UsageError } from "../usage.js";

export interface DistillCommandOptions extends CommonOptions {
  readonly baseOutput?: string;
}

/** Gives a split BTF a small base of its own. */
export async function distill(file: string, options: DistillCommandOptions, context: Context): Promise<ExitCode> {
  const asJson = options.json || options.pretty;
  if (!asJson && !(options.output && options.baseOutput)) {
    throw new UsageError(
      "there are two results: name a file for the split BTF with -o, and for its base with --base-output",
    );
  }
  const { base, btf } = distillBase(await openInput(file, options), { onProgress: context.progress });
  if (options.output) await context.out.write(encode(btf));
  if (options.baseOutput) {
    const out = openOutput(options.baseOutput, -1);
    try {
      await out.write(encode(base));
      await out.commit();
    } finally {
      out.abandon();
    }
  }
  const report = {
    base: { types: base.size - 1, bytes: base.byteLength },
    split: { types: btf.size - btf.firstId, bytes: btf.byteLength },
  };
  if (asJson) await context.stdout.write(jsonText(report, options.pretty));
  return 0;
}
