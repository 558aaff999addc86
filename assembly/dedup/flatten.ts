// Records from several images, laid one behind the other: checked once more,
// counted, and moved to joined ids and strings.
import { ERR_TYPE_ID, ERR_UNKNOWN_KIND, TYPE_SIZE } from "../abi";
import { kindOf, Type, vlenOf } from "../image";
import { refuse } from "../status";
import { elementBytes, elementId, elementName, fixedBytes, fixedIds, Graph, isKnown, recordBytes, refers, shapeOf } from "./graph";

/**
 * Adds `idShift` to ids from `idFrom` on and `nameShift` to name offsets from
 * `nameFrom` on in the records of [at, end), whose kinds `measure` has not
 * checked yet: stops at the first that is unknown.
 */
export function shift(at: usize, end: usize, idFrom: u32, idShift: u32, nameFrom: u32, nameShift: u32): void {
  while (at < end) {
    const info = changetype<Type>(at).info;
    if (!isKnown(info)) return;
    const shape = shapeOf(info);
    const next = at + recordBytes(shape, info);
    shiftWord(at, nameFrom, nameShift);
    if (refers(shape)) shiftWord(at + 8, idFrom, idShift);
    at += TYPE_SIZE;
    for (let i: u32 = 0; i < fixedIds(shape); i++) shiftWord(at + (i << 2), idFrom, idShift);
    at += fixedBytes(shape);
    const size = elementBytes(shape);
    if (size) {
      const name = elementName(shape);
      const id = elementId(shape);
      for (; at < next; at += size) {
        if (name) shiftWord(at + name - 1, nameFrom, nameShift);
        if (id) shiftWord(at + id - 1, idFrom, idShift);
      }
    }
    at = next;
  }
}

// @ts-ignore: decorator
@inline
function shiftWord(at: usize, from: u32, by: u32): void {
  const value = load<u32>(at);
  if (value >= from) store<u32>(at, value + by);
}

/**
 * Checks that each kind is known and each id exists (libbpf leaves a
 * FUNC_PROTO's return type unchecked). Returns how many ids the records hold,
 * or a refusal.
 */
export function measure(graph: Graph): i32 {
  const end = graph.types + graph.typesLength;
  const limit = graph.idLimit;
  let edges: u32 = 0;
  let id: u32 = 1;
  for (let at = graph.types; at < end; id++) {
    const info = changetype<Type>(at).info;
    if (!isKnown(info)) return refuse(ERR_UNKNOWN_KIND, <u32>(at - graph.types), id, kindOf(info));
    const shape = shapeOf(info);
    if (refers(shape)) {
      if (changetype<Type>(at).size >= limit) {
        return refuse(ERR_TYPE_ID, <u32>(at - graph.types) + 8, id, changetype<Type>(at).size);
      }
      edges++;
    }
    edges += fixedIds(shape);
    if (elementId(shape)) edges += vlenOf(info);
    at += recordBytes(shape, info);
  }
  return edges;
}
