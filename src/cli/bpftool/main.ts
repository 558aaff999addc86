/** The drop-in for bpftool: its arguments, its output, its exit codes. */
import { BtfError } from "../../errors/error.js";
import type { Kernel } from "../../live/kernel.js";
import { ClosedPipe, type Output } from "../output.js";
import { DumpFailed, NothingFound } from "./failures.js";
import { FOLLOWED } from "./names.js";
import { Arguments, abbreviates, Missing, Session, ToolError, type ToolOptions, Usage } from "./session.js";
import { helpOf, type ToolObject } from "./tool-object.js";

/** What the drop-in runs in. */
export interface ToolHost {
  readonly version: string;
  readonly output: Output;
  writeError(text: string): void;
  openKernel(): Promise<Kernel>;
}

const USAGE = `Usage: bpftool [OPTIONS] OBJECT { COMMAND | help }
       bpftool version

       OBJECT := { prog | map | link | btf | gen }
       OPTIONS := { {-j|--json} [{-p|--pretty}] | {-f|--bpffs} | {-n|--nomount} | {-B|--base-btf FILE} |
                    {-V|--version} }
`;

const GEN_USAGE = `Usage: bpftool gen min_core_btf INPUT OUTPUT OBJECT [OBJECT...]
       bpftool gen help
`;

const EXIT_MISSING = 2;

/** The objects, in the order in which an abbreviation finds them. The file of one is loaded for it alone. */
const OBJECTS: readonly (readonly [name: string, load?: () => Promise<ToolObject>])[] = [
  ["help", async () => ({ usage: USAGE, commands: [] })],
  ["batch"],
  ["prog", async () => (await import("./program.js")).PROGRAM],
  ["map", async () => (await import("./map.js")).MAP],
  ["link", async () => (await import("./link.js")).LINK],
  ["cgroup"],
  ["perf"],
  ["net"],
  ["feature"],
  ["btf", async () => (await import("./btf.js")).BTF],
  [
    "gen",
    async () => ({
      usage: GEN_USAGE,
      commands: [["object"], ["skeleton"], ["subskeleton"], ["min_core_btf", minimize], ["help", helpOf(GEN_USAGE)]],
    }),
  ],
  ["struct_ops"],
  ["iter"],
  ["version", async () => ({ usage: USAGE, commands: [] })],
];

async function minimize(session: Session, args: Arguments): Promise<void> {
  const { minimizeFile } = await import("./minimize.js");
  await minimizeFile(args);
  session.succeed();
}

const LONG_OPTIONS: Readonly<Record<string, string>> = {
  json: "j",
  help: "h",
  pretty: "p",
  version: "V",
  bpffs: "f",
  mapcompat: "m",
  nomount: "n",
  debug: "d",
  legacy: "l",
  "use-loader": "L",
  "base-btf": "B",
};

/** Options that make no difference here: they are about loading. */
const WITHOUT_EFFECT = "mdlL";

interface CommandLine extends ToolOptions {
  readonly words: readonly string[];
  readonly wantsVersion: boolean;
  readonly wantsHelp: boolean;
  /** The option that there is not. */
  readonly unknown: string | undefined;
}

/** Sorts options from words, as GNU getopt does: they may stand anywhere before `--`. */
function parse(args: readonly string[]): CommandLine {
  const words: string[] = [];
  const letters = new Set<string>();
  let baseBtf: string | undefined;
  let unknown: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      words.push(...args.slice(i + 1));
      break;
    }
    if (arg === "-" || !arg.startsWith("-")) {
      words.push(arg);
      continue;
    }
    let found: string;
    let value: string | undefined;
    if (arg.startsWith("--")) {
      const [name, ...rest] = arg.slice(2).split("=");
      value = rest.length > 0 ? rest.join("=") : undefined;
      const matches = Object.keys(LONG_OPTIONS).filter((option) => option.startsWith(name!));
      const exact = matches.includes(name!) ? name! : matches.length === 1 ? matches[0]! : undefined;
      found = exact === undefined ? "" : LONG_OPTIONS[exact]!;
    } else found = arg.slice(1);
    if (found === "") unknown ??= arg;
    for (let at = 0; at < found.length; at++) {
      const letter = found[at]!;
      if (letter === "B") {
        value ??= found.slice(at + 1) || args[++i];
        if (value === undefined) unknown ??= arg;
        baseBtf = value;
        break;
      }
      if (!`Vhpjfn${WITHOUT_EFFECT}`.includes(letter)) unknown ??= arg;
      letters.add(letter);
    }
    if (unknown !== undefined) break;
  }
  return {
    words,
    isJson: letters.has("j") || letters.has("p"),
    isPretty: letters.has("p"),
    showsPins: letters.has("f"),
    mountsNothing: letters.has("n"),
    baseBtf,
    wantsVersion: letters.has("V"),
    wantsHelp: letters.has("h"),
    unknown,
  };
}

