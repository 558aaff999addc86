/** What a map's events are: found in the object's types and code, so that nobody has to say it. */
import type { BpfObject } from "../../bpf/object/object.js";
import { skipModifiers } from "../../btf/traverse.js";
import type { BtfType, StructType } from "../../btf/types.js";
import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_EVENTS } from "../../errors/live.js";
import type { LoadPlan } from "../../load/plan.js";
import { structOf, writtenTo } from "./written.js";

/** A type of events, and why it is taken. */
export interface EventType {
  readonly type: BtfType;
  readonly reason: string;
}

const MODIFIERS_MAX = 256;

/**
 * Returns the type of a map's events: what `wanted` names; else the type of the
 * map's values; else of the values of the map that programs hand on; else a
 * struct of the size that they write, or called `event` as such objects do; else
 * the fields that they fill, named by their lines of source.
 *
 * @throws BtfLookupError ERR_LIVE_EVENTS for a name that the object does not have
 */
export function eventType(object: BpfObject, plan: LoadPlan, map: string, wanted?: string): EventType | undefined {
  if (!object.hasBtf) return undefined;
  const { btf } = object;
  if (wanted !== undefined) {
    const name = wanted.replace(/^(struct|union|enum)\s+/, "");
    const type = btf.find(name, "struct") ?? btf.find(name, "typedef") ?? btf.find(name);
    if (type) return { type, reason: "it was named" };
    throw new BtfLookupError(ERR_LIVE_EVENTS, { name: map, note: `the object has no type "${wanted}"` });
  }
  const own = valueType(object, map);
  if (own) return { type: own, reason: "it is the type of the map's values" };
  const written = writtenTo(object, plan, map);
  const handed = written.handedOn === undefined ? undefined : valueType(object, written.handedOn);
  if (handed) return { type: handed, reason: `programs hand on values of map "${written.handedOn}"` };
  const structs = [...btf.ofKind("struct")].filter(({ name }) => name !== "");
  const named = nameCandidates(structs, map);
  const fitting = named.find(({ byteSize }) => written.sizes.length === 0 || written.sizes.includes(byteSize));
  if (fitting) return { type: fitting, reason: `the object has a struct ${fitting.name}` };
  const size = Math.max(0, ...written.sizes);
  if (written.fields.length > 0 && size > 0) {
    const type = structOf(written.fields, size).require("event", "struct");
    return { type, reason: "programs fill these fields, which their lines of source name" };
  }
  return undefined;
}

function valueType(object: BpfObject, map: string): BtfType | undefined {
  const id = object.maps.find(({ name }) => name === map)?.valueTypeId;
  const type = id === undefined ? undefined : object.btf.get(id);
  const plain = type && skipModifiers(type, MODIFIERS_MAX);
  return plain?.kind === "struct" || plain?.kind === "union" ? type : undefined;
}

/** Structs whose names say that they are events, the plainest first. */
function nameCandidates(structs: readonly StructType[], map: string): StructType[] {
  const singular = map.replace(/s$/, "");
  const order = [...new Set(["event", singular, `${singular}_event`, "event_t", "data_t", "data"])];
  const exact = order.flatMap((name) => structs.filter((type) => type.name === name));
  const similar = structs.filter((type) => /(^|_)events?(_t)?$/.test(type.name) && !exact.includes(type));
  return similar.length === 1 ? [...exact, similar[0]!] : exact;
}
