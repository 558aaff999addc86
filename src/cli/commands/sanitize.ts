import type { Command } from "commander";
import { readObject } from "../../bpf/object/object.js";
import type { Btf } from "../../btf/btf.js";
import { fixSections } from "../../edit/reshape/fix-sections.js";
import { type BtfFeature, sanitize } from "../../edit/reshape/sanitize.js";
import { BtfError } from "../../errors/error.js";
import { readBytes } from "../../node/file.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { writeImage } from "../image-output.js";
import { openInput } from "../input.js";
import { file } from "../options.js";

export interface SanitizeCommandOptions extends CommonOptions {
  readonly kernel: string;
  readonly names?: boolean;
}

/** Opens a file; of a BPF object what a loader fills in is filled in first. */
async function opened(file: string | undefined, options: SanitizeCommandOptions): Promise<Btf> {
  const btf = await openInput(file, options);
  if (file === undefined || file === "-" || btf.base) return btf;
  try {
    return fixSections(readObject(readBytes(file)));
  } catch (error) {
    // No object then, but BTF.
    if (error instanceof BtfError && error.code !== "ERR_INTERNAL") return btf;
    throw error;
  }
}

export function define(command: Command): void {
  command
    .addArgument(file())
    .requiredOption("--kernel <version|features>", "a version such as 5.4, or a list of features: func,datasec …")
    .option("--names", "replace names that every kernel refuses, such as those of Rust and Zig")
    .addHelpText("after", "\nExample:\n  btfkit sanitize prog.bpf.o --kernel 5.4 -o prog-5.4.btf");
}

/** Replaces what an older kernel does not know; BPF objects' sections get their sizes. */
export async function run(
  file: string | undefined,
  options: SanitizeCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const { kernel } = options;
  const features = kernel.split(",").filter(Boolean) as BtfFeature[];
  const { btf, changed } = sanitize(await opened(file, options), {
    onProgress: context.progress,
    names: options.names ?? false,
    ...(/^v?\d/.test(kernel) ? { kernel } : { features }),
  });
  await writeImage(btf, options, context, {
    version: 1,
    changed: changed.length,
    types: btf.size - btf.firstId,
    bytes: btf.byteLength,
  });
  return 0;
}
