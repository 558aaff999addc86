/** The maps that an object asks for: defined in `.maps`, and one for each section of global data. */
import type { BpfObject } from "../bpf/object/object.js";
import type { Btf } from "../btf/btf.js";
import { sizeOf } from "../btf/query/resolve.js";
import type { BtfType, Member, StructType } from "../btf/types.js";
import { fail } from "./failure.js";
import { skipModifiers } from "./modifiers.js";
import type { ObjectSections } from "./sections.js";
import { LINKAGE_GLOBAL, LINKAGE_STATIC, type ObjectTypes } from "./types.js";

/** `enum bpf_map_type`, as far as loading asks for it. */
export const MAP_TYPE = {
  ARRAY: 2,
  PROG_ARRAY: 3,
  PERF_EVENT_ARRAY: 4,
  PERCPU_ARRAY: 6,
  STACK_TRACE: 7,
  CGROUP_ARRAY: 8,
  ARRAY_OF_MAPS: 12,
  HASH_OF_MAPS: 13,
  DEVMAP: 14,
  SOCKMAP: 15,
  CPUMAP: 16,
  XSKMAP: 17,
  SOCKHASH: 18,
  QUEUE: 22,
  STACK: 23,
  DEVMAP_HASH: 25,
  STRUCT_OPS: 26,
  RINGBUF: 27,
  USER_RINGBUF: 31,
  ARENA: 33,
  INSN_ARRAY: 34,
} as const;

/** Their keys and values have no types for the kernel. Source: libbpf's bpf_object__create_map. */
const UNTYPED: ReadonlySet<number> = new Set([
  MAP_TYPE.PERF_EVENT_ARRAY,
  MAP_TYPE.CGROUP_ARRAY,
  MAP_TYPE.STACK_TRACE,
  MAP_TYPE.ARRAY_OF_MAPS,
  MAP_TYPE.HASH_OF_MAPS,
  MAP_TYPE.DEVMAP,
  MAP_TYPE.DEVMAP_HASH,
  MAP_TYPE.CPUMAP,
  MAP_TYPE.XSKMAP,
  MAP_TYPE.SOCKMAP,
  MAP_TYPE.SOCKHASH,
  MAP_TYPE.QUEUE,
  MAP_TYPE.STACK,
  MAP_TYPE.ARENA,
]);

const BPF_F_RDONLY_PROG = 0x80;
export const BPF_F_MMAPABLE = 0x400;
/** Longest name that the kernel takes, in bytes. */
export const NAME_MAX = 15;
const DEFAULT_PIN_ROOT = "/sys/fs/bpf";

/** Where a map comes from. */
export type MapOrigin = "definition" | "data" | "rodata" | "bss" | "percpu" | "kconfig" | "struct_ops" | "jump_table";

/** A map while the plan is made. */
export interface DraftMap {
  readonly name: string;
  readonly origin: MapOrigin;
  /** Of the section that holds its definition or data; its symbols are what instructions refer to. */
  readonly sectionIndex: number;
  readonly sectionOffset: number;
  /** Name of the section of a map of global data. */
  readonly section: string;
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  mapExtra: bigint;
  numaNode: number;
  keyTypeId: number;
  valueTypeId: number;
  vmlinuxValueTypeId: number;
  inner: DraftMap | undefined;
  /** Contents that it starts with: the data of its section. */
  initial: Uint8Array | undefined;
  /** By index: names of the maps or programs that it holds from the start. */
  slots: (string | undefined)[];
  pin: string | undefined;
  autocreate: boolean;
  /** Position among the maps that are created; instructions refer to it. -1 before. */
  index: number;
}

export const isMapInMap = ({ type }: DraftMap): boolean =>
  type === MAP_TYPE.ARRAY_OF_MAPS || type === MAP_TYPE.HASH_OF_MAPS;
export const isTyped = ({ type }: DraftMap): boolean => !UNTYPED.has(type);
export const isGlobalData = ({ origin }: DraftMap): boolean => origin !== "definition" && origin !== "struct_ops";
export const isFrozen = ({ origin }: DraftMap): boolean => origin === "rodata" || origin === "kconfig";

