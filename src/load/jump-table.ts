/** Jump tables: places in a program that an indirect jump may go to, as a map. Source: libbpf's create_jt_map. */
import { INSN_SIZE } from "../bpf/instruction.js";
import type { BpfObject } from "../bpf/object/object.js";
import type { LinkedProgram } from "./code.js";
import { fail } from "./failure.js";
import { type DraftMap, draftMap, MAP_TYPE } from "./maps.js";
import type { DraftProgram, Reference } from "./programs.js";
import type { ObjectSections } from "./sections.js";

/** Of an entry in the ELF section, in bytes. */
const ENTRY_SIZE = 8;
/** Of a value: the original and the translated offset, and padding (`struct bpf_insn_array_value`). */
const VALUE_SIZE = 16;

export function jumpTableMap(
  object: BpfObject,
  sections: ObjectSections,
  { program, linked }: { readonly program: DraftProgram; readonly linked: LinkedProgram },
  { insn, symbolOffset, symbolSize }: Reference & { readonly kind: "jump_table" },
): DraftMap {
  const refuse = (note: string): never => fail("EINVAL", `program "${program.name}", jump table: ${note}`);
  const data = object.dataOf(object.sections[sections.jumpTables]!);
  if (symbolOffset % ENTRY_SIZE || symbolSize % ENTRY_SIZE)
    refuse(`${symbolSize} bytes at ${symbolOffset}, not whole entries of ${ENTRY_SIZE}`);
  if (symbolOffset + symbolSize > data.length)
    refuse(`it ends at byte ${symbolOffset + symbolSize}, .jumptables at ${data.length}`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [owner, start] = [...linked.starts].findLast(([, from]) => from <= insn)!;
  const count = symbolSize / ENTRY_SIZE;
  const values = new Uint8Array(count * VALUE_SIZE);
  const to = new DataView(values.buffer);
  for (let i = 0; i < count; i++) {
    const place = view.getBigUint64(symbolOffset + i * ENTRY_SIZE, true) / BigInt(INSN_SIZE);
    const moved = BigInt.asUintN(64, place - BigInt(owner.sectionInsn) + BigInt(start));
    if (moved > 0xffffffffn) refuse(`entry ${i} lies outside of the program`);
    to.setUint32(i * VALUE_SIZE, Number(moved), true);
  }
  const map = draftMap(".jumptables", "jump_table", sections.jumpTables, symbolOffset);
  map.type = MAP_TYPE.INSN_ARRAY;
  map.keySize = 4;
  map.valueSize = VALUE_SIZE;
  map.maxEntries = count;
  map.initial = values;
  return map;
}
