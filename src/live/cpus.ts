/** Processors of this machine. */

import { attempt } from "../node/attempt.js";

const POSSIBLE = "/sys/devices/system/cpu/possible";

let count: number | undefined;

/**
 * Returns how many processors the kernel is prepared for: maps with a value for
 * each CPU have so many.
 *
 * Source: /sys/devices/system/cpu/possible, as libbpf_num_possible_cpus reads it.
 *
 * @throws BtfEnvironmentError ERR_FILE where it cannot be read: Deno wants --allow-all for it
 * @example
 * console.log(possibleCpus() > 0); // true
 */
export function possibleCpus(): number {
  if (count === undefined) {
    const { readFileSync } = process.getBuiltinModule("node:fs");
    count = countCpus(attempt(POSSIBLE, () => readFileSync(POSSIBLE, "utf8")));
  }
  return count;
}

/** Returns how many processors a list such as `0-3,8` names. */
export function countCpus(list: string): number {
  return list
    .trim()
    .split(",")
    .map((range) => range.split("-").map(Number) as [number, number?])
    .reduce((sum, [first, last = first]) => sum + last - first + 1, 0);
}
