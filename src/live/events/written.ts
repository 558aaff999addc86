/**
 * What programs write to a map of events: a value of another map, or memory
 * that they fill field by field, on their stack or in a ring buffer. The lines
 * of source that the object carries name the fields.
 */
import { Code, INSN_SIZE } from "../../bpf/instruction.js";
import type { BpfObject } from "../../bpf/object/object.js";
import { mapOfValue, outputsOf, type Write } from "../../bpf/outputs.js";
import type { Btf } from "../../btf/btf.js";
import { BtfBuilder } from "../../edit/build/builder.js";
import type { TypeId } from "../../edit/build/type-id.js";
import type { LoadPlan, PlannedProgram } from "../../load/plan.js";

/** Bytes that a program writes, and the line of source that does. */
interface LineWrite extends Write {
  readonly line: string;
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
  const fields = new Map<string, WrittenField>();
  const sizes = new Set<number>();
  let handedOn: string | undefined;
  for (const { insns, fixups, lineInfo } of programs) {
    const loads = fixups.filter(({ kind }) => kind === "map");
    const mapAt = new Map(loads.map(({ insn, index }) => [insn * INSN_SIZE, maps[index]!.fullName]));
    const code = new Code(insns, object.endian === "little");
    const { writes, outputs } = outputsOf(code, 0, insns.length, (at) => mapAt.get(at));
    const lineAt = linesOf(object, lineInfo);
    const lines = writes.map((write): LineWrite => ({ ...write, line: lineAt(write.at / INSN_SIZE) }));
    for (const { map: to, place, byteSize } of outputs) {
      if (to !== map) continue;
      if (byteSize !== undefined) sizes.add(byteSize);
      if (!place) continue;
      handedOn ??= mapOfValue(place);
      const { of, byteOffset } = place;
      const inside = lines.filter(
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

function fieldsOf(writes: readonly LineWrite[], start: number): WrittenField[] {
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
function mostNamed(writes: readonly LineWrite[]): string | undefined {
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
