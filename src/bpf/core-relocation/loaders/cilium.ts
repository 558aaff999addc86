/**
 * cilium/ebpf's rules: all relocations of one local type are decided together
 * on each candidate, and the candidate that leaves the fewest of them without
 * an answer is taken. Source: btf/core.go.
 */
import type { Endian } from "../../../btf/header.js";
import { alignOf } from "../../../btf/query/resolve.js";
import { isComposite } from "../../../btf/traverse.js";
import type { BtfType, Member } from "../../../btf/types.js";
import type { CoreRelocation } from "../../ext/types.js";
import { parseDecimals } from "../access.js";
import type { Budget } from "../budget.js";
import type { Decider, DecisionContext, Engine, Findings, Question } from "../engine.js";
import { fail, RelocationFailure } from "../failure.js";
import { matchEnumerator, matchType } from "../match.js";
import { type FoundMember, memberInBreadth } from "../members.js";
import type { Matched, Mismatch } from "../mismatch.js";
import { emptySpec, type Spec, subjectOf } from "../spec.js";
import { byteSizeOf, describe, elementOffset, isEnum, sameKind, skipModifiers } from "../types.js";
import { evaluate, type Outcome, plainOutcome } from "../value.js";
import { libbpf } from "./libbpf.js";

/** Structs and unions that are searched for one member. */
const VISITS = 32;

/** Returns the name up to the last `___`, whatever stands around it. */
function essentialName(name: string): string {
  const at = name.lastIndexOf("___");
  return at > 0 ? name.slice(0, at) : name;
}

export const cilium: Engine = {
  ...libbpf,
  name: "cilium",
  essentialName,
  isCandidate: () => true,
  modules: "together",
  patching: { resizes: "never", validates: true, poisonsAny: true, poisonsWideWith: "load" },
  /** Go's strconv.ParseUint with 31 bits: digits alone. */
  parseAccess: (access) => parseDecimals(access, /^\d+$/, 2 ** 31 - 1),
  extendsEnumerators: "kind",
  decider(context) {
    return new BestCandidate(context);
  },
};

/** The answer of the chosen candidate to one relocation. */
interface Answer {
  readonly candidate: BtfType | undefined;
  readonly spec: Spec | undefined;
  readonly mismatch: Mismatch | undefined;
  readonly outcome: Outcome;
}

/** Takes one candidate for all relocations of a local type. */
class BestCandidate implements Decider {
  readonly #context: DecisionContext;
  /** By the id of the local type. */
  readonly #answers = new Map<number, ReadonlyMap<CoreRelocation, Answer> | RelocationFailure>();

  constructor(context: DecisionContext) {
    this.#context = context;
  }

  decide({ record, candidates }: Question, { matches, unmatched }: Findings): Outcome {
    const { target, endian } = this.#context;
    if (target.vmlinux.endian !== endian)
      fail("EINVAL", `the target is ${target.vmlinux.endian}-endian, the object is ${endian}-endian`);
    let answers = this.#answers.get(record.typeId);
    if (!answers) {
      answers = this.#answer(record.typeId, candidates);
      this.#answers.set(record.typeId, answers);
    }
    if (answers instanceof RelocationFailure) throw answers;
    // A record of an instruction that belongs to no program is resolved together with none.
    const answer = answers.get(record) ?? fail("EINVAL", "its instruction is in no program");
    const { candidate, spec, mismatch, outcome } = answer;
    if (candidate && spec) matches.push({ candidate, spec, outcome });
    if (candidate && mismatch) unmatched.push({ candidate, mismatch });
    // cilium cannot tell the id of a module's type from one of vmlinux.
    const isForeign = record.kind === "target_type_id" && spec && candidate?.btf !== target.vmlinux;
    return isForeign ? { ...outcome, value: 0n, poison: true } : outcome;
  }

  #answer(typeId: number, candidates: readonly BtfType[]): ReadonlyMap<CoreRelocation, Answer> | RelocationFailure {
    const group = this.#context.specsOf(typeId);
    const locals = group.map(({ local }) => local);
    try {
      const answers = choose(locals, candidates, this.#context.endian, this.#context.budget);
      return new Map(group.map(({ record }, i) => [record, answers[i]!]));
    } catch (error) {
      if (error instanceof RelocationFailure) return error;
      throw error;
    }
  }
}

