/** Finds what cilium/ebpf refuses to load. Source: elf_reader.go and prog.go. */

import { SHT_PROGBITS } from "../../elf/file.js";
import { SHF_EXECINSTR, SHT_SYMTAB } from "../../elf/section-types.js";
import { CALL } from "../../instruction.js";
import type { BpfObject } from "../../object/object.js";
import type { ObjectFinding } from "./finding.js";
import { referencesFrom, refused, unknownMapFields } from "./rules.js";

/** Yields a finding for each reason for which cilium/ebpf refuses an object. */
export function* refusedByCilium(object: BpfObject): Generator<ObjectFinding> {
  if (!object.sections.some(({ type }) => type === SHT_SYMTAB)) {
    yield refused("", "cilium/ebpf needs the symbol table, which the file lacks: do not strip it");
    return;
  }
  const maps = object.section(".maps");
  if (maps && !object.hasBtf) yield refused(".maps", "cilium/ebpf reads .maps through BTF: compile with -g");
  if (object.section(".struct_ops"))
    yield refused(".struct_ops", "cilium/ebpf knows .struct_ops.link only: define the variable there");
  for (const [map, field] of unknownMapFields(object))
    yield refused(map, `cilium/ebpf does not know the field ${field} of a map definition`);
  for (const { program, symbol, section, opcode } of referencesFrom(object)) {
    const where = program.name;
    if (section && (section.name === ".maps" || section.name.startsWith("maps"))) {
      if (symbol.binding === "local")
        yield refused(
          where,
          `a map in ${section.name} is static: cilium/ebpf takes global maps only; remove the keyword`,
        );
      else if (symbol.binding !== "global")
        yield refused(where, `map ${symbol.name} is ${symbol.binding}: cilium/ebpf takes global maps only`);
    } else if (symbol.sectionIndex === 0 && opcode === CALL) {
      if (!object.externs.some(({ name }) => name === symbol.name))
        yield refused(where, `function ${symbol.name} is not defined: link the object that defines it`);
    } else if (section && !isKnown(section))
      yield refused(where, `${symbol.name || "data"} is in section ${section.name}, which cilium/ebpf does not load`);
  }
  for (const { name, section, isSubprogram, type } of object.programs) {
    if (!isSubprogram && type === "unspec")
      yield refused(name, `section name ${section} tells no program type; rename it by libbpf's conventions`);
  }
}

function isKnown({ name, type, flags }: BpfObject["sections"][number]): boolean {
  if (/^\.(data|rodata|bss|percpu)(\.|$)/.test(name) || name === ".struct_ops.link") return true;
  return type === SHT_PROGBITS && (flags & SHF_EXECINSTR) !== 0;
}
