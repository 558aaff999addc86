/** `bpftool map`. */
import { readdirSync, readFileSync } from "node:fs";
import type { BtfType } from "../../btf/types.js";
import { BtfError } from "../../errors/error.js";
import { possibleCpus } from "../../live/cpus.js";
import { ERRNO, errnoText } from "../../live/errno.js";
import { BtfSystemError } from "../../live/error.js";
import type { Kernel } from "../../live/kernel.js";
import { INFO_SIZE } from "../../live/layouts.js";
import { type BpfMap, type MapInfo, roundUp8 } from "../../live/map.js";
import { EntryTemplate } from "./entry-template.js";
import { DumpFailed } from "./failures.js";
import { hexLines } from "./hex.js";
import { IdTable } from "./id-table.js";
import { JsonWriter } from "./json-writer.js";
import { known, mapTypeNumber } from "./names.js";
import { parseMap, parseMaps, parseProgram } from "./objects.js";
import { pinAt, pinCommand, pinTable } from "./pin.js";
import {
  type Arguments,
  abbreviates,
  interfaceName,
  parseNumber,
  type Session,
  systemText,
  ToolError,
  Usage,
} from "./session.js";
import { helpOf, type ToolObject } from "./tool-object.js";
import { ValueWriter } from "./value.js";

const MAP_USAGE = `Usage: bpftool map { show | list }   [MAP]
       bpftool map create     FILE type TYPE key KEY_SIZE value VALUE_SIZE \\
                              entries MAX_ENTRIES name NAME [flags FLAGS] \\
                              [inner_map MAP] [dev NAME]
       bpftool map dump       MAP
       bpftool map { update | push | enqueue } MAP [key DATA] [value VALUE] [UPDATE_FLAGS]
       bpftool map { lookup | peek } MAP [key DATA]
       bpftool map getnext    MAP [key DATA]
       bpftool map delete     MAP key DATA
       bpftool map { pop | dequeue } MAP
       bpftool map freeze     MAP
       bpftool map pin        MAP FILE
       bpftool map help

       MAP := { id MAP_ID | pinned FILE | name MAP_NAME }
       DATA := { [hex] BYTES }
       VALUE := { DATA | MAP | PROG }
       UPDATE_FLAGS := { any | exist | noexist }
`;

type Pins = IdTable<string>;

/** `map show`: some, or all. */
export async function showMaps(session: Session, args: Arguments): Promise<void> {
  const pins: Pins = session.options.showsPins ? await pinTable(session, "map") : new IdTable();
  const kernel = await session.kernel();
  if (args.count === 2) {
    const maps = await parseMaps(session, args);
    // bpftool's result is -1 then, without a word.
    if (maps.length === 0) throw new ToolError("");
    if (maps.length > 1) session.json?.startArray();
    const readInfo = infoReader(kernel);
    for (const map of maps) {
      showMap(session, map, readInfo(map), pins);
      map[Symbol.dispose]();
    }
    if (maps.length > 1) session.json?.endArray();
    return;
  }
  if (args.count > 0) throw new ToolError(`what is '${args.current}'?`);
  session.json?.startArray();
  const readInfo = infoReader(kernel);
  for (const map of kernel.maps()) {
    showMap(session, map, readInfo(map), pins);
    map[Symbol.dispose]();
    await session.flush();
  }
  session.json?.endArray();
}

/**
 * Reads the info of one map after the other into the same memory, as bpftool does. Kernels of 2025 leave the fields of
 * BTF alone where a map has none, so that those of the map before are shown.
 */
function infoReader({ system }: Kernel): (map: BpfMap) => MapInfo {
  const memory = system.allocate(INFO_SIZE);
  return (map) => {
    try {
      return map.readInfoInto(memory);
    } catch (error) {
      throw new ToolError(`can't get map info: ${systemText(error)}`);
    }
  };
}

