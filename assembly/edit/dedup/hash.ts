// Hashes types by themselves (their shape) and with the types that they refer to,
// a few steps deep: the hashes by which classes of equal types begin.
import {
  ARRAY_LENGTH, ENUMERATOR64_LOW, ENUMERATOR64_SIZE, ENUMERATOR_SIZE, ENUMERATOR_VALUE, KIND_ARRAY, KIND_DATASEC,
  KIND_ENUM, KIND_ENUM64, KIND_FUNC_PROTO, KIND_FWD, KIND_INT, KIND_STRUCT, KIND_UNION, KIND_VAR, MEMBER_OFFSET,
  MEMBER_SIZE, MEMBER_TYPE, PARAM_SIZE, PARAM_TYPE, SECTION_VARIABLE_OFFSET, SECTION_VARIABLE_SIZE,
  SECTION_VARIABLE_TYPE, TYPE_SIZE,
} from "../../format/generated/abi"; // prettier-ignore
import { NAMED_SIZE } from "../../format/generated/edit-abi";
import { kindOf, Type, vlenOf } from "../../format/image";
import { Named } from "./forward";
import { fixedBytes, get, get64, Graph, mixed, refers, set, set64, shapeOf } from "./graph";
import { nameOf } from "./strings";

/** Bits of kinds that declare or define something where they have a name. */
const ENUMS: u32 = (1 << KIND_ENUM) | (1 << KIND_ENUM64);
const BY_NAME: u32 = ENUMS | (1 << KIND_STRUCT) | (1 << KIND_UNION) | (1 << KIND_FWD);

/** A pair of words as one. */
// @ts-ignore: decorator
@inline
function pair(high: u32, low: u32): u64 {
  return (<u64>high << 32) | low;
}

/**
 * Notes where each record starts and what it refers to, gives its names their
 * new offsets, and hashes everything in it but the ids. Lists in `members` the
 * named types that declare or define something. With `single` a VAR or DATASEC
 * is like no other: libbpf never merges them.
 */