/** Returns the best candidate's answers. @throws RelocationFailure if two candidates are as good and differ, or a candidate cannot be judged */
function choose(
  locals: readonly Spec[],
  candidates: readonly BtfType[],
  endian: Endian,
  budget: Budget,
): readonly Answer[] {
  let best: { readonly answers: readonly Answer[]; readonly score: number; readonly candidate: BtfType } | undefined;
  let worst: readonly Answer[] | undefined;
  for (const candidate of candidates) {
    const answers = locals.map((local) => answerOf(local, candidate, endian, budget));
    const score = answers.filter(
      ({ outcome }, i) => outcome.poison || (asksForExistence(locals[i]!) && outcome.value === 0n),
    ).length;
    if (score >= (best?.score ?? locals.length)) {
      if (best && score === best.score) requireEqual(best, answers, candidate);
      worst ??= answers;
      continue;
    }
    best = { score, candidate, answers };
  }
  if (best) return best.answers;
  // Nothing matched: the first candidate says why.
  return locals.map((local, i) => {
    const { candidate, mismatch } = worst?.[i] ?? {};
    return { candidate, spec: undefined, mismatch, outcome: absent(local) };
  });
}

function requireEqual(
  best: { readonly answers: readonly Answer[]; readonly candidate: BtfType },
  answers: readonly Answer[],
  other: BtfType,
): void {
  const differs = best.answers.some(({ outcome: { original, value } }, i) => {
    const { outcome } = answers[i]!;
    return original !== outcome.original || value !== outcome.value;
  });
  if (!differs) return;
  const first = `${describe(best.candidate)} [${best.candidate.id}]`;
  fail("EINVAL", `ambiguous between ${first} and ${describe(other)} [${other.id}]`);
}

function asksForExistence({ kind }: Spec): boolean {
  return kind === "field_exists" || kind === "type_exists" || kind === "enumval_exists" || kind === "type_matches";
}

/** Returns the outcome where nothing matches: a poison for sizes and ids of types too. */
function absent(local: Spec): Outcome {
  return asksForExistence(local) ? plainOutcome(1, 0) : { ...plainOutcome(0, 0), poison: true };
}

function answerOf(local: Spec, candidate: BtfType, endian: Endian, budget: Budget): Answer {
  if (subjectOf(local.kind) === "field") {
    const { spec: field, mismatch } = findField(local, candidate, budget);
    if (!field) return { candidate, spec: undefined, mismatch, outcome: absent(local) };
    return {
      candidate,
      spec: field.spec,
      mismatch,
      outcome: fieldOutcome(local.kind, field.ours, field.theirs, endian),
    };
  }
  const { spec, mismatch } =
    subjectOf(local.kind) === "type"
      ? matchType(local, candidate, budget)
      : matchEnumerator(local, candidate, budget, { essentialName });
  return { candidate, spec, mismatch, outcome: spec ? evaluate(local, spec, endian, cilium) : absent(local) };
}

/** A field on one side: the byte at which a load starts, and the bits from there. */
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

/** Returns the place of a bitfield: a load starts aligned as its type is, even where it does not reach the end. */
function bitfield(
  place: Place,
  { type, bitOffset, bitfieldSize }: Pick<Member, "type" | "bitOffset" | "bitfieldSize">,
): Place {
  const alignment = alignOf(type) ?? 1;
  const bytes = Math.floor((bitOffset >>> 3) / alignment) * alignment;
  return { type, byteOffset: place.byteOffset + bytes, bitOffset: bitOffset - bytes * 8, bitfieldSize };
}

/** The place of a field on both sides, and the target's spec. */
interface Field {
  readonly spec: Spec;
  readonly ours: Place;
  readonly theirs: Place;
}

