/**
 * What programs write to a map of events, read from their code: a value of
 * another map, or memory that they fill field by field, on their stack or in a
 * ring buffer. The lines of source that the object carries name the fields.
 *
 * The code is followed straight on, without its branches: what it tells is a
 * good guess, never relied on for more than names of fields.
 */
import { CALL, FRAME_POINTER, INSN_SIZE, LD_IMM64 } from "../../bpf/instruction.js";
import type { BpfObject } from "../../bpf/object/object.js";
import type { Btf } from "../../btf/btf.js";
import { BtfBuilder } from "../../edit/build/builder.js";
import type { TypeId } from "../../edit/build/type-id.js";
import type { LoadPlan, PlannedProgram } from "../../load/plan.js";

/** Helpers by number. */
const MAP_LOOKUP = 1;
const PROBE_READ = 4;
const GET_COMM = 16;
const PERF_EVENT_OUTPUT = 25;
const PROBE_READ_STR = 45;
const GET_STACK = 67;
const RINGBUF_OUTPUT = 130;
const RINGBUF_RESERVE = 131;

/** Helpers that write `r2` bytes to `r1`, and whether these are a text. */
const WRITES: ReadonlyMap<number, boolean> = /* @__PURE__ */ new Map([
  [PROBE_READ, false],
  [112, false],
  [113, false],
  [GET_COMM, true],
  [PROBE_READ_STR, true],
  [114, true],
  [115, true],
]);

const MOV_REG = 0xbf;
const MOV_IMM = 0xb7;
const ADD_IMM = 0x07;

/** What a register holds, as far as it matters here. */
type Held =
  | { readonly kind: "number"; readonly value: number }
  /** Position among the plan's maps. */
  | { readonly kind: "map"; readonly map: number }
  /** The stack, a value of a map, or a record of a ring buffer; `of` tells them apart. */
  | { readonly kind: "memory"; readonly of: string; readonly byteOffset: number };

interface Write {
  readonly of: string;
  readonly byteOffset: number;
  readonly byteSize: number;
  readonly isText: boolean;
  /** The line of source. */
  readonly line: string;
}

interface Output {
  readonly of: string;
  readonly byteOffset: number;
  /** `undefined` where it is not constant. */
  readonly byteSize: number | undefined;
}

/** What one program does with memory and with one map of events. */
interface Trace {
  readonly writes: readonly Write[];
  readonly outputs: readonly Output[];
}

/** What is known of the events of a map. */
export interface Written {
  /** Name of the map whose values are handed on. */
  readonly handedOn: string | undefined;
  /** Sizes of events in bytes, where they are constant. */
  readonly sizes: readonly number[];
  /** The fields, where programs fill them one by one. */
  readonly fields: readonly WrittenField[];
}

/** A field of an event that programs fill. */
export interface WrittenField {
  readonly name: string;
  readonly byteOffset: number;
  readonly byteSize: number;
  readonly kind: "unsigned" | "signed" | "text" | "bytes" | "array";
}

/** Looks at all programs of a plan that write to a map. */
export function writtenTo(object: BpfObject, { maps, programs }: LoadPlan, map: string): Written {
  const position = maps.findIndex(({ fullName }) => fullName === map);
  const fields = new Map<string, WrittenField>();
  const sizes = new Set<number>();
  let handedOn: string | undefined;
  for (const program of programs) {
    const { writes, outputs } = trace(object, program, position);
    for (const { of, byteOffset, byteSize } of outputs) {
      if (byteSize !== undefined) sizes.add(byteSize);
      const [, index] = /^value:(\d+)$/.exec(of) ?? [];
      if (index !== undefined) handedOn ??= maps[Number(index)]!.fullName;
      const inside = writes.filter(
        (write) =>
          write.of === of &&
          write.byteOffset >= byteOffset &&
          write.byteOffset + write.byteSize <= byteOffset + (byteSize ?? 0),
      );
      for (const field of fieldsOf(inside, byteOffset)) {
        const before = fields.get(field.name);
        if (!before || before.byteSize < field.byteSize) fields.set(field.name, field);
      }
    }
  }
  return { handedOn, sizes: [...sizes], fields: [...fields.values()].sort((a, b) => a.byteOffset - b.byteOffset) };
}

