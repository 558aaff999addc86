/** The types of a BPF object that a program beside it needs: of its maps, variables, externs and events. */

import type { ProgramType } from "../bpf/elf/section-names.js";
import type { BpfObject } from "../bpf/object/object.js";
import { eventsOf, isStream } from "./events.js";
import type { ModelBuilder } from "./model.js";

/** A type of a map; `undefined`: bytes that the object has no type for. */
export interface ObjectMap {
  readonly name: string;
  readonly keyId: number | undefined;
  readonly valueId: number | undefined;
  /** Size in bytes of what has no type; 0 for none. */
  readonly keySize: number;
  readonly valueSize: number;
  /** A ring buffer or perf event array, whose values are events. */
  readonly isStream: boolean;
  readonly eventIds: readonly number[];
}

export interface ObjectVariable {
  readonly name: string;
  readonly section: string;
  readonly byteOffset: number;
  readonly typeId: number;
}

export interface ObjectProgram {
  readonly name: string;
  readonly section: string;
  readonly type: ProgramType;
}

/** What a loader gives a program access to. */
export interface ObjectModel {
  readonly maps: readonly ObjectMap[];
  readonly globals: readonly ObjectVariable[];
  /** Kernel settings and kernel variables. */
  readonly externs: readonly ObjectVariable[];
  readonly programs: readonly ObjectProgram[];
}

/**
 * Reads the object, and adds its types to the model.
 *
 * @throws BtfLookupError ERR_NOT_FOUND for an event's type that the object does not have, ERR_ARGUMENT for a map
 */
export function addObject(object: BpfObject, events: readonly string[], builder: ModelBuilder): ObjectModel {
  const { btf } = object;
  const add = (id: number | undefined, name: string): number | undefined => {
    const type = id === undefined ? undefined : btf.get(id);
    if (!type) return undefined;
    builder.add(type, name);
    return id;
  };
  const byMap = eventsOf(object, events);
  const maps = object.maps.map((map): ObjectMap => {
    const { name, keyTypeId, valueTypeId, keySize, valueSize } = map;
    const found = byMap.get(name) ?? [];
    found.forEach((event, i) => builder.add(event, found.length === 1 ? `${name}_event` : `${name}_event${i}`));
    return {
      name,
      keyId: add(keyTypeId, `${name}_key`),
      valueId: add(valueTypeId, `${name}_value`),
      keySize: keySize ?? 0,
      valueSize: valueSize ?? 0,
      isStream: isStream(map),
      eventIds: found.map(({ id }) => id),
    };
  });
  const globals = object.globals.map(({ name, section, byteOffset, typeId }) => {
    add(typeId, name);
    return { name, section, byteOffset, typeId };
  });
  const externs = object.externs
    .filter(({ kind }) => kind !== "func")
    .map(({ name, kind, typeId }) => {
      const variable = btf.get(typeId);
      const id = variable?.kind === "var" ? variable.typeId : 0;
      if (kind === "kconfig") add(id, name);
      return { name, section: kind === "kconfig" ? ".kconfig" : ".ksyms", byteOffset: 0, typeId: id };
    });
  const programs = object.programs
    .filter(({ isSubprogram }) => !isSubprogram)
    .map(({ name, section, type }) => ({ name, section, type }));
  return { maps, globals, externs, programs };
}
