/** Names that look like a mistyped one. */

/** Distance beyond which a name is no suggestion. */
const NEAR = 3;
/** Longer names are no typing mistakes, and hostile ones cost time. */
const LONGEST = 64;

/** Levenshtein distance, or `limit + 1` as soon as it passes `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const value = Math.min(change, row[j]! + 1, next[j - 1]! + 1);
      next.push(value);
      least = Math.min(least, value);
    }
    if (least > limit) return limit + 1;
    row = next;
  }
  return row[b.length]!;
}

/** Up to three of `names` that are nearest to `name`, nearest first. */
export function nearest(name: string, names: Iterable<string>): string[] {
  if (name.length > LONGEST) return [];
  const limit = Math.min(NEAR, Math.max(1, Math.floor(name.length / 3)));
  const hits = new Map<string, number>();
  for (const candidate of names) {
    if (!candidate || candidate.length > LONGEST || hits.has(candidate)) continue;
    const apart = distance(name.toLowerCase(), candidate.toLowerCase(), limit);
    if (apart <= limit) hits.set(candidate, apart);
  }
  return [...hits]
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
    .slice(0, 3)
    .map(([candidate]) => candidate);
}