export function draftMap(name: string, origin: MapOrigin, sectionIndex: number, sectionOffset: number): DraftMap {
  return {
    name,
    origin,
    sectionIndex,
    sectionOffset,
    section: "",
    type: 0,
    keySize: 0,
    valueSize: 0,
    maxEntries: 0,
    flags: 0,
    mapExtra: 0n,
    numaNode: 0,
    keyTypeId: 0,
    valueTypeId: 0,
    vmlinuxValueTypeId: 0,
    inner: undefined,
    initial: undefined,
    slots: [],
    pin: undefined,
    autocreate: true,
    index: -1,
  };
}

/** What maps look like besides the object: where they are pinned, how large a page is. */
export interface MapSettings {
  /** Folder of maps that are pinned by name (default `/sys/fs/bpf`). */
  readonly pinRoot?: string | undefined;
  readonly pageSize: number;
}

/** The maps of `.maps` in the order of their variables. Source: libbpf's bpf_object__init_user_btf_maps. */
export function definedMaps(
  object: BpfObject,
  types: ObjectTypes | undefined,
  sections: ObjectSections,
  settings: MapSettings,
): DraftMap[] {
  const index = sections.maps;
  if (index < 0) return [];
  const datasec = types && [...types.btf.ofKind("datasec")].find(({ name }) => name === ".maps");
  if (!datasec) return fail("ENOENT", "the object's BTF has no DATASEC .maps");
  const length = object.sections[index]!.byteSize;
  return types.entries(datasec.id).map((entry, i) => {
    const variable = types.btf.get(entry.typeId)!;
    const { name } = variable;
    if (name === "") fail("EINVAL", `map #${i} has no name`);
    if (entry.byteOffset + entry.byteSize > length)
      fail("EINVAL", `map "${name}" ends at byte ${entry.byteOffset + entry.byteSize} of .maps, which has ${length}`);
    if (variable.kind !== "var") return fail("EINVAL", `map "${name}" is a ${variable.kind}, not a VAR`);
    const linkage = types.linkageOfVar(variable.id);
    if (linkage !== LINKAGE_GLOBAL) {
      const word = linkage === LINKAGE_STATIC ? "static or hidden" : "extern";
      fail("EOPNOTSUPP", `map "${name}" is ${word}: loaders take global maps only; remove the keyword`);
    }
    const definition = skipModifiers(variable.type);
    if (definition.kind !== "struct")
      return fail("EINVAL", `map "${name}" is defined by a ${definition.kind}, not by a struct`);
    if (definition.byteSize > entry.byteSize)
      fail("EINVAL", `map "${name}": its struct has ${definition.byteSize} bytes, its variable ${entry.byteSize}`);
    const map = draftMap(name, "definition", index, entry.byteOffset);
    readDefinition(map, definition, settings);
    return map;
  });
}

