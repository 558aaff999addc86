/** Changes of programs and maps by name, before an object is loaded. */
import { ERR_ARGUMENT } from "../errors/btf.js";
import { BtfError } from "../errors/error.js";
import type { DraftMap } from "./maps.js";
import type { DraftProgram } from "./programs.js";

/** Changes of one map. */
export interface MapChanges {
  readonly maxEntries?: number;
  /** `BPF_F_*` */
  readonly flags?: number;
  /** In bytes. */
  readonly valueSize?: number;
  /** In bytes. */
  readonly keySize?: number;
  /** `BPF_MAP_TYPE_*` */
  readonly type?: number;
  readonly numaNode?: number;
  readonly mapExtra?: bigint;
  /** Not created where it is `false`; programs that use it are refused where they reach it. */
  readonly autocreate?: boolean;
  /** Path of its pin; `""` for none. */
  readonly pin?: string;
}

function refuse(what: string, name: string, known: readonly string[]): never {
  throw new BtfError(ERR_ARGUMENT, {
    note: `the object has no ${what} "${name}"; it has ${known.join(", ") || "none"}`,
  });
}

/** @throws BtfError ERR_ARGUMENT */
export function changeAutoload(programs: readonly DraftProgram[], changes: Readonly<Record<string, boolean>>): void {
  const mains = programs.filter(({ isSubprogram }) => !isSubprogram);
  for (const [name, autoload] of Object.entries(changes)) {
    const program = mains.find((candidate) => candidate.name === name);
    if (!program)
      refuse(
        "program",
        name,
        mains.map((candidate) => candidate.name),
      );
    program!.autoload = autoload;
  }
}

const NUMBERS = ["type", "keySize", "valueSize", "maxEntries", "flags", "numaNode"] as const;

/** @throws BtfError ERR_ARGUMENT */
export function changeMaps(maps: readonly DraftMap[], changes: Readonly<Record<string, MapChanges>>): void {
  for (const [name, change] of Object.entries(changes)) {
    const map = maps.find((candidate) => candidate.name === name || candidate.section === name);
    if (!map)
      refuse(
        "map",
        name,
        maps.map((candidate) => candidate.name),
      );
    for (const field of NUMBERS) {
      const value = change[field];
      if (value === undefined) continue;
      if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
        throw new BtfError(ERR_ARGUMENT, { note: `map "${name}": ${field} cannot be ${value}` });
      map![field] = value;
    }
    if (change.valueSize !== undefined && map!.initial) {
      const grown = new Uint8Array(change.valueSize);
      grown.set(map!.initial.subarray(0, change.valueSize));
      map!.initial = grown;
      map!.valueTypeId = 0;
    }
    if (change.mapExtra !== undefined) map!.mapExtra = BigInt.asUintN(64, change.mapExtra);
    if (change.autocreate !== undefined) map!.autocreate = change.autocreate;
    if (change.pin !== undefined) map!.pin = change.pin === "" ? undefined : change.pin;
  }
}
