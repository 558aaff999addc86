/** Says why a candidate does not match, from what matching found. */
import { nearest } from "../../../btf/query/nearest.js";
import { isComposite } from "../../../btf/traverse.js";
import type { BtfType, StructType, UnionType } from "../../../btf/types.js";
import { Budget } from "../budget.js";
import { essentialName } from "../essential-name.js";
import { RelocationFailure } from "../failure.js";
import type { Mismatch } from "../mismatch.js";
import { accessPath, type Spec } from "../spec.js";
import { typesMatch } from "../type-matches.js";
import { describe, isEnum, memberAt, skipModifiers } from "../types.js";
import { whyNoMember } from "./member-advice.js";
import { shape } from "./shape.js";

/** Returns the reason for a mismatch. */
export function whyNoMatch(local: Spec, candidate: BtfType, mismatch: Mismatch): string {
  switch (mismatch.kind) {
    case "shape":
      return whyOtherShape(local, candidate);
    case "root":
      return `${describe(candidate)} is a ${skipModifiers(mismatch.type).kind} in the target, a ${skipModifiers(local.root).kind} in the program`;
    case "enumerator": {
      const { type, accessor } = mismatch;
      if (!isEnum(type)) return `${describe(candidate)} is a ${type.kind} in the target`;
      const names = (type.values as readonly { name: string }[]).map(({ name }) => name);
      return `${describe(type)} has no enumerator ${accessor.name}${similar(nearest(accessor.name!, names))}`;
    }
  }
  const { walked, at, accessor } = mismatch;
  const path = `${describe(candidate)}${accessPath(walked)}`;
  switch (mismatch.kind) {
    case "member":
      if (isComposite(at)) return whyNoMember(path, accessor, at);
      return `${path} is a ${at.kind} in the target: it has no member ${accessor.name}`;
    case "member-type": {
      const ours = memberAt(accessor.type as StructType | UnionType, accessor.index)!;
      return `${path}.${accessor.name} is ${shape(mismatch.member.type)} in the target, ${shape(ours.type)} in the program`;
    }
    case "array":
      return `${path} is a ${at.kind} in the target, not an array`;
    case "element":
      return `${path} has ${mismatch.array.length} elements in the target: there is no index ${accessor.index}`;
  }
}

/** Names the first member whose type differs, by the rules of type_matches. */
function whyOtherMembers(candidate: BtfType, ours: StructType | UnionType, theirs: StructType | UnionType): string {
  for (const member of ours.members) {
    const essential = essentialName(member.name);
    const alike = theirs.members.filter(({ name }) => essentialName(name) === essential);
    if (alike.length === 0 || alike.some(({ type }) => matchesAlone(member.type, type))) continue;
    const [mine, other] = [shape(member.type), shape(alike[0]!.type)];
    const path = `${describe(candidate)}.${member.name}`;
    if (mine !== other) {
      const rule = "type_matches compares the names and sizes of types, those of integers too";
      return `${path} is ${other} in the target, ${mine} in the program: ${rule}`;
    }
    return `${path} is ${other} in both, of another size or with other members`;
  }
  return `${describe(candidate)} has members of other types`;
}

function matchesAlone(local: BtfType, target: BtfType): boolean {
  try {
    return typesMatch(local, target, new Budget());
  } catch (error) {
    if (error instanceof RelocationFailure) return false;
    throw error;
  }
}

function similar(names: readonly string[]): string {
  return names.length > 0 ? `; similar names: ${names.join(", ")}` : "";
}

function whyOtherShape({ kind, root }: Spec, candidate: BtfType): string {
  const [ours, theirs] = [skipModifiers(root), skipModifiers(candidate)];
  if (ours.kind !== theirs.kind)
    return `${describe(candidate)} is a ${theirs.kind} in the target, a ${ours.kind} in the program`;
  if (kind === "type_matches" && isComposite(ours) && isComposite(theirs)) {
    const names = new Set(theirs.members.map(({ name }) => essentialName(name)));
    const missing = ours.members.filter(({ name }) => !names.has(essentialName(name)));
    if (missing.length > 0)
      return `${describe(candidate)} lacks ${missing.map(({ name }) => name || "an anonymous member").join(", ")}`;
    return whyOtherMembers(candidate, ours, theirs);
  }
  return `${describe(candidate)} has another shape in the target`;
}
