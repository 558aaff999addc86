/** `bpftool prog dump xlated`. */

import { writeFileSync } from "node:fs";
import { LD_IMM64, PSEUDO } from "../../../bpf/instruction.js";
import type { Btf } from "../../../btf/btf.js";
import { BtfError } from "../../../errors/error.js";
import {
  type DisassembleOptions,
  decodeInstructions,
  disassemble,
  type Instruction,
} from "../../../live/disassemble.js";
import type { Kernel } from "../../../live/kernel.js";
import { KernelSymbols } from "../../../live/kernel-symbols.js";
import type { LineRecord, Program, ProgramCode, ProgramInfo } from "../../../live/program.js";
import { signatureOf } from "../../../live/signature.js";
import { flowGraph } from "../flow-graph.js";
import { hexLines } from "../hex.js";
import type { JsonWriter } from "../json-writer.js";
import { parsePrograms } from "../objects.js";
import { type Arguments, abbreviates, fileErrorText, type Session, systemText, ToolError, Usage } from "../session.js";
import { headerJson, headerText, infoOf } from "./show.js";

/** `prog dump xlated` */
export async function dumpPrograms(session: Session, args: Arguments): Promise<void> {
  const mode = args.current;
  if (abbreviates(mode, "jited")) throw new ToolError("No libbfd support");
  if (!abbreviates(mode, "xlated")) throw new ToolError(`expected 'xlated' or 'jited', got: ${mode ?? "(null)"}`);
  args.skip();
  if (args.count < 2) throw new Usage();
  const programs = await parsePrograms(session, args);
  if (programs.length === 0) throw new ToolError("");
  try {
    const isMany = programs.length > 1;
    const only = (): void => {
      if (isMany) throw new ToolError("several programs matched");
    };
    const how: { file?: string; opcodes?: boolean; visual?: boolean; lineNumbers?: boolean } = {};
    const word = args.current;
    if (abbreviates(word, "file")) {
      args.skip();
      if (args.count === 0) throw new ToolError("expected file path");
      only();
      how.file = args.take()!;
    } else if (abbreviates(word, "opcodes")) how.opcodes = true;
    else if (abbreviates(word, "visual")) {
      only();
      how.visual = true;
    } else if (abbreviates(word, "linum")) how.lineNumbers = true;
    if (word !== undefined && Object.keys(how).length > 0 && how.file === undefined) args.skip();
    if (args.count > 0) throw new Usage();

    const { json } = session;
    if (json && isMany) json.startArray();
    for (const [i, program] of programs.entries()) {
      const info = infoOf(program);
      if (json && isMany) {
        json.startObject();
        headerJson(json, program, info);
        json.name("insns");
      } else if (isMany) session.print(headerText(program, info));
      await dumpProgram(session, program, info, how);
      if (json && isMany) json.endObject();
      else if (isMany && i !== programs.length - 1) session.print("\n");
      await session.flush();
    }
    if (json && isMany) json.endArray();
  } finally {
    for (const program of programs) program[Symbol.dispose]();
  }
}

async function dumpProgram(
  session: Session,
  program: Program,
  info: ProgramInfo,
  how: { file?: string; opcodes?: boolean; visual?: boolean; lineNumbers?: boolean },
): Promise<void> {
  let code: ProgramCode;
  try {
    code = program.code();
  } catch (error) {
    throw new ToolError(`can't get prog info: ${systemText(error)}`);
  }
  if (code.xlated.length === 0) throw new ToolError("error retrieving insn dump: kernel.kptr_restrict set?");
  let btf: Btf | undefined;
  try {
    btf = info.btfId ? program.btf : undefined;
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    throw new ToolError("failed to get btf");
  }
  if (how.file !== undefined) {
    try {
      writeFileSync(how.file, code.xlated, { mode: 0o600 });
    } catch (error) {
      throw new ToolError(`can't open file ${how.file}: ${fileErrorText(error)}`);
    }
    session.succeed();
    return;
  }
  const instructions = decodeInstructions(code.xlated);
  const names = new CallNames(await session.kernel(), code);
  if (how.visual) {
    if (session.json) session.json.raw("null");
    else session.print(flowGraph(instructions, { ...names.options, callName: names.withoutProgram }));
    return;
  }
  const listing = new Listing(btf, code, how.lineNumbers ?? false);
  if (session.json) listingJson(session.json, code.xlated, instructions, names.options, listing, how.opcodes ?? false);
  else session.print(listingText(code.xlated, instructions, names.options, listing, how.opcodes ?? false));
}

