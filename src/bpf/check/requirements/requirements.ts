/** Tells what an object needs of a kernel at least: helpers, maps, programs, functions, settings. */

import { ATTACH_TYPES, conventionOf } from "../../elf/section-names.js";
import { MAP_TYPES } from "../../object/map-types.js";
import type { BpfObject } from "../../object/object.js";
import { ControlFlow } from "../control-flow/control-flow.js";
import { loadedPrograms } from "../object/loaded-programs.js";
import { Settings } from "../settings.js";
import { ATTACH_TYPE_RELEASES, HELPER_RELEASES, HELPERS, MAP_TYPE_RELEASES, PROGRAM_TYPE_RELEASES } from "./tables.js";

/** One thing that an object needs. */
export interface Requirement {
  readonly kind: "helper" | "map type" | "program type" | "attach type" | "kfunc" | "ksym" | "kconfig";
  /** Its name in lower case without the prefix of its enum, or the symbol's name. */
  readonly name: string;
  /** Its number in its enum. */
  readonly number?: number;
  /** The release that brought it, such as `"5.8"`; `undefined` where that is not known. */
  readonly since: string | undefined;
  /** The program or map that needs it; `undefined` for symbols. */
  readonly neededBy?: string;
}

/** What an object needs. */
export interface Requirements {
  readonly items: readonly Requirement[];
  /** The first release that has all of it, as far as it is known. */
  readonly since: string | undefined;
}

/** Returns the name of a helper; `undefined` for a number that no known kernel has. */
export function helperName(number: number): string | undefined {
  return number > 0 ? HELPERS[number] : undefined;
}

/** Returns the release that brought a helper. */
export function helperRelease(number: number): string | undefined {
  if (number < 1 || number >= HELPERS.length) return undefined;
  return HELPER_RELEASES.findLast(([, first]) => first <= number)?.[0];
}

/**
 * Returns what the programs of an object that are loaded with it need at
 * least. Calls count where they can be reached whatever the kernel is like.
 *
 * @throws as `check`, for malformed objects
 * @example
 * const { since, items } = requirementsOf(object);
 * console.log(since, items.map(({ kind, name }) => `${kind} ${name}`).join(", ")); // 4.17 program type raw_tracepoint
 */
export function requirementsOf(object: BpfObject): Requirements {
  const programs = loadedPrograms(object);
  const symbols = { absent: new Set<string>(), present: new Set<string>() };
  const flow = new ControlFlow(object, undefined, programs, new Settings(object, {}), symbols);
  const items: Requirement[] = [];
  for (const [number, { program }] of [...flow.helperCalls].sort(([a], [b]) => a - b)) {
    const name = helperName(number) ?? `helper ${number}`;
    items.push({ kind: "helper", name, number, since: helperRelease(number), neededBy: program.name });
  }
  for (const { name: map, type } of object.maps) {
    if (type === undefined) continue;
    const name = MAP_TYPES[type] ?? `map type ${type}`;
    items.push({ kind: "map type", name, number: type, since: MAP_TYPE_RELEASES[name], neededBy: map });
  }
  for (const { name: neededBy, type, section } of programs) {
    if (type !== "unspec")
      items.push({ kind: "program type", name: type, since: PROGRAM_TYPE_RELEASES[type], neededBy });
    const { attachType, attachTypeOptional } = conventionOf(section)?.convention ?? {};
    // Kernels that do not know expected attach types take such programs without one.
    if (!attachType || attachTypeOptional) continue;
    const number = ATTACH_TYPES.indexOf(attachType);
    items.push({ kind: "attach type", name: attachType, number, since: ATTACH_TYPE_RELEASES[attachType], neededBy });
  }
  for (const { name, kind, isWeak } of object.externs) {
    if (isWeak) continue;
    items.push({ kind: ({ func: "kfunc", var: "ksym", kconfig: "kconfig" } as const)[kind], name, since: undefined });
  }
  const seen = new Set<string>();
  const unique = items.filter(({ kind, name }) => !seen.has(`${kind} ${name}`) && seen.add(`${kind} ${name}`));
  const releases = unique.flatMap(({ since }) => (since === undefined ? [] : [since])).sort(compareReleases);
  return { items: unique, since: releases.at(-1) };
}

/** Orders releases such as `"5.8"` and `"5.10"`. */
export function compareReleases(a: string, b: string): number {
  const [major, minor] = a.split(".").map(Number) as [number, number];
  const [otherMajor, otherMinor] = b.split(".").map(Number) as [number, number];
  return major - otherMajor || minor - otherMinor;
}
