/** What maps of maps and of programs hold from the start. Source: libbpf's bpf_object__collect_map_relos. */
import { INSN_SIZE } from "../bpf/instruction.js";
import type { BpfObject } from "../bpf/object/object.js";
import { resolve } from "../btf/query/resolve.js";
import { fail } from "./failure.js";
import { type DraftMap, isMapInMap, MAP_TYPE } from "./maps.js";
import type { DraftProgram } from "./programs.js";
import type { ObjectSections } from "./sections.js";

const POINTER_SIZE = 8;
/** A hostile offset must not make a list of any length. */
const SLOT_LIMIT = 1 << 20;

export function collectSlots(
  object: BpfObject,
  sections: ObjectSections,
  maps: readonly DraftMap[],
  programs: readonly DraftProgram[],
): void {
  if (sections.maps < 0) return;
  for (const { sectionIndex, byteOffset, symbolIndex } of object.relocations) {
    if (sectionIndex !== sections.maps) continue;
    const symbol = object.symbols[symbolIndex];
    if (!symbol) fail("FORMAT", `section .maps: a relocation names symbol ${symbolIndex}, which does not exist`);
    const map = maps.findLast(
      (candidate) => candidate.origin === "definition" && candidate.sectionOffset <= byteOffset,
    );
    const variable = map && object.btf.findAll(map.name, "var")[0];
    const definition = variable && resolve(variable.type);
    if (!map || definition?.kind !== "struct")
      fail("EINVAL", `section .maps: byte ${byteOffset}, which is to hold "${symbol.name}", belongs to no map`);
    const refuse: (errno: "EINVAL" | "ESRCH" | "RELOC", note: string) => never = (errno, note) =>
      fail(errno, `map "${map.name}": ${note}`);
    if (isMapInMap(map)) {
      if (symbol.sectionIndex !== sections.maps) refuse("RELOC", `"${symbol.name}" is not a map of .maps`);
      if (map.type === MAP_TYPE.HASH_OF_MAPS && map.keySize !== 4)
        refuse("EINVAL", `its keys have ${map.keySize} bytes; a hash of maps with initial values needs 4`);
      if (!maps.some(({ name }) => name === symbol.name)) refuse("ESRCH", `the object has no map "${symbol.name}"`);
    } else if (map.type === MAP_TYPE.PROG_ARRAY) {
      const program = programs.find(({ name, isSubprogram }) => name === symbol.name && !isSubprogram);
      if (!program) refuse("ESRCH", `the object has no program "${symbol.name}"`);
      if (program.sectionIndex !== symbol.sectionIndex || program.sectionInsn * INSN_SIZE !== symbol.byteOffset)
        refuse("RELOC", `"${symbol.name}" is not the start of a program`);
    } else refuse("EINVAL", "it is neither a map of maps nor of programs, and has initial values");
    const last = definition.members.at(-1);
    if (last?.name !== "values") refuse("EINVAL", `it has initial values, and its last member is not "values"`);
    const slot = (byteOffset - map.sectionOffset - last.bitOffset / 8) / POINTER_SIZE;
    if (!Number.isInteger(slot) || slot < 0 || slot >= SLOT_LIMIT)
      refuse("EINVAL", `an initial value lies at byte ${byteOffset} of .maps, where no slot does`);
    map.slots[slot] = symbol.name;
  }
}