function showMap(session: Session, map: BpfMap, info: MapInfo, pins: Pins): void {
  const { status } = map;
  const paths = pins.get(info.id);
  const { memlockBytes, isFrozen, ownerProgramType, isOwnerJited } = status;
  const owner = ownerProgramType === undefined ? undefined : known("program", ownerProgramType);
  const isProgramArray = info.type === "prog_array";
  const { json } = session;
  if (json) {
    json.startObject();
    headerJson(json, info);
    deviceJson(json, info);
    json.field("bytes_key", info.keyByteSize).field("bytes_value", info.valueByteSize);
    json.field("max_entries", info.maxEntries).field("bytes_memlock", memlockBytes);
    if (isProgramArray && owner !== undefined) {
      if (typeof owner === "number") json.field("owner_prog_type", owner);
      else json.stringField("owner_prog_type", owner);
    }
    if (isProgramArray && isOwnerJited !== undefined) json.field("owner_jited", isOwnerJited);
    json.field("frozen", isFrozen ? 1 : 0);
    if (info.btfId) json.field("btf_id", info.btfId);
    if (pins.size > 0) {
      json.name("pinned").startArray();
      for (const path of paths) json.string(path);
      json.endArray();
    }
    json.endObject();
    return;
  }
  let text = headerText(info);
  text += `\tkey ${info.keyByteSize}B  value ${info.valueByteSize}B  max_entries ${info.maxEntries}`;
  text += `  memlock ${memlockBytes}B`;
  if (isProgramArray && (owner !== undefined || isOwnerJited !== undefined)) {
    text += "\n\t";
    if (owner !== undefined) text += `owner_prog_type ${owner}  `;
    if (isOwnerJited !== undefined) text += `owner${isOwnerJited ? "" : " not"} jited`;
  }
  for (const path of paths) text += `\n\tpinned ${path}`;
  if (info.btfId || isFrozen) text += "\n\t";
  if (info.btfId) text += `btf_id ${info.btfId}`;
  if (isFrozen) text += `${info.btfId ? "  " : ""}frozen`;
  session.print(`${text}\n`);
}

function headerJson(json: JsonWriter, info: MapInfo): void {
  json.field("id", info.id);
  const type = known("map", info.typeNumber);
  if (typeof type === "number") json.field("type", type);
  else json.stringField("type", type);
  if (info.name) json.stringField("name", info.name);
  // A signed number there.
  json.field("flags", info.flags | 0);
}

function headerText(info: MapInfo): string {
  const type = known("map", info.typeNumber);
  const name = info.name ? `name ${info.name}  ` : "";
  return `${info.id}: ${typeof type === "number" ? `type ${type}` : type}  ${name}flags 0x${info.flags.toString(16)}${deviceText(info)}\n`;
}

interface OnDevice {
  readonly interfaceIndex: number;
  readonly networkNamespace: { readonly device: bigint; readonly inode: bigint };
}

/** What an offloaded map or program says of its device. */
export function deviceJson(json: JsonWriter, { interfaceIndex, networkNamespace }: OnDevice): void {
  if (!interfaceIndex) return;
  const { device, inode } = networkNamespace;
  json.name("dev").startObject().field("ifindex", interfaceIndex).field("ns_dev", device).field("ns_inode", inode);
  const name = interfaceName(interfaceIndex, device, inode);
  if (name) json.stringField("ifname", name);
  json.endObject();
}

export function deviceText({ interfaceIndex, networkNamespace }: OnDevice): string {
  if (!interfaceIndex) return "";
  const { device, inode } = networkNamespace;
  const name = interfaceName(interfaceIndex, device, inode);
  return `  offloaded_to ${name ?? `ifindex ${interfaceIndex} ns_dev ${device} ns_ino ${inode}`}`;
}

/** The types of keys and values; undefined where a map has none. */
interface EntryTypes {
  readonly key: BtfType | undefined;
  readonly value: BtfType;
}

/** @throws ToolError */
function entryTypes(map: BpfMap): EntryTypes | undefined {
  if (!map.info.valueTypeId && !map.info.kernelValueTypeId) return undefined;
  try {
    const { keyTypeId } = map.info;
    const value = map.valueType;
    const key = keyTypeId ? map.btf?.get(keyTypeId) : undefined;
    return value && { key, value };
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    throw new ToolError(map.info.kernelValueTypeId ? "failed to get kernel btf" : "failed to get btf");
  }
}

