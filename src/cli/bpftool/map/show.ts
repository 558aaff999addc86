/** `bpftool map show`, and the header of a map, which its dump has too. */
import type { Kernel } from "../../../live/kernel.js";
import { INFO_SIZE } from "../../../live/layouts.js";
import type { BpfMap, MapInfo } from "../../../live/map.js";
import { deviceJson, deviceText } from "../device.js";
import { IdTable } from "../id-table.js";
import type { JsonWriter } from "../json-writer.js";
import { known } from "../names.js";
import { parseMaps } from "../objects.js";
import { pinTable } from "../pin.js";
import { type Arguments, type Session, systemText, ToolError } from "../session.js";

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

export function headerJson(json: JsonWriter, info: MapInfo): void {
  json.field("id", info.id);
  const type = known("map", info.typeNumber);
  if (typeof type === "number") json.field("type", type);
  else json.stringField("type", type);
  if (info.name) json.stringField("name", info.name);
  // A signed number there.
  json.field("flags", info.flags | 0);
}

export function headerText(info: MapInfo): string {
  const type = known("map", info.typeNumber);
  const name = info.name ? `name ${info.name}  ` : "";
  return `${info.id}: ${typeof type === "number" ? `type ${type}` : type}  ${name}flags 0x${info.flags.toString(16)}${deviceText(info)}\n`;
}
