/**
 * Relocation as cilium/ebpf does it: all relocations of one local type are
 * resolved together on each candidate, and the candidate that leaves the fewest
 * of them without an answer is taken. Source: cilium/ebpf's btf/core.go.
 */
import type { Endian } from "../../../btf/header.js";
import { alignOf } from "../../../btf/query/resolve.js";
import type { BtfType, Member, StructType, UnionType } from "../../../btf/types.js";
import type { Budget } from "../budget.js";
import { typesCompatible } from "../compatible.js";
import { engineOf } from "../engine.js";
import { Refusal, refuse } from "../refusal.js";
import type { Match } from "../resolve.js";
import { emptySpec, type Spec, subjectOf } from "../spec.js";
import { typesMatch } from "../type-matches.js";
import { byteSizeOf, describe, elementOffset, isComposite, isEnum, sameKind, skip } from "../types.js";
import { evaluate, type Outcome } from "../value.js";

/** Anonymous structs and unions that are looked into for one member. */
const VISITS = 32;

function essentialName(name: string): string {
  return engineOf("cilium").essentialName(name);
}

/** What the relocations of one local type come to. */
export interface Choice {
  /** Of the candidate that was taken, for each of the specs; `undefined` where it has no answer. */
  readonly matches: readonly (Match | undefined)[];
  readonly outcomes: readonly Outcome[];
}

/** @throws Refusal if two candidates are as good and differ, or one cannot be judged */
export function choose(
  locals: readonly Spec[],
  candidates: readonly BtfType[],
  endian: Endian,
  budget: Budget,
): Choice {
  let best: (Choice & { readonly score: number; readonly candidate: BtfType }) | undefined;
  for (const candidate of candidates) {
    const found = locals.map((local) => calculate(local, candidate, endian, budget));
    const outcomes = found.map(({ outcome }) => outcome);
    const score = outcomes.filter(
      (outcome, i) => outcome.poison || (asksForExistence(locals[i]!) && outcome.value === 0n),
    ).length;
    if (score >= (best?.score ?? locals.length)) {
      if (best && score === best.score) requireEqual(best, outcomes, candidate);
      continue;
    }
    const matches = found.map(({ spec, outcome }) => spec && { candidate, spec, outcome });
    best = { score, candidate, outcomes, matches };
  }
  return best ?? { matches: locals.map(() => undefined), outcomes: locals.map(absent) };
}

function requireEqual(
  best: { readonly outcomes: readonly Outcome[]; readonly candidate: BtfType },
  outcomes: readonly Outcome[],
  other: BtfType,
): void {
  const differs = best.outcomes.some(
    ({ original, value }, i) => original !== outcomes[i]!.original || value !== outcomes[i]!.value,
  );
  if (differs)
    refuse(
      "EINVAL",
      `ambiguous between ${describe(best.candidate)} [${best.candidate.id}] and ${describe(other)} [${other.id}]`,
    );
}

function asksForExistence({ kind }: Spec): boolean {
  return kind === "field_exists" || kind === "type_exists" || kind === "enumval_exists" || kind === "type_matches";
}

function outcomeOf(original: number | bigint, value: number | bigint, validate = true): Outcome {
  return {
    original: BigInt(original),
    value: BigInt(value),
    poison: false,
    validate,
    sizeMismatch: false,
    originalSize: 0,
    newSize: 0,
    originalType: undefined,
    newType: undefined,
  };
}

/** What has no answer is poisoned, sizes and ids of types too. */
function absent(local: Spec): Outcome {
  return asksForExistence(local) ? outcomeOf(1, 0) : { ...outcomeOf(0, 0), poison: true };
}

interface Calculated {
  readonly spec: Spec | undefined;
  readonly outcome: Outcome;
}

