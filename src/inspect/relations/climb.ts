/** From a type up to the structs and functions that have it. */

import type { Btf } from "../../btf/btf.js";
import {
  KIND_ARRAY,
  KIND_CONST,
  KIND_FUNC,
  KIND_FUNC_PROTO,
  KIND_PTR,
  KIND_RESTRICT,
  KIND_STRUCT,
  KIND_TYPE_TAG,
  KIND_TYPEDEF,
  KIND_UNION,
  KIND_VOLATILE,
  VLEN_MASK,
} from "../../memory/generated/abi.js";
import type { ReverseGraph } from "./graph.js";

/**
 * How a type is held. `embeds`: by value, arrays of it too. `embeds-deep`: also inside of what is embedded. `points-to`:
 * through one or more pointers. `takes` and `returns`: by a function, by value or through pointers.
 */
export type Relation = "embeds" | "embeds-deep" | "points-to" | "takes" | "returns";

/** What has been met on the way up: nothing, a pointer, or a struct without a name that belongs to the next one. */
const PLAIN = 0;
const POINTER = 1;
const INSIDE = 2;
const STATES = 3;

/** What ids were met from some seeds, by state. Kept by the graph of a base, whose splits go on from there. */
export interface Climb {
  /** id * 3 + state, in the order in which they were met. */
  readonly met: number[];
  /** Ids of structs, unions, typedefs of such without a name, and functions. */
  readonly found: number[];
}

/** Kinds and names of the types of a chain of images. */
export interface TypeFacts {
  kind(id: number): number;
  isNamed(id: number): boolean;
  /** Whether a FUNC_PROTO returns a type rather than takes it; it may do both. */
  returns(proto: number, id: number): boolean;
  takes(proto: number, id: number): boolean;
  /** Whether the memory that it reads has been replaced. */
  stale(): boolean;
}

/** Climbs in one image from `seeds`, and from what was met in its base. */
export function climb(
  { lowest, starts, referrers }: ReverseGraph,
  facts: TypeFacts,
  relation: Relation,
  seeds: readonly number[],
  base: readonly number[],
): Climb {
  const met: number[] = [];
  const found = new Set<number>();
  const seen = new Set<number>(base);
  const queue: number[] = [...base];
  const push = (id: number, state: number): void => {
    const node = id * STATES + state;
    if (seen.has(node)) return;
    seen.add(node);
    queue.push(node);
    met.push(node);
  };
  for (const id of seeds) push(id, PLAIN);
  for (let i = 0; i < queue.length; i++) {
    const id = Math.floor(queue[i]! / STATES);
    const state = queue[i]! % STATES;
    if (id < lowest || id - lowest >= starts.length - 1) continue;
    for (let at = starts[id - lowest]!; at < starts[id - lowest + 1]!; at++) {
      const up = referrers[at]!;
      visit(up, facts.kind(up), id, state);
    }
  }
  return { met, found: [...found].sort((a, b) => a - b) };

  function visit(up: number, kind: number, from: number, state: number): void {
    switch (kind) {
      case KIND_TYPEDEF:
        // A struct without a name is known by its typedef.
        if (state === INSIDE && !facts.isNamed(from) && isComposite(facts.kind(from))) {
          found.add(up);
          if (relation !== "embeds-deep") return;
          push(up, PLAIN);
          return;
        }
        push(up, state);
        return;
      case KIND_VOLATILE:
      case KIND_CONST:
      case KIND_RESTRICT:
      case KIND_TYPE_TAG:
      case KIND_ARRAY:
        push(up, state);
        return;
      case KIND_PTR:
        if (state !== INSIDE && relation !== "embeds" && relation !== "embeds-deep") push(up, POINTER);
        return;
      case KIND_STRUCT:
      case KIND_UNION:
        if (relation === "takes" || relation === "returns") return;
        if (relation === "points-to" && state === PLAIN) return;
        if (!facts.isNamed(up)) {
          push(up, INSIDE);
          return;
        }
        found.add(up);
        if (relation === "embeds-deep") push(up, PLAIN);
        return;
      case KIND_FUNC_PROTO:
        if (relation === "takes" ? facts.takes(up, from) : relation === "returns" && facts.returns(up, from)) {
          push(up, INSIDE);
        }
        return;
      case KIND_FUNC:
        if (relation === "takes" || relation === "returns") found.add(up);
    }
  }
}

function isComposite(kind: number): boolean {
  return kind === KIND_STRUCT || kind === KIND_UNION;
}

/** Reads kinds and names of the types that a Btf and its bases have. */
export function factsOf(btf: Btf): TypeFacts {
  const base = btf.base && factsOf(btf.base);
  const { firstId, kinds, view, arena } = btf.image;
  const record = (id: number): number => btf.image.record(id);
  const own = (id: number): boolean => id >= firstId;
  const facts: TypeFacts = {
    kind: (id) => (own(id) ? kinds[id - firstId]! : id === 0 || !base ? 0 : base.kind(id)),
    isNamed: (id) => (own(id) ? view.getUint32(record(id), true) !== 0 : (base?.isNamed(id) ?? true)),
    returns: (proto, id) =>
      own(proto) ? view.getUint32(record(proto) + 8, true) === id : (base?.returns(proto, id) ?? false),
    takes: (proto, id) => {
      if (!own(proto)) return base?.takes(proto, id) ?? false;
      const at = record(proto);
      const vlen = view.getUint32(at + 4, true) & VLEN_MASK;
      for (let i = 0; i < vlen; i++) if (view.getUint32(at + 16 + i * 8, true) === id) return true;
      return false;
    },
    stale: () => view !== arena.view,
  };
  return facts;
}
