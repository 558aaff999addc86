import { KINDS } from "./generated/kinds.js";

export { KINDS };

/** A kind's name. `"void"` is id 0 alone; `"unknown"` is a kind that only a layout section describes. */
export type Kind = (typeof KINDS)[number] | "unknown";

/** Number of a kind, or -1. */
export function kindNumber(kind: Kind): number {
  return (KINDS as readonly string[]).indexOf(kind);
}

/** Name of the kind of a type record (never of void). */
export function kindName(number: number): Kind {
  return number === 0 ? "unknown" : (KINDS[number] ?? "unknown");
}
