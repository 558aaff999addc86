// References of an image turned round: from each type to those whose records
// name it. Sections, variables and tags of declarations are left out.
import {
  ARRAY_ELEMENT, KIND_ARRAY, KIND_CONST, KIND_FUNC, KIND_FUNC_PROTO, KIND_PTR, KIND_RESTRICT, KIND_STRUCT,
  KIND_TYPE_TAG, KIND_TYPEDEF, KIND_UNION, KIND_VOLATILE, MEMBER_SIZE, MEMBER_TYPE, PARAM_SIZE, PARAM_TYPE, TYPE_SIZE,
} from "../format/generated/abi"; // prettier-ignore
import { kindOf, Type, vlenOf } from "../format/image";

const COMPOSITES: u32 = (1 << KIND_STRUCT) | (1 << KIND_UNION);
const REFERENCES: u32 =
  (1 << KIND_PTR) | (1 << KIND_TYPEDEF) | (1 << KIND_VOLATILE) | (1 << KIND_CONST) | (1 << KIND_RESTRICT) |
  (1 << KIND_TYPE_TAG) | (1 << KIND_FUNC) | (1 << KIND_FUNC_PROTO); // prettier-ignore

let from: u32 = 0;
let end: u32 = 0;
let places: usize = 0;
let list: usize = 0;
let total: u32 = 0;

// @ts-ignore: decorator
@inline
function see(id: u32, referrer: u32): void {
  if (!places) {
    if (id && id < from) from = id;
  } else if (id >= from && id < end) {
    const place = places + (<usize>(id - from) << 2);
    if (list) {
      const next = load<u32>(place, 4);
      store<u32>(place, next + 1, 4);
      store<u32>(list + (<usize>next << 2), referrer);
    } else {
      store<u32>(place, load<u32>(place, 8) + 1, 8);
      total++;
    }
  }
}

/**
 * Walks over the references of `count` own types from `firstId` on, whose
 * records start at `types` plus `offsets`. Without `starts` it returns the
 * lowest id that is referred to, `lowest` at most. Without `referrers` it counts
 * those of each id from `lowest` to `limit` in `starts`, two words further on
 * (all words are 0 before), and returns how many there are. With both it makes
 * places of the counts, and writes the ids of the own types there: `starts` then
 * has where those of each id start, and where the last ones end.
 */
export function turnRound(
  types: usize,
  offsets: usize,
  count: u32,
  firstId: u32,
  lowest: u32,
  limit: u32,
  starts: usize,
  referrers: usize,
): u32 {
  from = lowest;
  end = limit;
  places = starts;
  list = referrers;
  total = 0;
  if (list) {
    // Each start moves on as its referrers come in, and ends where the next one starts.
    const last = starts + (<usize>(limit - lowest + 1) << 2);
    for (let at = starts + 8; at <= last; at += 4) store<u32>(at, load<u32>(at) + load<u32>(at - 4));
  }
  for (let i: u32 = 0; i < count; i++) {
    const at = types + load<u32>(offsets + (<usize>i << 2));
    const type = changetype<Type>(at);
    const kind = kindOf(type.info);
    const bit: u32 = kind < 32 ? 1 << kind : 0;
    const id = firstId + i;
    if (bit & REFERENCES) see(type.size, id);
    if (bit & COMPOSITES) {
      const stop = at + TYPE_SIZE + <usize>vlenOf(type.info) * MEMBER_SIZE;
      for (let member = at + TYPE_SIZE; member < stop; member += MEMBER_SIZE) see(load<u32>(member, MEMBER_TYPE), id);
    } else if (kind == KIND_FUNC_PROTO) {
      const stop = at + TYPE_SIZE + <usize>vlenOf(type.info) * PARAM_SIZE;
      for (let param = at + TYPE_SIZE; param < stop; param += PARAM_SIZE) see(load<u32>(param, PARAM_TYPE), id);
    } else if (kind == KIND_ARRAY) see(load<u32>(at, ARRAY_ELEMENT), id);
  }
  return places ? total : from;
}
