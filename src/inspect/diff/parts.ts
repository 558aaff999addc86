/** What changed between two definitions of one kind and name. */

import { isComposite } from "../../btf/traverse.js";
import type { BtfType, Enum64Type, EnumType, FuncType } from "../../btf/types.js";
import { likeness } from "./alike.js";
import { compareMembers, isSameReference, typeText } from "./members.js";
import type { ChangedDefinition, EnumeratorChange, ParameterChange } from "./types.js";

/** The facts of a change, without kind and name. */
export type Parts = Omit<ChangedDefinition, "kind" | "name" | "definitions" | "impact">;

/** Returns what changed from one definition to the other. */
export function compareParts(old: BtfType, now: BtfType): Parts {
  const sizes = "byteSize" in old && "byteSize" in now && old.byteSize !== now.byteSize;
  const byteSize = sizes ? { byteSize: { old: old.byteSize, new: now.byteSize } } : {};
  if (isComposite(old) && isComposite(now)) return { ...byteSize, members: compareMembers(old, now) };
  if (isEnum(old) && isEnum(now)) return { ...byteSize, enumerators: compareEnumerators(old, now) };
  if (old.kind === "func" && now.kind === "func") return compareFunctions(old, now);
  if (old.kind === "typedef" && now.kind === "typedef") return compareTypes(old.target, now.target);
  if (old.kind === "var" && now.kind === "var") return compareTypes(old.type, now.type);
  return { ...byteSize, ...(old.kind === "int" && now.kind === "int" ? { type: texts(old, now) } : {}) };
}

function isEnum(type: BtfType): type is EnumType | Enum64Type {
  return type.kind === "enum" || type.kind === "enum64";
}

function texts(old: BtfType, now: BtfType): { old: string; new: string } {
  const text = (type: BtfType): string =>
    type.kind === "int" ? `${type.bitSize} bits at ${type.bitOffset}, encoding ${type.encoding}` : typeText(type);
  return { old: text(old), new: text(now) };
}

function compareTypes(old: BtfType, now: BtfType): Parts {
  return isSameReference(old, now) ? {} : { type: { old: typeText(old), new: typeText(now) } };
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

interface Parameter {
  readonly name: string;
  readonly type: BtfType;
  readonly index: number;
}

function parametersOf({ proto }: FuncType): Parameter[] {
  if (proto.kind !== "func_proto") return [];
  return proto.params.map(({ name, type }, index) => ({ name: name || (type.id === 0 ? "..." : ""), type, index }));
}

function compareFunctions(old: FuncType, now: FuncType): Parts {
  const before = parametersOf(old);
  const after = parametersOf(now);
  const partner = new Map<Parameter, Parameter>();
  const free = new Set(before);
  for (const one of after) {
    const was = before.find((candidate) => candidate.name !== "" && candidate.name === one.name && free.has(candidate));
    if (was) pair(one, was);
  }
  // By place what has no name, or another one.
  for (const one of after) {
    const was = before[one.index];
    if (!partner.has(one) && was && free.has(was)) pair(one, was);
  }
  function pair(one: Parameter, was: Parameter): void {
    partner.set(one, was);
    free.delete(was);
  }
  const text = ({ name, type, index }: Parameter) => ({ name, type: name === "..." ? "" : typeText(type), index });
  const parameters: ParameterChange[] = [];
  for (const one of after) {
    const was = partner.get(one);
    const { name, index } = one;
    if (!was) parameters.push({ index, name, changes: ["added"], new: text(one) });
    else {
      const changes: ParameterChange["changes"][number][] = [];
      if (was.name !== name) changes.push("renamed");
      if (was.index !== index) changes.push("moved");
      if (!isSameReference(was.type, one.type)) changes.push("retyped");
      if (changes.length > 0) parameters.push({ index, name, changes, old: text(was), new: text(one) });
    }
  }
  for (const was of free) parameters.push({ index: was.index, name: was.name, changes: ["removed"], old: text(was) });
  const returns =
    old.proto.kind === "func_proto" && now.proto.kind === "func_proto"
      ? compareTypes(old.proto.returnType, now.proto.returnType)
      : {};
  return { parameters, ...returns };
}
