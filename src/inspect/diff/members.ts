/** Members of two definitions of one struct, put side by side. */

import { likeness } from "./alike.js";
import type { Names } from "./names.js";
import type { Leaves, Recorded, Records } from "./records.js";
import type { MemberChange, MemberPlace, PartChange } from "./types.js";

/** A definition with its members. */
interface Definition {
  readonly records: Records;
  readonly leaves: Leaves;
}

/** Two definitions side by side. */
interface Sides {
  readonly names: Names;
  readonly before: Definition;
  readonly after: Definition;
}

function placeOf(names: Names, { records, leaves }: Definition, i: number): MemberPlace {
  const typeId = leaves.typeIds[i]!;
  return {
    name: names.textOf(leaves.names[i]!),
    type: records.textOf(typeId),
    bitOffset: leaves.bitOffsets[i]!,
    bitSize: bitSizeOf(records, leaves, i),
    bitfieldSize: leaves.widths[i]!,
  };
}

function bitSizeOf(records: Records, { widths, typeIds }: Leaves, i: number): number | undefined {
  return widths[i]! > 0 ? widths[i] : records.bitSizeOf(typeIds[i]!);
}

function isSameType({ before, after }: Sides, i: number, at: number): boolean {
  return before.records.isSameReference(before.leaves.typeIds[i]!, after.records, after.leaves.typeIds[at]!);
}

function isSameSize({ before, after }: Sides, i: number, at: number): boolean {
  return bitSizeOf(before.records, before.leaves, i) === bitSizeOf(after.records, after.leaves, at);
}

const NO_CHANGES: readonly PartChange[] = [];

function changesOf(sides: Sides, i: number, at: number): readonly PartChange[] {
  const [old, now] = [sides.before.leaves, sides.after.leaves];
  const isRenamed = old.names[i] !== now.names[at];
  const isMoved = old.bitOffsets[i] !== now.bitOffsets[at];
  const isResized = !isSameSize(sides, i, at);
  const isRetyped = !isSameType(sides, i, at);
  if (!isRenamed && !isMoved && !isResized && !isRetyped) return NO_CHANGES;
  const changes: PartChange[] = [];
  if (isRenamed) changes.push("renamed");
  if (isMoved) changes.push("moved");
  if (isResized) changes.push("resized");
  if (isRetyped) changes.push("retyped");
  return changes;
}

function membersOf({ records, id }: Recorded): Definition {
  return { records, leaves: records.leavesOf(id) };
}

/** Returns what changed between two structs or unions, in the order of the new one, with what is gone where it stood. */
export function compareMembers(names: Names, old: Recorded, now: Recorded): MemberChange[] {
  const sides: Sides = { names, before: membersOf(old), after: membersOf(now) };
  const [oldNames, newNames] = [sides.before.leaves.names, sides.after.leaves.names];
  const { partners, olds, confidences } = pairUp(sides);
  const changes: MemberChange[] = [];
  let next = 0;
  const removedUpTo = (end: number): void => {
    for (; next < end; next++) {
      if (partners[next]! >= 0) continue;
      const place = placeOf(names, sides.before, next);
      changes.push({ name: place.name, changes: ["removed"], old: place });
    }
  };
  for (let at = 0; at < newNames.length; at++) {
    const i = olds[at]!;
    if (i < 0) {
      const place = placeOf(names, sides.after, at);
      changes.push({ name: place.name, changes: ["added"], new: place });
      continue;
    }
    removedUpTo(i);
    const what = changesOf(sides, i, at);
    if (what.length === 0) continue;
    const confidence = confidences.get(i);
    const place = placeOf(names, sides.after, at);
    const change = { name: place.name, changes: what, old: placeOf(names, sides.before, i), new: place };
    changes.push(confidence === undefined ? change : { ...change, confidence });
  }
  removedUpTo(oldNames.length);
  return changes;
}