/** Follows the local path on both sides at once. */
function findField(local: Spec, candidate: BtfType, budget: Budget): Matched<Field> {
  const [first, ...rest] = local.path as [number, ...number[]];
  if (!fits(local.root, candidate)) return { mismatch: { kind: "root", type: candidate } };
  const spec = emptySpec(local.kind, candidate);
  const walked = spec.accessors;
  let ours = element(start(local.root), local.root, first);
  let theirs = element(start(candidate), candidate, first);
  walked.push({ type: skipModifiers(candidate), index: first, name: undefined });
  spec.path.push(first);
  let isLast = false;
  for (const [i, index] of rest.entries()) {
    const mine = skipModifiers(ours.type);
    const at = skipModifiers(theirs.type);
    if (isComposite(mine)) {
      const member = mine.members[index]!;
      if (member.name === "") {
        ours = inside(ours, member);
        continue;
      }
      const accessor = { type: mine, index, name: member.name };
      const found = isComposite(at) ? memberInBreadth(at, member.name, budget, VISITS, refuseMember) : undefined;
      if (!found) return { mismatch: { kind: "member", walked, at, accessor } };
      isLast = found.index === found.container.vlen - 1;
      const other = { ...found.member, bitOffset: found.bitOffset };
      if (member.bitfieldSize > 0 || other.bitfieldSize > 0) {
        if (i + 1 < rest.length) fail("EINVAL", "a path leads into a bitfield");
        [ours, theirs] = [bitfield(ours, member), bitfield(theirs, other)];
      } else [ours, theirs] = [inside(ours, member), inside(theirs, other)];
      if (!fits(ours.type, theirs.type))
        return { mismatch: { kind: "member-type", member: found.member, walked, at, accessor } };
      push(spec, found);
    } else if (mine.kind === "array") {
      const accessor = { type: skipModifiers(mine.element), index, name: undefined };
      if (at.kind !== "array") return { mismatch: { kind: "array", walked, at, accessor } };
      if (at.length === 0 && !isLast) fail("EINVAL", "an array of length 0 is not the last member");
      if (at.length > 0 && index >= at.length)
        return { mismatch: { kind: "element", array: at, walked, at, accessor } };
      [ours, theirs] = [element(ours, mine.element, index), element(theirs, at.element, index)];
      if (!fits(ours.type, theirs.type)) return { mismatch: { kind: "array", walked, at, accessor } };
      walked.push({ type: skipModifiers(at.element), index, name: undefined });
      spec.path.push(index);
      isLast = false;
    } else if (!fits(ours.type, theirs.type)) return { mismatch: { kind: "root", type: at } };
  }
  spec.bitOffset = theirs.byteOffset * 8 + theirs.bitOffset;
  return { spec: { spec, ours, theirs } };
}

function push(spec: Spec, { container, index, member, path }: FoundMember): void {
  spec.accessors.push({ type: container, index, name: member.name });
  spec.path.push(...path);
}

function inside(place: Place, { type, bitOffset }: Pick<Member, "type" | "bitOffset">): Place {
  return { type, byteOffset: place.byteOffset + (bitOffset >>> 3), bitOffset: 0, bitfieldSize: 0 };
}

function refuseMember(type: BtfType, why: "limit" | "kind"): never {
  if (why === "limit") return fail("E2BIG", `${describe(type)} is nested too deeply`);
  return fail("EINVAL", `an anonymous member is ${describe(type)}`);
}

/** Compares one level of two types: elements of arrays are compared when the path goes there. */
function fits(local: BtfType, target: BtfType): boolean {
  const [ours, theirs] = [skipModifiers(local), skipModifiers(target)];
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
      return fail("EOPNOTSUPP", `a field of ${describe(ours)}`);
  }
}

function fieldOutcome(kind: string, ours: Place, theirs: Place, endian: Endian): Outcome {
  const validate = ours.bitfieldSize === 0;
  const bits = (place: Place): number => place.bitfieldSize || byteSizeOf(place.type) * 8;
  switch (kind) {
    case "field_exists":
      return plainOutcome(1, 1);
    case "byte_off":
      return plainOutcome(ours.byteOffset, theirs.byteOffset, validate);
    case "byte_sz":
      return plainOutcome(byteSizeOf(ours.type), byteSizeOf(theirs.type), validate);
    case "lshift_u64": {
      const shift =
        endian === "little"
          ? 64 - theirs.bitOffset - bits(theirs)
          : 64 - byteSizeOf(theirs.type) * 8 + theirs.bitOffset;
      return plainOutcome(0, shift >>> 0, false);
    }
    case "rshift_u64":
      return plainOutcome(0, (64 - bits(theirs)) >>> 0, false);
    default:
      return plainOutcome(signOf(ours.type), signOf(theirs.type));
  }
}

/** Returns 1 for a signed integer or enum. @throws RelocationFailure for other kinds */
function signOf(type: BtfType): number {
  const at = skipModifiers(type);
  if (isEnum(at)) return +at.kindFlag;
  if (at.kind === "int") return +at.isSigned;
  throw new RelocationFailure("EINVAL", `${describe(at)} has no sign`);
}
