/** Guesses at types that live on by another name. */

import { isComposite } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";
import { leavesOf } from "../leaves.js";
import { likeness } from "./alike.js";
import type { Place } from "./sides.js";
import type { Definition, RenamedDefinition } from "./types.js";

/** Below this a guess is not made. */
const LEAST = 0.6;
/** Names of members that this many new types have say nothing. */
const COMMON = 64;
/** Members that make a struct by themselves. */
const DISTINCT = 4;
/** Pairs of typedefs, functions and variables that are looked at for each that is gone. */
const CANDIDATES = 4096;

type Lone = Definition & Place;

/** Returns what was renamed, the surest guess for each, in the order of `removed`. */
export function guessRenames(removed: readonly Lone[], added: readonly Lone[]): RenamedDefinition[] {
  const byPart = new Map<string, Lone[]>();
  const parts = new Map<Lone, ReadonlySet<string>>();
  for (const one of added) {
    const names = partsOf(one);
    parts.set(one, names);
    for (const name of names) {
      const list = byPart.get(`${one.kind} ${name}`);
      if (list) list.push(one);
      else byPart.set(`${one.kind} ${name}`, [one]);
    }
  }
  const guesses: { from: Lone; to: Lone; confidence: number }[] = [];
  for (const from of removed) {
    const own = partsOf(from);
    const shared = new Map<Lone, number>();
    for (const name of own) {
      const list = byPart.get(`${from.kind} ${name}`) ?? [];
      if (list.length > COMMON) continue;
      for (const to of list) shared.set(to, (shared.get(to) ?? 0) + 1);
    }
    for (const [to, count] of [...shared].slice(0, CANDIDATES)) {
      const inCommon = (2 * count) / (own.size + parts.get(to)!.size);
      const alike = likeness(from.name, to.name);
      const confidence = Math.round((0.6 * inCommon + 0.4 * alike) * 100) / 100;
      // A few members in common are a coincidence unless the names are alike as well.
      if (confidence >= LEAST && (count >= DISTINCT || alike > 0.35)) guesses.push({ from, to, confidence });
    }
  }
  guesses.sort((a, b) => b.confidence - a.confidence);
  const [gone, taken] = [new Map<Lone, RenamedDefinition>(), new Set<Lone>()];
  for (const { from, to, confidence } of guesses) {
    if (gone.has(from) || taken.has(to)) continue;
    gone.set(from, { kind: from.kind, name: from.name, to: to.name, confidence });
    taken.add(to);
  }
  return removed.flatMap((one) => gone.get(one) ?? []);
}

/** What a definition is recognised by: names of members, or enumerators. */
function partsOf({ btf, id }: Lone): ReadonlySet<string> {
  const type: BtfType = btf.get(id)!;
  if (isComposite(type)) return new Set(leavesOf(type).map(({ name }) => name));
  if (type.kind === "enum" || type.kind === "enum64") return new Set(type.values.map(({ name }) => name));
  return new Set();
}
