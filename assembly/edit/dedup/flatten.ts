// Records from several images, laid one behind the other: checked once more,
// counted, and moved to joined ids and strings.
import { ERR_TYPE_ID, ERR_UNKNOWN_KIND, TYPE_SIZE, TYPE_SIZE_OR_ID } from "../../format/generated/abi";
import { kindOf, Type } from "../../format/image";
import { refuse } from "../../format/status";
import { elementBytes, elementId, elementName, fixedBytes, fixedIds, Graph, isKnown, recordBytes, refers, shapeOf } from "./graph";

/** The shifts of an image's ids and name offsets, the first of each that is shifted, and the image's id limit. */
let idFrom: u32 = 0;
let idShift: u32 = 0;
let idEnd: u32 = 0;
let nameFrom: u32 = 0;
let nameShift: u32 = 0;
/** A reference to nothing was met: this one. */
let dangling: u32 = 0;

/**
 * Takes an image's records, [at, end), of which `firstId` is the first one's
 * joined id: adds `shiftIds` to ids from `ownId` on and `shiftNames` to name
 * offsets from `ownName` on, and marks these in the name bits. Checks that each
 * kind is known and each id below `limit` (libbpf leaves a FUNC_PROTO's return
 * type unchecked). Returns how many ids the records hold, or a refusal.
 */
export function take(
  graph: Graph, at: usize, end: usize, firstId: u32, limit: u32, ownId: u32, shiftIds: u32, ownName: u32, shiftNames: u32,
): i32 { // prettier-ignore
  idFrom = ownId;
  idShift = shiftIds;
  idEnd = limit;
  nameFrom = ownName;
  nameShift = shiftNames;
  dangling = 0;
  const bits = graph.nameBits;
  let ids: u32 = 0;
  for (let id = firstId; at < end; id++) {
    const info = changetype<Type>(at).info;
    const start = at;
    if (!isKnown(info)) return refuse(ERR_UNKNOWN_KIND, <u32>(at - graph.types), id, kindOf(info));
    const shape = shapeOf(info);
    const next = at + recordBytes(shape, info);
    takeName(bits, at);
    if (refers(shape)) {
      takeId(at + TYPE_SIZE_OR_ID);
      ids++;
    }
    at += TYPE_SIZE;
    for (let i: u32 = 0; i < fixedIds(shape); i++) takeId(at + (i << 2));
    ids += fixedIds(shape);
    at += fixedBytes(shape);
    const size = elementBytes(shape);
    if (size) {
      const name = elementName(shape);
      const to = elementId(shape);
      if (name && to) {
        for (; at < next; at += size) {
          takeName(bits, at);
          takeId(at + to - 1);
          ids++;
        }
      } else if (name) for (; at < next; at += size) takeName(bits, at);
      else {
        for (; at < next; at += size) {
          takeId(at);
          ids++;
        }
      }
    }
    if (dangling) return refuse(ERR_TYPE_ID, <u32>(start - graph.types), id, dangling);
    at = next;
  }
  return ids;
}

// @ts-ignore: decorator
@inline
function takeId(at: usize): void {
  const id = load<u32>(at);
  if (id >= idEnd) dangling = id;
  if (id >= idFrom) store<u32>(at, id + idShift);
}

// @ts-ignore: decorator
@inline
function takeName(bits: usize, at: usize): void {
  let off = load<u32>(at);
  if (off >= nameFrom) {
    off += nameShift;
    store<u32>(at, off);
  }
  const byte = bits + (off >> 3);
  store<u8>(byte, load<u8>(byte) | (1 << <u8>(off & 7)));
}
