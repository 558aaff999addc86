/** Finds the members that an object's CO-RE relocations name. */
import type { BpfObject } from "../object/object.js";
import { parseAccess } from "./access.js";
import { RelocationFailure } from "./failure.js";
import { localSpec } from "./spec.js";

/**
 * Returns the names of the members on the paths of an object's relocations; `undefined` where members are compared that
 * no path names, as by type_matches and for struct_ops.
 */
export function usedMembers(object: BpfObject): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  if (object.sections.some(({ name }) => name.startsWith(".struct_ops"))) return undefined;
  for (const { records } of (object.hasExt && object.ext.coreRelocations?.sections) || []) {
    for (const record of records) {
      if (record.kind === "type_matches") return undefined;
      const root = object.btf.get(record.typeId);
      if (!root) continue;
      try {
        for (const { name } of localSpec(record, root, parseAccess).accessors) if (name !== undefined) names.add(name);
      } catch (error) {
        // A record that does not fit its own type asks for nothing.
        if (!(error instanceof RelocationFailure)) throw error;
      }
    }
  }
  return names;
}
