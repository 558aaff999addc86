// What a type is by itself (its shape), and what it is with what it refers to,
// a few steps deep: the hashes by which classes of equal types begin.
import { KIND_ARRAY, KIND_DATASEC, KIND_DECL_TAG, KIND_ENUM, KIND_ENUM64, KIND_FUNC_PROTO, KIND_INT, KIND_STRUCT, KIND_UNION, KIND_VAR, TYPE_SIZE } from "../abi";
import { kindOf, Type, vlenOf } from "../image";
import {
  elementBytes, elementId, elementName, fixedBytes, fixedIds, get, get64, Graph, mixed, recordAt, recordBytes, refers, set, set64, shapeOf,
} from "./graph"; // prettier-ignore
import { OPAQUE } from "./forward";
import { nameOf } from "./strings";

/** A pair of words as one. */
// @ts-ignore: decorator
@inline
function pair(high: u32, low: u32): u64 {
  return (<u64>high << 32) | low;
}

/**
 * Notes where each record starts, gives its names their new offsets, and
 * hashes everything in it but the ids. With `single` a VAR or DATASEC is like
 * no other: libbpf never merges them. Returns the bytes of the strings that come out.
 */
export function hashShapes(graph: Graph, single: bool): u32 {
  const types = graph.types;
  const end = types + graph.typesLength;
  const offsets = graph.offsets;
  const shape = graph.shape;
  const seed = graph.seed;
  set64(shape, 0, seed);
  set(offsets, 0, 0);
  let id: u32 = 1;
  for (let at = types; at < end; id++) {
    set(offsets, id, <u32>(at - types));
    const type = changetype<Type>(at);
    const info = type.info;
    const name = nameOf(graph, type.nameOff);
    type.nameOff = name;
    let hash = mixed(seed, pair(name, info));
    at += TYPE_SIZE;
    switch (kindOf(info)) {
      case KIND_INT:
        hash = mixed(hash, pair(type.size, load<u32>(at)));
        at += 4;
        break;
      case KIND_ARRAY:
        hash = mixed(hash, pair(type.size, load<u32>(at, 8)));
        at += 12;
        break;
      case KIND_STRUCT:
      case KIND_UNION:
        hash = mixed(hash, type.size);
        for (const last = at + vlenOf(info) * 12; at < last; at += 12) {
          const member = nameOf(graph, load<u32>(at));
          store<u32>(at, member);
          hash = mixed(hash, pair(member, load<u32>(at, 8)));
        }
        break;
      case KIND_ENUM:
        hash = mixed(hash, type.size);
        for (const last = at + vlenOf(info) * 8; at < last; at += 8) {
          const label = nameOf(graph, load<u32>(at));
          store<u32>(at, label);
          hash = mixed(hash, pair(label, load<u32>(at, 4)));
        }
        break;
      case KIND_ENUM64:
        hash = mixed(hash, type.size);
        for (const last = at + vlenOf(info) * 12; at < last; at += 12) {
          const label = nameOf(graph, load<u32>(at));
          store<u32>(at, label);
          hash = mixed(mixed(hash, label), load<u64>(at, 4, 4));
        }
        break;
      case KIND_FUNC_PROTO:
        for (const last = at + vlenOf(info) * 8; at < last; at += 8) {
          const param = nameOf(graph, load<u32>(at));
          store<u32>(at, param);
          hash = mixed(hash, param);
        }
        break;
      case KIND_VAR:
        hash = mixed(hash, single ? id : load<u32>(at));
        at += 4;
        break;
      case KIND_DATASEC:
        hash = mixed(hash, single ? id : type.size);
        for (const last = at + vlenOf(info) * 12; at < last; at += 12) hash = mixed(hash, load<u64>(at, 4, 4));
        break;
      case KIND_DECL_TAG:
        hash = mixed(hash, load<u32>(at));
        at += 4;
        break;
      default:
        // FWD and FLOAT have a size here, all others an id.
        if (!refers(shapeOf(info))) hash = mixed(hash, type.size);
    }
    set64(shape, id, hash);
  }
  return graph.outLength;
}

/**
 * Lists the ids that each record refers to; none for an opaque one. In own
 * records a forward declaration stands for its definition.
 */
export function link(graph: Graph): void {
  const edges = graph.edges;
  const edgeStart = graph.edgeStart;
  const alias = graph.alias;
  const firstId = graph.firstId;
  const idLimit = graph.idLimit;
  let count: u32 = 0;
  set(edgeStart, 0, 0);
  for (let id: u32 = 1; id < idLimit; id++) {
    set(edgeStart, id, count);
    if (load<u8>(graph.opaque + id) & OPAQUE) continue;
    const own = id >= firstId;
    let at = recordAt(graph, id);
    const info = changetype<Type>(at).info;
    const shape = shapeOf(info);
    if (refers(shape)) {
      const to = changetype<Type>(at).size;
      set(edges, count++, own ? get(alias, to) : to);
    }
    const ids = fixedIds(shape);
    for (let i: u32 = 0; i < ids; i++) {
      const to = load<u32>(at + (i << 2), TYPE_SIZE);
      set(edges, count++, own ? get(alias, to) : to);
    }
    const place = elementId(shape);
    if (place) {
      const size = elementBytes(shape);
      const end = at + recordBytes(shape, info);
      for (at += TYPE_SIZE + place - 1; at < end; at += size) {
        const to = load<u32>(at);
        set(edges, count++, own ? get(alias, to) : to);
      }
    }
  }
  set(edgeStart, idLimit, count);
}

/** From `from` to `to`: each type's shape with the hashes of what it refers to. */
function hashRound(graph: Graph, from: usize, to: usize): void {
  const edges = graph.edges;
  const edgeStart = graph.edgeStart;
  const shape = graph.shape;
  const idLimit = graph.idLimit;
  set64(to, 0, get64(from, 0));
  let edge = edges;
  for (let id: u32 = 1; id < idLimit; id++) {
    let hash = get64(shape, id);
    const end = edges + (<usize>get(edgeStart, id + 1) << 2);
    for (; edge < end; edge += 4) hash = mixed(hash, get64(from, load<u32>(edge)));
    set64(to, id, hash);
  }
}

/**
 * Hashes types with what lies up to 2 × `pairs` + 1 references away. A round
 * reads the hashes of the round before alone: what comes out depends on what a
 * type is, not on where it stands.
 */
export function hashTypes(graph: Graph, pairs: u32): void {
  hashRound(graph, graph.shape, graph.hash);
  for (; pairs > 0; pairs--) {
    hashRound(graph, graph.hash, graph.otherHash);
    hashRound(graph, graph.otherHash, graph.hash);
  }
}
