import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { BtfRelocationError } from "../../bpf/core-relocation/error.js";
import { Minimizer } from "../../bpf/core-relocation/minimize.js";
import type { BpfObject } from "../../bpf/object/object.js";
import { Btf } from "../../btf/btf.js";
import { expandTargets } from "../archive/target.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { InputError, Refused, UsageError } from "../exit.js";
import { VMLINUX } from "../input.js";
import { inputError } from "../input-error.js";
import { openObjectInput } from "../object-input.js";
import { moduleOption, OBJECT_HELP } from "../options.js";
import { openOutput } from "../output.js";
import { openTarget } from "../target-input.js";

export interface MinimizeCommandOptions extends CommonOptions {
  readonly target?: readonly string[];
  readonly module?: readonly string[];
  readonly directory?: string;
  readonly split?: boolean;
}

export function define(command: Command): void {
  command
    .argument("<objects...>", OBJECT_HELP)
    .option(
      "-t, --target <files...>",
      "kernels' BTF: files, folders, patterns, archives (default: the running kernel's)",
    )
    .addOption(moduleOption())
    .option("-d, --directory <folder>", "write a file for each kernel there, named after it")
    .option("--split", "with -d: modules' types in files of their own, split on the kernel's")
    .addHelpText(
      "after",
      "\nExamples:\n  btfkit minimize probe.bpf.o --target vmlinux.btf -o probe.btf\n  btfkit minimize *.bpf.o --target kernels/ -d minimised/",
    );
}

/** Writes the smallest BTF that objects need: on one kernel, or a file for each of several. */
export async function run(
  files: readonly string[],
  options: MinimizeCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const targets = options.target === undefined ? [undefined] : await expandTargets(options.target);
  if (options.directory === undefined) {
    if (targets.length > 1) throw new UsageError("several kernels: give -d FOLDER for a file of each");
    if (options.split) throw new UsageError("--split writes several files: give -d FOLDER");
    return minimizeOne(files, targets[0], options, context);
  }
  if (options.module && targets.length > 1) throw new UsageError("--module belongs to one kernel: give one --target");
  return minimizeAll(files, targets, options.directory, options, context);
}

async function minimizeOne(
  files: readonly string[],
  targetFile: string | undefined,
  options: MinimizeCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const wantsReport = options.json || options.pretty;
  const writesBtf = options.output !== undefined || !wantsReport;
  if (writesBtf && context.outIsTerminal) throw new UsageError("binary BTF on the terminal: give -o FILE or --json");
  const minimizer = await minimized(files.map(opened), targetFile, options, context);
  const bytes = minimizer.toBytes();
  if (wantsReport) {
    const shown = { version: 1, objects: files, target: targetFile ?? VMLINUX, ...sizeOf(bytes) };
    await context.stdout.write(jsonText(shown, options.pretty));
  }
  if (writesBtf) await context.out.write(bytes);
  return 0;
}

/** Writes a file for each kernel; 1 if objects cannot be relocated on one of them, which gets none. */
async function minimizeAll(
  files: readonly string[],
  targets: readonly (string | undefined)[],
  folder: string,
  options: MinimizeCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const names = new Map<string, string>();
  for (const target of targets) {
    const name = nameOf(target ?? VMLINUX);
    const other = names.get(name);
    if (other !== undefined) throw new UsageError(`${target} and ${other} would both be written to ${name}.btf`);
    names.set(name, target ?? VMLINUX);
  }
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new InputError(`${folder}: ${(cause as Error).message}`, { cause });
  }
  const objects = files.map(opened);
  const written = new Map<string | undefined, object[]>();
  let failed = false;
  const standsFor = await inOrderOfUse(objects, targets);
  let last: { readonly target: string | undefined; readonly minimizer: Minimizer | Refused } | undefined;
  for (const [i, [target, representative]] of standsFor.entries()) {
    const name = nameOf(target ?? VMLINUX);
    try {
      if (!last || last.target !== representative)
        last = { target: representative, minimizer: await minimizedOrNot(objects, representative, options, context) };
      const { minimizer } = last;
      if (minimizer instanceof Refused) throw minimizer;
      for (const [path, bytes, isBase] of filesOf(minimizer, join(folder, name), options)) {
        await writeFile(path, bytes);
        const files = written.get(target) ?? [];
        written.set(target, files);
        files.push({ target: target ?? VMLINUX, file: path, ...(isBase ? sizeOf(bytes) : { bytes: bytes.length }) });
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      context.warn(`${target ?? VMLINUX}: ${error.message}`);
      failed = true;
    }
    context.progress(i + 1, targets.length, "kernels");
  }
  if (options.json || options.pretty)
    await context.stdout.write(
      jsonText(
        { version: 1, objects: files, files: targets.flatMap((target) => written.get(target) ?? []) },
        options.pretty,
      ),
    );
  return failed ? 1 : 0;
}

