import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { ArchiveOptions } from "../archive/options.js";
import type { Context, ExitCode } from "../context.js";
import { UsageError } from "../exit.js";
import { collect } from "../options.js";
import { kinds } from "./diff.js";
import { size } from "./find.js";

const ACTIONS = [
  "init",
  "add",
  "list",
  "get",
  "find",
  "history",
  "diff",
  "minimize",
  "export",
  "sql",
  "verify",
  "gc",
  "serve",
] as const;

export function define(command: Command): void {
  command
    .addArgument(new Argument("<action>", "what to do").choices(ACTIONS))
    .argument("<archive>", "the archive's folder; where it is only read, also its address (http, https)")
    .argument(
      "[arguments...]",
      "add: kernels, packages, folders of them; get: a kernel's id; find: a name, a glob or /expression/; history: TYPE.MEMBER; diff: two ids; minimize: BPF objects; sql: a query",
    )
    .option("--id <id>", "add: the kernel's name in the archive (default: its release)")
    .option("--release <release>", "add: such as 6.1.0-13-amd64")
    .option("--distribution <name>", "add: such as debian; history: only its kernels")
    .option("--architecture <name>", "add: such as x86_64; history: only its kernels")
    .option("--no-modules", "add: packages and folders without their modules")
    .option("--module <name>", "get: a module of the kernel")
    .addOption(new Option("-k, --kind <kind>", "find, diff: only this kind; repeatable").argParser(kinds))
    .addOption(new Option("--size <range>", "find: only this size in bytes: 64, '>4096', 64-128").argParser(size))
    .option("--with-member <name>", "find: only what has a member or enumerator of this name")
    .option("-t, --type <type>", "diff: only this type: a name, a glob, or KIND:name; repeatable", collect)
    .option(
      "-d, --directory <folder>",
      "minimize: a file for each kernel there, named after it; export: its files there",
    )
    .option("--svg", "history: a chart of the offsets")
    .option("--markdown", "diff: Markdown")
    .addOption(new Option("--port <number>", "serve: where to listen").default(0).argParser(port))
    .addOption(new Option("--host <address>", "serve: whom to listen for").default("127.0.0.1"))
    .addHelpText(
      "after",
      '\nExit code 1 if nothing is found, if two kernels differ, if verify finds damages.\n\nExamples:\n  btfkit archive add kernels/ *.btf.gz\n  btfkit archive get kernels/ 6.1.0-50-cloud-amd64 -o vmlinux.btf\n  btfkit archive history kernels/ task_struct.pid\n  btfkit archive export kernels/ -d tables/\n  btfkit archive sql kernels/ "SELECT id FROM kernels"\n  btfkit archive serve kernels/ --port 8080\n  btfkit check probe.bpf.o --target kernels/',
    );
}

function port(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) < 65536) return Number(value);
  throw new InvalidArgumentError("It is a number from 0, for any, to 65535.");
}

/** Keeps many kernels in one folder, each definition once. */
export async function run(
  action: (typeof ACTIONS)[number],
  place: string,
  rest: readonly string[],
  options: ArchiveOptions,
  context: Context,
): Promise<ExitCode> {
  switch (action) {
    case "add":
      return await (await import("../archive/add.js")).add(place, rest, options, context);
    case "get":
      return await (await import("../archive/read.js")).get(place, rest, options, context);
    case "find":
    case "history":
    case "diff":
      return await (await import("../archive/query.js"))[action](place, rest, options, context);
    case "minimize": {
      if (rest.length === 0) throw new UsageError("no objects: btfkit archive minimize DIR OBJECT... -d FOLDER");
      const { module: _, ...common } = options;
      return await (await import("./minimize.js")).run(rest, { ...common, target: [place] }, context);
    }
    case "sql":
      return await (await import("../archive/sql.js")).sql(place, rest, options, context);
  }
  if (rest.length > 0) throw new UsageError(`archive ${action} takes no more than the archive: ${rest.join(" ")}`);
  if (action === "init") return await (await import("../archive/add.js")).init(place, options, context);
  if (action === "export") return await (await import("../archive/export.js")).exportTables(place, options, context);
  if (action === "serve") return await (await import("../archive/serve.js")).serve(place, options, context);
  if (action === "gc") return await (await import("../archive/add.js")).gc(place, options, context);
  return await (await import("../archive/read.js"))[action](place, options, context);
}
