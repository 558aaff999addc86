import { type Command, Option } from "commander";
import { type Packing, type PackOptions, pack, packAll } from "../../inspect/pack/pack.js";
import { packedText } from "../../inspect/pack/text.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { UsageError } from "../exit.js";
import { openInput } from "../input.js";
import { cacheline, collect, file } from "../options.js";
import { selectTypes } from "../select.js";

export interface PackCommandOptions extends CommonOptions {
  readonly type?: readonly string[];
  readonly cacheline?: number;
  readonly group?: readonly string[];
  /** False with --no-aligned. */
  readonly aligned: boolean;
}

export function define(command: Command): void {
  command
    .addArgument(file())
    .option("-t, --type <type>", "only this struct: an id, a name, a glob, or struct:name; repeatable", collect)
    .option("--group <names>", "with -t: members to keep together, with commas between them; repeatable", collect)
    .option("--no-aligned", "give up alignments that only an aligned attribute explains")
    .addOption(new Option("-c, --cacheline <bytes>", "bytes in a cacheline (default: 64)").argParser(cacheline))
    .addHelpText(
      "after",
      "\nExit code 1 if nothing can be saved.\n\nExamples:\n  btfkit pack vmlinux\n  btfkit pack vmlinux -t io_kiocb --json",
    );
}

/** Says what reordering members would save, best first, with the order. */
export async function run(path: string | undefined, options: PackCommandOptions, context: Context): Promise<ExitCode> {
  if (options.group && !options.type) throw new UsageError("--group goes with -t");
  const btf = await openInput(path, options);
  const how: PackOptions = {
    keepAligned: options.aligned,
    ...(options.cacheline !== undefined && { cachelineBytes: options.cacheline }),
    ...(options.group && { groups: options.group.map((names) => names.split(",")) }),
  };
  const ids = options.type && selectTypes(btf, options.type);
  const types = ids?.map((id) => btf.get(id)!);
  const structs = types?.filter(({ kind }) => kind === "struct" || kind === "typedef");
  const packings = types ? (structs!.length > 0 ? structs! : types).map((type) => pack(type, how)) : packAll(btf, how);
  packings.sort((a, b) => b.savedBytes - a.savedBytes);
  if (options.json || options.pretty) {
    await context.out.write(jsonText({ version: 1, structs: packings.map(plain) }, options.pretty));
  } else if (types) {
    for (const packing of packings) {
      await context.out.write(`${packedText(packing, how)}   /* ${judged(packing)} */\n\n`);
    }
  } else {
    await context.out.write(packings.map(line).join(""));
  }
  return packings.some(({ savedBytes }) => savedBytes > 0) ? 0 : 1;
}

/** Columns as `pahole --packable` has them. */
function line({ type, byteSize, packedByteSize, savedBytes, unalignedByteSize }: Packing): string {
  const without = unalignedByteSize < packedByteSize ? `\t(${unalignedByteSize} without aligned attributes)` : "";
  return `${type.name}\t${byteSize}\t${packedByteSize}\t${savedBytes}${without}\n`;
}

function judged(packing: Packing): string {
  const { savedBytes, savedCachelines, boundBytes, packedByteSize, isMinimal, unalignedByteSize } = packing;
  const count = (value: number, unit: string): string => `${value} ${unit}${value === 1 ? "" : "s"}`;
  const lines = savedCachelines ? ` and ${count(savedCachelines, "cacheline")}` : "";
  const saved = savedBytes ? `saves ${count(savedBytes, "byte")}${lines}` : "nothing to save";
  const proof = isMinimal ? "no order is smaller" : `no order is smaller than ${count(boundBytes, "byte")}`;
  const without = unalignedByteSize < packedByteSize ? `; ${unalignedByteSize} bytes without aligned attributes` : "";
  return `${saved}; ${proof}${without}`;
}

function plain({ type, ...rest }: Packing): Record<string, unknown> {
  return { name: type.name, typeId: type.id, ...rest };
}
