// References that lead back to where they started without passing a struct or
// union: no C type is like that, and libbpf refuses it (ELOOP in
// btf_dedup_ref_type).
import { ERR_REFERENCE_LOOP } from "../../format/generated/edit-abi";
import { refuse } from "../../format/status";
import { get, Graph, set } from "./graph";

const OPEN: u8 = 1;
const DONE: u8 = 2;

/**
 * Looks for a circle of references through kinds of which `kinds` has the bit
 * alone. `states` holds a zeroed byte an id, `stack` and `next` a word an id.
 * Returns 0, or a refusal with a type on the circle.
 */
export function findLoop(graph: Graph, kinds: u32, states: usize, stack: usize, next: usize): i32 {
  const edges = graph.edges;
  const edgeStart = graph.edgeStart;
  const idLimit = graph.idLimit;
  const firstId = graph.firstId;
  for (let start = firstId; start < idLimit; start++) {
    // A circle has a reference from an id to one that is not below it: others need not be started from.
    if (load<u8>(states + start) || !follows(graph, start, kinds) || !refersUp(graph, start, kinds)) continue;
    let depth: u32 = 0;
    set(stack, 0, start);
    set(next, 0, get(edgeStart, start));
    store<u8>(states + start, OPEN);
    for (;;) {
      const id = get(stack, depth);
      const edge = get(next, depth);
      if (edge == get(edgeStart, id + 1)) {
        store<u8>(states + id, DONE);
        if (!depth) break;
        depth--;
        continue;
      }
      set(next, depth, edge + 1);
      const to = get(edges, edge);
      const state = load<u8>(states + to);
      if (state == OPEN) return refuse(ERR_REFERENCE_LOOP, get(graph.offsets, to), to, id);
      if (state == DONE || to < firstId || !follows(graph, to, kinds)) continue;
      store<u8>(states + to, OPEN);
      depth++;
      set(stack, depth, to);
      set(next, depth, get(edgeStart, to));
    }
  }
  return 0;
}

function refersUp(graph: Graph, id: u32, kinds: u32): bool {
  const end = get(graph.edgeStart, id + 1);
  for (let edge = get(graph.edgeStart, id); edge < end; edge++) {
    const to = get(graph.edges, edge);
    if (to >= id && follows(graph, to, kinds)) return true;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function follows(graph: Graph, id: u32, kinds: u32): bool {
  return ((kinds >> load<u8>(graph.kinds + id)) & 1) != 0;
}