/** Which members are the same. */
interface Pairs {
  /** The new member of each old one, -1 for none. */
  readonly partners: Int32Array;
  /** The old member of each new one, -1 for none. */
  readonly olds: Int32Array;
  /** How sure a guess is, by the old member. */
  readonly confidences: ReadonlyMap<number, number>;
}

/** Pairs members by name, those of one name in their order, and what is left by guesses. */
function pairUp(sides: Sides): Pairs {
  const before = sides.before.leaves.names;
  const after = sides.after.leaves.names;
  const partners = new Int32Array(before.length).fill(-1);
  const olds = new Int32Array(after.length).fill(-1);
  // Most members stand where they stood, or all behind one that is new.
  const byName = new Map<number, number[]>();
  let same = 0;
  for (; same < before.length && before[same] === after[same]; same++) partners[same] = olds[same] = same;
  for (let at = after.length - 1; at >= same; at--) {
    const list = byName.get(after[at]!);
    if (list) list.push(at);
    else byName.set(after[at]!, [at]);
  }
  const gone: number[] = [];
  for (let i = same; i < before.length; i++) {
    const at = byName.get(before[i]!)?.pop();
    if (at === undefined) gone.push(i);
    else {
      partners[i] = at;
      olds[at] = i;
    }
  }
  const fresh: number[] = [];
  for (let at = same; at < after.length; at++) if (olds[at]! < 0) fresh.push(at);
  const confidences = new Map<number, number>();
  for (const { i, at, confidence } of guesses(sides, partners, gone, fresh)) {
    partners[i] = at;
    olds[at] = i;
    confidences.set(i, confidence);
  }
  return { partners, olds, confidences };
}

/** Below this a guess is not made. */
const LEAST = 0.5;
/** Pairs that are looked at; a struct that has changed more has no members that were merely renamed. */
const PAIRS = 1 << 14;

interface Guess {
  readonly i: number;
  readonly at: number;
  readonly confidence: number;
}

/** Guesses which of the members that are gone live on by another name: the surest first, each member once. */
function guesses(sides: Sides, partners: Int32Array, gone: readonly number[], fresh: readonly number[]): Guess[] {
  if (gone.length * fresh.length > PAIRS) return [];
  const candidates: Guess[] = [];
  for (const i of gone) {
    for (const at of fresh) {
      const confidence = confidenceOf(sides, partners, i, at);
      if (confidence >= LEAST) candidates.push({ i, at, confidence });
    }
  }
  candidates.sort((a, b) => b.confidence - a.confidence || a.i - b.i || a.at - b.at);
  const taken = new Set<number>();
  const used = new Set<number>();
  return candidates.filter(({ i, at }) => {
    if (taken.has(i) || used.has(at)) return false;
    taken.add(i);
    used.add(at);
    return true;
  });
}

/** How sure a rename is: by type, by name, and by the members in front and behind. */
function confidenceOf(sides: Sides, partners: Int32Array, i: number, at: number): number {
  const { names } = sides;
  const [before, after] = [sides.before.leaves.names, sides.after.leaves.names];
  // Neighbours say where a member stands even if all in front of it has grown.
  const inFront = i === 0 ? at === 0 : partners[i - 1] === at - 1 && at > 0;
  const behind = i === before.length - 1 ? at === after.length - 1 : partners[i + 1] === at + 1;
  const place = (inFront ? 0.5 : 0) + (behind ? 0.5 : 0);
  const kind = isSameType(sides, i, at) ? 1 : isSameSize(sides, i, at) ? 0.4 : 0;
  // Not even the same name would be enough.
  if (0.35 * kind + 0.25 * place + 0.4 < LEAST - 0.01) return 0;
  const alike = likeness(names.textOf(before[i]!), names.textOf(after[at]!));
  const sum = 0.35 * kind + 0.4 * alike + 0.25 * place;
  // Neither a like name nor the same place: another member of the same type.
  return alike < 0.3 && place < 1 ? 0 : Math.round(sum * 100) / 100;
}
