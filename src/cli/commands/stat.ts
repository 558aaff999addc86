import type { Command } from "commander";
import { tally } from "../../btf/query/tally.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { openInput } from "../input.js";
import { file } from "../options.js";
import { styler } from "../style.js";

export function define(command: Command): void {
  command.addArgument(file()).addHelpText("after", "\nExample:\n  btfkit stat /sys/kernel/btf/vmlinux");
}

/** Shows what an image is made of. */
export async function run(file: string | undefined, options: CommonOptions, context: Context): Promise<ExitCode> {
  const btf = await openInput(file, options);
  const kinds = tally(btf);
  const { header } = btf;
  if (header.version !== 1) context.warn(`BTF version ${header.version}: kernels load version 1 only`);
  const facts = {
    version: 1,
    file: file ?? "/sys/kernel/btf/vmlinux",
    bytes: btf.byteLength,
    endian: btf.endian,
    pointerSize: btf.pointerSize,
    header: {
      version: header.version,
      flags: header.flags,
      length: header.headerLength,
      types: { offset: header.typesOffset, bytes: header.typesLength },
      layout: { offset: header.layoutOffset, bytes: header.layoutLength },
      strings: { offset: header.stringsOffset, bytes: header.stringsLength },
    },
    types: kinds.reduce((sum, { count }) => sum + count, 0),
    firstId: btf.firstId,
    kinds,
  };
  if (options.json || options.pretty) {
    await context.out.write(jsonText(facts, options.pretty));
    return 0;
  }
  const { bold, dim } = styler(context.color);
  const line = (name: string, value: string): string => `${name.padEnd(14)}${value}\n`;
  const section = ({ offset, bytes }: { offset: number; bytes: number }): string =>
    bytes === 0 ? "none" : `${bytes} bytes ${dim(`at ${header.headerLength + offset}`)}`;
  let text = line("file", bold(facts.file));
  text += line("size", `${facts.bytes} bytes`);
  text += line("byte order", `${facts.endian} endian`);
  text += line("pointers", `${facts.pointerSize} bytes`);
  text += line("header", `${header.headerLength} bytes, version ${header.version}, flags ${header.flags}`);
  text += line("type section", section(facts.header.types));
  text += line("layout", section(facts.header.layout));
  text += line("strings", section(facts.header.strings));
  if (btf.base) text += line("base", `${btf.base.size - 1} types; own ids start at ${btf.firstId}`);
  text += line("types", String(facts.types));
  const longest = Math.max(1, ...kinds.map(({ bytes }) => bytes));
  text += `\n${bold(`${"KIND".padEnd(12)}${"COUNT".padStart(9)}${"BYTES".padStart(11)}  SHARE`)}\n`;
  for (const { kind, count, bytes } of kinds) {
    const share = facts.header.types.bytes ? (100 * bytes) / facts.header.types.bytes : 0;
    const bar = "█".repeat(Math.round((20 * bytes) / longest));
    text += `${kind.toUpperCase().padEnd(12)}${String(count).padStart(9)}${String(bytes).padStart(11)}`;
    text += `${`${share.toFixed(1)}%`.padStart(7)} ${dim(bar)}`.trimEnd();
    text += "\n";
  }
  await context.out.write(text);
  return 0;
}
