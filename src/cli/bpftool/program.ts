/** `bpftool prog`. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Btf } from "../../btf/btf.js";
import { BtfError } from "../../errors/error.js";
import {
  type DisassembleOptions,
  decodeInstructions,
  disassemble,
  type Instruction,
  LOAD_64,
  PSEUDO,
} from "../../live/disassemble.js";
import { errnoText } from "../../live/errno.js";
import { BtfSystemError } from "../../live/error.js";
import type { Kernel } from "../../live/kernel.js";
import { KernelSymbols } from "../../live/kernel-symbols.js";
import type { LineRecord, Program, ProgramCode, ProgramInfo } from "../../live/program.js";
import { signatureOf } from "../../live/signature.js";
import { DumpFailed } from "./failures.js";
import { flowGraph } from "./flow-graph.js";
import { hexDump, hexLines } from "./hex.js";
import { IdTable } from "./id-table.js";
import { JsonWriter } from "./json-writer.js";
import { deviceJson, deviceText } from "./map.js";
import { known } from "./names.js";
import { parseProgram, parsePrograms } from "./objects.js";
import { pinCommand, pinTable } from "./pin.js";
import { type Arguments, abbreviates, parseNumber, type Session, systemText, ToolError, Usage } from "./session.js";
import { helpOf, type ToolObject } from "./tool-object.js";
import { ValueWriter } from "./value.js";

const PROGRAM_USAGE = `Usage: bpftool prog { show | list } [PROG]
       bpftool prog dump xlated PROG [{ file FILE | opcodes | visual | linum }]
       bpftool prog pin   PROG FILE
       bpftool prog run PROG [data_in FILE [data_out FILE [data_size_out L]]] \\
                         [ctx_in FILE [ctx_out FILE [ctx_size_out M]]] [repeat N]
       bpftool prog help

       PROG := { id PROG_ID | pinned FILE | tag PROG_TAG | name PROG_NAME }
`;

/** Variables of .rodata with this prefix are what a program says about itself. */
const METADATA_PREFIX = "bpf_metadata_";

type Pins = IdTable<string>;

/** `prog show`: some, or all. */
export async function showPrograms(session: Session, args: Arguments): Promise<void> {
  const pins: Pins = session.options.showsPins ? await pinTable(session, "prog") : new IdTable();
  if (args.count === 2) {
    const programs = await parsePrograms(session, args);
    if (programs.length === 0) throw new ToolError("");
    if (programs.length > 1) session.json?.startArray();
    for (const program of programs) {
      await showProgram(session, program, pins);
      program[Symbol.dispose]();
    }
    if (programs.length > 1) session.json?.endArray();
    return;
  }
  if (args.count > 0) throw new ToolError(`what is '${args.current}'?`);
  session.json?.startArray();
  const kernel = await session.kernel();
  for (const program of kernel.programs()) {
    await showProgram(session, program, pins);
    program[Symbol.dispose]();
    await session.flush();
  }
  session.json?.endArray();
}

function infoOf(program: Program): ProgramInfo {
  try {
    return program.info;
  } catch (error) {
    throw new ToolError(`can't get prog info: ${systemText(error)}`);
  }
}

async function showProgram(session: Session, program: Program, pins: Pins): Promise<void> {
  const info = infoOf(program);
  const paths = pins.get(info.id);
  const mapIds = info.mapCount ? program.mapIds() : [];
  const kernel = await session.kernel();
  const loaded = info.loadTimeNs === 0n ? undefined : loadSeconds(kernel, info.loadTimeNs);
  const { json } = session;
  if (json) {
    json.startObject();
    headerJson(json, program, info);
    deviceJson(json, info);
    if (loaded !== undefined) json.field("loaded_at", loaded).field("uid", info.uid);
    json.field("bytes_xlated", info.xlatedByteSize).field("jited", info.jitedByteSize > 0);
    if (info.jitedByteSize) json.field("bytes_jited", info.jitedByteSize);
    json.field("bytes_memlock", program.memlockBytes);
    if (mapIds.length > 0) {
      json.name("map_ids").startArray();
      for (const id of mapIds) json.raw(id);
      json.endArray();
    }
    if (info.btfId) json.field("btf_id", info.btfId);
    if (pins.size > 0) {
      json.name("pinned").startArray();
      for (const path of paths) json.string(path);
      json.endArray();
    }
    await showMetadata(session, mapIds);
    json.endObject();
    return;
  }
  let text = headerText(program, info);
  if (loaded !== undefined) text += `\tloaded_at ${localTime(loaded)}  uid ${info.uid}\n`;
  text += `\txlated ${info.xlatedByteSize}B`;
  text += info.jitedByteSize ? `  jited ${info.jitedByteSize}B` : "  not jited";
  text += `  memlock ${program.memlockBytes}B`;
  if (mapIds.length > 0) text += `  map_ids ${mapIds.join(",")}`;
  for (const path of paths) text += `\n\tpinned ${path}`;
  if (info.btfId) text += `\n\tbtf_id ${info.btfId}`;
  session.print(`${text}\n`);
  await showMetadata(session, mapIds);
}

