import { Argument, type Command, Option } from "commander";
import type { UsedTypes } from "../../bpf/core-relocation/used-types.js";
import type { Btf } from "../../btf/btf.js";
import { kfuncsOf } from "../../btf/dump/c/kfuncs.js";
import { type COptions, dumpC } from "../../btf/dump/c.js";
import type { Dump } from "../../btf/dump/dump.js";
import { dumpJson } from "../../btf/dump/json.js";
import { dumpRaw } from "../../btf/dump/raw.js";
import { holdsText } from "../../btf/query/search.js";
import { kindName } from "../../format/kind.js";
import { KERNEL_BTF } from "../../node/kernel.js";
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
  readonly names?: boolean;
}

export function define(command: Command): void {
  command
    .addArgument(new Argument("[files...]", `${FILE_HELP}; several are merged (default: the running kernel's)`))
    .addOption(new Option("-f, --format <format>", "output format").choices(["raw", "json", "c"]).default("raw"))
    .option("-t, --type <type>", "only this type: an id, a name, a glob, or KIND:name; repeatable", collect)
    .option("--unsorted", "c: in the order of ids, as `format c unsorted`")
    .addOption(new Option("--compat <tool>", "c: copy what this version gets wrong").choices(["bpftool-7.8"]))
    .option("--for <object>", "c: what the source of this BPF object needs to compile; repeatable", collect)
    .option("--names", "c: replace what C does not take in names, such as Rust's, and leave nothing out")
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
    const used = options.for && (await usedBy(btf, options.for));
    const types = used ? { types: [...(chosen ?? []), ...used.types], kfuncs: used.kfuncs } : selected;
    // Ids stay.
    const ids = types.types && { types: types.types.map((type) => (typeof type === "number" ? type : type.id)) };
    const shape = await asC(btf, options, context);
    if (!types.types && options.kfuncs && !options.kfunc && !options.compat) warnOfUntagged(btf, context);
    text = dumpC(shape, { ...selected, ...types, ...ids, ...headerOptions(options) });
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

/** Kernels from 5.18 on have kfuncs, but which they are stands in BTF of pahole from 1.26 on alone. */
function warnOfUntagged(btf: Btf, context: Context): void {
  if (kfuncsOf(btf).length > 0 || !btf.find("btf_kfunc_id_set", "struct")) return;
  context.warn(
    "no function is tagged as a kfunc (the kernel was built with pahole before 1.26), so their prototypes are missing: --kfunc NAME writes one",
  );
}

/** From this size on only what has such characters is looked at: kernels, which are compiled from C, have none in their BTF. */
const LARGE = 1 << 20;
const ODD = [":", "<", "{", "&", ",", "*"];

/** The Btf as C can say it, with the same ids. */
async function asC(btf: Btf, { compat, names }: DumpCommandOptions, context: Context): Promise<Btf> {
  if (btf.byteLength >= LARGE && !ODD.some((character) => holdsText(btf.image, character))) return btf;
  // What is unknown can be neither renamed nor left out; the header says that it is there.
  if (Array.from(btf.image.kinds).some((kind) => kindName(kind) === "unknown")) return btf;
  const { fitForC } = await import("../../edit/reshape/c-names.js");
  const fit = fitForC(btf, { names: names ?? false });
  const { renamed, omitted, sorted } = fit;
  const say = (ids: readonly number[], what: string): void => {
    if (ids.some((id) => btf.nameAt(id) !== "")) context.warn(`${shown(btf, ids)} ${what}`);
  };
  if (compat) {
    say(
      [...omitted, ...renamed, ...sorted],
      "will not compile, or with another layout: --compat writes them as they are",
    );
    return btf;
  }
  say(omitted, "left out: C cannot name them or what they need (--names replaces what C does not take)");
  if (names) say(renamed, "renamed: C does not take the names");
  say(sorted, "written with the members in the order of their offsets");
  return fit.btf;
}

/** Those with names: what is left out with them has none. */
function shown(btf: Btf, ids: readonly number[]): string {
  const named = ids.filter((id) => btf.nameAt(id) !== "");
  const first = named.slice(0, 3).map((id) => `${btf.kindAt(id)} ${btf.nameAt(id)} [${id}]`);
  return `${first.join(", ")}${named.length > 3 ? ` and ${named.length - 3} more` : ""}:`;
}