/** Writes an entry by its types. */
function writeTyped(
  json: JsonWriter,
  map: BpfMap,
  types: EntryTypes,
  values: ValueWriter,
  key: Uint8Array,
  value: Uint8Array,
): void {
  json.startObject();
  if (!types.key || values.write(json.name("key"), types.key, key)) {
    if (!map.isPerCpu) values.write(json.name("value"), types.value, value);
    else {
      json.name("values").startArray();
      const step = roundUp8(map.info.valueByteSize);
      for (let cpu = 0; cpu < possibleCpus(); cpu++) {
        json.startObject().field("cpu", cpu).name("value");
        const isWhole = values.write(json, types.value, value.subarray(cpu * step, (cpu + 1) * step));
        json.endObject();
        if (!isWhole) break;
      }
      json.endArray();
    }
  }
  json.endObject();
}

function writeJson(
  json: JsonWriter,
  map: BpfMap,
  types: EntryTypes | undefined,
  values: ValueWriter,
  key: Uint8Array,
  value: Uint8Array,
): void {
  const { valueByteSize } = map.info;
  json.startObject().name("key").hexBytes(key);
  if (!map.isPerCpu) json.name("value").hexBytes(value.subarray(0, valueByteSize));
  else {
    json.name("values").startArray();
    const step = roundUp8(valueByteSize);
    for (let cpu = 0; cpu < possibleCpus(); cpu++) {
      json.startObject().field("cpu", cpu).name("value");
      json.hexBytes(value.subarray(cpu * step, cpu * step + valueByteSize)).endObject();
    }
    json.endArray();
  }
  if (types) writeTyped(json.name("formatted"), map, types, values, key, value);
  json.endObject();
}

function plainEntry(map: BpfMap, key: Uint8Array, value: Uint8Array): string {
  const { keyByteSize, valueByteSize } = map.info;
  let text = "";
  if (!map.isPerCpu) {
    const breaks = keyByteSize > 16 || valueByteSize > 16;
    const isSingle = keyByteSize + valueByteSize <= 24 && !breaks;
    if (keyByteSize) text += `key:${breaks ? "\n" : " "}${hexLines(key, " ")}${isSingle ? "  " : "\n"}`;
    if (valueByteSize) text += `value:${breaks ? "\n" : " "}${hexLines(value.subarray(0, valueByteSize), " ")}`;
    return `${text}\n`;
  }
  if (keyByteSize) text += `key:\n${hexLines(key, " ")}\n`;
  if (valueByteSize) {
    const step = roundUp8(valueByteSize);
    for (let cpu = 0; cpu < possibleCpus(); cpu++) {
      const bytes = value.subarray(cpu * step, cpu * step + valueByteSize);
      text += `value (CPU ${String(cpu).padStart(2, "0")}):${valueByteSize > 16 ? "\n" : " "}${hexLines(bytes, " ")}\n`;
    }
  }
  return text;
}

/** An entry whose value cannot be read. */
function writeError(session: Session, map: BpfMap, key: Uint8Array, errno: number): void {
  const isSlot = ["array_of_maps", "hash_of_maps", "prog_array"].includes(map.type);
  if (isSlot && errno === ERRNO.ENOENT) return;
  const { json } = session;
  if (json) {
    json.startObject().name("key").hexBytes(key).name("value").startObject();
    json.stringField("error", errnoText(errno)).endObject().endObject();
    return;
  }
  let message = errnoText(errno);
  if (errno === ERRNO.ENOENT) message = "<no entry>";
  else if (errno === ERRNO.ENOSPC && map.type === "reuseport_sockarray") message = "<cannot read>";
  const breaks = key.length > 16 || message.length > 16;
  const isSingle = key.length + message.length <= 24 && !breaks;
  const gap = breaks ? "\n" : " ";
  session.print(`key:${gap}${hexLines(key, " ")}${isSingle ? "  " : "\n"}value:${gap}${message}\n`);
}

/** `map dump` */
export async function dumpMaps(session: Session, args: Arguments): Promise<void> {
  if (args.count !== 2) throw new Usage();
  const maps = await parseMaps(session, args);
  if (maps.length === 0) throw new ToolError("");
  try {
    // Typed values are JSON, which is indented where --json does not say it.
    const isTyped = maps.every((map) => map.info.btfId);
    const json = session.json ?? (isTyped ? new JsonWriter(true) : undefined);
    const hasHeader = maps.length > 1;
    if (json && hasHeader) json.startArray();
    for (const [i, map] of maps.entries()) {
      await dumpMap(session, json, map, hasHeader);
      if (!json && i !== maps.length - 1) session.print("\n");
    }
    if (json && hasHeader) json.endArray();
    if (json && json !== session.json) session.print(`${json.take()}\n`);
  } finally {
    for (const map of maps) map[Symbol.dispose]();
  }
}