function calculate(local: Spec, candidate: BtfType, endian: Endian, budget: Budget): Calculated {
  const none = { spec: undefined, outcome: absent(local) };
  const spec = emptySpec(local.kind, candidate);
  switch (subjectOf(local.kind)) {
    case "type": {
      const same = local.kind === "type_matches" ? typesMatch : typesCompatible;
      return same(local.root, candidate, budget) ? { spec, outcome: evaluate(local, spec, endian) } : none;
    }
    case "enumerator": {
      const type = skip(candidate);
      const name = essentialName(local.accessors[0]!.name!);
      const index = isEnum(type)
        ? (type.values as readonly { name: string }[]).findIndex((one) => essentialName(one.name) === name)
        : -1;
      if (!isEnum(type) || index < 0) return none;
      spec.accessors.push({ type, index, name: type.values[index]!.name });
      spec.path.push(index);
      return { spec, outcome: evaluate(local, spec, endian) };
    }
    default: {
      const fields = findField(local, spec, budget);
      return fields ? { spec, outcome: fieldOutcome(local.kind, fields.ours, fields.theirs, endian) } : none;
    }
  }
}

/** A field on one side: bytes to where a load starts, and bits from there. */
interface Place {
  readonly type: BtfType;
  readonly byteOffset: number;
  readonly bitOffset: number;
  readonly bitfieldSize: number;
}

const start = (type: BtfType): Place => ({ type, byteOffset: 0, bitOffset: 0, bitfieldSize: 0 });

function element(place: Place, type: BtfType, index: number): Place {
  const bytes = index === 0 ? 0 : elementOffset(index, byteSizeOf(type)) >>> 3;
  return { type, byteOffset: place.byteOffset + bytes, bitOffset: 0, bitfieldSize: 0 };
}

/** Where a load of a bitfield starts: aligned as its type is, without a look at whether it reaches the end. */
function bitfield(
  place: Place,
  { type, bitOffset, bitfieldSize }: Pick<Member, "type" | "bitOffset" | "bitfieldSize">,
): Place {
  const alignment = alignOf(type) ?? 1;
  const bytes = Math.floor((bitOffset >>> 3) / alignment) * alignment;
  return { type, byteOffset: place.byteOffset + bytes, bitOffset: bitOffset - bytes * 8, bitfieldSize };
}

/** Follows the local path on both sides at once. */
function findField(
  local: Spec,
  spec: Spec,
  budget: Budget,
): { readonly ours: Place; readonly theirs: Place } | undefined {
  const [first, ...rest] = local.path as [number, ...number[]];
  if (!fits(local.root, spec.root)) return undefined;
  let ours = element(start(local.root), local.root, first);
  let theirs = element(start(spec.root), spec.root, first);
  spec.accessors.push({ type: skip(spec.root), index: first, name: undefined });
  spec.path.push(first);
  let isLast = false;
  for (const [i, index] of rest.entries()) {
    const mine = skip(ours.type);
    if (isComposite(mine)) {
      const member = mine.members[index]!;
      if (member.name === "") {
        ours = {
          type: member.type,
          byteOffset: ours.byteOffset + (member.bitOffset >>> 3),
          bitOffset: 0,
          bitfieldSize: 0,
        };
        continue;
      }
      const container = skip(theirs.type);
      const found = isComposite(container) ? findMember(container, member.name, budget) : undefined;
      if (!found) return undefined;
      isLast = found.isLast;
      if (member.bitfieldSize > 0 || found.bitfieldSize > 0) {
        if (i + 1 < rest.length) refuse("EINVAL", "a path into a bitfield");
        [ours, theirs] = [bitfield(ours, member), bitfield(theirs, found)];
      } else {
        ours = {
          type: member.type,
          byteOffset: ours.byteOffset + (member.bitOffset >>> 3),
          bitOffset: 0,
          bitfieldSize: 0,
        };
        theirs = {
          type: found.type,
          byteOffset: theirs.byteOffset + (found.bitOffset >>> 3),
          bitOffset: 0,
          bitfieldSize: 0,
        };
      }
      spec.accessors.push({ type: found.container, index: found.index, name: member.name });
      spec.path.push(...found.path);
    } else if (mine.kind === "array") {
      const other = skip(theirs.type);
      if (other.kind !== "array") return undefined;
      if (other.length === 0 && !isLast) refuse("EINVAL", "an array of length 0 that is not the last member");
      if (other.length > 0 && index >= other.length) return undefined;
      [ours, theirs] = [element(ours, mine.element, index), element(theirs, other.element, index)];
      spec.accessors.push({ type: skip(other.element), index, name: undefined });
      spec.path.push(index);
      isLast = false;
    }
    if (!fits(ours.type, theirs.type)) return undefined;
  }
  spec.bitOffset = theirs.byteOffset * 8 + theirs.bitOffset;
  return { ours, theirs };
}

