/** Tells which programs of an object are loaded. */
import type { Program } from "../../elf/programs.js";
import type { BpfObject } from "../../object/object.js";

const STRUCT_OPS = /^(?<optional>\??)\.struct_ops(\.link)?$/;

/**
 * Returns the programs that are loaded with the object. A struct_ops program is
 * loaded if a variable that is created refers to it, whatever its section's
 * name says. Source: libbpf's bpf_object_adjust_struct_ops_autoload.
 */
export function loadedPrograms(object: BpfObject): Program[] {
  const created = new Map<Program, boolean>();
  for (const { sectionIndex, symbolIndex } of object.relocations) {
    const match = STRUCT_OPS.exec(object.sections[sectionIndex]!.name);
    const symbol = match && object.symbols[symbolIndex];
    const program = symbol && object.programAt(symbol.sectionIndex, symbol.byteOffset);
    if (program) created.set(program, created.get(program) || !match.groups!["optional"]);
  }
  return object.programs.filter((program) => {
    if (program.isSubprogram) return false;
    return (program.type === "struct_ops" ? created.get(program) : undefined) ?? program.autoload;
  });
}