async function dumpMap(session: Session, json: JsonWriter | undefined, map: BpfMap, hasHeader: boolean): Promise<void> {
  const types = json && entryTypes(map);
  const values = new ValueWriter(session.json === undefined);
  if (json) {
    if (hasHeader) {
      json.startObject();
      headerJson(json, map.info);
      json.name("elements");
    }
    json.startArray();
  } else if (hasHeader) session.print(headerText(map.info));
  if (map.type === "reuseport_sockarray" && map.info.valueByteSize !== 8) {
    session.info(`Warning: cannot read values from ${map.type} map with value_size != 8`);
  }
  let count = 0;
  let template: EntryTemplate | undefined;
  const write = (key: Uint8Array, value: Uint8Array): void => {
    count++;
    if (session.json) writeJson(session.json, map, types, values, key, value);
    else if (json && types) writeTyped(json, map, types, values, key, value);
    else session.print(plainEntry(map, key, value));
  };
  const flush = async (): Promise<void> => {
    if (json && json !== session.json) session.print(json.take());
    await session.flush();
  };
  for (const batch of map.batches()) {
    if (batch === undefined) {
      await dumpByKey(session, json, map, write, flush);
      break;
    }
    if (types) {
      for (let i = 0; i < batch.count; i++) {
        const { key, value } = batch.entry(i);
        write(key, value);
        if (i % FLUSH_ENTRIES === 0) await flush();
      }
      await flush();
      continue;
    }
    // What comes before the first entry is not in the template.
    const first = count === 0 ? 1 : 0;
    if (first) write(batch.entry(0).key, batch.entry(0).value);
    template ??= templateOf(session, map);
    const step = map.transferByteSize;
    const rest = batch.count - first;
    count += rest;
    const keys = batch.keys.subarray(first * map.info.keyByteSize);
    await session.write(template.fill(keys, batch.values.subarray(first * step), step, rest));
  }
  if (json) {
    json.endArray();
    if (hasHeader) json.endObject();
  } else session.print(`Found ${count} element${count === 1 ? "" : "s"}\n`);
}

/** The text of an entry without types, once one has been written. */
function templateOf(session: Session, map: BpfMap): EntryTemplate {
  const { keyByteSize, valueByteSize } = map.info;
  const step = roundUp8(valueByteSize);
  const cpus = map.isPerCpu ? possibleCpus() : 1;
  const shown = Int32Array.from(
    { length: cpus * valueByteSize },
    (_, i) => Math.floor(i / valueByteSize) * step + (i % valueByteSize),
  );
  const { json } = session;
  const render = (key: Uint8Array, value: Uint8Array): string => {
    if (!json) return plainEntry(map, key, value);
    const before = json.text.length;
    writeJson(json, map, undefined, new ValueWriter(false), key, value);
    const text = json.text.slice(before);
    json.text = json.text.slice(0, before);
    return text;
  };
  return new EntryTemplate(render, keyByteSize, map.transferByteSize, shown);
}

/** Entries after which the output is looked at. */
const FLUSH_ENTRIES = 256;

/** The entries one by one, for types without batches. A key that cannot be read is shown with the reason. */
async function dumpByKey(
  session: Session,
  json: JsonWriter | undefined,
  map: BpfMap,
  write: (key: Uint8Array, value: Uint8Array) => void,
  flush: () => Promise<void>,
): Promise<void> {
  const failed = (error: unknown): never => {
    if (error instanceof BtfSystemError) throw new DumpFailed(-error.errno);
    throw error;
  };
  let key: Uint8Array | undefined;
  for (;;) {
    try {
      key = map.nextKey(key);
    } catch (error) {
      // bpftool ends the list, and only its exit code tells of the error.
      if (json) json.endArray();
      else session.print("Found 0 elements\n");
      failed(error);
    }
    if (!key) return;
    const errno = map.lookup(key);
    if (errno === 0) write(key, map.value);
    else {
      if (json && json !== session.json) session.print(json.take());
      writeError(session, map, key, errno);
    }
    await flush();
  }
}