function trace(object: BpfObject, { insns, fixups, lineInfo }: PlannedProgram, position: number): Trace {
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  const mapAt = new Map(fixups.filter(({ kind }) => kind === "map").map(({ insn, index }) => [insn, index]));
  const lines = linesOf(object, lineInfo);
  const held = new Map<number, Held>();
  const writes: Write[] = [];
  const outputs: Output[] = [];
  const frame: Held = { kind: "memory", of: "stack", byteOffset: 0 };
  const read = (register: number): Held | undefined => (register === FRAME_POINTER ? frame : held.get(register));
  const constant = (register: number): number | undefined => {
    const value = read(register);
    return value?.kind === "number" ? value.value : undefined;
  };
  for (let insn = 0; insn * INSN_SIZE < insns.length; insn++) {
    const at = insn * INSN_SIZE;
    const opcode = view.getUint8(at);
    const [to, from] = [view.getUint8(at + 1) & 15, view.getUint8(at + 1) >> 4];
    const immediate = view.getInt32(at + 4, true);
    const set = (value: Held | undefined): void => void (value ? held.set(to, value) : held.delete(to));
    const line = lines(insn);
    if (opcode === LD_IMM64) {
      const map = mapAt.get(insn);
      set(map === undefined ? undefined : { kind: "map", map });
      insn++;
    } else if (opcode === MOV_REG) set(read(from));
    else if (opcode === MOV_IMM) set({ kind: "number", value: immediate });
    else if (opcode === ADD_IMM) {
      const value = read(to);
      if (value?.kind === "number") set({ ...value, value: value.value + immediate });
      else if (value?.kind === "memory") set({ ...value, byteOffset: value.byteOffset + immediate });
      else set(undefined);
    } else if (opcode === CALL) {
      const memory = (register: number): (Held & { kind: "memory" }) | undefined => {
        const value = read(register);
        return value?.kind === "memory" ? value : undefined;
      };
      const mapOf = (register: number): number => {
        const value = read(register);
        return value?.kind === "map" ? value.map : -1;
      };
      let result: Held | undefined;
      const isText = WRITES.get(immediate);
      const isHelper = from === 0;
      if (isHelper && isText !== undefined) record(writes, memory(1), constant(2), isText, line);
      else if (isHelper && immediate === GET_STACK) record(writes, memory(2), constant(3), false, line);
      else if (isHelper && immediate === MAP_LOOKUP)
        result = { kind: "memory", of: `value:${mapOf(1)}`, byteOffset: 0 };
      else if (isHelper && immediate === RINGBUF_RESERVE && mapOf(1) === position) {
        const of = `record:${insn}`;
        result = { kind: "memory", of, byteOffset: 0 };
        outputs.push({ of, byteOffset: 0, byteSize: constant(2) });
      } else if (isHelper && immediate === RINGBUF_OUTPUT && mapOf(1) === position)
        output(outputs, memory(2), constant(3));
      else if (isHelper && immediate === PERF_EVENT_OUTPUT && mapOf(2) === position)
        output(outputs, memory(4), constant(5));
      for (let register = 0; register <= 5; register++) held.delete(register);
      if (result) held.set(0, result);
    } else if ((opcode & 7) === 3 || (opcode & 7) === 2) {
      const target = read(to);
      const size = [4, 2, 1, 8][(opcode >> 3) & 3]!;
      if (target?.kind === "memory" && opcode >> 5 === 3)
        record(writes, { ...target, byteOffset: target.byteOffset + view.getInt16(at + 2, true) }, size, false, line);
    } else if ((opcode & 7) === 7 || (opcode & 7) === 4 || (opcode & 7) === 1) set(undefined);
  }
  return { writes, outputs };
}

