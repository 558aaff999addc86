import { mkdirSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { EngineName } from "../../bpf/core-relocation/engines.js";
import { ENGINES } from "../../bpf/core-relocation/engines.js";
import type { BpfObject } from "../../bpf/object/object.js";
import type { LoadedMap, LoadedProgram } from "../../live/loader/loaded-object.js";
import { KERNEL_FEATURES, type KernelFeature } from "../../load/kernel.js";
import { planJson } from "../../load/plan-json.js";
import { planObject } from "../../load/plan-object.js";
import { readBytes } from "../../node/file.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { InputError, UsageError } from "../exit.js";
import { inputError } from "../input-error.js";
import { isFileName, objectName, openObjectInput } from "../object-input.js";
import { moduleOption, OBJECT_HELP } from "../options.js";
import { printable } from "../style.js";
import { openTarget } from "../target-input.js";

export interface LoadCommandOptions extends CommonOptions {
  readonly plan?: boolean;
  readonly pin?: string;
  readonly target?: string;
  readonly module?: readonly string[];
  readonly kernel?: string;
  readonly kconfig?: string;
  readonly kallsyms?: string;
  readonly cpus?: number;
  readonly lacks?: readonly KernelFeature[];
  readonly engine?: EngineName;
}

export function define(command: Command): void {
  command
    .argument("<object>", OBJECT_HELP)
    .option("--plan", "print what would be handed to bpf(2), as JSON, and load nothing")
    .option("--pin <folder>", "pin programs as FOLDER/NAME, and maps as FOLDER/maps/NAME, in a BPF file system")
    .option("-t, --target <file>", "the kernel's BTF (default: the running kernel's)")
    .addOption(moduleOption())
    .option("--kernel <release>", "the kernel's release, such as 6.12.95")
    .option("--kconfig <file>", "the kernel's configuration, plain or gzipped")
    .option("--kallsyms <file>", "the kernel's symbols: /proc/kallsyms or a System.map")
    .addOption(new Option("--cpus <count>", "possible CPUs of the kernel").argParser(count))
    .addOption(new Option("--lacks <feature...>", "features that the kernel does not have").choices(KERNEL_FEATURES))
    .addOption(
      new Option("--engine <engine>", "whose rules CO-RE relocations follow").choices(ENGINES).default("libbpf"),
    )
    .addHelpText(
      "after",
      "\nExample:\n  btfkit load probe.bpf.o --plan --target vmlinux.btf --kernel 6.12.95 --cpus 2",
    );
}

/** Prints what loading an object on a kernel takes. */
export async function run(file: string, options: LoadCommandOptions, context: Context): Promise<ExitCode> {
  if (options.pin !== undefined) return await loadAndPin(file, options.pin, context);
  if (!options.plan) throw new UsageError("give --pin FOLDER to load and pin, or --plan to see what loading takes");
  const { kernel, cpus, lacks, engine = "libbpf" } = options;
  if (kernel === undefined) throw new UsageError("--plan needs --kernel RELEASE, such as 6.12.95");
  if (cpus === undefined) throw new UsageError("--plan needs --cpus COUNT");
  const object = openObjectInput(file);
  const { vmlinux, modules } = await openTarget(options.target, options.module, { ...options, warn: context.warn });
  const plan = planObject(
    object,
    {
      vmlinux,
      modules: modules.map((btf, i) => ({ name: moduleName(options.module?.[i], i), btf })),
      release: kernel,
      cpus,
      ...(options.kconfig !== undefined && { kconfig: readText(options.kconfig) }),
      kallsyms: options.kallsyms === undefined ? new Map() : readKallsyms(options.kallsyms),
      ...(lacks && { lacks }),
    },
    { name: objectName(file), engine },
  );
  await context.out.write(jsonText(planJson(plan), options.pretty));
  if (plan.error) context.warn(`${file}: ${plan.error.message}`);
  return plan.error ? 1 : 0;
}

/** Loads and pins everything; where one thing fails nothing stays. */
async function loadAndPin(file: string, folder: string, context: Context): Promise<ExitCode> {
  const object = openObjectInput(file);
  const wrong = namesIn(file, object).find((name) => !isFileName(name));
  if (wrong !== undefined) throw new InputError(`${file}: "${printable(wrong)}" is no name for a pin in a folder`);
  const { Kernel } = await import("../../live/kernel.js");
  using kernel = await Kernel.open();
  using app = await kernel.load(object, { name: objectName(file) });
  const pinned: string[] = [];
  const made = mkdirSync(`${folder}/maps`, { recursive: true });
  try {
    for (const { program, name } of Object.values(app.programs) as LoadedProgram[]) {
      program.pin(`${folder}/${name}`);
      pinned.push(`${folder}/${name}`);
    }
    for (const { map, name } of Object.values(app.maps) as LoadedMap[]) {
      // A dot is no character of names in the BPF file system.
      const path = `${folder}/maps/${name.replaceAll(".", "_")}`;
      map.pin(path);
      pinned.push(path);
    }
  } catch (cause) {
    for (const path of pinned) rmSync(path, { force: true });
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
    throw cause;
  }
  for (const path of pinned) await context.out.write(`${path}\n`);
  return 0;
}

/** The names of an object's programs and maps. */
function namesIn(file: string, object: BpfObject): string[] {
  try {
    return [...object.programs, ...object.maps].map(({ name }) => name);
  } catch (cause) {
    throw inputError(file, cause);
  }
}

function moduleName(file: string | undefined, index: number): string {
  return file === undefined
    ? `module${index}`
    : basename(file)
        .replace(/\.(btf|ko)\b.*$/, "")
        .replaceAll("-", "_");
}

function readText(path: string): string {
  try {
    return new TextDecoder().decode(readBytes(path === "-" ? 0 : path));
  } catch (cause) {
    throw inputError(path, cause);
  }
}

/** The first address of each name: `ffffffff81000000 T _text`. */
function readKallsyms(path: string): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const [, address, name] of readText(path).matchAll(/^([\da-f]+) \S (\S+)/gim)) {
    if (!found.has(name!)) found.set(name!, BigInt(`0x${address}`));
  }
  return found;
}

function count(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0 && number < 65536) return number;
  throw new InvalidArgumentError("It is a number of CPUs.");
}
