import type { Command } from "commander";
import type { CommonOptions, Context, ExitCode } from "../context.js";

export function define(command: Command): void {
  command
    .argument("[arguments...]", "bpftool's own arguments, as they are")
    .addHelpText(
      "after",
      "\nThe exit codes are bpftool's, and 2 for what bpftool has and this has not." +
        "\n\nExamples:\n  btfkit bpftool map dump name events -j\n  btfkit bpftool prog dump xlated id 12 linum",
    );
}

/** Prints what bpftool prints. */
export async function run(args: readonly string[], _options: CommonOptions, context: Context): Promise<ExitCode> {
  const { bpftool } = await import("../bpftool/main.js");
  return await bpftool(args, {
    version: context.version,
    output: context.out,
    writeError: context.writeError,
    openKernel: async () => (await import("../../live/kernel.js")).Kernel.open(),
  });
}
