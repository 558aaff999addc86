/** Finds the types of a kernel that BPF objects name, which a header for them has to hold. */
import type { Btf } from "../../btf/btf.js";
import type { BtfType } from "../../btf/types.js";
import type { BpfObject } from "../object/object.js";
import { candidatesIn } from "./candidates.js";
import { libbpf } from "./loaders/libbpf.js";

/** The types and functions of a kernel that objects use, as options of `dumpC`. */
export interface UsedTypes {
  /** In the order of their ids. */
  readonly types: BtfType[];
  /** Names of kernel functions that the objects call and the kernel has. */
  readonly kfuncs: string[];
}

/**
 * Returns what objects use of a kernel, for `dumpC(btf, usedTypes(btf, objects))`: the
 * root types of their CO-RE relocations, the named types of their maps' keys
 * and values, and the kernel functions they call. Types and functions that the
 * kernel lacks are left out.
 *
 * @example
 * const { types, kfuncs } = usedTypes(btf, [object]);
 * console.log(types.map(({ name }) => name), kfuncs); // [ 'task_struct' ] []
 */
export function usedTypes(btf: Btf, objects: Iterable<BpfObject>): UsedTypes {
  const types = new Set<BtfType>();
  const kfuncs = new Set<string>();
  for (const object of objects) {
    for (const local of localTypes(object)) {
      for (const candidate of candidatesIn(btf, local, false, libbpf)) types.add(candidate);
    }
    for (const { kind, name } of object.externs) {
      if (kind === "func" && btf.find(name, "func")) kfuncs.add(name);
    }
  }
  return { types: [...types].sort((a, b) => a.id - b.id), kfuncs: [...kfuncs].sort() };
}

function* localTypes(object: BpfObject): Generator<BtfType> {
  if (!object.hasBtf) return;
  const ids = new Set<number>();
  for (const { records } of object.hasExt ? (object.ext.coreRelocations?.sections ?? []) : []) {
    for (const { typeId } of records) ids.add(typeId);
  }
  for (const { keyTypeId, valueTypeId } of object.maps) {
    for (const id of [keyTypeId, valueTypeId]) if (id !== undefined) ids.add(id);
  }
  for (const id of ids) {
    const type = object.btf.get(id);
    if (type?.name) yield type;
  }
}
