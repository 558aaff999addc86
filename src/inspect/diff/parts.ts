/** What changed between two definitions of one kind and name. */

import type { BtfType, Enum64Type, EnumType, IntType } from "../../btf/types.js";
import { likeness } from "./alike.js";
import { compareMembers } from "./members.js";
import { type Names, NO_NAME } from "./names.js";
import type { Recorded, Records } from "./records.js";
import type { ChangedDefinition, DefinitionKind, EnumeratorChange, ParameterChange } from "./types.js";

/** The facts of a change, without kind and name. */
export type Parts = Omit<ChangedDefinition, "kind" | "name" | "definitions" | "impact">;

/** Returns what changed from one definition of a kind to the other. */
export function compareParts(kind: DefinitionKind, before: Recorded, after: Recorded, names: Names): Parts {
  if (kind === "func") return compareFunctions(before, after, names);
  if (kind === "struct" || kind === "union") {
    const sizes = { old: before.records.sizeOrId(before.id), new: after.records.sizeOrId(after.id) };
    const members = compareMembers(names, before, after);
    return sizes.old === sizes.new ? { members } : { byteSize: sizes, members };
  }
  if (kind === "typedef" || kind === "var") return compareReferences(before, before.id, after, after.id);
  return compareTypesOf(typeOf(before), typeOf(after));
}

function typeOf({ records, id }: Recorded): BtfType {
  return records.btf.get(id)!;
}

function compareTypesOf(old: BtfType, now: BtfType): Parts {
  const sizes = "byteSize" in old && "byteSize" in now && old.byteSize !== now.byteSize;
  const byteSize = sizes ? { byteSize: { old: old.byteSize, new: now.byteSize } } : {};
  if (isEnum(old) && isEnum(now)) return { ...byteSize, enumerators: compareEnumerators(old, now) };
  if (old.kind !== "int" || now.kind !== "int") return byteSize;
  const text = ({ bitSize, bitOffset, encoding }: IntType): string =>
    `${bitSize} bits at ${bitOffset}, encoding ${encoding}`;
  return { ...byteSize, type: { old: text(old), new: text(now) } };
}

function isEnum(type: BtfType): type is EnumType | Enum64Type {
  return type.kind === "enum" || type.kind === "enum64";
}

/** Compares what two types refer to: typedefs, variables, prototypes. */
function compareReferences(old: Recorded, by: number, now: Recorded, nowBy: number): Parts {
  const [was, is] = [old.records.referredBy(by), now.records.referredBy(nowBy)];
  if (old.records.isSameReference(was, now.records, is)) return {};
  return { type: { old: old.records.textOf(was), new: now.records.textOf(is) } };
}

/** Enumerators of a like name and the same value that a renamed enumerator needs at least. */
const LEAST = 0.5;

function compareEnumerators(old: EnumType | Enum64Type, now: EnumType | Enum64Type): EnumeratorChange[] {
  const listed = ({ values }: EnumType | Enum64Type) =>
    values.map(({ name, value }) => ({ name, value: BigInt(value) }));
  const before = new Map(listed(old).map((one) => [one.name, one]));
  const after = listed(now);
  const names = new Set(after.map(({ name }) => name));
  const gone = new Map<bigint, { name: string; value: bigint }>();
  for (const one of before.values()) if (!names.has(one.name)) gone.set(one.value, one);
  const changes: EnumeratorChange[] = [];
  for (const one of after) {
    const was = before.get(one.name);
    if (was) {
      if (was.value !== one.value) changes.push({ name: one.name, changes: ["revalued"], old: was, new: one });
      continue;
    }
    const renamed = gone.get(one.value);
    const alike = renamed ? likeness(renamed.name, one.name) : 0;
    if (renamed && alike >= LEAST) {
      gone.delete(one.value);
      before.delete(renamed.name);
      const confidence = Math.round((0.4 + 0.6 * alike) * 100) / 100;
      changes.push({ name: one.name, changes: ["renamed"], old: renamed, new: one, confidence });
    } else changes.push({ name: one.name, changes: ["added"], new: one });
  }
  for (const one of before.values()) {
    if (!names.has(one.name)) changes.push({ name: one.name, changes: ["removed"], old: one });
  }
  return changes;
}

/** The parameters of a function with their names as they are listed: `...` for what ends a variadic one. */
function parametersOf({ records, id }: Recorded, names: Names): PartsOfFunction {
  const { names: given, typeIds } = records.parametersOf(id);
  return { records, typeIds, names: given.map((name, i) => (name || typeIds[i] ? name : names.numberOf(VARIADIC))) };
}

const VARIADIC = "...";

interface PartsOfFunction {
  readonly records: Records;
  /** Numbers. */
  readonly names: readonly number[];
  readonly typeIds: readonly number[];
}

function compareFunctions(old: Recorded, now: Recorded, numbered: Names): Parts {
  const before = parametersOf(old, numbered);
  const after = parametersOf(now, numbered);
  /** The old parameter of each new one, and whether an old one is one of them. */
  const partners = after.names.map(() => -1);
  const isTaken = before.names.map(() => false);
  const pair = (index: number, was: number): void => {
    partners[index] = was;
    isTaken[was] = true;
  };
  after.names.forEach((name, index) => {
    const was = name === NO_NAME ? -1 : before.names.findIndex((one, i) => one === name && !isTaken[i]);
    if (was >= 0) pair(index, was);
  });
  // By place what has no name, or another one.
  after.names.forEach((_, index) => {
    if (partners[index]! < 0 && isTaken[index] === false) pair(index, index);
  });
  const place = ({ records, names, typeIds }: PartsOfFunction, index: number) => {
    const name = numbered.textOf(names[index]!);
    return { name, type: name === VARIADIC ? "" : records.textOf(typeIds[index]!), index };
  };
  const parameters: ParameterChange[] = [];
  after.names.forEach((name, index) => {
    const was = partners[index]!;
    if (was < 0) {
      parameters.push({ index, name: numbered.textOf(name), changes: ["added"], new: place(after, index) });
      return;
    }
    const changes: ParameterChange["changes"][number][] = [];
    if (before.names[was] !== name) changes.push("renamed");
    if (was !== index) changes.push("moved");
    if (!before.records.isSameReference(before.typeIds[was]!, after.records, after.typeIds[index]!)) {
      changes.push("retyped");
    }
    if (changes.length === 0) return;
    parameters.push({
      index,
      name: numbered.textOf(name),
      changes,
      old: place(before, was),
      new: place(after, index),
    });
  });
  before.names.forEach((name, index) => {
    if (isTaken[index]) return;
    parameters.push({ index, name: numbered.textOf(name), changes: ["removed"], old: place(before, index) });
  });
  const [was, is] = [old, now].map(({ records, id }) => records.sizeOrId(id)) as [number, number];
  return { parameters, ...compareReferences(old, was, now, is) };
}
