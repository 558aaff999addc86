/** How alike two names are, for guesses at what was renamed. */

/** Characters of a name that are compared. */
const LONGEST = 64;

/**
 * Returns from 0 to 1 how alike two names are: the words that they share, by `_` and digits, or the characters at their
 * ends, whichever says more. `state` and `__state` are the same words.
 */
export function likeness(a: string, b: string): number {
  if (a === b) return 1;
  if (!a || !b) return 0;
  return Math.max(sharedWords(a, b), sharedEnds(a.slice(0, LONGEST), b.slice(0, LONGEST)));
}

function wordsOf(name: string): string[] {
  return name
    .slice(0, LONGEST)
    .toLowerCase()
    .split(/[_\d]+/)
    .filter(Boolean);
}

function sharedWords(a: string, b: string): number {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  const rest = [...right];
  let shared = 0;
  for (const word of left) {
    const at = rest.indexOf(word);
    if (at < 0) continue;
    rest.splice(at, 1);
    shared += word.length;
  }
  const all = [...left, ...right].reduce((sum, { length }) => sum + length, 0);
  return all === 0 ? 0 : (2 * shared) / all;
}

function sharedEnds(a: string, b: string): number {
  const least = Math.min(a.length, b.length);
  let head = 0;
  while (head < least && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < least - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  return (2 * (head + tail)) / (a.length + b.length);
}
