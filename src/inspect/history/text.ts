/** Histories as a table. */

import type { MemberHistory, MemberState } from "./history.js";

/** Kernels in a row in which a member is the same. */
export interface Stretch {
  readonly first: string;
  readonly last: string;
  readonly state: MemberState;
}

/** Returns the kernels of a history, those in a row with the same state together. */
export function stretchesOf({ states }: MemberHistory): Stretch[] {
  const stretches: Stretch[] = [];
  for (const state of states) {
    const latest = stretches.at(-1);
    if (latest && isSame(latest.state, state)) stretches[stretches.length - 1] = { ...latest, last: state.kernel };
    else stretches.push({ first: state.kernel, last: state.kernel, state });
  }
  return stretches;
}

function isSame(a: MemberState, b: MemberState): boolean {
  return a.state === b.state && a.bitOffset === b.bitOffset && a.bitSize === b.bitSize && a.type === b.type;
}

/** An offset or size in bytes, with bits behind a colon. */
export function bytesText(bits: number | undefined): string {
  if (bits === undefined) return "?";
  return bits % 8 === 0 ? String(bits / 8) : `${Math.floor(bits / 8)}:${bits % 8}`;
}

/**
 * Returns histories as tables: a line for each stretch of kernels in which a member stays as it is, with offset and size
 * in bytes.
 *
 * @example
 * const [pid] = history(["task_struct.pid"], [{ name: "6.1.0-50", btfs: [btf] }]);
 * console.log(historyText([pid!]).split("\n")[2]?.trim()); // 6.1.0-50  2416    4     pid_t
 */
export function historyText(histories: readonly MemberHistory[]): string {
  return histories.map(tableOf).join("\n");
}

function tableOf(history: MemberHistory): string {
  const { member, since, until, movedTo } = history;
  const rows = [
    ["KERNELS", "OFFSET", "SIZE", "TYPE"],
    ...stretchesOf(history).map(({ first, last, state }) => [
      first === last ? first : `${first} to ${last}`,
      ...(state.state === "present"
        ? [bytesText(state.bitOffset), bytesText(state.bitSize), (state.type ?? "").replace(/\s+/g, " ")]
        : ["-", "-", state.state === "no-type" ? "(no such type)" : "(no such member)"]),
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd());
  const facts = [
    since === undefined ? "" : `since ${since}`,
    until === undefined ? "" : `until ${until}`,
    movedTo ? `moved to ${movedTo.path}? (${Math.round(movedTo.confidence * 100)}% sure)` : "",
  ].filter(Boolean);
  return `${[`${member}${facts.length > 0 ? `: ${facts.join(", ")}` : ""}`, ...lines].join("\n")}\n`;
}
