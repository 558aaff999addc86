/** `bpftool prog show`, and the header of a program, which its dump has too. */
import type { Kernel } from "../../../live/kernel.js";
import type { Program, ProgramInfo } from "../../../live/program.js";
import { deviceJson, deviceText } from "../device.js";
import { IdTable } from "../id-table.js";
import { JsonWriter } from "../json-writer.js";
import { known } from "../names.js";
import { parsePrograms } from "../objects.js";
import { pinTable } from "../pin.js";
import { type Arguments, type Session, systemText, ToolError } from "../session.js";
import { ValueWriter } from "../value.js";

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

export function infoOf(program: Program): ProgramInfo {
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

export function headerJson(json: JsonWriter, program: Program, info: ProgramInfo): void {
  json.field("id", info.id);
  const type = known("program", info.typeNumber);
  if (typeof type === "number") json.field("type", type);
  else json.stringField("type", type);
  if (info.name) json.stringField("name", program.fullName);
  json.stringField("tag", info.tag).field("gpl_compatible", info.isGplCompatible);
  if (info.runTimeNs) json.field("run_time_ns", info.runTimeNs).field("run_cnt", info.runCount);
  if (info.recursionMisses) json.field("recursion_misses", info.recursionMisses);
}

export function headerText(program: Program, info: ProgramInfo): string {
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