export function hashShapes(graph: Graph, single: bool): void {
  const types = graph.types;
  const end = types + graph.typesLength;
  const offsets = graph.offsets;
  const shape = graph.shape;
  const alias = graph.alias;
  const kinds = graph.kinds;
  const edgeStart = graph.edgeStart;
  const seed = graph.seed;
  const firstId = graph.firstId;
  let edge = graph.edges;
  let named: u32 = 0;
  let declared: u32 = 0;
  set64(shape, 0, seed);
  set(offsets, 0, 0);
  set(alias, 0, 0);
  set(edgeStart, 0, 0);
  store<u8>(kinds, 0);
  let id: u32 = 1;
  for (let at = types; at < end; id++) {
    set(offsets, id, <u32>(at - types));
    set(alias, id, id);
    set(edgeStart, id, <u32>((edge - graph.edges) >> 2));
    const type = changetype<Type>(at);
    const info = type.info;
    const kind = kindOf(info);
    store<u8>(kinds + id, kind);
    const name = nameOf(graph, type.nameOff);
    type.nameOff = name;
    let hash = mixed(seed, pair(name, info));
    at += TYPE_SIZE;
    if (name && (BY_NAME >> kind) & 1) {
      set(graph.members, named++, id);
      if (id >= firstId && (kind == KIND_FWD || ((ENUMS >> kind) & 1 && !vlenOf(info)))) declared++;
    }
    switch (kind) {
      case KIND_INT:
        hash = mixed(hash, pair(type.size, load<u32>(at)));
        at += 4;
        break;
      case KIND_ARRAY:
        hash = mixed(hash, pair(type.size, load<u32>(at, ARRAY_LENGTH - TYPE_SIZE)));
        store<u64>(edge, load<u64>(at, 0, 4), 0, 4);
        edge += 8;
        at += 12;
        break;
      case KIND_STRUCT:
      case KIND_UNION:
        hash = mixed(hash, type.size);
        for (const last = at + vlenOf(info) * MEMBER_SIZE; at < last; at += MEMBER_SIZE) {
          const member = nameOf(graph, load<u32>(at));
          store<u32>(at, member);
          store<u32>(edge, load<u32>(at, MEMBER_TYPE));
          edge += 4;
          hash = mixed(hash, pair(member, load<u32>(at, MEMBER_OFFSET)));
        }
        break;
      case KIND_ENUM:
        hash = mixed(hash, type.size);
        for (const last = at + vlenOf(info) * ENUMERATOR_SIZE; at < last; at += ENUMERATOR_SIZE) {
          const label = nameOf(graph, load<u32>(at));
          store<u32>(at, label);
          hash = mixed(hash, pair(label, load<u32>(at, ENUMERATOR_VALUE)));
        }
        break;
      case KIND_ENUM64:
        hash = mixed(hash, type.size);
        for (const last = at + vlenOf(info) * ENUMERATOR64_SIZE; at < last; at += ENUMERATOR64_SIZE) {
          const label = nameOf(graph, load<u32>(at));
          store<u32>(at, label);
          hash = mixed(mixed(hash, label), load<u64>(at, ENUMERATOR64_LOW, 4));
        }
        break;
      case KIND_FUNC_PROTO:
        store<u32>(edge, type.size);
        edge += 4;
        for (const last = at + vlenOf(info) * PARAM_SIZE; at < last; at += PARAM_SIZE) {
          const param = nameOf(graph, load<u32>(at));
          store<u32>(at, param);
          store<u32>(edge, load<u32>(at, PARAM_TYPE));
          edge += 4;
          hash = mixed(hash, param);
        }
        break;
      case KIND_DATASEC:
        hash = mixed(hash, single ? id : type.size);
        for (const last = at + vlenOf(info) * SECTION_VARIABLE_SIZE; at < last; at += SECTION_VARIABLE_SIZE) {
          store<u32>(edge, load<u32>(at, SECTION_VARIABLE_TYPE));
          edge += 4;
          hash = mixed(hash, load<u64>(at, SECTION_VARIABLE_OFFSET, 4));
        }
        break;
      default:
        // FWD and FLOAT have a size here, all others an id.
        if (!refers(shapeOf(info))) {
          hash = mixed(hash, type.size);
          break;
        }
        store<u32>(edge, type.size);
        edge += 4;
        if (kind == KIND_VAR) hash = mixed(hash, single ? id : load<u32>(at));
        else if (fixedBytes(shapeOf(info))) hash = mixed(hash, load<u32>(at));
        at += fixedBytes(shapeOf(info));
    }
    set64(shape, id, hash);
  }
  set(edgeStart, id, <u32>((edge - graph.edges) >> 2));
  graph.namedCount = named;
  graph.declaredCount = declared;
}

/** Hashes each type's shape with the hashes in `from` of what it refers to, into `to`; opaque types, `count` at `kept`, keep their shape alone. */
function hashRound(graph: Graph, from: usize, to: usize, kept: usize, count: u32): void {
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
  for (const end = kept + count * NAMED_SIZE; kept < end; kept += NAMED_SIZE) {
    const id = changetype<Named>(kept).id;
    set64(to, id, get64(shape, id));
  }
}

/**
 * Hashes types with what lies up to 2 × `pairs` + 1 references away. A round
 * reads the hashes of the round before alone: what comes out depends on what a
 * type is, not on where it stands.
 */
export function hashTypes(graph: Graph, pairs: u32, kept: usize, count: u32): void {
  hashRound(graph, graph.shape, graph.hash, kept, count);
  for (; pairs > 0; pairs--) {
    hashRound(graph, graph.hash, graph.otherHash, kept, count);
    hashRound(graph, graph.otherHash, graph.hash, kept, count);
  }
}

/** Lets references to what stands for another type lead there. */
export function redirect(graph: Graph): void {
  const alias = graph.alias;
  const end = graph.edges + (<usize>get(graph.edgeStart, graph.idLimit) << 2);
  for (let edge = graph.edges; edge < end; edge += 4) {
    const to = load<u32>(edge);
    const stands = get(alias, to);
    if (stands != to) store<u32>(edge, stands);
  }
}
