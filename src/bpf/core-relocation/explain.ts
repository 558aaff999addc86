/** Why a relocation came out as it did, in words that a person can act on. */
import type { Btf } from "../../btf/btf.js";
import { nearest } from "../../btf/query/nearest.js";
import type { BtfType, StructType, UnionType } from "../../btf/types.js";
import { Budget } from "./budget.js";
import { fieldsCompatible } from "./compatible.js";
import { LDX, STX } from "./instruction.js";
import { essentialName } from "./names.js";
import { Refusal } from "./refusal.js";
import type { CoreTarget, Resolution } from "./resolve.js";
import { type Accessor, accessPath, hasElement, type Spec, subjectOf } from "./spec.js";
import { describe, isComposite, isEnum, skip } from "./types.js";
import type { Outcome } from "./value.js";

/** Named members that are looked into for a field that has moved. */
const MOVED_DEPTH = 3;
/** Anonymous members that are looked into. */
const NESTING = 64;

/** Types for which names that are spelled alike are looked up: each look goes through all names of the target. */
const NEAREST_LIMIT = 64;

/** Reasons for the relocations on one target. */
export class Explainer {
  readonly #target: CoreTarget;
  readonly #missing = new Map<string, string>();

  constructor(target: CoreTarget) {
    this.#target = target;
  }

  /**
   * The reason, or `undefined` where there is nothing to say: the field is
   * where the program expects it.
   *
   * @param opcode of the instruction
   */
  explain(
    { root, local, candidates, matches, outcome }: Resolution,
    status: string,
    opcode: number,
  ): string | undefined {
    if (!root || !local || !outcome || local.kind === "local_type_id") return undefined;
    if (matches.length > 0) {
      if (outcome.sizeMismatch && status === "poisoned") return whyNotResized(outcome);
      return whatChanged(local, matches[0]!.candidate, outcome, isAccess(opcode));
    }
    if (candidates.length === 0) return this.#whyNoCandidate(root);
    const reasons = candidates.map((candidate) => whyNoMatch(local, candidate));
    return candidates.length === 1
      ? reasons[0]
      : candidates.map((candidate, i) => `[${candidate.id}]: ${reasons[i]}`).join("; ");
  }

  /** Nothing is called so: something of another kind, or spelled alike? */
  #whyNoCandidate({ kind, name }: BtfType): string {
    const essential = essentialName(name);
    const key = `${kind} ${essential}`;
    let reason = this.#missing.get(key);
    if (reason === undefined) {
      const { vmlinux, modules } = this.#target;
      reason = whyMissing(kind, essential, [vmlinux, ...modules], this.#missing.size < NEAREST_LIMIT);
      this.#missing.set(key, reason);
    }
    return reason;
  }
}

function isAccess(opcode: number): boolean {
  return (opcode & 7) >= LDX && (opcode & 7) <= STX;
}

function whyMissing(kind: BtfType["kind"], essential: string, places: readonly Btf[], lookNear: boolean): string {
  const missing = `no ${kind} ${essential} in the target`;
  for (const btf of places) {
    const other = btf.find(essential);
    if (other) return `${missing}: there it is a ${other.kind}`;
  }
  const near = lookNear ? nearest(essential, namesOf(places, kind)) : [];
  const hint = near.length > 0 ? `; spelled alike: ${near.join(", ")}` : "";
  return `${missing}${hint}${places.length === 1 ? "; if a module has it, name the module" : ""}`;
}

function whatChanged(
  { kind, accessors }: Spec,
  candidate: BtfType,
  outcome: Outcome,
  access: boolean,
): string | undefined {
  const { original, value, originalSize, newSize } = outcome;
  if (kind !== "byte_off")
    return original === value ? undefined : `was ${original} when the program was compiled, is ${value} in the target`;
  const moved =
    original === value
      ? ""
      : `${describe(candidate)}${accessPath(accessors)} has moved from byte ${original} to ${value}`;
  const resized =
    originalSize === newSize || !access ? "" : `the access has ${newSize} bytes instead of ${originalSize}`;
  return [moved, resized].filter(Boolean).join("; ") || undefined;
}

function whyNotResized({ originalSize, newSize, originalType, newType }: Outcome): string {
  const sizes = `the field has ${originalSize} bytes in the program (${describe(originalType!)}), ${newSize} in the target (${describe(newType!)})`;
  return `${sizes}: a load or store is changed for pointers and unsigned integers alone; read it with bpf_core_read and a size from bpf_core_field_size`;
}

function* namesOf(places: readonly Btf[], kind: BtfType["kind"]): Generator<string> {
  for (const btf of places) for (const id of btf.idsOfKind(kind, { own: true })) yield btf.nameAt(id);
}

