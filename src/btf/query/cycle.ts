/** Names the types of a loop that C cannot say. */
import type { Btf } from "../btf.js";
import { childIds, isComposite } from "../traverse.js";
import type { BtfType } from "../types.js";

/** Types in a row that are followed. */
const DEPTH = 500;
/** Types of a loop that are named. */
const NAMED = 8;

/** Returns the ids that a type's C text depends on: C does not name the index type of an array. */
function neededBy(type: BtfType): number[] {
  return type.kind === "array" ? [type.elementId] : childIds(type);
}

/**
 * The loop that `start` leads into, as `[5] typedef a -> [6] array -> [5]`;
 * `undefined` if there is none. Pointers to named structs and unions do not count.
 */
export function pathOfCycle(btf: Btf, start: number): string | undefined {
  const path: number[] = [];
  const closed = new Set<number>();
  const follow = (id: number, throughPointer: boolean): number[] | undefined => {
    const type = btf.get(id);
    if (!type || closed.has(id) || path.length > DEPTH) return undefined;
    const composite = isComposite(type);
    if (throughPointer && composite && type.name) return undefined;
    const at = path.indexOf(id);
    if (at >= 0) return [...path.slice(at), id];
    path.push(id);
    for (const next of neededBy(type)) {
      const loop = follow(next, type.kind === "ptr" || (throughPointer && !composite));
      if (loop) return loop;
    }
    path.pop();
    closed.add(id);
    return undefined;
  };
  const words = follow(start, false)?.map((id, i, { length }) =>
    i === length - 1 ? `[${id}]` : `[${id}] ${btf.kindAt(id)} ${btf.nameAt(id)}`.trim(),
  );
  if (words && words.length > NAMED) words.splice(NAMED, words.length - NAMED - 1, "…");
  return words?.join(" -> ");
}