/** What `key`, `value` and the flags of a command line say. */
interface Element {
  key?: Uint8Array;
  value?: Uint8Array | (Disposable & { readonly fd: number });
  flags?: number;
}

const FLAG_WORDS = [
  ["any", 0],
  ["noexist", 1],
  ["exist", 2],
] as const;

/** What may be given, and how long it is. */
interface ElementSizes {
  readonly keySize: number;
  readonly valueSize: number;
  readonly takesFlags: boolean;
  /** Whether a key is needed (default: if it has bytes). */
  readonly wantsKey?: boolean;
}

/** Reads `key`, `value` and flags. */
async function parseElement(
  session: Session,
  args: Arguments,
  map: BpfMap,
  { keySize, valueSize, takesFlags, wantsKey = keySize > 0 }: ElementSizes,
): Promise<Element> {
  const element: Element = {};
  const wantsValue = valueSize > 0;
  while (args.current !== undefined) {
    const word = args.current;
    if (abbreviates(word, "key")) {
      if (element.key || !wantsKey) throw new ToolError(keySize ? "duplicate key" : "unnecessary key");
      args.skip();
      element.key = parseBytes(args, "key", keySize);
    } else if (abbreviates(word, "value")) {
      if (element.value || !wantsValue) throw new ToolError(valueSize ? "duplicate value" : "unnecessary value");
      args.skip();
      element.value = await parseValue(session, args, map, valueSize);
    } else {
      const flag = FLAG_WORDS.find(([name]) => abbreviates(word, name));
      if (!flag) throw new ToolError(`expected key or value, got: ${word}`);
      if (!takesFlags || element.flags !== undefined) throw new ToolError(`flags specified multiple times: ${word}`);
      element.flags = flag[1];
      args.skip();
    }
  }
  if (wantsKey && !element.key) throw new ToolError("did not find key");
  if (wantsValue && !element.value) throw new ToolError("did not find value");
  return element;
}

async function parseValue(
  session: Session,
  args: Arguments,
  map: BpfMap,
  valueSize: number,
): Promise<Uint8Array | (Disposable & { readonly fd: number })> {
  const what = /^(array|hash)_of_maps$/.test(map.type)
    ? "map in map"
    : map.type === "prog_array"
      ? "map of progs"
      : undefined;
  if (!what) return parseBytes(args, "value", valueSize);
  if (valueSize !== 4) throw new ToolError(`value smaller than 4B for ${what}?`);
  if (args.count < 2) throw new ToolError(`not enough value arguments for ${what}`);
  if (what === "map in map") return await parseMap(session, args);
  if (abbreviates(args.current, "id")) {
    session.info(
      "Warning: updating program array via MAP_ID, make sure this map is kept open\n" +
        "         by some process or pinned otherwise update will be lost",
    );
  }
  return await parseProgram(session, args);
}

/** @throws ToolError */
function parseBytes(args: Arguments, name: string, count: number): Uint8Array {
  let base = 0;
  if (abbreviates(args.current, "hex")) {
    base = 16;
    args.skip();
  }
  const bytes = new Uint8Array(count);
  let i = 0;
  for (; i < count && args.current !== undefined; i++) {
    const text = args.current;
    const value = parseNumber(text, base);
    if (value === undefined) throw new ToolError(`error parsing byte: ${text}`);
    bytes[i] = value;
    args.skip();
  }
  if (i !== count) throw new ToolError(`${name} expected ${count} bytes got ${i}`);
  return bytes;
}

/** `map update`, `push`, `enqueue` */
export async function updateMap(session: Session, args: Arguments): Promise<void> {
  await withMap(session, args, async (map) => {
    const { keyByteSize, valueByteSize } = map.info;
    const sizes = { keySize: keyByteSize, valueSize: valueByteSize, takesFlags: true };
    const { key, value, flags = 0 } = await parseElement(session, args, map, sizes);
    const errno = map.write(key ?? new Uint8Array(), value ?? new Uint8Array(), flags);
    if (value && Symbol.dispose in value) value[Symbol.dispose]();
    if (errno) throw new ToolError(`update failed: ${errnoText(errno)}`, -errno);
    session.succeed();
  });
}

