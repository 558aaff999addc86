/** Medians, and pairs of measurements taken in turns. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Measures two things in turns, A B A B …, and compares each A with the B next
 * to it: the machine's mood changes over seconds, and both meet the same one.
 * The first pair warms caches and is dropped. Without `theirs`, ours alone.
 */
export async function inTurns(rounds, ours, theirs) {
  const pairs = [];
  for (let round = 0; round <= rounds; round++) {
    const pair = [await ours(), await theirs?.()];
    if (round > 0) pairs.push(pair);
  }
  return pairs;
}

/** Figures of one case: medians, and the median of the ratios pair by pair. */
export function compare(pairs) {
  const ours = median(pairs.map(([a]) => a));
  if (pairs[0][1] === undefined) return { ours };
  return { ours, theirs: median(pairs.map(([, b]) => b)), ratio: median(pairs.map(([a, b]) => a / b)) };
}

/** Figures of one case as what A takes more than B. */
export function excess(pairs) {
  return { ours: median(pairs.map(([a, b]) => a - b)) };
}
