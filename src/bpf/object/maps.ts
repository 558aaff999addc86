/** Finds the maps of a BPF object. */

import { resolve, sizeOf } from "../../btf/query/resolve.js";
import type { BtfType, Member, VarType } from "../../btf/types.js";
import type { ObjectContents } from "./contents.js";
import { MAP_TYPES, type MapType } from "./map-types.js";

/** One map's definition. A field that is not given is `undefined`. */
export interface BpfMap {
  readonly name: string;
  /** `"btf"` from `.maps`, `"legacy"` from a `maps` section (Aya and older loaders). */
  readonly definition: "btf" | "legacy";
  /** `BPF_MAP_TYPE_*` as a number. */
  readonly type: number | undefined;
  /** Its name, such as `"ringbuf"`. */
  readonly typeName: MapType | undefined;
  /** In bytes. */
  readonly keySize: number | undefined;
  readonly valueSize: number | undefined;
  readonly maxEntries: number | undefined;
  /** `BPF_F_*` */
  readonly flags: number | undefined;
  /** `LIBBPF_PIN_*`: 0 none, 1 by name. */
  readonly pinning: number | undefined;
  readonly keyTypeId: number | undefined;
  readonly valueTypeId: number | undefined;
  /** The types of keys and values in the object's BTF. */
  readonly keyType: BtfType | undefined;
  readonly valueType: BtfType | undefined;
}

type Mutable = { -readonly [K in keyof BpfMap]: BpfMap[K] };

export function findMaps(object: ObjectContents): BpfMap[] {
  return [...legacyMaps(object), ...(object.hasBtf ? btfMaps(object) : [])];
}

function empty(name: string, definition: BpfMap["definition"]): Mutable {
  const none = undefined;
  return {
    name,
    definition,
    type: none,
    typeName: none,
    keySize: none,
    valueSize: none,
    maxEntries: none,
    flags: none,
    pinning: none,
    keyTypeId: none,
    valueTypeId: none,
    keyType: none,
    valueType: none,
  };
}

/** Yields the maps of `.maps`: each variable is a struct whose members define a map. Source: libbpf's parse_btf_map_def. */
function* btfMaps(object: ObjectContents): Generator<BpfMap> {
  for (const section of object.btf.ofKind("datasec")) {
    if (section.name !== ".maps") continue;
    for (const { type } of section.variables) {
      if (type.kind !== "var") continue;
      const definition = resolve((type as VarType).type);
      if (definition.kind !== "struct") continue;
      const map = empty(type.name, "btf");
      for (const member of definition.members) read(map, member);
      yield map;
    }
  }
}

function read(map: Mutable, member: Member): void {
  const value = resolve(member.type);
  const pointed = value.kind === "ptr" ? value.target : undefined;
  switch (member.name) {
    case "type":
      map.type = numberOf(value);
      map.typeName = MAP_TYPES[map.type ?? -1];
      break;
    case "key_size":
      map.keySize = numberOf(value);
      break;
    case "value_size":
      map.valueSize = numberOf(value);
      break;
    case "max_entries":
      map.maxEntries = numberOf(value);
      break;
    case "map_flags":
      map.flags = numberOf(value);
      break;
    case "pinning":
      map.pinning = numberOf(value);
      break;
    case "key":
      map.keyType = pointed;
      map.keyTypeId = pointed?.id;
      map.keySize = pointed && sizeOf(pointed);
      break;
    case "value":
      map.valueType = pointed;
      map.valueTypeId = pointed?.id;
      map.valueSize = pointed && sizeOf(pointed);
      break;
  }
}

/** Returns a number that is written as `int (*name)[number]`, or as an enum with one value. */
function numberOf(type: BtfType): number | undefined {
  if (type.kind === "enum") return type.values[0]?.value;
  if (type.kind !== "ptr") return undefined;
  const array = resolve(type.target);
  return array.kind === "array" ? array.length : undefined;
}

/** Yields the maps of `maps` sections, each a `struct bpf_map_def`: type, key size, value size, entries, flags, and for Aya id and pinning. */
function* legacyMaps(object: ObjectContents): Generator<BpfMap> {
  const little = object.endian === "little";
  for (const { name, type, sectionIndex, byteOffset } of object.symbols) {
    const section = object.sections[sectionIndex];
    if (!section || (section.name !== "maps" && !section.name.startsWith("maps/"))) continue;
    if (type === "section" || !name) continue;
    const data = object.dataOf(section);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const word = (index: number): number | undefined =>
      byteOffset + index * 4 + 4 <= data.length ? view.getUint32(byteOffset + index * 4, little) : undefined;
    yield {
      ...empty(name, "legacy"),
      type: word(0),
      typeName: MAP_TYPES[word(0) ?? -1],
      keySize: word(1),
      valueSize: word(2),
      maxEntries: word(3),
      flags: word(4),
    };
  }
}
