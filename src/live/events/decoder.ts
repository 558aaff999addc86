/** What a map's events are: found in the object's types, so that nobody has to say it. */
import type { BpfObject } from "../../bpf/object/object.js";
import { skipModifiers } from "../../btf/traverse.js";
import type { BtfType, StructType } from "../../btf/types.js";
import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_EVENTS } from "../../errors/live.js";
import type { LoadPlan } from "../../load/plan.js";

/** A type of events, and why it is taken. */
export interface EventType {
  readonly type: BtfType;
  readonly reason: string;
}

const LIMIT = 256;
const RINGBUF_OUTPUT = 130;
const RINGBUF_RESERVE = 131;
const PERF_EVENT_OUTPUT = 25;
const CALL = 0x85;
const MOV_IMM = 0xb7;
const LD_IMM64 = 0x18;

/**
 * Returns the type of a map's events: what `wanted` names; else the type of the
 * map's values; else, by the programs that write to it, the one struct of the
 * size that they write, if it is unmistakable; else a struct called `event` or
 * like the map, as such objects use.
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
  const value = valueType(object, map);
  if (value) return { type: value, reason: "it is the type of the map's values" };
  const structs = [...btf.ofKind("struct")].filter(({ name }) => name !== "");
  const sizes = sizesWritten(plan, map);
  const named = nameCandidates(structs, map);
  for (const size of sizes) {
    const fitting = structs.filter(({ byteSize }) => byteSize === size);
    const best = fitting.find((type) => named.includes(type)) ?? (fitting.length === 1 ? fitting[0] : undefined);
    if (best) return { type: best, reason: `programs write ${size} bytes, the size of struct ${best.name}` };
  }
  const [first] = named;
  return first && { type: first, reason: `the object has a struct ${first.name}` };
}

function valueType(object: BpfObject, map: string): BtfType | undefined {
  const id = object.maps.find(({ name }) => name === map)?.valueTypeId;
  const type = id === undefined ? undefined : object.btf.get(id);
  const plain = type && skipModifiers(type, LIMIT);
  return plain?.kind === "struct" || plain?.kind === "union" ? type : undefined;
}

/** Structs whose names say that they are events, the plainest first. */
function nameCandidates(structs: readonly StructType[], map: string): StructType[] {
  const singular = map.replace(/s$/, "");
  const order = ["event", `${singular}`, `${singular}_event`, "event_t", "data_t", "data"];
  const exact = order.flatMap((name) => structs.filter((type) => type.name === name));
  const similar = structs.filter(({ name }) => /(^|_)events?(_t)?$/.test(name) && !exact.some((type) => type.name === name));
  return similar.length === 1 ? [...exact, similar[0]!] : exact;
}

/** Constant sizes that programs hand to the helpers that write to a map. */
function sizesWritten({ maps, programs }: LoadPlan, map: string): number[] {
  const position = maps.findIndex(({ fullName }) => fullName === map);
  const found = new Set<number>();
  for (const { insns, fixups } of programs) {
    const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
    const loads = new Set(fixups.filter(({ kind, index }) => kind === "map" && index === position).map(({ insn }) => insn));
    if (loads.size === 0) continue;
    const constants = new Map<number, number>();
    let isLoaded = false;
    for (let insn = 0; insn * 8 < insns.length; insn++) {
      const at = insn * 8;
      const opcode = view.getUint8(at);
      const register = view.getUint8(at + 1) & 15;
      if (opcode === MOV_IMM) constants.set(register, view.getInt32(at + 4, true));
      else if (opcode === LD_IMM64) {
        if (loads.has(insn)) isLoaded = true;
        constants.delete(register);
        insn++;
      } else if (opcode === CALL) {
        const helper = view.getInt32(at + 4, true);
        const size = helper === RINGBUF_RESERVE ? 2 : helper === RINGBUF_OUTPUT ? 3 : helper === PERF_EVENT_OUTPUT ? 5 : 0;
        const value = constants.get(size);
        if (isLoaded && size > 0 && value !== undefined && value > 0) found.add(value);
        constants.clear();
        isLoaded = false;
      } else if ((opcode & 7) === 7 || (opcode & 7) === 1) constants.delete(register);
    }
  }
  return [...found];
}