/** The functions and lines that come before instructions. */
class Listing {
  readonly lineNumbers: boolean;
  readonly #btf: Btf | undefined;
  readonly #code: ProgramCode;
  #function = 0;
  #line = 0;

  constructor(btf: Btf | undefined, code: ProgramCode, lineNumbers: boolean) {
    this.#btf = btf;
    this.#code = code;
    this.lineNumbers = lineNumbers;
  }

  /** The signature of the function that starts here, or "". */
  signature(index: number): string {
    const record = this.#code.functions[this.#function];
    if (!this.#btf || record?.instruction !== index) return "";
    this.#function++;
    const type = this.#btf.get(record.typeId);
    return type ? signatureOf(type) : "";
  }

  /** The last line at or before the instruction that was not shown yet. */
  line(index: number): { readonly text: string; readonly file: string; readonly record: LineRecord } | undefined {
    const { lines } = this.#code;
    const first = lines[this.#line];
    if (!this.#btf || !first || index < first.instruction) return undefined;
    let at = this.#line;
    while (at + 1 < lines.length && lines[at + 1]!.instruction <= index) at++;
    this.#line++;
    const record = lines[at]!;
    return {
      record,
      text: this.#btf.image.string(record.lineOffset).replace(/^[ \t\n\v\f\r]+/, ""),
      file: this.#btf.image.string(record.fileOffset),
    };
  }
}

/** Names of what instructions call and load. */
class CallNames {
  readonly #kernel: Kernel;
  readonly #code: ProgramCode;
  #symbols: KernelSymbols | undefined;
  #helpers: ReadonlyMap<number, string> | undefined;
  readonly options: DisassembleOptions;

  constructor(kernel: Kernel, code: ProgramCode) {
    this.#kernel = kernel;
    this.#code = code;
    this.options = {
      compat: "bpftool-7.1",
      callName: (instruction) => this.#callName(instruction, this.#code),
      immediateText,
    };
  }

  /** For the graph, which knows nothing of the program that the instructions are of. */
  readonly withoutProgram = (instruction: Instruction): string | undefined => this.#callName(instruction, undefined);

  #callName(instruction: Instruction, code: ProgramCode | undefined): string | undefined {
    const { source, immediate, offset } = instruction;
    if (source === 0 && immediate >= 0 && immediate < KNOWN_HELPERS) {
      this.#helpers ??= helperNames(this.#kernel);
      const helper = this.#helpers.get(immediate);
      if (helper) return helper;
    }
    this.#symbols ??= KernelSymbols.read();
    let address = BigInt.asUintN(64, this.#symbols.callBase + BigInt(immediate));
    const isLocal = source === PSEUDO.call;
    if (isLocal && code) address = code.addresses[immediate >>> 0] ?? address;
    const name = this.#symbols.nameAt(address);
    if (!isLocal) return name ?? `0x${address.toString(16)}`;
    const distance = offset < 0 ? `${offset}` : `+${offset}`;
    if (!code?.addressCount) return distance;
    return name ? `${distance}#${name}` : `${distance}#0x${address.toString(16)}`;
  }
}

/** The helpers that bpftool knows by their numbers. */
const KNOWN_HELPERS = 210;

/** The names of helpers, from the kernel's own enum of them. */
function helperNames(kernel: Kernel): ReadonlyMap<number, string> {
  try {
    const ids = kernel.vmlinux.find("bpf_func_id", "enum");
    return new Map(ids?.values.map(({ name, value }) => [value, name.replace(/^BPF_FUNC_/, "bpf_")]));
  } catch {
    return new Map();
  }
}

function immediateText({ source, immediate }: Instruction, next: Instruction | undefined, value: bigint): string {
  const [low, high] = [immediate >>> 0, (next?.immediate ?? 0) >>> 0];
  switch (source) {
    case PSEUDO.mapFd:
      return `map[id:${low}]`;
    case PSEUDO.mapValue:
      return `map[id:${low}][0]+${high}`;
    case PSEUDO.mapIndexValue:
      return `map[idx:${low}]+${high}`;
    case PSEUDO.function:
      return `subprog[${immediate < 0 ? "" : "+"}${immediate}]`;
    default:
      return `0x${value.toString(16)}`;
  }
}

/** Each instruction with its index; the second half of a 64-bit load is left out. */
function* shownInstructions(
  instructions: readonly Instruction[],
): Generator<readonly [index: number, instruction: Instruction, isDouble: boolean]> {
  for (let i = 0; i < instructions.length; i++) {
    const isDouble = instructions[i]!.code === LD_IMM64;
    yield [i, instructions[i]!, isDouble];
    if (isDouble) i++;
  }
}

function listingText(
  bytes: Uint8Array,
  instructions: readonly Instruction[],
  options: DisassembleOptions,
  listing: Listing,
  opcodes: boolean,
): string {
  let text = "";
  for (const [i, instruction, isDouble] of shownInstructions(instructions)) {
    const signature = listing.signature(i);
    if (signature) text += `${signature}:\n`;
    const line = listing.line(i);
    if (line) {
      const { line: number, column } = line.record;
      const place = listing.lineNumbers ? ` [file:${line.file} line_num:${number} line_col:${column}]` : "";
      text += `; ${line.text}${place}\n`;
    }
    text += `${String(i).padStart(4)}: ${disassemble(instruction, instructions[i + 1], options)}\n`;
    if (!opcodes) continue;
    text += `       ${hexLines(bytes.subarray(8 * i, 8 * i + 8), " ")}`;
    if (isDouble) text += ` ${hexLines(bytes.subarray(8 * i + 8, 8 * i + 16), " ")}`;
    text += "\n";
  }
  return text;
}

function listingJson(
  json: JsonWriter,
  bytes: Uint8Array,
  instructions: readonly Instruction[],
  options: DisassembleOptions,
  listing: Listing,
  opcodes: boolean,
): void {
  json.startArray();
  for (const [i, instruction, isDouble] of shownInstructions(instructions)) {
    json.startObject();
    const signature = listing.signature(i);
    if (signature) json.stringField("proto", signature);
    const line = listing.line(i);
    if (line) {
      json.stringField("src", line.text);
      if (listing.lineNumbers) {
        json.stringField("file", line.file);
        if (line.record.line) json.field("line_num", line.record.line);
        if (line.record.column) json.field("line_col", line.record.column);
      }
    }
    json.name("disasm").raw(`"${disassemble(instruction, instructions[i + 1], options)}"`);
    if (opcodes) {
      const hex = (value: number, digits = 1): string => `"0x${value.toString(16).padStart(digits, "0")}"`;
      json.name("opcodes").startObject();
      json.name("code").raw(hex(instruction.code, 2));
      json.name("src_reg").raw(hex(instruction.source));
      json.name("dst_reg").raw(hex(instruction.destination));
      json.name("off").hexBytes(bytes.subarray(8 * i + 2, 8 * i + 4));
      json.name("imm").hexBytes(bytes.subarray(8 * i + 4, 8 * i + (isDouble ? 16 : 8)));
      json.endObject();
    }
    json.endObject();
  }
  json.endArray();
}
