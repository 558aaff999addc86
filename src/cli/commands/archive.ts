import { Argument, type Command } from "commander";
import type { ArchiveOptions } from "../archive/options.js";
import type { Context, ExitCode } from "../context.js";
import { UsageError } from "../exit.js";

const ACTIONS = ["add", "list", "get", "verify"] as const;

export function define(command: Command): void {
  command
    .addArgument(new Argument("<action>", "what to do").choices(ACTIONS))
    .argument("<archive>", "the archive's folder")
    .argument("[arguments...]", "add: kernels, packages, folders of them; get: a kernel's id")
    .option("--id <id>", "add: the kernel's name in the archive (default: its release)")
    .option("--release <release>", "add: such as 6.1.0-13-amd64")
    .option("--distribution <name>", "add: such as debian")
    .option("--architecture <name>", "add: such as x86_64")
    .option("--no-modules", "add: packages and folders without their modules")
    .option("--module <name>", "get: a module of the kernel")
    .addHelpText(
      "after",
      "\nExit code 1 if verify finds damages.\n\nExamples:\n  btfkit archive add kernels/ *.btf.gz\n  btfkit archive list kernels/ --json\n  btfkit archive get kernels/ 6.1.0-50-cloud-amd64 -o vmlinux.btf",
    );
}

/** Keeps many kernels in one folder, each definition once. */
export async function run(
  action: (typeof ACTIONS)[number],
  place: string,
  rest: readonly string[],
  options: ArchiveOptions,
  context: Context,
): Promise<ExitCode> {
  if (action === "add") return await (await import("../archive/add.js")).add(place, rest, options, context);
  const { get, list, verify } = await import("../archive/read.js");
  if (action === "get") return await get(place, rest, options, context);
  if (rest.length > 0) throw new UsageError(`archive ${action} takes no more than the archive: ${rest.join(" ")}`);
  return action === "list" ? await list(place, options, context) : await verify(place, options, context);
}
