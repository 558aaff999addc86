/**
 * The types of what a BPF object sends through ring buffers and perf event
 * arrays. BTF does not record them, so they are found by use: from the number
 * of bytes that a program reserves or sends, and from names.
 */

import { Code } from "../bpf/instruction.js";
import type { BpfMap } from "../bpf/object/maps.js";
import type { BpfObject } from "../bpf/object/object.js";
import { outputsOf } from "../bpf/outputs.js";
import { resolve } from "../btf/query/resolve.js";
import type { BtfType, StructType } from "../btf/types.js";
import { ERR_ARGUMENT } from "../errors/btf.js";
import { BtfError } from "../errors/error.js";

/** Names of events, and of those that can hardly be anything else. */
const EVENT_NAME = /(^|_)(event|evt)s?(_t|_s)?$/i;
const PLAIN_EVENT_NAME = /^(event|evt)s?(_t|_s)?$/i;

/**
 * The types of events by map.
 *
 * @param named `TYPE` for the only such map, or `MAP=TYPE`; a map that is named has these alone
 * @throws BtfLookupError ERR_NOT_FOUND; BtfError ERR_ARGUMENT
 */
export function eventsOf(object: BpfObject, named: readonly string[]): Map<string, BtfType[]> {
  const found = new Map<string, BtfType[]>();
  if (!object.hasBtf) return found;
  const streams = object.maps.filter(isStream);
  for (const text of named) {
    const [, map, name] = /^([^=]*)=(.*)$/.exec(text) ?? [undefined, undefined, text];
    if (map !== undefined && !object.maps.some((one) => one.name === map)) {
      throw new BtfError(ERR_ARGUMENT, { note: `no map "${map}"; there are ${listed(object.maps)}` });
    }
    if (map === undefined && streams.length === 0) {
      throw new BtfError(ERR_ARGUMENT, {
        note: `events "${text}": no ring buffer or perf event array; name a map as MAP=TYPE`,
      });
    }
    const type = object.btf.find(name!, "struct") ?? object.btf.require(name!);
    for (const one of map === undefined ? streams.map((stream) => stream.name) : [map]) {
      found.set(one, [...(found.get(one) ?? []), type]);
    }
  }
  if (streams.length === 0) return found;
  const sizes = sentSizes(object);
  const candidates = candidatesOf(object);
  for (const { name } of streams) {
    if (found.has(name)) continue;
    const sent = sizes.get(name);
    const guessed = candidates.filter(({ type, rank }) =>
      sent?.size ? sent.has(type.byteSize) : rank < OF_THE_OBJECT,
    );
    const best = Math.min(...guessed.map(({ rank }) => rank));
    const types = guessed.filter(({ rank }) => rank === best).map(({ type }) => type);
    if (types.length > 0) found.set(name, types);
  }
  return found;
}

function listed(maps: readonly BpfMap[]): string {
  return maps.map(({ name }) => name).join(", ") || "none";
}

/** Whether a map is a ring buffer or a perf event array. */
export function isStream({ type }: BpfMap): boolean {
  return type === 27 || type === 4;
}

/** What speaks for a struct being an event, the best reason first. */
const CALLED_EVENT = 0;
const CALLED_ALIKE = 1;
const OF_THE_OBJECT = 2;

interface Candidate {
  readonly type: StructType;
  readonly rank: number;
}

/**
 * Structs that may be events: called so, a map's values, or what a global
 * variable points to so that BTF has them. The kernel's are none.
 */
function candidatesOf(object: BpfObject): Candidate[] {
  const { btf } = object;
  const kernel = kernelTypes(object);
  const ranks = new Map<number, number>();
  const add = (type: BtfType | undefined, name: string): void => {
    const end = type && resolved(type);
    if (end?.kind !== "struct" || kernel.has(end.id)) return;
    const rank = PLAIN_EVENT_NAME.test(name) ? CALLED_EVENT : EVENT_NAME.test(name) ? CALLED_ALIKE : OF_THE_OBJECT;
    ranks.set(end.id, Math.min(rank, ranks.get(end.id) ?? OF_THE_OBJECT));
  };
  for (const kind of ["struct", "typedef"] as const) {
    for (const type of btf.ofKind(kind, { own: true })) if (EVENT_NAME.test(type.name)) add(type, type.name);
  }
  for (const { valueTypeId } of object.maps) {
    const type = valueTypeId === undefined ? undefined : btf.get(valueTypeId);
    add(type, type?.name ?? "");
  }
  for (const { typeId } of object.globals) {
    const type = btf.get(typeId);
    const end = type && resolved(type);
    if (end?.kind === "ptr") add(end.target, end.target.name);
  }
  return [...ranks].map(([id, rank]) => ({ type: btf.get(id) as StructType, rank }));
}

/** Ids of the types that CO-RE relocations are about, with all that they lead to. */
function kernelTypes(object: BpfObject): Set<number> {
  const { btf } = object;
  const seen = new Set<number>();
  const open: number[] = [];
  const visit = (id: number): void => {
    if (id === 0 || seen.has(id)) return;
    seen.add(id);
    open.push(id);
  };
  for (const { records } of object.hasExt ? (object.ext.coreRelocations?.sections ?? []) : []) {
    for (const { typeId } of records) visit(typeId);
  }
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const type = btf.get(id);
    if (type?.kind === "struct" || type?.kind === "union") for (const member of type.members) visit(member.typeId);
    else if (type?.kind === "array") visit(type.elementId);
    else if (type && "targetId" in type) visit(type.targetId);
  }
  return seen;
}

function resolved(type: BtfType): BtfType | undefined {
  try {
    return resolve(type);
  } catch (error) {
    if (error instanceof BtfError) return undefined;
    throw error;
  }
}

/** How many bytes at once the programs send to each map, where that is a constant. */
function sentSizes(object: BpfObject): Map<string, Set<number>> {
  const sizes = new Map<string, Set<number>>();
  const mapAt = mapReferences(object);
  for (const { sectionIndex, byteOffset, byteSize } of object.programs) {
    const section = object.sections[sectionIndex];
    if (!section) continue;
    const code = new Code(object.dataOf(section), object.endian === "little");
    const { outputs } = outputsOf(code, byteOffset, byteSize, (at) => mapAt.get(`${sectionIndex} ${at}`));
    for (const { map, byteSize: sent } of outputs) {
      if (sent !== undefined) sizes.set(map, (sizes.get(map) ?? new Set()).add(sent));
    }
  }
  return sizes;
}

/** Names of maps by the section and byte of the instruction that loads them. */
function mapReferences(object: BpfObject): Map<string, string> {
  const references = new Map<string, string>();
  const names = new Set(object.maps.map(({ name }) => name));
  for (const { sectionIndex, byteOffset, symbolIndex } of object.relocations) {
    const name = object.symbols[symbolIndex]?.name;
    if (name !== undefined && names.has(name)) references.set(`${sectionIndex} ${byteOffset}`, name);
  }
  return references;
}
