import { readFileSync } from "node:fs";
import { Argument, type Command } from "commander";
import { type BpfObject, readObject } from "../../bpf/object/object.js";
import type { Btf } from "../../btf/btf.js";
import { ERR_FILE } from "../../errors/btf.js";
import { BtfEnvironmentError, BtfError } from "../../errors/error.js";
import { generate, LANGUAGES, type Language } from "../../generate/generate.js";
import { readBytes } from "../../node/file.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { UsageError } from "../exit.js";
import { openInput } from "../input.js";
import { inputError } from "../input-error.js";
import { collect, file } from "../options.js";
import { selectTypes } from "../select.js";

export interface GenerateCommandOptions extends CommonOptions {
  readonly type?: readonly string[];
  readonly object?: string;
  readonly events?: readonly string[];
  readonly systemMap?: string;
  readonly banner?: string;
}

export function define(command: Command): void {
  command
    .addArgument(new Argument("<language>", "what to write").choices(LANGUAGES))
    .addArgument(file())
    .option("-t, --type <type>", "only this type: an id, a name, a glob, or KIND:name; repeatable", collect)
    .option("--object <file>", "what this BPF object's maps, globals, externs and events need, in place of FILE")
    .option("--events <type>", "the type of a BPF object's events, TYPE or MAP=TYPE; repeatable", collect)
    .option("--system-map <file>", "isf: the kernel's System.map, for addresses")
    .option("--banner <file>", "isf: a file with what /proc/version says on that kernel")
    .addHelpText(
      "after",
      "\nA FILE that is a BPF object is taken as with --object.\n\nExamples:\n  btfkit generate ts probe.bpf.o -o probe.ts\n  btfkit generate rust vmlinux -t task_struct -o task.rs\n  btfkit generate isf vmlinux --system-map System.map -o kernel.json",
    );
}

/** Writes code. */
export async function run(
  language: Language,
  path: string | undefined,
  options: GenerateCommandOptions,
  context: Context,
): Promise<ExitCode> {
  if (options.json || options.pretty) throw new UsageError("generate writes code, not --json; isf is JSON by itself");
  if (options.object !== undefined && path !== undefined) throw new UsageError("give FILE or --object, not both");
  const isIsf = language === "isf";
  if (!isIsf && (options.systemMap !== undefined || options.banner !== undefined)) {
    throw new UsageError("--system-map and --banner go with isf");
  }
  const name = options.object ?? path;
  const object = name === undefined ? undefined : openAsObject(name, options.object !== undefined);
  if (!object && options.events) throw new UsageError("--events goes with a BPF object");
  const source: Btf | BpfObject = object ?? (await openInput(path, options));
  const btf = "programs" in source ? source.btf : source;
  const types = options.type && selectTypes(btf, options.type).map((id) => btf.get(id)!);
  const text = generate(source, language, {
    ...(types && { types }),
    ...(options.events && { events: options.events }),
    ...(options.systemMap !== undefined && { systemMap: readText(options.systemMap) }),
    ...(options.banner !== undefined && { banner: readText(options.banner) }),
  });
  await context.out.write(text);
  return 0;
}

/** The file as a BPF object; `undefined` for another file, unless it has to be an object. */
function openAsObject(name: string, isRequired: boolean): BpfObject | undefined {
  if (name === "-" && !isRequired) return undefined;
  try {
    return readObject(readBytes(name === "-" ? 0 : name));
  } catch (cause) {
    if (!isRequired && cause instanceof BtfError) return undefined;
    throw inputError(name, cause);
  }
}

function readText(name: string): string {
  try {
    return readFileSync(name, "utf8");
  } catch (cause) {
    throw new BtfEnvironmentError(ERR_FILE, { name, note: `cannot be read: ${(cause as Error).message}` }, { cause });
  }
}
