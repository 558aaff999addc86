import { Argument, type Command } from "commander";
import type { Btf } from "../../btf/btf.js";
import { distill } from "../../edit/reshape/distill.js";
import { rebase } from "../../edit/reshape/rebase.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { writeImage } from "../image-output.js";
import { openInput } from "../input.js";

export interface RebaseCommandOptions extends CommonOptions {
  readonly newBase: string;
}

/** Kinds that a distilled base holds, all of them named. */
function isDistilled(base: Btf): boolean {
  for (let id = 1; id < base.size; id++) {
    if (!["int", "float", "enum", "struct", "union", "fwd"].includes(base.kindAt(id)) || base.nameAt(id) === "")
      return false;
  }
  return true;
}

export function define(command: Command): void {
  command
    .addArgument(new Argument("<file>", "split BTF, such as a module's"))
    .requiredOption("-N, --new-base <file>", "the base to move it to")
    .addHelpText(
      "after",
      "\nExample:\n  btfkit rebase mod.btf -B mod.base.btf -N /sys/kernel/btf/vmlinux -o moved.btf",
    );
}

/** Moves a split BTF to another base; one on a whole kernel is distilled first. */
export async function run(file: string, options: RebaseCommandOptions, context: Context): Promise<ExitCode> {
  const btf = await openInput(file, options);
  const onto = await openInput(options.newBase, {});
  const shown = { onProgress: context.progress };
  const from = btf.base && !isDistilled(btf.base) ? distill(btf, shown).btf : btf;
  const moved = rebase(from, onto, shown).btf;
  const report = {
    version: 1,
    types: moved.size - moved.firstId,
    bytes: moved.byteLength,
    base: { from: btf.base?.size, to: onto.size },
  };
  await writeImage(moved, options, context, report);
  return 0;
}
