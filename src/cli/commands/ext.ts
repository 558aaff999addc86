import type { Command } from "commander";
import type { CoreRelocation, Ext, ExtInfo, FuncInfo, LineInfo } from "../../bpf/ext/types.js";
import { INSN_SIZE } from "../../bpf/instruction.js";
import type { Btf } from "../../btf/btf.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { inputError } from "../input-error.js";
import { openObjectInput } from "../object-input.js";
import { OBJECT_HELP } from "../options.js";
import { printable, styler } from "../style.js";

export function define(command: Command): void {
  command.argument("<object>", OBJECT_HELP).addHelpText("after", "\nExample:\n  btfkit ext probe.bpf.o --json");
}

/** Lists the records of `.BTF.ext`. */
export async function run(file: string, options: CommonOptions, context: Context): Promise<ExitCode> {
  const object = openObjectInput(file);
  let contents: Ext;
  let btf: Btf;
  try {
    [btf, contents] = [object.btf, object.ext];
  } catch (cause) {
    throw inputError(file, cause);
  }
  const shown = describe(contents, btf);
  if (options.json || options.pretty) {
    await context.out.write(jsonText({ version: 1, object: file, ...shown }, options.pretty));
    return 0;
  }
  const { bold, dim } = styler(context.color);
  let text = `${dim(`${contents.endian} endian, header of ${contents.headerLength} bytes`)}\n`;
  text += listed(bold("func info"), shown.funcInfo, ({ typeId, name }) => printable(`[${typeId}] ${name}`));
  text += listed(
    bold("line info"),
    shown.lineInfo,
    ({ file: source, line, column, text: code }) =>
      `${printable(source)}:${line}:${column} ${dim(printable(code.trim()))}`,
  );
  text += listed(bold("CO-RE relocations"), shown.coreRelocations, ({ kind, typeId, name, access }) =>
    printable(`${kind} [${typeId}] ${name} ${access ?? "?"}`),
  );
  await context.out.write(text);
  return 0;
}

/** The JSON shape: each record has `insn`, its instruction's index in the section, and what it names. */
function describe(contents: Ext, btf: Btf) {
  const { endian, headerLength, funcInfo, lineInfo, coreRelocations } = contents;
  const nameOf = (id: number): string => (btf.has(id) ? btf.nameAt(id) : "?");
  return {
    endian,
    headerLength,
    funcInfo: each(funcInfo, ({ typeId }: FuncInfo) => ({ typeId, name: nameOf(typeId) })),
    lineInfo: each(lineInfo, ({ file, line, column, text }: LineInfo) => ({ file, line, column, text })),
    coreRelocations: each(coreRelocations, ({ kind, kindNumber, typeId, access }: CoreRelocation) => ({
      kind: kind === "unknown" ? kindNumber : kind,
      typeId,
      name: nameOf(typeId),
      access,
    })),
  };
}

type Shown<T> = { recordSize: number; sections: { section: string; records: ({ insn: number } & T)[] }[] };

function each<R extends { insnByteOffset: number }, T>(
  info: ExtInfo<R> | undefined,
  show: (record: R) => T,
): Shown<T> | undefined {
  return (
    info && {
      recordSize: info.recordSize,
      sections: info.sections.map(({ section, records }) => ({
        section,
        records: records.map((record) => ({ insn: record.insnByteOffset / INSN_SIZE, ...show(record) })),
      })),
    }
  );
}

function listed<T>(title: string, info: Shown<T> | undefined, line: (record: T) => string): string {
  if (!info) return "";
  let text = `\n${title}, ${info.recordSize} bytes each\n`;
  for (const { section, records } of info.sections) {
    text += `  ${printable(section)}\n`;
    for (const record of records) text += `    ${String(record.insn).padStart(6)}  ${line(record)}\n`;
  }
  return text;
}
