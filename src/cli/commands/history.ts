import { basename } from "node:path";
import type { Command } from "commander";
import type { MemberHistory } from "../../inspect/history/history.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { UsageError } from "../exit.js";
import { openKernelInput } from "../kernel-input.js";
import { expandPaths } from "../paths.js";

export interface HistoryCommandOptions extends CommonOptions {
  readonly in?: readonly string[];
  readonly svg?: boolean;
}

export function define(command: Command): void {
  command
    .argument("<members...>", "such as task_struct.pid; inside of members too: sock.sk_lock.slock")
    .option(
      "--in <files...>",
      "kernels from the oldest to the newest; of a folder or pattern, in the order of versions",
    )
    .option("--svg", "a chart of the offsets")
    .addHelpText(
      "after",
      "\nExit code 1 if no kernel has any of the members.\n\nExamples:\n  btfkit history task_struct.pid --in kernels/*.btf\n  btfkit history task_struct.pid task_struct.comm --in kernels/ --svg -o pid.svg",
    );
}

/** The version of the shape of --json. */
const SHAPE = 1;

/** Shows where members are over kernels. */
export async function run(
  members: readonly string[],
  options: HistoryCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const asJson = options.json || options.pretty;
  if (!options.in) throw new UsageError("no kernels: name them with --in FILES");
  if (options.svg && asJson) throw new UsageError("--svg and --json: choose one");
  const files = options.in.flatMap(inOrder);
  const { history } = await import("../../inspect/history/history.js");
  const labels = labelsOf(files);
  const kernels: { name: string; btfs: Awaited<ReturnType<typeof openKernelInput>>["sources"][number]["btf"][] }[] = [];
  for (const [i, file] of files.entries()) {
    const { sources } = await openKernelInput(file, options, context.warn);
    kernels.push({ name: labels[i]!, btfs: sources.map(({ btf }) => btf) });
    context.progress(i + 1, files.length, "kernels");
  }
  const named = files.map((file, i) => ({ name: labels[i]!, file }));
  return await writeHistories(history(members, kernels), named, options, context);
}

/** Writes histories as text, JSON or a picture. */
export async function writeHistories(
  histories: readonly MemberHistory[],
  kernels: readonly { readonly name: string; readonly file: string }[],
  options: HistoryCommandOptions,
  context: Context,
): Promise<ExitCode> {
  if (options.json || options.pretty) {
    const result = { version: SHAPE, kernels, members: histories };
    await context.out.write(jsonText(result, options.pretty));
  } else if (options.svg) {
    const { historySvg } = await import("../../inspect/history/svg.js");
    await context.out.write(historySvg(histories));
  } else {
    const { historyText } = await import("../../inspect/history/text.js");
    await context.out.write(historyText(histories));
  }
  return histories.some(({ states }) => states.some(({ state }) => state === "present")) ? 0 : 1;
}

/** The files of a folder or pattern, 6.2 before 6.10. */
function inOrder(path: string): string[] {
  const order = new Intl.Collator("en", { numeric: true });
  return expandPaths([path]).sort((a, b) => order.compare(a, b));
}

/** File names without what all of such files end in; whole paths where two are the same. */
function labelsOf(files: readonly string[]): string[] {
  const short = files.map((file) => basename(file).replace(/(?:\.btf)?(?:\.(?:gz|xz|zst))?$/, "") || file);
  return new Set(short).size === files.length ? short : [...files];
}
