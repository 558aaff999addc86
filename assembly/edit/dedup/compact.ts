// Keeps the type with the lowest id of each class, in the old order, with
// new ids in the records (libbpf's btf_dedup_compact_types, btf_dedup_remap_types).
import { TYPE_SIZE, TYPE_SIZE_OR_ID } from "../../format/generated/abi";
import { Type } from "../../format/image";
import { elementBytes, elementId, fixedBytes, fixedIds, get, Graph, recordAt, recordBytes, refers, set, shapeOf } from "./graph";

/** No type of the class has been met yet. */
const NONE: u32 = 0xffffffff;

/**
 * Writes the new id of each old one to `map` (a word an id). Returns how many
 * own types stay.
 */
export function assignIds(graph: Graph, map: usize): u32 {
  const classes = graph.classes;
  const stay = graph.touched;
  const alias = graph.alias;
  const firstId = graph.firstId;
  const idLimit = graph.idLimit;
  memory.fill(stay, 0xff, <usize>graph.classCount << 2);
  let next = firstId;
  for (let id: u32 = 0; id < idLimit; id++) {
    if (get(alias, id) != id) continue;
    const classId = get(classes, id);
    let stays = get(stay, classId);
    // The base stays as it is, equal types in it too.
    if (id < firstId) {
      set(map, id, id);
      if (stays == NONE) set(stay, classId, id);
      continue;
    }
    if (stays == NONE) {
      stays = next++;
      set(stay, classId, stays);
    }
    set(map, id, stays);
  }
  for (let id = firstId; id < idLimit; id++) if (get(alias, id) != id) set(map, id, get(map, get(alias, id)));
  return next - firstId;
}

/**
 * Moves the own records that stay to `out` (which may be where they start) and
 * rewrites their ids. Returns their length in bytes.
 */
export function compact(graph: Graph, map: usize, out: usize): u32 {
  const firstId = graph.firstId;
  const idLimit = graph.idLimit;
  const start = out;
  let next = firstId;
  for (let id = firstId; id < idLimit; id++) {
    if (get(map, id) != next || get(graph.alias, id) != id) continue;
    next++;
    const from = recordAt(graph, id);
    const info = changetype<Type>(from).info;
    const shape = shapeOf(info);
    const length = recordBytes(shape, info);
    // Whole steps of 8 downwards, each read before it is written: what is written too much has been copied.
    if (from != out) for (let i: u32 = 0; i < length; i += 8) store<u64>(out + i, load<u64>(from + i, 0, 4), 0, 4);
    if (refers(shape)) store<u32>(out, get(map, load<u32>(out, TYPE_SIZE_OR_ID)), TYPE_SIZE_OR_ID);
    let at = out + TYPE_SIZE;
    for (let i: u32 = 0; i < fixedIds(shape); i++) store<u32>(at + (i << 2), get(map, load<u32>(at + (i << 2))));
    at += fixedBytes(shape);
    const place = elementId(shape);
    const end = out + length;
    if (place) {
      const size = elementBytes(shape);
      for (at += place - 1; at < end; at += size) store<u32>(at, get(map, load<u32>(at)));
    }
    out = end;
  }
  return <u32>(out - start);
}
