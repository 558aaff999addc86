import { Argument, type Command, Option } from "commander";
import type { UsedTypes } from "../../bpf/core-relocation/used-types.js";
import type { Btf } from "../../btf/btf.js";
import { type COptions, dumpC } from "../../btf/dump/c.js";
import type { Dump } from "../../btf/dump/dump.js";
import { dumpJson } from "../../btf/dump/json.js";
import { dumpRaw } from "../../btf/dump/raw.js";
import { oddNames } from "../../btf/query/odd-names.js";
import { KERNEL_BTF } from "../../node.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { UsageError } from "../exit.js";
import { openInput, openInputs, VMLINUX } from "../input.js";
import { collect, FILE_HELP } from "../options.js";
import { globExpression } from "../pattern.js";
import { selectTypes } from "../select.js";

export interface DumpCommandOptions extends CommonOptions {
  readonly format: "raw" | "json" | "c";
  readonly type?: readonly string[];
  readonly unsorted?: boolean;
  readonly compat?: "bpftool-7.8";
  /** BPF objects whose types are wanted. */
  readonly for?: readonly string[];
  readonly exclude?: readonly string[];
  readonly guard?: string;
  /** False with --no-kfuncs. */
  readonly kfuncs: boolean;
  readonly kfunc?: readonly string[];
  /** False with --no-preserve-access-index. */
  readonly preserveAccessIndex: boolean;
  readonly annotate?: boolean;
}

export function define(command: Command): void {
  command
    .addArgument(new Argument("[files...]", `${FILE_HELP}; several are merged (default: the running kernel's)`))
    .addOption(new Option("-f, --format <format>", "output format").choices(["raw", "json", "c"]).default("raw"))
    .option("-t, --type <type>", "only this type: an id, a name, a glob, or KIND:name; repeatable", collect)
    .option("--unsorted", "c: in the order of ids, as `format c unsorted`")
    .addOption(new Option("--compat <tool>", "c: copy what this version gets wrong").choices(["bpftool-7.8"]))
    .option("--for <object>", "c: what the source of this BPF object needs to compile; repeatable", collect)
    .option("--exclude <glob>", "c: leave these types out where they are not needed by value; repeatable", collect)
    .option("--no-kfuncs", "c: no prototypes of kernel functions")
    .option("--kfunc <name>", "c: the prototype of this kernel function alone; repeatable", collect)
    .option("--guard <name>", "c: name of the include guard (default: __VMLINUX_H__)")
    .option("--no-preserve-access-index", "c: no relocatable accesses (CO-RE)")
    .option("--annotate", "c: comments with offsets and sizes in bytes")
    .addHelpText(
      "after",
      "\nExamples:\n  btfkit dump vmlinux -t struct:task_struct -t 1\n  btfkit dump -f c -o vmlinux.h",
    );
}

/** Writes types as bpftool does. */
export async function run(files: readonly string[], options: DumpCommandOptions, context: Context): Promise<ExitCode> {
  const c = options.format === "c";
  if (c && (options.json || options.pretty)) throw new UsageError("--json and --pretty do not go with --format c");
  const btf = files.length > 1 ? await openMerged(files, options, context) : await openInput(files[0], options);
  const chosen = options.type && selectTypes(btf, options.type);
  const selected = { ...(chosen && { types: chosen }), onProgress: context.progress };
  let text: Dump;
  if (c) {
    warnOfOddNames(btf, context);
    const used = options.for && (await usedBy(btf, options.for));
    const types = used && { types: [...(chosen ?? []), ...used.types], kfuncs: used.kfuncs };
    text = dumpC(btf, { ...selected, ...types, ...headerOptions(options) });
  } else {
    // `-p` alone means indented JSON, as bpftool's -p does.
    if (options.annotate) throw new UsageError("--annotate goes with --format c");
    const json = options.json || options.pretty || options.format === "json";
    text = json ? dumpJson(btf, { ...selected, pretty: options.pretty ?? false }) : dumpRaw(btf, selected);
  }
  await text.drainAsync((chunk) => context.out.write(chunk));
  return 0;
}

/**
 * Several files as one: modules on their base, which `-B` or a path of the
 * running kernel's names, or images that stand for themselves.
 */
async function openMerged(files: readonly string[], options: DumpCommandOptions, context: Context): Promise<Btf> {
  const { merge } = await import("../../edit/dedup/dedup.js");
  const running = files.some((file) => file.startsWith(`${KERNEL_BTF}/`));
  const base = options.base ?? (running ? VMLINUX : undefined);
  // What is the base anyway is not merged once more.
  const others = base === VMLINUX ? files.filter((file) => file !== VMLINUX) : files;
  const opened = await openInputs(others, base === undefined ? {} : { base });
  if (opened.base && opened.inputs.length === 0) return opened.base;
  return merge(opened.inputs, { onProgress: context.progress, ...(opened.base && { base: opened.base }) }).btf;
}

async function usedBy(btf: Btf, files: readonly string[]): Promise<UsedTypes> {
  const [{ usedTypes }, { openObjectInput }] = await Promise.all([
    import("../../bpf/core-relocation/used-types.js"),
    import("../object-input.js"),
  ]);
  return usedTypes(btf, files.map(openObjectInput));
}

function headerOptions(options: DumpCommandOptions): COptions {
  const excluded = options.exclude?.map(globExpression);
  if (options.guard !== undefined && !/^[A-Za-z_]\w*$/.test(options.guard)) {
    throw new UsageError(`"${options.guard}" is no name for an include guard`);
  }
  return {
    sorted: !options.unsorted,
    preserveAccessIndex: options.preserveAccessIndex,
    annotate: options.annotate ?? false,
    ...(options.compat && { compatible: options.compat }),
    ...(options.guard !== undefined && { guard: options.guard }),
    ...(excluded && { exclude: ({ name }) => name !== "" && excluded.some((glob) => glob.test(name)) }),
    ...(!options.kfuncs && { kfuncs: false }),
    ...(options.kfunc && { kfuncs: options.kfunc }),
  };
}

function warnOfOddNames(btf: Btf, context: Context): void {
  const { count, first } = oddNames(btf);
  if (first === undefined) return;
  const name = first.name ? ` ${first.name}` : "";
  context.warn(
    `${count} names are no C identifiers and will not compile, the first in ${first.kind}${name} [${first.id}]`,
  );
}