/** Fields of a map's struct. Source: libbpf's parse_btf_map_def. */
function readDefinition(map: DraftMap, definition: StructType, settings: MapSettings, isInner = false): void {
  const refuse: (errno: Parameters<typeof fail>[0], note: string) => never = (errno, note) =>
    fail(errno, `map "${map.name}": ${note}`);
  const sized = (field: "key" | "value", size: number): void => {
    const property = field === "key" ? "keySize" : "valueSize";
    if (map[property] && map[property] !== size)
      refuse("EINVAL", `its ${field} has ${map[property]} bytes in one place and ${size} in another`);
    map[property] = size;
  };
  const typed = (field: "key" | "value", member: Member): number => {
    if (member.type.kind !== "ptr") return refuse("EINVAL", `"${field}" is a ${member.type.kind}, not a pointer`);
    const { target, targetId } = member.type;
    const size = sizeOf(target);
    if (size === undefined) return refuse("EINVAL", `"${field}" points to a ${target.kind}, which has no size`);
    sized(field, size);
    return targetId;
  };
  const { members } = definition;
  for (const [i, member] of members.entries()) {
    const number = (): number => {
      const value = numberOf(member);
      return value ?? refuse("EINVAL", `"${member.name}" is not written as __uint(${member.name}, NUMBER)`);
    };
    switch (member.name) {
      case "type":
        map.type = number();
        break;
      case "max_entries":
        map.maxEntries = number();
        break;
      case "map_flags":
        map.flags = number();
        break;
      case "numa_node":
        map.numaNode = number();
        break;
      case "key_size":
        sized("key", number());
        break;
      case "value_size":
        sized("value", number());
        break;
      case "key":
        map.keyTypeId = typed("key", member);
        break;
      case "value":
        map.valueTypeId = typed("value", member);
        break;
      case "values":
        if (isInner) refuse("EOPNOTSUPP", "maps in maps in maps are not supported");
        if (i !== members.length - 1) refuse("EINVAL", `"values" is not the last member`);
        readValues(map, member, settings, refuse);
        break;
      case "pinning": {
        if (isInner) refuse("EINVAL", "an inner map cannot be pinned");
        const pinning = number();
        if (pinning > 1) refuse("EINVAL", `pinning ${pinning} is neither LIBBPF_PIN_NONE nor LIBBPF_PIN_BY_NAME`);
        if (pinning && map.name.includes("/")) refuse("EINVAL", "it cannot be pinned by a name with a slash");
        map.pin = pinning ? `${settings.pinRoot ?? DEFAULT_PIN_ROOT}/${map.name}` : undefined;
        break;
      }
      case "map_extra":
        map.mapExtra = longOf(member) ?? refuse("EINVAL", `"map_extra" is not written as __ulong(map_extra, NUMBER)`);
        break;
      default:
        refuse("EOPNOTSUPP", `unknown field "${member.name}"`);
    }
  }
  if (map.type === 0) refuse("EINVAL", "it has no type");
  if (map.type === MAP_TYPE.RINGBUF || map.type === MAP_TYPE.USER_RINGBUF)
    map.maxEntries = ringSize(map.maxEntries, settings.pageSize);
}

/** `values`: an inner map's definition, or the prototype of the programs in it. */
function readValues(
  map: DraftMap,
  member: Member,
  settings: MapSettings,
  refuse: (errno: "EINVAL" | "EOPNOTSUPP", note: string) => never,
): void {
  if (!isMapInMap(map) && map.type !== MAP_TYPE.PROG_ARRAY)
    refuse("EOPNOTSUPP", `"values" belongs to maps of maps and of programs`);
  if (map.valueSize && map.valueSize !== 4) refuse("EINVAL", `its values have ${map.valueSize} bytes, not 4`);
  map.valueSize = 4;
  const { type } = member;
  if (type.kind !== "array" || type.length !== 0) refuse("EINVAL", `"values" is not an array without a length`);
  const pointer = skipModifiers(type.element);
  if (pointer.kind !== "ptr") refuse("EINVAL", `"values" holds a ${pointer.kind}, not pointers`);
  const target = skipModifiers(pointer.target);
  if (map.type === MAP_TYPE.PROG_ARRAY) {
    if (target.kind !== "func_proto") refuse("EINVAL", `"values" points to a ${target.kind}, not to functions`);
    return;
  }
  if (target.kind !== "struct") refuse("EINVAL", `"values" points to a ${target.kind}, not to a map's struct`);
  map.inner = draftMap(`${map.name}.inner`, "definition", map.sectionIndex, 0);
  readDefinition(map.inner, target, settings, true);
}

/** `int (*name)[number]`. Source: libbpf's get_map_field_int. */
function numberOf({ type }: Member): number | undefined {
  const pointer = skipModifiers(type);
  if (pointer.kind !== "ptr") return undefined;
  const { target } = pointer;
  return target.kind === "array" ? target.length : undefined;
}

