import type { Command } from "commander";
import { resolve } from "../../btf/query/resolve.js";
import { isComposite } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";
import { memberAt, memberTextAt } from "../../inspect/member-at.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { UsageError } from "../exit.js";
import { openInput } from "../input.js";
import { FILE_HELP } from "../options.js";
import { selectTypes } from "../select.js";

export function define(command: Command): void {
  command
    .argument("<type>", "a struct, union or typedef: a name, an id, or KIND:name; with +OFFSET behind it, that")
    .argument("[offset]", "in bytes: 2536 or 0x9e8")
    .argument("[file]", `${FILE_HELP} (default: the running kernel's)`)
    .addHelpText(
      "after",
      "\nUnions give each member that reaches there. Exit code 1 for an offset past the end.\n\nExamples:\n  btfkit at task_struct 0x9e8\n  btfkit at task_struct+0x9e8 vmlinux --json",
    );
}

/** The version of the shape of --json. */
const SHAPE = 1;

/** Says what lies at an offset. */
export async function run(
  text: string,
  second: string | undefined,
  third: string | undefined,
  options: CommonOptions,
  context: Context,
): Promise<ExitCode> {
  const [, name = text, behind] = /^(.*?)\s*\+\s*(\w+)$/.exec(text) ?? [];
  if (behind !== undefined && third !== undefined) {
    throw new UsageError(`the offset is given twice: ${text} and ${second}`);
  }
  const [offset, path] = behind === undefined ? [second, third] : [behind, second];
  if (offset === undefined) throw new UsageError("no offset: btfkit at TYPE OFFSET [FILE]");
  const at = byteOffset(offset);
  const btf = await openInput(path, options);
  const [, kind, bare] = /^(struct|union)\s+(\S.*)$/.exec(name) ?? [];
  const types = selectTypes(btf, [kind ? `${kind}:${bare}` : name]).map((id) => btf.get(id)!);
  const type = types.find(hasMembers) ?? types[0]!;
  const places = memberAt(type, at);
  const shown = memberTextAt(type, at);
  const isPast = places.every(({ what }) => what === "past");
  if (options.json || options.pretty) {
    const { byteSize } = resolve(type) as { byteSize?: number };
    const result = {
      version: SHAPE,
      type: { id: type.id, kind: type.kind, name: type.name, ...(byteSize !== undefined && { byteSize }) },
      byteOffset: at,
      text: shown,
      places: places.map(({ type: inner, bitOffset, bitsInto, ...place }) => ({
        ...place,
        typeId: inner.id,
        byteOffset: bitOffset / 8,
        bytesInto: bitsInto / 8,
      })),
    };
    await context.out.write(jsonText(result, options.pretty));
  } else await context.out.write(`${shown}\n`);
  return isPast ? 1 : 0;
}

function hasMembers(type: BtfType): boolean {
  const resolved = resolve(type);
  return isComposite(resolved) || resolved.kind === "array";
}

function byteOffset(text: string): number {
  const value = /^(?:0[xX][0-9a-fA-F]+|\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value * 8)) return value;
  throw new UsageError(`not an offset: ${text}; it is a number of bytes such as 2536 or 0x9e8`);
}
