/** One entry of a map: as JSON, by its types, or as plain bytes. */
import type { BtfType } from "../../../btf/types.js";
import { BtfError } from "../../../errors/error.js";
import { possibleCpus } from "../../../live/cpus.js";
import { type BpfMap, roundUp8 } from "../../../live/map.js";
import { hexLines } from "../hex.js";
import { JsonWriter } from "../json-writer.js";
import { type Session, ToolError } from "../session.js";
import { ValueWriter } from "../value.js";

/** The types of keys and values; undefined where a map has none. */
interface EntryTypes {
  readonly key: BtfType | undefined;
  readonly value: BtfType;
}

/** @throws ToolError */
export function entryTypes(map: BpfMap): EntryTypes | undefined {
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
export function writeTyped(
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

export function writeJson(
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

export function plainEntry(map: BpfMap, key: Uint8Array, value: Uint8Array): string {
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

/** Prints one entry. */
export function printEntry(session: Session, map: BpfMap, key: Uint8Array, value: Uint8Array): void {
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