function headerJson(json: JsonWriter, program: Program, info: ProgramInfo): void {
  json.field("id", info.id);
  const type = known("program", info.typeNumber);
  if (typeof type === "number") json.field("type", type);
  else json.stringField("type", type);
  if (info.name) json.stringField("name", program.fullName);
  json.stringField("tag", info.tag).field("gpl_compatible", info.isGplCompatible);
  if (info.runTimeNs) json.field("run_time_ns", info.runTimeNs).field("run_cnt", info.runCount);
  if (info.recursionMisses) json.field("recursion_misses", info.recursionMisses);
}

function headerText(program: Program, info: ProgramInfo): string {
  const type = known("program", info.typeNumber);
  const name = info.name ? `name ${program.fullName}  ` : "";
  let text = `${info.id}: ${typeof type === "number" ? `type ${type}` : type}  ${name}tag ${info.tag}${deviceText(info)}`;
  if (info.isGplCompatible) text += "  gpl";
  if (info.runTimeNs) text += ` run_time_ns ${info.runTimeNs} run_cnt ${info.runCount}`;
  if (info.recursionMisses) text += ` recursion_misses ${info.recursionMisses}`;
  return `${text}\n`;
}

/** Clocks of clock_gettime(2): include/uapi/linux/time.h. */
const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;

/** When something was at a time since the machine's start, in seconds since 1970, as bpftool rounds it. */
function loadSeconds({ system }: Kernel, sinceBoot: bigint): number {
  const read = (clock: number): readonly [bigint, bigint] => {
    const time = system.allocate(16);
    system.must("clock_gettime", clock, time.address);
    return [time.u64(0), time.u64(8)];
  };
  const [realSeconds, realNs] = read(CLOCK_REALTIME);
  const [bootSeconds, bootNs] = read(CLOCK_BOOTTIME);
  // Unsigned there: where the difference of the nanoseconds is negative, so is the sum, and it wraps.
  const ns = BigInt.asUintN(64, realNs - bootNs + sinceBoot);
  return Number(realSeconds - bootSeconds + ns / 1_000_000_000n);
}