function record(
  writes: Write[],
  place: { readonly of: string; readonly byteOffset: number } | undefined,
  byteSize: number | undefined,
  isText: boolean,
  line: string,
): void {
  if (place && byteSize !== undefined && byteSize > 0)
    writes.push({ of: place.of, byteOffset: place.byteOffset, byteSize, isText, line });
}

function output(
  outputs: Output[],
  place: { readonly of: string; readonly byteOffset: number } | undefined,
  byteSize: number | undefined,
): void {
  if (place) outputs.push({ of: place.of, byteOffset: place.byteOffset, byteSize });
}

/** The line of source of an instruction. */
function linesOf(object: BpfObject, lineInfo: PlannedProgram["lineInfo"]): (insn: number) => string {
  if (!lineInfo) return () => "";
  const { bytes, recordSize } = lineInfo;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { image } = object.btf;
  let [at, text] = [-recordSize, ""];
  return (insn) => {
    while (at + 2 * recordSize <= bytes.length && view.getUint32(at + recordSize, true) <= insn) {
      at += recordSize;
      text = image.stringAt(view.getUint32(at + 8, true), 1024) ?? "";
    }
    return text;
  };
}

/** `event.pid`, `e->comm`, `event.callers[1]`: a variable and a field, with an index. */
const FIELD = /\b([A-Za-z_]\w*)\s*(?:\.|->)\s*([A-Za-z_]\w*)(?:\[(\d+)\])?/g;
/** Fields that C programs fill with numbers below zero. */
const SIGNED = /^(ret|retval|err|error|errno|result|rc|status|delta.*)$/;
const INTEGERS = [1, 2, 4, 8];

function fieldsOf(writes: readonly Write[], start: number): WrittenField[] {
  const variable = mostNamed(writes);
  if (variable === undefined) return [];
  const found = new Map<string, WrittenField>();
  for (const { byteOffset, byteSize, isText, line } of writes) {
    const [, , name, index] = [...line.matchAll(FIELD)].find(([, owner]) => owner === variable) ?? [];
    if (name === undefined) continue;
    const offset = byteOffset - start - (index === undefined ? 0 : Number(index) * byteSize);
    const before = found.get(name);
    if (index !== undefined) {
      const end = byteOffset - start + byteSize;
      const size = Math.max(end - offset, before?.byteSize ?? 0);
      found.set(name, { name, byteOffset: offset, byteSize: size, kind: "array" });
    } else if (!before) {
      const kind = isText ? "text" : !INTEGERS.includes(byteSize) ? "bytes" : SIGNED.test(name) ? "signed" : "unsigned";
      found.set(name, { name, byteOffset: offset, byteSize, kind });
    }
  }
  return [...found.values()];
}

/** The variable whose fields most lines name in front of `=`, or as what is written to. */
function mostNamed(writes: readonly Write[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { line } of writes) {
    const target = /^\s*(?:[A-Za-z_]\w*\s*\(\s*[&(]*)?([A-Za-z_]\w*)\s*(?:\.|->)/.exec(line)?.[1];
    if (target !== undefined) counts.set(target, (counts.get(target) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** A struct of these fields; where they overlap, as those of a union do, all have their place. */
export function structOf(fields: readonly WrittenField[], byteSize: number): Btf {
  const builder = new BtfBuilder();
  const integer = (size: number, isSigned: boolean): TypeId =>
    builder.int(`${isSigned ? "s" : "u"}${size * 8}`, { byteSize: size, isSigned });
  const char = builder.int("char", { byteSize: 1, isChar: true, isSigned: true });
  const index = integer(4, false);
  const members = fields.map(({ name, byteOffset, byteSize: size, kind }) => {
    const type =
      kind === "text"
        ? builder.array(char, { length: size, index })
        : kind === "array"
          ? builder.array(integer(8, false), { length: size / 8, index })
          : kind === "bytes"
            ? builder.array(integer(1, false), { length: size, index })
            : integer(size, kind === "signed");
    return [name, type, { bitOffset: byteOffset * 8 }] as const;
  });
  builder.struct("event", { byteSize }, members);
  return builder.build();
}
