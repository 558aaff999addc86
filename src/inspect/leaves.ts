/** Members of a struct as C sees them: those of anonymous structs and unions are its own. */

import { resolve } from "../btf/query/resolve.js";
import { type Composite, isComposite } from "../btf/traverse.js";
import type { Member } from "../btf/types.js";
import { BtfError } from "../errors/error.js";

/** A member, also of anonymous structs and unions inside. */
export interface Leaf {
  readonly name: string;
  readonly member: Member;
  readonly bitOffset: number;
}

/** Anonymous structs and unions inside one another that are followed. */
export const NESTING = 32;
/** Members that are looked at in all, anonymous ones too: these may hold one another many times, and nothing else. */
export const MOST_MEMBERS = 1 << 16;

/** Returns the members of a struct or union, those of anonymous ones in the place of these. */
export function leavesOf(type: Composite): Leaf[] {
  const leaves: Leaf[] = [];
  collect(type, 0, leaves, 0, { left: MOST_MEMBERS });
  return leaves;
}

function collect(type: Composite, start: number, leaves: Leaf[], depth: number, budget: { left: number }): void {
  for (const member of type.members) {
    if (budget.left-- <= 0) return;
    const bitOffset = start + member.bitOffset;
    const inner = member.name ? undefined : attempt(() => resolve(member.type));
    if (inner && isComposite(inner) && depth < NESTING) collect(inner, bitOffset, leaves, depth + 1, budget);
    else leaves.push({ name: member.name, member, bitOffset });
  }
}

/** What a hostile image may refuse is left out. */
export function attempt<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof BtfError && error.code !== "ERR_INTERNAL") return undefined;
    throw error;
  }
}
