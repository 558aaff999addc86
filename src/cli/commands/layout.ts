import { type Command, Option } from "commander";
import type { Btf } from "../../btf/btf.js";
import type { BtfType } from "../../btf/types.js";
import { layout } from "../../inspect/layout/layout.js";
import { type LayoutTextOptions, layoutChunks, layoutText } from "../../inspect/layout/text.js";
import type { Layout, LayoutMember } from "../../inspect/layout/types.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { UsageError } from "../exit.js";
import { openInput } from "../input.js";
import { cacheline, collect, file } from "../options.js";
import { isGlob } from "../pattern.js";
import { selectTypes } from "../select.js";

export interface LayoutCommandOptions extends CommonOptions {
  readonly type?: readonly string[];
  readonly expand?: boolean;
  readonly hex?: boolean;
  readonly cacheline?: number;
  readonly reorganize?: boolean;
  readonly steps?: boolean;
  readonly svg?: boolean;
  readonly compat?: "pahole-1.31";
}

export function define(command: Command): void {
  command
    .addArgument(file())
    .option("-t, --type <type>", "only this type: an id, a name, a glob, or KIND:name; repeatable", collect)
    .option("-E, --expand", "open members of named types too")
    .option("--hex", "offsets and sizes in hexadecimal")
    .addOption(new Option("-c, --cacheline <bytes>", "bytes in a cacheline (default: 64)").argParser(cacheline))
    .option("--reorganize", "with -t: the struct as pahole reorganizes it, and what that saves")
    .option("--steps", "with --reorganize: each step")
    .option("--svg", "with -t: a picture of cachelines and holes")
    .addOption(new Option("--compat <tool>", "copy what this version misprints").choices(["pahole-1.31"]))
    .addHelpText(
      "after",
      "\nExamples:\n  btfkit layout vmlinux -t task_struct\n  btfkit layout -t list_head --json\n  btfkit layout -t sk_buff --svg -o sk_buff.svg",
    );
}

/** Shows layouts. */
export async function run(
  path: string | undefined,
  options: LayoutCommandOptions,
  context: Context,
): Promise<ExitCode> {
  if (options.steps && !options.reorganize) throw new UsageError("--steps goes with --reorganize");
  if ((options.reorganize || options.svg) && !options.type) {
    throw new UsageError(`${options.svg ? "--svg" : "--reorganize"} needs a type: name it with -t`);
  }
  const asJson = options.json || options.pretty;
  if (options.svg && (asJson || options.reorganize))
    throw new UsageError("--svg goes with neither --json nor --reorganize");
  if (asJson && options.reorganize)
    throw new UsageError("--json does not go with --reorganize; btfkit pack --json has orders");
  const btf = await openInput(path, options);
  const chosen = options.type?.flatMap((wanted) => chosenTypes(btf, wanted));
  const style: LayoutTextOptions = {
    expand: options.expand ?? false,
    hex: options.hex ?? false,
    ...(options.cacheline !== undefined && { cachelineBytes: options.cacheline }),
    ...(options.compat && { compat: options.compat }),
  };
  if (options.svg) await writeSvg(chosen!, options, context);
  else if (asJson) await writeJson(btf, chosen, options, context);
  else if (options.reorganize) await writeReorganized(chosen!, options, context);
  else if (chosen) for (const type of chosen) await context.out.write(`${layoutText(type, style)}\n\n`);
  else
    for (const chunk of layoutChunks(btf, { ...style, onProgress: context.progress })) await context.out.write(chunk);
  return 0;
}

/**
 * The types that a -t names. A plain name is the first struct, union, enum or
 * typedef that has it, as for pahole -C.
 */
function chosenTypes(btf: Btf, wanted: string): BtfType[] {
  const all = selectTypes(btf, [wanted]).map((id) => btf.get(id)!);
  const withLayout = all.filter(({ kind }) => ["struct", "union", "enum", "enum64", "typedef"].includes(kind));
  if (withLayout.length === 0) return all;
  return isGlob(wanted) || wanted.includes(":") ? withLayout : withLayout.slice(0, 1);
}

async function writeSvg(types: readonly BtfType[], options: LayoutCommandOptions, context: Context): Promise<void> {
  const [type, ...others] = types;
  if (!type || others.length > 0) throw new UsageError(`--svg shows a single type, and -t names ${types.length}`);
  const { layoutSvg } = await import("../../inspect/svg/svg.js");
  await context.out.write(layoutSvg(layout(type, layoutOptions(options)), { hex: options.hex ?? false }));
}

async function writeReorganized(
  types: readonly BtfType[],
  options: LayoutCommandOptions,
  context: Context,
): Promise<void> {
  const { reorganizedText } = await import("../../inspect/pahole/reorganized-text.js");
  for (const type of types) {
    await context.out.write(
      reorganizedText(type, { ...layoutOptions(options), ...options, steps: options.steps ?? false }),
    );
  }
}

function layoutOptions({ cacheline, expand = false }: LayoutCommandOptions): {
  cachelineBytes?: number;
  expand: boolean;
} {
  return { expand, ...(cacheline !== undefined && { cachelineBytes: cacheline }) };
}

/** The version of the shape of --json. */
const SHAPE = 1;

async function writeJson(
  btf: Btf,
  chosen: readonly BtfType[] | undefined,
  options: LayoutCommandOptions,
  context: Context,
): Promise<void> {
  const types = chosen ?? [...btf].filter(({ kind, name }) => (kind === "struct" || kind === "union") && name !== "");
  if (options.pretty) {
    const layouts = types.map((type) => plainLayout(layout(type, layoutOptions(options))));
    await context.out.write(jsonText({ version: SHAPE, layouts }, true));
    return;
  }
  await context.out.write(`{"version":${SHAPE},"layouts":[`);
  for (const [i, type] of types.entries()) {
    const text = JSON.stringify(plainLayout(layout(type, layoutOptions(options))));
    await context.out.write(`${i ? ",\n" : "\n"}${text}`);
  }
  await context.out.write("\n]}\n");
}

/** A layout without references into the Btf. */
function plainLayout({ type, members, ...rest }: Layout): Record<string, unknown> {
  return { typeId: type.id, ...rest, members: members.map(plainMember) };
}

function plainMember({ type, nested, inner, ...rest }: LayoutMember): Record<string, unknown> {
  return { ...rest, typeId: type.id, ...(inner && { inner }), ...(nested && { nested: plainLayout(nested) }) };
}
