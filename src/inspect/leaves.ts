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

/** Anonymous structs and unions inside one another, and members in all, that are listed. */
const NESTING = 32;
const LEAVES = 1 << 16;

/** Returns the members of a struct or union, those of anonymous ones in the place of these. */
export function leavesOf(type: Composite): Leaf[] {
  const leaves: Leaf[] = [];
  collect(type, 0, leaves, 0);
  return leaves;
}

function collect(type: Composite, start: number, leaves: Leaf[], depth: number): void {
  for (const member of type.members) {
    if (leaves.length >= LEAVES) return;
    const bitOffset = start + member.bitOffset;
    const inner = member.name ? undefined : attempt(() => resolve(member.type));
    if (inner && isComposite(inner) && depth < NESTING) collect(inner, bitOffset, leaves, depth + 1);
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
