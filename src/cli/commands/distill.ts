import { Argument, type Command } from "commander";
import { encode } from "../../edit/build/encode.js";
import { distill } from "../../edit/reshape/distill.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { UsageError } from "../exit.js";
import { openInput } from "../input.js";
import { openOutput } from "../output.js";

export interface DistillCommandOptions extends CommonOptions {
  readonly baseOutput?: string;
}

export function define(command: Command): void {
  command
    .addArgument(new Argument("<file>", "split BTF, such as a module's"))
    .option("--base-output <file>", "where the distilled base goes (needed with -o)")
    .addHelpText("after", "\nExample:\n  btfkit distill mod.ko -B vmlinux -o mod.btf --base-output mod.base.btf");
}

/** Gives a split BTF a small base of its own. */
export async function run(file: string, options: DistillCommandOptions, context: Context): Promise<ExitCode> {
  const asJson = options.json || options.pretty;
  if (!asJson && !(options.output && options.baseOutput)) {
    throw new UsageError(
      "there are two results: name a file for the split BTF with -o, and for its base with --base-output",
    );
  }
  const { base, btf } = distill(await openInput(file, options), { onProgress: context.progress });
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
    version: 1,
    base: { types: base.size - 1, bytes: base.byteLength },
    split: { types: btf.size - btf.firstId, bytes: btf.byteLength },
  };
  if (asJson) await context.stdout.write(jsonText(report, options.pretty));
  return 0;
}
