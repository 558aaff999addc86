/**
 * What programs hand to maps of events, and what they write to memory before,
 * read from their code.
 *
 * The code is followed straight on, without its branches: what it tells is a
 * good guess, never relied on for more than names and sizes.
 */
import {
  ACCESS,
  ALU,
  ALU_OP,
  ALU64,
  CALL,
  CLASS,
  type Code,
  FRAME_POINTER,
  INSN_SIZE,
  LD,
  LD_IMM64,
  LDX,
  MODE,
  SOURCE_IS_REGISTER,
  ST,
  STX,
} from "./instruction.js";

const MOV_REGISTER = ALU64 | ALU_OP.mov | SOURCE_IS_REGISTER;
const MOV_IMMEDIATE: ReadonlySet<number> = /* @__PURE__ */ new Set([ALU64 | ALU_OP.mov, ALU | ALU_OP.mov]);
const ADD_IMMEDIATE = ALU64 | ALU_OP.add;

/** Helpers by number. Source: enum bpf_func_id. */
const MAP_LOOKUP_ELEM = 1;
const RINGBUF_RESERVE = 131;

/** Helpers that send to a map: the registers of the map, the data and their size. */
const SENDERS: ReadonlyMap<number, readonly [map: number, data: number, size: number]> = /* @__PURE__ */ new Map([
  [25, [2, 4, 5]], // perf_event_output
  [111, [2, 4, 5]], // skb_output
  [121, [2, 4, 5]], // xdp_output
  [130, [1, 2, 3]], // ringbuf_output
]);

/** Helpers that write to memory: the registers of the memory and of the size, and whether it is a text. */
const WRITERS: ReadonlyMap<number, readonly [memory: number, size: number, isText: boolean]> = /* @__PURE__ */ new Map([
  [4, [1, 2, false]], // probe_read
  [16, [1, 2, true]], // get_current_comm
  [45, [1, 2, true]], // probe_read_str
  [67, [2, 3, false]], // get_stack
  [112, [1, 2, false]], // probe_read_user
  [113, [1, 2, false]], // probe_read_kernel
  [114, [1, 2, true]], // probe_read_user_str
  [115, [1, 2, true]], // probe_read_kernel_str
]);

/** The stack, a value of a map, or a record of a ring buffer; `of` tells them apart. */
interface Place {
  readonly of: string;
  readonly byteOffset: number;
}

/** What a register holds, as far as it matters here. */
type Held =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "map"; readonly map: string }
  | ({ readonly kind: "memory" } & Place);

/** Bytes that a program writes. */
export interface Write extends Place {
  readonly byteSize: number;
  readonly isText: boolean;
  /** The byte offset of the instruction. */
  readonly at: number;
}

/** Bytes that a program hands to a map of events. */
export interface Output {
  readonly map: string;
  /** Where they lie; `undefined` where that is not known. */
  readonly place: Place | undefined;
  /** `undefined` where it is not constant. */
  readonly byteSize: number | undefined;
}

/** What one program does with memory and with maps of events. */
export interface Outputs {
  readonly writes: readonly Write[];
  readonly outputs: readonly Output[];
}

/** The map whose value a place lies in. */
export function mapOfValue({ of }: Place): string | undefined {
  return /^value:(.*)$/s.exec(of)?.[1];
}

/**
 * Follows the code of one program.
 *
 * @param mapAt the name of the map that the instruction at a byte offset loads
 */
export function outputsOf(
  code: Code,
  byteOffset: number,
  byteSize: number,
  mapAt: (at: number) => string | undefined,
): Outputs {
  const writes: Write[] = [];
  const outputs: Output[] = [];
  const held = new Map<number, Held>();
  const frame: Held = { kind: "memory", of: "stack", byteOffset: 0 };
  const read = (register: number): Held | undefined => (register === FRAME_POINTER ? frame : held.get(register));
  const numberIn = (register: number): number | undefined => {
    const value = read(register);
    return value?.kind === "number" ? value.value : undefined;
  };
  const placeIn = (register: number): Place | undefined => {
    const value = read(register);
    return value?.kind === "memory" ? value : undefined;
  };
  const mapIn = (register: number): string | undefined => {
    const value = read(register);
    return value?.kind === "map" ? value.map : undefined;
  };
  const write = (at: number, place: Place | undefined, size: number | undefined, isText = false): void => {
    if (place && size !== undefined && size > 0)
      writes.push({ of: place.of, byteOffset: place.byteOffset, byteSize: size, isText, at });
  };
  /** @returns what the helper returns */
  const call = (helper: number, at: number): Held | undefined => {
    const [memory, length, isText] = WRITERS.get(helper) ?? [];
    if (memory !== undefined) write(at, placeIn(memory), numberIn(length!), isText);
    const [target, data, size] = SENDERS.get(helper) ?? [];
    const map = target === undefined ? undefined : mapIn(target);
    if (map !== undefined) outputs.push({ map, place: placeIn(data!), byteSize: numberIn(size!) });
    const first = mapIn(1);
    if (helper === MAP_LOOKUP_ELEM && first !== undefined) {
      return { kind: "memory", of: `value:${first}`, byteOffset: 0 };
    }
    if (helper !== RINGBUF_RESERVE || first === undefined) return undefined;
    const place = { of: `record:${at}`, byteOffset: 0 };
    outputs.push({ map: first, place, byteSize: numberIn(2) });
    return { kind: "memory", ...place };
  };
  const end = Math.min(byteOffset + byteSize, code.bytes.length);
  for (let at = byteOffset; at + INSN_SIZE <= end; at += INSN_SIZE) {
    const opcode = code.opcode(at);
    const to = code.destination(at);
    const set = (value: Held | undefined): void => void (value ? held.set(to, value) : held.delete(to));
    const kind = opcode & CLASS;
    if (opcode === LD_IMM64) {
      const map = mapAt(at);
      set(map === undefined ? { kind: "number", value: code.immediate(at) } : { kind: "map", map });
      at += INSN_SIZE;
    } else if (opcode === MOV_REGISTER) set(read(code.source(at)));
    else if (MOV_IMMEDIATE.has(opcode)) set({ kind: "number", value: code.immediate(at) });
    else if (opcode === ADD_IMMEDIATE) {
      const value = read(to);
      if (value?.kind === "number") set({ ...value, value: value.value + code.immediate(at) });
      else if (value?.kind === "memory") set({ ...value, byteOffset: value.byteOffset + code.immediate(at) });
      else set(undefined);
    } else if (opcode === CALL) {
      const result = code.source(at) === 0 ? call(code.immediate(at), at) : undefined;
      for (let register = 0; register <= 5; register++) held.delete(register);
      if (result) held.set(0, result);
    } else if ((kind === STX || kind === ST) && (opcode & MODE) === ACCESS.plain) {
      const place = placeIn(to);
      if (place) {
        write(at, { of: place.of, byteOffset: place.byteOffset + code.offset(at) }, code.accessSize(at));
      }
    } else if (kind === ALU || kind === ALU64 || kind === LD || kind === LDX) set(undefined);
  }
  return { writes, outputs };
}
