import type { Command } from "commander";
import { findHolders, type Holder } from "../../live/holders.js";
import { Kernel } from "../../live/kernel.js";
import type { LinkInfo } from "../../live/link.js";
import { columns } from "../columns.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { UsageError } from "../exit.js";

/** The version of the JSON's shape. */
const VERSION = 1;

export interface PsCommandOptions extends CommonOptions {
  readonly measure?: string;
}

export function define(command: Command): void {
  command
    .option("--measure <seconds>", "count runs for so long first (needs CAP_SYS_ADMIN)")
    .addHelpText("after", "\nExamples:\n  btfkit ps\n  btfkit ps --measure 2 --json");
}

/** A program with what it hangs on. */
interface Row {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly attachedTo: readonly string[];
  readonly runCount: string;
  readonly runTimeNs: string;
  readonly byteSize: number;
  readonly maps: readonly number[];
  readonly holders: readonly Holder[];
}

/** Lists the loaded programs: what they are attached to, how long they ran, who holds them. */
export async function run(options: PsCommandOptions, context: Context): Promise<ExitCode> {
  if (options.measure !== undefined && !(Number(options.measure) > 0)) {
    throw new UsageError(`--measure ${options.measure}: it is a number of seconds`);
  }
  using kernel = await Kernel.open();
  if (options.measure !== undefined) {
    using _counting = kernel.enableStatistics();
    await new Promise((resolve) => setTimeout(resolve, Number(options.measure) * 1000));
  }
  const programs = rowsOf(kernel);
  if (options.json || options.pretty) {
    await context.out.write(jsonText({ version: VERSION, programs }, options.pretty));
    return 0;
  }
  const head = ["ID", "TYPE", "NAME", "ATTACHED TO", "RUNS", "AVERAGE", "SIZE", "HELD BY"];
  const table = programs.map((row) => [
    String(row.id),
    row.type,
    row.name || "-",
    row.attachedTo.join(", ") || "-",
    row.runCount === "0" ? "-" : row.runCount,
    row.runCount === "0" ? "-" : `${BigInt(row.runTimeNs) / BigInt(row.runCount)} ns`,
    `${row.byteSize} B`,
    row.holders.map(({ name, pid }) => `${name} (${pid})`).join(", ") || "-",
  ]);
  await context.out.write(columns([head, ...table]));
  return 0;
}

function rowsOf(kernel: Kernel): Row[] {
  const attached = new Map<number, string[]>();
  const linkHolders = new Map<number, Holder[]>();
  const holders = findHolders();
  for (const link of kernel.links()) {
    const info = link.info;
    attached.set(info.programId, [...(attached.get(info.programId) ?? []), describe(info)]);
    const known = linkHolders.get(info.programId) ?? [];
    linkHolders.set(info.programId, [...known, ...(holders.links.get(info.id) ?? [])]);
    link[Symbol.dispose]();
  }
  const rows: Row[] = [];
  for (const program of kernel.programs()) {
    const info = program.info;
    const all = [...(holders.programs.get(info.id) ?? []), ...(linkHolders.get(info.id) ?? [])];
    rows.push({
      id: info.id,
      type: info.type,
      name: program.fullName,
      attachedTo: attached.get(info.id) ?? [],
      runCount: String(info.runCount),
      runTimeNs: String(info.runTimeNs),
      byteSize: info.xlatedByteSize,
      maps: program.mapIds(),
      holders: all.filter(({ pid }, i) => all.findIndex((one) => one.pid === pid) === i),
    });
    program[Symbol.dispose]();
  }
  return rows;
}

/** What a link is on, in a few words. */
function describe({ type, attachType, details }: LinkInfo): string {
  const named = ["tp_name", "func_name", "file_name", "path", "target_name"].find((name) => details[name]);
  const place = named ? String(details[named]) : (attachType ?? "");
  const where = details["ifindex"] ? ` interface ${details["ifindex"]}` : "";
  return `${type}${place ? ` ${place}` : ""}${where}`;
}