async function withMap(session: Session, args: Arguments, act: (map: BpfMap) => Promise<void>): Promise<void> {
  if (args.count < 2) throw new Usage();
  const map = await parseMap(session, args);
  try {
    try {
      void map.info;
    } catch (error) {
      throw new ToolError(`can't get map info: ${systemText(error)}`);
    }
    await act(map);
  } finally {
    map[Symbol.dispose]();
  }
}

/** Prints one entry. */
function printEntry(session: Session, map: BpfMap, key: Uint8Array, value: Uint8Array): void {
  let types: EntryTypes | undefined;
  try {
    types = entryTypes(map);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    session.error(error.message);
    return;
  }
  const values = new ValueWriter(session.json === undefined);
  if (session.json) writeJson(session.json, map, types, values, key, value);
  else if (types) {
    const json = new JsonWriter(true);
    writeTyped(json, map, types, values, key, value);
    session.print(`${json.take()}\n`);
  } else session.print(plainEntry(map, key, value));
}

/** `map lookup`, `peek` */
export async function lookupMap(session: Session, args: Arguments): Promise<void> {
  await withMap(session, args, async (map) => {
    const sizes = { keySize: map.info.keyByteSize, valueSize: 0, takesFlags: false };
    const { key = new Uint8Array() } = await parseElement(session, args, map, sizes);
    const errno = map.lookup(key);
    if (errno === 0) return printEntry(session, map, key, map.value);
    if (errno !== ERRNO.ENOENT) throw new ToolError(`lookup failed: ${errnoText(errno)}`, -errno);
    if (session.json) session.json.raw("null");
    else session.print(`key:\n${hexLines(key, " ")}\n\nNot found\n`);
    throw new DumpFailed(-errno);
  });
}

/** `map getnext` */
export async function nextKey(session: Session, args: Arguments): Promise<void> {
  await withMap(session, args, async (map) => {
    const sizes = { keySize: map.info.keyByteSize, valueSize: 0, takesFlags: false, wantsKey: true };
    const key = args.count > 0 ? (await parseElement(session, args, map, sizes)).key : undefined;
    let next: Uint8Array | undefined;
    try {
      next = map.nextKey(key);
    } catch (error) {
      if (error instanceof BtfSystemError) {
        throw new ToolError(`can't get next key: ${errnoText(error.errno)}`, -error.errno);
      }
      throw error;
    }
    if (!next) throw new ToolError(`can't get next key: ${errnoText(ERRNO.ENOENT)}`, -ERRNO.ENOENT);
    const { json } = session;
    if (json) {
      json.startObject().name("key");
      if (key) json.hexBytes(key);
      else json.raw("null");
      json.name("next_key").hexBytes(next).endObject();
      return;
    }
    const before = key ? `key:\n${hexLines(key, " ")}\n` : "key: None\n";
    session.print(`${before}next key:\n${hexLines(next, " ")}\n`);
  });
}

/** `map delete` */
export async function deleteKey(session: Session, args: Arguments): Promise<void> {
  await withMap(session, args, async (map) => {
    const sizes = { keySize: map.info.keyByteSize, valueSize: 0, takesFlags: false, wantsKey: true };
    const { key = new Uint8Array() } = await parseElement(session, args, map, sizes);
    const errno = map.erase(key);
    if (errno) throw new ToolError(`delete failed: ${errnoText(errno)}`, -errno);
    session.succeed();
  });
}

/** `map pop`, `dequeue` */
export async function popMap(session: Session, args: Arguments): Promise<void> {
  await withMap(session, args, async (map) => {
    const key = new Uint8Array(map.info.keyByteSize);
    const errno = map.take(key);
    if (errno === 0) return printEntry(session, map, key, map.value);
    if (errno !== ERRNO.ENOENT) throw new ToolError(`pop failed: ${errnoText(errno)}`, -errno);
    if (session.json) session.json.raw("null");
    else session.print("Error: empty map\n");
    throw new DumpFailed(-ERRNO.ENOENT);
  });
}

