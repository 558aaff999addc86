// Chooses what the declarations of ambiguous names stand for. A choice is
// made, classes are refined, and the choice is judged by them: its witness must
// still be equal to the other. Where it is not the next best is tried, from the
// classes with opaque names again; where none is left, declarations stand for
// themselves, which only tells more apart, so that refining goes on (those of
// enums for the definition that libbpf comes to).
//
// A declaration that stands for another type is its shadow: it has its class,
// and counts as none of its members.
import { KIND_ENUM } from "../../format/generated/abi";
import {
  JUDGE_CHOOSE, JUDGE_RETRACT_ALL, JUDGED_HOLDS, JUDGED_REFINE, JUDGED_SETTLE, NAMED_SIZE,
} from "../../format/generated/edit-abi"; // prettier-ignore
import { found, markParents } from "./classes";
import { UNRESOLVED, entryAt, entryOfId, Forward, RETRACTED, Named, AMBIGUOUS, RESOLVED_DECLARATION, RESOLUTION } from "./forward";
import { get, Graph, groupAt, set, set64 } from "./graph";

/**
 * The definition that may be chosen and agrees best with what was chosen
 * before, and of these the one with the most votes; 0 if there is none.
 */
function best(entry: Forward, partners: usize): usize {
  let most: usize = 0;
  let votes: u64 = 0;
  for (let at = entry.definitions; at; at = changetype<Named>(at).next) {
    const named = changetype<Named>(at);
    if (!named.witness) continue;
    const partner = get(partners, named.witness);
    const agrees: u64 = partner ? (partner == named.other ? 2 : 0) : 1;
    const rank = (agrees << 32) | named.votes;
    if (most && rank <= votes) continue;
    most = at;
    votes = rank;
  }
  return most;
}

/**
 * Chooses for each name that has none. A witness may ask for several names, of
 * which it is equal to another type only if all are that type's: `partners`,
 * a zeroed word an id, keeps the others that witnesses were promised.
 */
export function choose(graph: Graph, kept: usize, count: u32, partners: usize): void {
  for (const end = kept + <usize>count * NAMED_SIZE; kept < end; kept += NAMED_SIZE) {
    const entry = entryOfId(graph, changetype<Named>(kept).id);
    // Once a name, with its first declaration.
    if (entry.declarations != kept || entry.state != AMBIGUOUS || entry.chosen) continue;
    const most = best(entry, partners);
    if (most) {
      const named = changetype<Named>(most);
      entry.chosen = named.id;
      if (!get(partners, named.witness)) set(partners, named.witness, named.other);
    } else if (!entry.unlike) entry.chosen = entry.definition;
    else if (entry.kind == KIND_ENUM) {
      entry.state = UNRESOLVED;
      entry.chosen = entry.latest;
    }
  }
}

/**
 * Goes on from the classes in which names were opaque: gives the `count` types
 * at `kept` their shapes back, lets declarations stand for what is chosen, and
 * their classes, and they alone, are to be looked at.
 */
export function settle(graph: Graph, kept: usize, count: u32): void {
  const opaque = graph.opaque;
  const end = kept + <usize>count * NAMED_SIZE;
  memory.fill(opaque, 0, graph.idLimit);
  for (let at = kept; at < end; at += NAMED_SIZE) set64(graph.shape, changetype<Named>(at).id, changetype<Named>(at).shape);
  for (let slot: u32 = 0; slot <= graph.forwardMask; slot++) {
    const entry = entryAt(graph, slot);
    if (entry.state && entry.chosen) standFor(graph, entry);
  }
  graph.touchedCount = 0;
  for (let at = kept; at < end; at += NAMED_SIZE) {
    const id = changetype<Named>(at).id;
    const classId = get(graph.classes, id);
    const group = groupAt(graph, classId);
    if (!group.marks) set(graph.touched, graph.touchedCount++, classId);
    if (load<u8>(opaque + id) & RESOLVED_DECLARATION) {
      // Its place is the first behind the members.
      const last = group.start + --group.length;
      const other = get(graph.members, last);
      const place = get(graph.places, id);
      set(graph.members, place, other);
      set(graph.places, other, place);
      set(graph.members, last, id);
      set(graph.places, id, last);
    }
    group.frozen = 0;
    group.marks = group.length;
  }
}