/**
 * Runs the tool with its arguments.
 *
 * @returns the exit code: bpftool's own, or 2 for what it has and the drop-in has not
 */
export async function bpftool(args: readonly string[], host: ToolHost): Promise<number> {
  const line = parse(args);
  const session = new Session(
    line,
    host.output,
    (text) => host.writeError(text),
    () => host.openKernel(),
  );
  let result = 0;
  try {
    result = await run(session, line, host);
    session.json?.reset();
    if (session.json) session.json.text += "\n";
    await session.flush(true);
  } catch (error) {
    if (error instanceof ClosedPipe) return 0;
    throw error;
  } finally {
    session.close();
  }
  return result & 255;
}

async function run(session: Session, line: CommandLine, host: ToolHost): Promise<number> {
  const [objectWord, commandWord] = line.words;
  let usage = USAGE;
  try {
    if (line.unknown !== undefined) {
      session.error(`unrecognized option '${line.unknown}'`);
      if (!session.json) session.usage(USAGE);
      return -1;
    }
    if (line.wantsHelp) {
      session.usage(USAGE);
      return 0;
    }
    if (line.wantsVersion) return showVersion(session, host);
    if (objectWord === undefined) {
      session.usage(USAGE);
      return 0;
    }
    const found = OBJECTS.find(([name]) => abbreviates(objectWord, name));
    if (!found) {
      session.usage(USAGE);
      return -1;
    }
    const [objectName, load] = found;
    if (!load) throw new Missing(objectName);
    if (objectName === "version") return showVersion(session, host);
    if (objectName === "help") {
      session.usage(USAGE);
      return 0;
    }
    const object = await load();
    usage = object.usage;
    const command =
      commandWord === undefined ? object.commands[0] : object.commands.find(([name]) => abbreviates(commandWord, name));
    if (!command) {
      session.usage(usage);
      return -1;
    }
    const [commandName, action] = command;
    if (!action) throw new Missing(`${objectName} ${commandName}`);
    await action(session, new Arguments(line.words, Math.min(2, line.words.length)));
    return 0;
  } catch (error) {
    return report(session, error, usage, host);
  }
}

function report(session: Session, error: unknown, usage: string, host: ToolHost): number {
  const result = explain(session, error, usage, host);
  session.json?.closeAll();
  return result;
}

function explain(session: Session, error: unknown, usage: string, host: ToolHost): number {
  if (error instanceof Usage) {
    session.usage(usage);
    return -1;
  }
  if (error instanceof Missing) {
    host.writeError(`btfkit: bpftool ${error.message}: this drop-in does not have it\n`);
    return EXIT_MISSING;
  }
  if (error instanceof NothingFound) return -1;
  if (error instanceof DumpFailed) return error.result;
  if (error instanceof ToolError) {
    if (error.message) session.error(error.message);
    return error.result;
  }
  if (error instanceof BtfError) {
    session.error(error.message);
    return -1;
  }
  throw error;
}

/** The version that is followed, and btfkit's. */
function showVersion(session: Session, { version }: ToolHost): number {
  const { json } = session;
  if (json) {
    json.startObject().stringField("version", FOLLOWED.version).stringField("libbpf_version", FOLLOWED.libbpf);
    json.name("features").startObject().field("libbfd", false).field("skeletons", false).endObject();
    json.stringField("btfkit", version).endObject();
  } else {
    session.print(`bpftool v${FOLLOWED.version}\nusing libbpf v${FOLLOWED.libbpf}\nfeatures:\nbtfkit ${version}\n`);
  }
  return 0;
}