/** `map freeze` */
export async function freezeMap(session: Session, args: Arguments): Promise<void> {
  args.require(2);
  const map = await parseMap(session, args);
  try {
    if (args.count > 0) throw new ToolError(`what is '${args.current}'?`);
    map.freeze();
  } catch (error) {
    if (error instanceof BtfSystemError) {
      throw new ToolError(`failed to freeze map: ${errnoText(error.errno)}`, -error.errno);
    }
    throw error;
  } finally {
    map[Symbol.dispose]();
  }
  session.succeed();
}

/** `map pin` */
export async function pinMap(session: Session, args: Arguments): Promise<void> {
  await pinCommand(session, args, parseMap);
}

/** `map create` */
export async function createMap(session: Session, args: Arguments): Promise<void> {
  args.require(7);
  const path = args.take()!;
  const sizes = { key: 0, value: 0, entries: 0, flags: 0 };
  let type = 0;
  let name: string | undefined;
  let inner: BpfMap | undefined;
  let interfaceIndex = 0;
  const number = (what: keyof typeof sizes, title: string): void => {
    args.skip();
    if (sizes[what]) throw new ToolError(`${title} already specified`);
    const text = args.current ?? "";
    const value = parseNumber(text);
    if (value === undefined) throw new ToolError(`can't parse ${text} as ${title}`);
    sizes[what] = value >>> 0;
    args.skip();
  };
  try {
    while (args.count > 0) {
      args.require(2);
      const word = args.current!;
      if (abbreviates(word, "type")) {
        args.skip();
        if (type) throw new ToolError("map type already specified");
        const wanted = mapTypeNumber(args.current!);
        if (wanted === undefined) throw new ToolError(`unrecognized map type: ${args.current}`);
        type = wanted;
        args.skip();
      } else if (abbreviates(word, "name")) {
        args.skip();
        name = args.take();
      } else if (abbreviates(word, "key")) number("key", "key size");
      else if (abbreviates(word, "value")) number("value", "value size");
      else if (abbreviates(word, "entries")) number("entries", "max entries");
      else if (abbreviates(word, "flags")) number("flags", "flags");
      else if (abbreviates(word, "dev")) {
        args.skip();
        if (interfaceIndex) throw new ToolError("offload device already specified");
        const device = args.take()!;
        interfaceIndex = interfaceNumber(device);
        if (!interfaceIndex) {
          throw new ToolError(`unrecognized netdevice '${device}': ${errnoText(ERRNO.ENODEV)}`);
        }
      } else if (abbreviates(word, "inner_map")) {
        args.skip();
        args.require(2);
        inner = await parseMap(session, args);
      } else throw new ToolError(`unknown arg ${word}`);
    }
    if (name === undefined) throw new ToolError("map name not specified");
    const kernel = await session.kernel();
    let map: BpfMap;
    try {
      map = kernel.createMap({
        type,
        name,
        keyByteSize: sizes.key,
        valueByteSize: sizes.value,
        maxEntries: sizes.entries,
        flags: sizes.flags,
        interfaceIndex,
        ...(inner && { innerMap: inner }),
      });
    } catch (error) {
      throw new ToolError(`map create failed: ${systemText(error)}`);
    }
    try {
      await pinAt(session, map, path);
    } finally {
      map[Symbol.dispose]();
    }
  } finally {
    inner?.[Symbol.dispose]();
  }
  session.succeed();
}

function interfaceNumber(name: string): number {
  if (!readdirSync("/sys/class/net").includes(name)) return 0;
  return Number(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8"));
}

/** `bpftool map` */
export const MAP: ToolObject = {
  usage: MAP_USAGE,
  commands: [
    ["show", showMaps],
    ["list", showMaps],
    ["help", helpOf(MAP_USAGE)],
    ["dump", dumpMaps],
    ["update", updateMap],
    ["lookup", lookupMap],
    ["getnext", nextKey],
    ["delete", deleteKey],
    ["pin", pinMap],
    ["event_pipe"],
    ["create", createMap],
    ["peek", lookupMap],
    ["push", updateMap],
    ["enqueue", updateMap],
    ["pop", popMap],
    ["dequeue", popMap],
    ["freeze", freezeMap],
  ],
};
