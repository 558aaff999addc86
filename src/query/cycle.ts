/** Names the types of a loop that C cannot say. */
import type { Btf } from "../btf.js";
import type { BtfType } from "../model/types.js";

/** Types looked at before the search is given up. */
const LOOKED_AT = 100_000;
/** Types of a loop that are named. */
const NAMED = 8;

/** Ids that a type's C text depends on, other than by a forward declaration. */
function neededBy(type: BtfType): number[] {
  switch (type.kind) {
    case "ptr":
    case "typedef":
    case "const":
    case "volatile":
    case "restrict":
    case "type_tag":
      return [type.targetId];
    case "array":
      return [type.elementId];
    case "struct":
    case "union":
      return type.members.map(({ typeId }) => typeId);
    case "func_proto":
      return [type.returnTypeId, ...type.params.map(({ typeId }) => typeId)];
    default:
      return [];
  }
}

/**
 * The loop that `start` leads into, as `[5] typedef a -> [6] array -> [5]`;
 * `undefined` if there is none. Pointers to named structs and unions do not count.
 */
export function pathOfCycle(btf: Btf, start: number): string | undefined {
  const open = new Map<number, { left: number[]; throughPointer: boolean }>();
  const closed = new Set<number>();
  const path: number[] = [];
  const enter = (id: number, throughPointer: boolean): void => {
    const type = btf.get(id);
    if (!type) return;
    open.set(id, { left: neededBy(type), throughPointer: throughPointer || type.kind === "ptr" });
    path.push(id);
  };
  enter(start, false);
  while (path.length > 0 && closed.size < LOOKED_AT) {
    const id = path.at(-1)!;
    const { left, throughPointer } = open.get(id)!;
    const next = left.pop();
    if (next === undefined) {
      path.pop();
      open.delete(id);
      closed.add(id);
      continue;
    }
    const type = btf.get(next);
    if (!type || closed.has(next)) continue;
    if (throughPointer && (type.kind === "struct" || type.kind === "union") && type.name) continue;
    if (open.has(next)) return describe(btf, [...path.slice(path.indexOf(next)), next]);
    enter(next, throughPointer && type.kind !== "struct" && type.kind !== "union");
  }
  return undefined;
}

function describe(btf: Btf, ids: readonly number[]): string {
  const words = ids.map((id, i) => {
    const name = btf.nameAt(id);
    return i === ids.length - 1 ? `[${id}]` : `[${id}] ${btf.kindAt(id)}${name ? ` ${name}` : ""}`;
  });
  const shown = words.length > NAMED + 1 ? [...words.slice(0, NAMED), "…", words.at(-1)!] : words;
  return shown.join(" -> ");
}