function whyNoMatch(local: Spec, candidate: BtfType): string {
  try {
    switch (subjectOf(local.kind)) {
      case "enumerator":
        return whyNoEnumerator(local.accessors[0]!, candidate);
      case "type":
        return whyOtherType(local, candidate);
      default:
        return whyNoField(local, candidate);
    }
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

function whyNoEnumerator({ name }: Accessor, candidate: BtfType): string {
  const type = skip(candidate);
  if (!isEnum(type)) return `${describe(candidate)} is a ${type.kind} in the target`;
  const near = nearest(
    name!,
    (type.values as readonly { name: string }[]).map((value) => value.name),
  );
  return `${describe(type)} has no enumerator ${name}${near.length > 0 ? `; spelled alike: ${near.join(", ")}` : ""}`;
}

function whyOtherType({ kind, root }: Spec, candidate: BtfType): string {
  const [ours, theirs] = [skip(root), skip(candidate)];
  if (ours.kind !== theirs.kind)
    return `${describe(candidate)} is a ${theirs.kind} in the target, a ${ours.kind} in the program`;
  if (kind === "type_matches" && isComposite(ours) && isComposite(theirs)) {
    const names = new Set(theirs.members.map(({ name }) => essentialName(name)));
    const missing = ours.members.filter(({ name }) => !names.has(essentialName(name)));
    if (missing.length > 0)
      return `${describe(candidate)} lacks ${missing.map(({ name }) => name || "an anonymous member").join(", ")}`;
    return `${describe(candidate)} has members of other types`;
  }
  return `${describe(candidate)} has another shape in the target`;
}

/** Follows the path until it breaks, and says how. */
function whyNoField(local: Spec, candidate: BtfType): string {
  let at = candidate;
  const walked: Accessor[] = [];
  for (const [i, accessor] of local.accessors.entries()) {
    const container = skip(at);
    const path = `${describe(candidate)}${accessPath(walked)}`;
    if (accessor.name !== undefined) {
      if (!isComposite(container))
        return `${path} is a ${container.kind} in the target: it has no member ${accessor.name}`;
      const found = findMember(container, accessor.name);
      if (!found) return whyNoMember(path, accessor, container);
      const ours = (accessor.type as StructType | UnionType).members[accessor.index]!;
      if (!fieldsCompatible(ours.type, found.type, new Budget())) {
        return `${path}.${accessor.name} is ${shape(found.type)} in the target, ${shape(ours.type)} in the program`;
      }
      walked.push({ type: found.container, index: found.index, name: accessor.name });
      at = found.type;
    } else {
      if (i > 0) {
        if (container.kind !== "array") return `${path} is a ${container.kind} in the target, no array`;
        if (!hasElement(container, accessor.index, walked.at(-1)!))
          return `${path} has ${container.length} elements in the target, index ${accessor.index} is none`;
        at = container.element;
      }
      walked.push({ type: skip(at), index: accessor.index, name: undefined });
    }
  }
  return `${describe(candidate)} does not match`;
}

interface Found {
  readonly type: BtfType;
  readonly container: StructType | UnionType;
  readonly index: number;
}

/** A member by name, also inside anonymous ones, each of which is looked into once. */
function findMember(container: StructType | UnionType, name: string, seen = new Set<BtfType>()): Found | undefined {
  seen.add(container);
  for (const [index, member] of container.members.entries()) {
    if (member.name === name) return { type: member.type, container, index };
    const inner = member.name === "" && seen.size <= NESTING ? skip(member.type) : undefined;
    if (!inner || !isComposite(inner) || seen.has(inner)) continue;
    const found = findMember(inner, name, seen);
    if (found) return found;
  }
  return undefined;
}

function whyNoMember(path: string, accessor: Accessor, container: StructType | UnionType): string {
  const name = accessor.name!;
  const missing = `${path} has no member ${name} in the target`;
  const moved = movedTo(container, name);
  if (moved) return `${missing}; moved to ${moved}?`;
  const renamed = renamedTo(accessor, container);
  if (renamed) return `${missing}; renamed to ${renamed}, which has the same type and offset?`;
  const near = nearest(
    name,
    container.members.map((member) => member.name),
  );
  return near.length > 0 ? `${missing}; spelled alike: ${near.join(", ")}` : missing;
}

/** Where inside a named member the name is found, nearest level first. */
function movedTo(container: StructType | UnionType, name: string): string | undefined {
  let level: readonly { readonly path: string; readonly type: StructType | UnionType }[] = [
    { path: "", type: container },
  ];
  const seen = new Set<BtfType>();
  for (let depth = 0; depth < MOVED_DEPTH; depth++) {
    const next: { path: string; type: StructType | UnionType }[] = [];
    for (const { path, type } of level) {
      for (const member of type.members) {
        const inner = skip(member.type);
        if (!isComposite(inner) || seen.has(inner)) continue;
        seen.add(inner);
        const inside = member.name ? `${path}${member.name}.` : path;
        if (inside !== "" && inner.members.some((one) => one.name === name)) return `${inside}${name}`;
        next.push({ path: inside, type: inner });
      }
    }
    level = next;
  }
  return undefined;
}

/** A member that the program's struct does not know, in the place and of the type of the one that is missing. */
function renamedTo({ type, index }: Accessor, container: StructType | UnionType): string | undefined {
  const composite = type as StructType | UnionType;
  const ours = composite.members[index]!;
  const known = new Set(composite.members.map(({ name }) => name));
  const other = container.members.find(
    (one) =>
      one.name && one.bitOffset === ours.bitOffset && !known.has(one.name) && shape(one.type) === shape(ours.type),
  );
  return other?.name;
}

/** A type as a person compares it: `int u32`, `pointer to struct mm_struct`, `array of int int`. */
function shape(type: BtfType): string {
  const at = skip(type);
  if (at.kind === "ptr") return `pointer to ${describe(skip(at.target)).replace(/ \[\d+\]$/, "")}`;
  if (at.kind === "array") return `array of ${describe(skip(at.element)).replace(/ \[\d+\]$/, "")}`;
  return describe(at).replace(/ \[\d+\]$/, "");
}
