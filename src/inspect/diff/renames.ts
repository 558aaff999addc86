/** Guesses at types that live on by another name. */

import { likeness } from "./alike.js";
import type { Recorded } from "./records.js";
import type { Definition, DefinitionKind, RenamedDefinition } from "./types.js";

/** Below this a guess is not made. */
const LEAST = 0.6;
/** Names of members that this many new types have say nothing. */
const COMMON = 64;
/** Members that make a struct by themselves. */
const DISTINCT = 4;
/** Pairs of definitions that are looked at for each that is gone. */
const CANDIDATES = 4096;

/** A definition that one side alone has. */
export type Lone = Definition & Recorded;

/** What a definition is recognised by: the numbers of names of members, or enumerators, each once. */
function partsOf({ records, id }: Lone): ReadonlySet<number> {
  return new Set(records.partNames(id));
}

/** Which definitions have a part, by the number of its name. */
class Index {
  readonly #owners = new Map<DefinitionKind, Map<number, number[]>>();

  add(kind: DefinitionKind, parts: ReadonlySet<number>, owner: number): void {
    let lists = this.#owners.get(kind);
    if (!lists) {
      lists = new Map();
      this.#owners.set(kind, lists);
    }
    for (const part of parts) {
      const list = lists.get(part);
      if (!list) lists.set(part, [owner]);
      // One more than is listed says that there are too many.
      else if (list.length <= COMMON) list.push(owner);
    }
  }

  /** How many of the parts each definition has that has some of them, but for parts that many have. */
  shared(kind: DefinitionKind, parts: ReadonlySet<number>): Map<number, number> {
    const counts = new Map<number, number>();
    const lists = this.#owners.get(kind);
    for (const part of parts) {
      const list = lists?.get(part);
      if (!list || list.length > COMMON) continue;
      for (const owner of list) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    return counts;
  }
}

/** Returns what was renamed, the surest guess for each, in the order of `removed`. */
export function guessRenames(removed: readonly Lone[], added: readonly Lone[]): RenamedDefinition[] {
  if (removed.length === 0) return [];
  const index = new Index();
  const sizes = added.map((one, owner) => {
    const parts = partsOf(one);
    index.add(one.kind, parts, owner);
    return parts.size;
  });
  const guesses: { from: Lone; to: Lone; confidence: number }[] = [];
  for (const from of removed) {
    const own = partsOf(from);
    let left = CANDIDATES;
    for (const [owner, count] of index.shared(from.kind, own)) {
      if (left-- === 0) break;
      const inCommon = (2 * count) / (own.size + sizes[owner]!);
      // Not even the same name would be enough.
      if (0.6 * inCommon + 0.4 < LEAST - 0.01) continue;
      const to = added[owner]!;
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
