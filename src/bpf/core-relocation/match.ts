/** Matches a local spec with a candidate: finds the same field, type or enumerator there. */
import type { BtfType, StructType, UnionType } from "../../btf/types.js";
import { ACCESS_LIMIT } from "./access.js";
import type { Budget } from "./budget.js";
import { type FieldRules, fieldsCompatible, typesCompatible } from "./compatible.js";
import { fail } from "./failure.js";
import { type FoundMember, membersInDepth } from "./members.js";
import type { Matched, Mismatch } from "./mismatch.js";
import { type Accessor, emptySpec, hasElement, type Spec, subjectOf } from "./spec.js";
import { typesMatch } from "./type-matches.js";
import { byteSizeOf, elementOffset, isEnum, memberAt, skipModifiers } from "./types.js";

/**
 * Returns the target spec, or why the candidate does not match. Source:
 * libbpf's bpf_core_spec_match.
 *
 * @throws RelocationFailure for a candidate that cannot be judged
 */
export function matchSpec(local: Spec, candidate: BtfType, budget: Budget, rules: FieldRules): Matched<Spec> {
  switch (subjectOf(local.kind)) {
    case "type":
      return matchType(local, candidate, budget);
    case "enumerator":
      return matchEnumerator(local, candidate, budget, rules);
    default: {
      const spec = emptySpec(local.kind, candidate);
      const mismatch = matchField(local, spec, budget, rules);
      return mismatch ? { mismatch } : { spec };
    }
  }
}

/** Matches a relocation that asks about a type as a whole. */
export function matchType(local: Spec, candidate: BtfType, budget: Budget): Matched<Spec> {
  const alike = local.kind === "type_matches" ? typesMatch : typesCompatible;
  if (!alike(local.root, candidate, budget)) return { mismatch: { kind: "shape" } };
  return { spec: emptySpec(local.kind, candidate) };
}

/** Matches with the first enumerator of the same essential name. */
export function matchEnumerator(
  local: Spec,
  candidate: BtfType,
  budget: Budget,
  { essentialName }: Pick<FieldRules, "essentialName">,
): Matched<Spec> {
  const accessor = local.accessors[0]!;
  const type = skipModifiers(candidate);
  const mismatch = { kind: "enumerator", type, accessor } as const;
  if (!isEnum(type)) return { mismatch };
  budget.spend(type.vlen);
  const essential = essentialName(accessor.name!);
  const index = (type.values as readonly { name: string }[]).findIndex(({ name }) => essentialName(name) === essential);
  if (index < 0) return { mismatch };
  const spec = emptySpec(local.kind, candidate);
  spec.accessors.push({ type, index, name: type.values[index]!.name });
  spec.path.push(index);
  return { spec };
}

/** Follows the local path on the target, and adds to the spec. Returns where it breaks off. */
function matchField(local: Spec, spec: Spec, budget: Budget, rules: FieldRules): Mismatch | undefined {
  let at = spec.root;
  for (const [i, accessor] of local.accessors.entries()) {
    at = skipModifiers(at);
    const broken = { walked: spec.accessors, at, accessor };
    if (accessor.name !== undefined) {
      const next = matchMember(accessor, at, spec, budget, rules);
      if ("kind" in next) return next;
      at = next.member.type;
      continue;
    }
    if (i > 0) {
      if (at.kind !== "array") return { kind: "array", ...broken };
      if (!hasElement(at, accessor.index, spec.accessors.at(-1)!)) return { kind: "element", array: at, ...broken };
      at = skipModifiers(at.element);
    }
    deeper(spec, 0);
    spec.accessors.push({ type: at, index: accessor.index, name: undefined });
    spec.path.push(accessor.index);
    spec.bitOffset = (spec.bitOffset + elementOffset(accessor.index, byteSizeOf(at))) >>> 0;
  }
  return undefined;
}

function deeper(spec: Spec, depth: number): void {
  if (spec.path.length + depth === ACCESS_LIMIT)
    fail("E2BIG", `[${spec.root.id}] ${spec.root.name} is nested deeper than ${ACCESS_LIMIT} levels`);
}

/**
 * Finds the member of the local accessor's name and adds it to the spec: the
 * first one, depth first, whose type is compatible. Source:
 * bpf_core_match_member.
 */
function matchMember(
  accessor: Accessor,
  at: BtfType,
  spec: Spec,
  budget: Budget,
  rules: FieldRules,
): FoundMember | Mismatch {
  const local = memberAt(accessor.type as StructType | UnionType, accessor.index)!;
  const start = { type: at, path: [], bitOffset: spec.bitOffset };
  let other: FoundMember | undefined;
  for (const found of membersInDepth(start, accessor.name!, budget, (depth) => deeper(spec, depth))) {
    const { container, index, member, path, bitOffset } = found;
    if (fieldsCompatible(local.type, member.type, budget, rules)) {
      spec.bitOffset = bitOffset;
      spec.path.push(...path);
      spec.accessors.push({ type: container, index, name: member.name });
      return found;
    }
    other ??= found;
  }
  const broken = { walked: spec.accessors, at, accessor };
  return other ? { kind: "member-type", member: other.member, ...broken } : { kind: "member", ...broken };
}