/** Own declarations of a name stand for the type that is chosen. */
function standFor(graph: Graph, entry: Forward): void {
  const chosen = entry.chosen;
  for (let at = entry.declarations; at; at = changetype<Named>(at).next) {
    const id = changetype<Named>(at).id;
    if (id < graph.firstId) continue;
    set(graph.alias, id, chosen);
    if (id == chosen) continue;
    store<u8>(graph.opaque + id, RESOLVED_DECLARATION);
    store<u8>(graph.opaque + chosen, RESOLUTION);
  }
}

/** Tells whether a choice holds by the classes that followed from it: all definitions are in the same class, or the witness equals its other. */
function holds(graph: Graph, entry: Forward): bool {
  const classes = graph.classes;
  const classId = get(classes, entry.chosen);
  let same = true;
  let witnessed = false;
  for (let at = entry.definitions; at; at = changetype<Named>(at).next) {
    const named = changetype<Named>(at);
    if (get(classes, named.id) != classId) same = false;
    if (named.id == entry.chosen && named.witness) witnessed = get(classes, named.witness) == get(classes, named.other);
  }
  return same || witnessed;
}

/**
 * Judges the choices of declarations; `mode` (JUDGE_CHOOSE and so on) says what
 * to do with those that do not hold. Returns JUDGED_HOLDS; JUDGED_REFINE if some
 * declarations stand for themselves now, so that classes have to be refined; or
 * JUDGED_SETTLE if some have another choice: the host restores the classes in
 * which names were opaque and calls `choose` again.
 */
export function judgeForwards(graph: Graph, mode: u32): u32 {
  let answer: u32 = JUDGED_HOLDS;
  for (let slot: u32 = 0; slot <= graph.forwardMask; slot++) {
    const entry = entryAt(graph, slot);
    if (entry.state != AMBIGUOUS || !entry.chosen || (mode != JUDGE_RETRACT_ALL && holds(graph, entry))) continue;
    let others = false;
    for (let at = entry.definitions; at; at = changetype<Named>(at).next) {
      const named = changetype<Named>(at);
      if (named.id == entry.chosen) named.witness = 0;
      else if (named.witness) others = true;
    }
    if (others && mode == JUDGE_CHOOSE) {
      entry.chosen = 0;
      answer = JUDGED_SETTLE;
    } else if (entry.kind == KIND_ENUM) {
      // libbpf resolves these by their name alone.
      entry.state = UNRESOLVED;
      entry.chosen = entry.latest;
      answer = JUDGED_SETTLE;
    } else {
      entry.state = RETRACTED;
      entry.chosen = entry.declaration;
      answer = max(answer, JUDGED_REFINE);
    }
  }
  for (let slot: u32 = 0; slot <= graph.forwardMask; slot++) {
    const entry = entryAt(graph, slot);
    if (entry.state != RETRACTED) continue;
    entry.state = UNRESOLVED;
    if (answer == JUDGED_REFINE) standAlone(graph, entry);
  }
  return answer;
}

/** Shadows of a definition become shadows of their first declaration, which gets a class of its own if it was one. */
function standAlone(graph: Graph, entry: Forward): void {
  const first = entry.chosen;
  standFor(graph, entry);
  if (first >= graph.firstId) {
    store<u8>(graph.opaque + first, RESOLUTION);
    found(graph, get(graph.places, first), 1);
  }
  const classId = get(graph.classes, first);
  for (let at = entry.declarations; at; at = changetype<Named>(at).next) {
    const id = changetype<Named>(at).id;
    if (id < graph.firstId) continue;
    set(graph.classes, id, classId);
    markParents(graph, id);
  }
}