/** As `numberOf`, or an enum with one value. Source: libbpf's get_map_field_long. */
function longOf(member: Member): bigint | undefined {
  const type = skipModifiers(member.type);
  if (type.kind === "enum" || type.kind === "enum64") {
    return type.values.length === 1 ? BigInt.asUintN(64, BigInt(type.values[0]!.value)) : undefined;
  }
  const number = numberOf(member);
  return number === undefined ? undefined : BigInt(number);
}

/** The least power of two of pages that holds `size`; `size` itself where there is none. Source: adjust_ringbuf_sz. */
function ringSize(size: number, pageSize: number): number {
  const pages = size / pageSize;
  if (size === 0 || (Number.isInteger(pages) && Number.isInteger(Math.log2(pages)))) return size;
  for (let bytes = pageSize; bytes <= 2 ** 32 - 1; bytes *= 2) if (bytes > size) return bytes;
  return size;
}

/** A map for each section of global data, in the order of the sections. Source: bpf_object__init_global_data_maps. */
export function globalDataMaps(
  object: BpfObject,
  types: ObjectTypes | undefined,
  sections: ObjectSections,
  objectName: string,
): DraftMap[] {
  return sections.globalData.map(({ index, origin }) => {
    const section = object.sections[index]!;
    const data = origin === "bss" ? new Uint8Array(section.byteSize) : object.dataOf(section).slice();
    return globalDataMap(types, objectName, { origin, section: section.name, sectionIndex: index, data });
  });
}

/** Source: libbpf's bpf_object__init_internal_map. */
export function globalDataMap(
  types: ObjectTypes | undefined,
  objectName: string,
  { origin, section, sectionIndex, data }: Pick<DraftMap, "origin" | "section" | "sectionIndex"> & { data: Uint8Array },
): DraftMap {
  const isReadOnly = origin === "rodata" || origin === "kconfig";
  const valueTypeId = types ? firstByName(types.btf, section) : 0;
  const isMappable = origin !== "percpu" && types !== undefined && hasGlobals(types, valueTypeId);
  return {
    ...draftMap(globalDataName(objectName, section), origin, sectionIndex, 0),
    section,
    type: origin === "percpu" ? MAP_TYPE.PERCPU_ARRAY : MAP_TYPE.ARRAY,
    keySize: 4,
    valueSize: data.length,
    maxEntries: 1,
    flags: (isReadOnly ? BPF_F_RDONLY_PROG : 0) | (isMappable ? BPF_F_MMAPABLE : 0),
    valueTypeId,
    initial: data,
  };
}

function firstByName(btf: Btf, name: string): number {
  return btf.find(name)?.id ?? 0;
}

/** Whether a section holds a variable that is not static. Source: libbpf's map_is_mmapable. */
function hasGlobals(types: ObjectTypes, id: number): boolean {
  const section: BtfType | undefined = id === 0 ? undefined : types.btf.get(id);
  if (section?.kind !== "datasec") return false;
  return types
    .entries(id)
    .some(({ typeId }) => types.btf.get(typeId)?.kind === "var" && types.linkageOfVar(typeId) !== LINKAGE_STATIC);
}

/** The name of a map of global data: the start of the object's, then the section's. Source: internal_map_name. */
function globalDataName(objectName: string, section: string): string {
  const suffix = Math.min(Math.max(7, section.length), NAME_MAX);
  const isCustom = section.indexOf(".", 1) >= 0;
  const prefix = isCustom ? "" : objectName.slice(0, NAME_MAX - suffix);
  return `${prefix}${section.slice(0, suffix)}`.replace(/[^A-Za-z0-9_.]/g, "_");
}

/** What a map holds from the start, key by key. */
export function initialValues({
  initial,
  origin,
  type,
  valueSize,
}: DraftMap): { readonly key: Uint8Array; readonly value: Uint8Array }[] {
  if (!initial || type === MAP_TYPE.ARENA) return [];
  if (origin !== "jump_table") return [{ key: new Uint8Array(4), value: initial }];
  return Array.from({ length: initial.length / valueSize }, (_, i) => ({
    key: new Uint8Array(Uint32Array.of(i).buffer),
    value: initial.subarray(i * valueSize, (i + 1) * valueSize),
  }));
}
