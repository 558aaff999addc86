/** Members of two definitions of one struct, put side by side. */

import type { Btf } from "../../btf/btf.js";
import { declaration } from "../../btf/dump/declaration.js";
import { sizeOf } from "../../btf/query/resolve.js";
import type { Composite } from "../../btf/traverse.js";
import type { BtfType, Member } from "../../btf/types.js";
import { identities } from "../identity.js";
import { attempt, type Leaf, leavesOf } from "../leaves.js";
import { likeness } from "./alike.js";
import type { MemberChange, MemberPlace, PartChange } from "./types.js";

/** What was found out about types, by Btf and id: most members have one of a few types. */
interface Known {
  /** Sizes depend on it. */
  readonly pointerSize: number;
  readonly texts: Map<number, string>;
  /** In bits. */
  readonly sizes: Map<number, number | undefined>;
}

const known = new WeakMap<Btf, Known>();

function knownOf(btf: Btf): Known {
  const { pointerSize } = btf;
  let found = known.get(btf);
  if (found?.pointerSize !== pointerSize) {
    found = { pointerSize, texts: new Map(), sizes: new Map() };
    known.set(btf, found);
  }
  return found;
}

/** Returns a type as C writes it, or as its kind and name where C cannot. */
export function typeText(type: BtfType): string {
  const { texts } = knownOf(type.btf);
  let text = texts.get(type.id);
  if (text === undefined) {
    text = attempt(() => declaration(type)) || (type.name ? `${type.kind} ${type.name}` : type.kind);
    texts.set(type.id, text);
  }
  return text;
}

function placeOf({ name, member, bitOffset }: Leaf): MemberPlace {
  return {
    name,
    type: typeText(member.type),
    bitOffset,
    bitSize: bitSizeOf(member),
    bitfieldSize: member.bitfieldSize,
  };
}

function bitSizeOf({ bitfieldSize, type }: Member): number | undefined {
  if (bitfieldSize > 0) return bitfieldSize;
  const { sizes } = knownOf(type.btf);
  if (!sizes.has(type.id)) {
    const byteSize = attempt(() => sizeOf(type));
    sizes.set(type.id, byteSize === undefined ? undefined : byteSize * 8);
  }
  return sizes.get(type.id);
}

/** Tells whether references to two types count as the same in shallow identities. */
export function isSameReference(a: BtfType, b: BtfType): boolean {
  const [left, right] = [identities(a.btf).references, identities(b.btf).references];
  return left[a.id * 2] === right[b.id * 2] && left[a.id * 2 + 1] === right[b.id * 2 + 1];
}

function changesOf(old: Leaf, now: Leaf): PartChange[] {
  const changes: PartChange[] = [];
  if (old.name !== now.name) changes.push("renamed");
  if (old.bitOffset !== now.bitOffset) changes.push("moved");
  if (bitSizeOf(old.member) !== bitSizeOf(now.member)) changes.push("resized");
  if (!isSameReference(old.member.type, now.member.type)) changes.push("retyped");
  return changes;
}

/** Returns what changed between two definitions, in the order of the new one, with what is gone where it stood. */
export function compareMembers(old: Composite, now: Composite): MemberChange[] {
  const before = leavesOf(old);
  const after = leavesOf(now);
  const pairs = pairUp(before, after);
  const partners = new Map([...pairs].map(([i, { at }]) => [at, i]));
  const changes: MemberChange[] = [];
  let next = 0;
  const removedUpTo = (end: number): void => {
    for (; next < end; next++) {
      const leaf = before[next]!;
      if (!pairs.has(next)) changes.push({ name: leaf.name, changes: ["removed"], old: placeOf(leaf) });
    }
  };
  after.forEach((leaf, at) => {
    const i = partners.get(at);
    if (i === undefined) {
      changes.push({ name: leaf.name, changes: ["added"], new: placeOf(leaf) });
      return;
    }
    removedUpTo(i);
    const was = before[i]!;
    const what = changesOf(was, leaf);
    if (what.length === 0) return;
    const { confidence } = pairs.get(i)!;
    changes.push({
      name: leaf.name,
      changes: what,
      old: placeOf(was),
      new: placeOf(leaf),
      ...(confidence !== undefined && { confidence }),
    });
  });
  removedUpTo(before.length);
  return changes;
}

interface Partner {
  /** Index of the new member. */
  readonly at: number;
  /** Of a guess. */
  readonly confidence?: number;
}

/** Old members by index, with the new one of each: by name, and what is left by guesses. */
function pairUp(before: readonly Leaf[], after: readonly Leaf[]): Map<number, Partner> {
  const pairs = new Map<number, Partner>();
  const byName = new Map<string, number[]>();
  after.forEach(({ name }, at) => {
    const list = byName.get(name);
    if (list) list.push(at);
    else byName.set(name, [at]);
  });
  for (const list of byName.values()) list.reverse();
  before.forEach(({ name }, i) => {
    const at = byName.get(name)?.pop();
    if (at !== undefined) pairs.set(i, { at });
  });
  const gone = [...before.keys()].filter((i) => !pairs.has(i));
  const fresh = [...byName.values()].flat().sort((a, b) => a - b);
  for (const { i, at, confidence } of guesses(before, after, pairs, gone, fresh)) pairs.set(i, { at, confidence });
  return pairs;
}

/** Below this a guess is not made. */
const LEAST = 0.5;
/** Pairs that are looked at; a struct that has changed more has no members that were merely renamed. */
const PAIRS = 1 << 14;

/** Guesses which of the members that are gone live on by another name: the surest first, each member once. */
function guesses(
  before: readonly Leaf[],
  after: readonly Leaf[],
  pairs: ReadonlyMap<number, Partner>,
  gone: readonly number[],
  fresh: readonly number[],
): { i: number; at: number; confidence: number }[] {
  if (gone.length * fresh.length > PAIRS) return [];
  const candidates: { i: number; at: number; confidence: number }[] = [];
  for (const i of gone) {
    for (const at of fresh) {
      const confidence = confidenceOf(before, after, pairs, i, at);
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
function confidenceOf(
  before: readonly Leaf[],
  after: readonly Leaf[],
  pairs: ReadonlyMap<number, Partner>,
  i: number,
  at: number,
): number {
  const [old, now] = [before[i]!, after[at]!];
  const isSameType = isSameReference(old.member.type, now.member.type);
  const isSameSize = bitSizeOf(old.member) === bitSizeOf(now.member);
  const alike = likeness(old.name, now.name);
  // Neighbours say where a member stands even if all in front of it has grown.
  const inFront = i === 0 ? at === 0 : pairs.get(i - 1)?.at === at - 1;
  const behind = i === before.length - 1 ? at === after.length - 1 : pairs.get(i + 1)?.at === at + 1;
  const place = (inFront ? 0.5 : 0) + (behind ? 0.5 : 0);
  const kind = isSameType ? 1 : isSameSize ? 0.4 : 0;
  const sum = 0.35 * kind + 0.4 * alike + 0.25 * place;
  // Neither a like name nor the same place: another member of the same type.
  return alike < 0.3 && place < 1 ? 0 : Math.round(sum * 100) / 100;
}