/** One level only: elements of arrays are compared when the path goes there. */
function fits(local: BtfType, target: BtfType): boolean {
  const [ours, theirs] = [skip(local), skip(target)];
  if (isComposite(ours) && isComposite(theirs)) return true;
  if (!sameKind(ours, theirs)) return false;
  switch (ours.kind) {
    case "array":
    case "ptr":
    case "float":
    case "int":
      return true;
    case "enum":
    case "enum64":
    case "fwd":
      return ours.name === "" || theirs.name === "" || essentialName(ours.name) === essentialName(theirs.name);
    default:
      return refuse("EOPNOTSUPP", `a field of ${describe(ours)}`);
  }
}

interface FoundMember extends Pick<Member, "type" | "bitOffset" | "bitfieldSize"> {
  readonly container: StructType | UnionType;
  readonly index: number;
  readonly path: readonly number[];
  readonly isLast: boolean;
}

/** A member by name, also inside anonymous ones: all of one level before those inside. */
function findMember(root: StructType | UnionType, name: string, budget: Budget): FoundMember | undefined {
  const queue: { type: StructType | UnionType; bitOffset: number; path: readonly number[] }[] = [
    { type: root, bitOffset: 0, path: [] },
  ];
  let visits = 0;
  for (const { type, bitOffset, path } of queue) {
    if (visits++ >= VISITS) refuse("E2BIG", `${describe(root)} is nested too deeply`);
    for (const [index, member] of type.members.entries()) {
      budget.spend(1);
      const inside = { bitOffset: bitOffset + member.bitOffset, path: [...path, index] };
      if (member.name === name) {
        const { type: of, bitfieldSize } = member;
        return { type: of, bitfieldSize, container: type, index, isLast: index === type.members.length - 1, ...inside };
      }
      const inner = member.name === "" ? skip(member.type) : undefined;
      if (!inner) continue;
      if (!isComposite(inner)) refuse("EINVAL", `an anonymous member of ${describe(inner)}`);
      else if (queue.length <= VISITS) queue.push({ type: inner, ...inside });
    }
  }
  return undefined;
}

function fieldOutcome(kind: string, ours: Place, theirs: Place, endian: Endian): Outcome {
  const validate = ours.bitfieldSize === 0;
  const bits = (place: Place): number => place.bitfieldSize || byteSizeOf(place.type) * 8;
  switch (kind) {
    case "field_exists":
      return outcomeOf(1, 1);
    case "byte_off":
      return outcomeOf(ours.byteOffset, theirs.byteOffset, validate);
    case "byte_sz":
      return outcomeOf(byteSizeOf(ours.type), byteSizeOf(theirs.type), validate);
    case "lshift_u64": {
      const shift =
        endian === "little"
          ? 64 - theirs.bitOffset - bits(theirs)
          : 64 - byteSizeOf(theirs.type) * 8 + theirs.bitOffset;
      return outcomeOf(0, shift >>> 0, false);
    }
    case "rshift_u64":
      return outcomeOf(0, (64 - bits(theirs)) >>> 0, false);
    default:
      return outcomeOf(signOf(ours.type), signOf(theirs.type));
  }
}

/** Only integers and enums have one. */
function signOf(type: BtfType): number {
  const at = skip(type);
  if (isEnum(at)) return +at.kindFlag;
  if (at.kind === "int") return +at.isSigned;
  throw new Refusal("EINVAL", `${describe(at)} has no sign`);
}