/** As strftime's `%FT%T%z` in this process's time zone. */
function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${zone}`;
}

/** The variables of a program's .rodata that begin with `bpf_metadata_`. */
async function showMetadata(session: Session, mapIds: readonly number[]): Promise<void> {
  const kernel = await session.kernel();
  for (const id of mapIds) {
    const fd = kernel.openId("MAP", id);
    if (fd < 0) return;
    using map = kernel.adopt("map", fd);
    const { type, keyByteSize, maxEntries, valueTypeId, name } = map.info;
    if (type !== "array" || keyByteSize !== 4 || maxEntries !== 1 || !valueTypeId || !name.includes(".rodata"))
      continue;
    if (map.lookup(new Uint8Array(4)) !== 0) return;
    const section = map.valueType;
    if (section?.kind !== "datasec") return;
    const variables = section.variables.filter(({ type: variable }) => variable.name.startsWith(METADATA_PREFIX));
    if (variables.length === 0) return;
    const values = new ValueWriter(session.json === undefined);
    const json = session.json ?? new JsonWriter(false);
    if (session.json) json.name("metadata").startObject();
    else session.print("\tmetadata:");
    for (const { type: variable, byteOffset } of variables) {
      if (variable.kind !== "var") continue;
      const label = variable.name.slice(METADATA_PREFIX.length);
      if (session.json) json.name(label);
      else session.print(`\n\t\t${label} = `);
      values.write(json, variable.type, map.value, byteOffset);
      if (!session.json) {
        session.print(json.take());
        json.reset();
      }
    }
    if (session.json) json.endObject();
    else session.print("\n");
    return;
  }
}

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

function fileErrorText(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  return errno === undefined ? message : errnoText(Math.abs(errno));
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
    const isDouble = instructions[i]!.code === LOAD_64;
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

/** `prog pin` */
export async function pinProgram(session: Session, args: Arguments): Promise<void> {
  await pinCommand(session, args, parseProgram);
}

/** The most that a program may leave, unless it is said. */
const DEFAULT_OUT = 32768;

const RUN_OPTIONS = ["data_in", "data_out", "data_size_out", "ctx_in", "ctx_out", "ctx_size_out", "repeat"] as const;

/** `prog run` */
export async function runProgram(session: Session, args: Arguments): Promise<void> {
  args.require(4);
  const program = await parseProgram(session, args);
  try {
    const given = parseRunOptions(args);
    const number = (name: (typeof RUN_OPTIONS)[number], title: string): number => {
      const text = given.get(name);
      const value = text === undefined ? 0 : parseNumber(text);
      if (value === undefined) throw new ToolError(`can't parse ${text} as ${title}`);
      return value >>> 0;
    };
    const [dataPath, contextPath] = [given.get("data_in"), given.get("ctx_in")];
    if (dataPath === "-" && contextPath === "-") {
      throw new ToolError("cannot use standard input for both data_in and ctx_in");
    }
    const dataOut = number("data_size_out", "output data size");
    const contextOut = number("ctx_size_out", "output context size");
    const repeat = given.has("repeat") ? number("repeat", "repeat number") : 1;
    const data = dataPath === undefined ? undefined : inputFile(dataPath);
    const context = contextPath === undefined ? undefined : inputFile(contextPath);
    let result: ReturnType<Program["run"]>;
    try {
      result = program.run({
        ...(data && { data }),
        ...(context && { context }),
        repeat,
        dataOutByteSize: data ? dataOut || DEFAULT_OUT : dataOut,
        contextOutByteSize: context ? contextOut || DEFAULT_OUT : contextOut,
      });
    } catch (error) {
      if (!(error instanceof BtfSystemError)) throw error;
      throw new ToolError(`failed to run program: ${errnoText(error.errno)}`, -error.errno);
    }
    const { json } = session;
    json?.startObject();
    let failures = 0;
    const output = (bytes: Uint8Array, path: string | undefined, key: string): void => {
      if (bytes.length === 0 || path === undefined) return;
      if (path === "-") {
        if (json) json.name(key).bytes(bytes);
        else session.print(hexDump(bytes));
        return;
      }
      try {
        writeFileSync(path, bytes);
      } catch (error) {
        session.error(`failed to open ${path}: ${fileErrorText(error)}`);
        failures--;
      }
    };
    output(result.data, given.get("data_out"), "data_out");
    output(result.context, given.get("ctx_out"), "ctx_out");
    if (json) json.field("retval", result.returnValue).field("duration", result.durationNs).endObject();
    else {
      const average = repeat > 1 ? " (average)" : "";
      session.print(`Return value: ${result.returnValue}, duration${average}: ${result.durationNs}ns\n`);
    }
    if (failures) throw new DumpFailed(failures);
  } finally {
    program[Symbol.dispose]();
  }
}

function parseRunOptions(args: Arguments): Map<(typeof RUN_OPTIONS)[number], string> {
  const given = new Map<(typeof RUN_OPTIONS)[number], string>();
  while (args.count > 0) {
    const word = args.current!;
    const matches = RUN_OPTIONS.filter((option) => option.startsWith(word));
    if (matches.length > 1) {
      throw new ToolError(`ambiguous prefix: '${word}' could be '${matches.join("' or '")}'`);
    }
    const [option] = matches;
    if (!option) {
      const names = RUN_OPTIONS.map((name) => `'${name}'`);
      const list = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
      throw new ToolError(`expected no more arguments, ${list}, got: '${word}'?`);
    }
    args.skip();
    args.require(1);
    given.set(option, args.take()!);
  }
  return given;
}

function inputFile(path: string): Uint8Array {
  try {
    return readFileSync(path === "-" ? 0 : path);
  } catch (error) {
    throw new ToolError(`failed to open ${path}: ${fileErrorText(error)}`);
  }
}

/** `bpftool prog` */
export const PROGRAM: ToolObject = {
  usage: PROGRAM_USAGE,
  commands: [
    ["show", showPrograms],
    ["list", showPrograms],
    ["help", helpOf(PROGRAM_USAGE)],
    ["dump", dumpPrograms],
    ["pin", pinProgram],
    ["load"],
    ["loadall"],
    ["attach"],
    ["detach"],
    ["tracelog"],
    ["run", runProgram],
    ["profile"],
  ],
};
