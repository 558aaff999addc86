/** Facts about an object that the rules of several engines ask for. */
import { resolve } from "../../../btf/query/resolve.js";
import type { ElfSection } from "../../elf/file.js";
import type { Program } from "../../elf/programs.js";
import type { ElfSymbol } from "../../elf/symbols.js";
import type { BpfObject } from "../../object/object.js";
import type { ObjectFinding } from "./finding.js";

/** Members of the struct that defines a map. Source: libbpf's parse_btf_map_def. */
const MAP_FIELDS = /* @__PURE__ */ new Set(
  /* @__PURE__ */ "type max_entries map_flags numa_node key_size key value_size value values pinning map_extra".split(
    " ",
  ),
);

/** Returns the finding that a loader without errnos refuses an object. */
export function refused(subject: string, reason: string): ObjectFinding {
  return { rule: "refused", severity: "breaks", subject, errno: 0, reason };
}

/** Yields the name of a map and of a field that no loader knows. */
export function* unknownMapFields(object: BpfObject): Generator<readonly [map: string, field: string]> {
  if (!object.hasBtf) return;
  const section = object.btf.find(".maps", "datasec");
  if (section?.kind !== "datasec") return;
  for (const { type } of section.variables) {
    const definition = type.kind === "var" ? resolve(type.type) : undefined;
    if (definition?.kind !== "struct") continue;
    for (const { name } of definition.members) if (!MAP_FIELDS.has(name)) yield [type.name, name];
  }
}

/** A place in a program that refers to a symbol. */
export interface Reference {
  readonly program: Program;
  readonly symbol: ElfSymbol;
  /** The symbol's section; `undefined` for one that is defined elsewhere. */
  readonly section: ElfSection | undefined;
  readonly opcode: number;
}

/** Yields the references from instructions, by the ELF relocations of code. */
export function* referencesFrom(object: BpfObject): Generator<Reference> {
  for (const { sectionIndex, byteOffset, symbolIndex } of object.relocations) {
    const program = object.programAt(sectionIndex, byteOffset);
    const symbol = object.symbols[symbolIndex];
    if (!program || !symbol) continue;
    const opcode = object.dataOf(object.sections[sectionIndex]!)[byteOffset] ?? 0;
    const section = symbol.sectionIndex === 0 ? undefined : object.sections[symbol.sectionIndex];
    yield { program, symbol, section, opcode };
  }
}
