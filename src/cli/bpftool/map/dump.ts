/** `bpftool map dump`. */
import { possibleCpus } from "../../../live/cpus.js";
import { ERRNO, errnoText } from "../../../live/errno.js";
import { BtfSystemError } from "../../../live/error.js";
import { type BpfMap, roundUp8 } from "../../../live/map.js";
import { EntryTemplate } from "../entry-template.js";
import { DumpFailed } from "../failures.js";
import { hexLines } from "../hex.js";
import { JsonWriter } from "../json-writer.js";
import { parseMaps } from "../objects.js";
import { type Arguments, type Session, ToolError, Usage } from "../session.js";
import { ValueWriter } from "../value.js";
import { entryTypes, plainEntry, writeJson, writeTyped } from "./entry.js";
import { headerJson, headerText } from "./show.js";

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