/** Targets, each with the one that is opened for it, so that each is opened once. */
async function inOrderOfUse(
  objects: readonly OpenedObject[],
  targets: readonly (string | undefined)[],
): Promise<(readonly [target: string | undefined, representative: string | undefined])[]> {
  const named = targets.flatMap((target) => target ?? []);
  if (named.length < 2) return targets.map((target) => [target, target]);
  const { representatives } = await import("../archive/alike.js");
  const found = await representatives(
    objects.map(({ object }) => object),
    named,
  );
  const groups = new Map<string, string[]>();
  for (const [i, target] of named.entries()) groups.set(found[i]!, [...(groups.get(found[i]!) ?? []), target]);
  return [...groups].flatMap(([representative, list]) => list.map((target) => [target, representative] as const));
}

async function minimizedOrNot(...given: Parameters<typeof minimized>): Promise<Minimizer | Refused> {
  try {
    return await minimized(...given);
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

/** Yields what is written of a kernel: one file, or the kernel's and those of its modules. */
function* filesOf(
  minimizer: Minimizer,
  path: string,
  { split, module: modules = [] }: MinimizeCommandOptions,
): Generator<readonly [path: string, bytes: Uint8Array, isBase: boolean]> {
  if (!split) {
    yield [`${path}.btf`, minimizer.toBytes(), true];
    return;
  }
  const parts = minimizer.toSplitBytes();
  yield [`${path}.btf`, parts.base, true];
  for (const [i, bytes] of parts.modules.entries()) {
    // Packages and folders hold many modules: those are numbered.
    const name = parts.modules.length === modules.length ? nameOf(modules[i]!) : `module${i}`;
    if (bytes) yield [`${path}.${name}.btf`, bytes, false];
  }
}

interface OpenedObject {
  readonly file: string;
  readonly object: BpfObject;
}

function opened(file: string): OpenedObject {
  return { file, object: openObjectInput(file) };
}

/** Adds all objects on a kernel. @throws Refused for an object that cannot be relocated there */
async function minimized(
  objects: readonly OpenedObject[],
  targetFile: string | undefined,
  options: MinimizeCommandOptions,
  context: Context,
): Promise<Minimizer> {
  const target = await openTarget(targetFile, options.module, { ...options, warn: context.warn });
  const minimizer = new Minimizer(target);
  for (const { file, object } of objects) {
    try {
      minimizer.add(object);
    } catch (cause) {
      if (cause instanceof BtfRelocationError) throw new Refused(`${file}: ${cause.message}`, { cause });
      throw inputError(file, cause);
    }
  }
  return minimizer;
}

function sizeOf(bytes: Uint8Array): { readonly types: number; readonly bytes: number } {
  return { types: Btf.parse(bytes).size - 1, bytes: bytes.length };
}

/** The file's name without what says how it is packed. */
function nameOf(path: string): string {
  return basename(path).replace(/(?:\.btf|\.ko)?(?:\.tar)?(?:\.(?:gz|xz|zst|lz4|bz2))?$/, "") || "kernel";
}

async function writeFile(path: string, bytes: Uint8Array): Promise<void> {
  const out = openOutput(path, 1);
  try {
    await out.write(bytes);
    await out.commit();
  } catch (cause) {
    out.abandon();
    throw cause;
  }
}
