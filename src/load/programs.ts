/** Programs while the plan is made: their code, and what their instructions refer to. */

import { isCode } from "../bpf/elf/programs.js";
import { ATTACH_TYPES, conventionOf, PROGRAM_TYPES, type SectionConvention } from "../bpf/elf/section-names.js";
import type { ElfSymbol } from "../bpf/elf/symbols.js";
import { CALL, Code, INSN_SIZE, LD_IMM64, PSEUDO } from "../bpf/instruction.js";
import type { BpfObject } from "../bpf/object/object.js";
import type { TargetProgram } from "./attach-target.js";
import type { ExternDraft } from "./externs.js";
import { fail } from "./failure.js";
import { type DraftMap, MAP_TYPE } from "./maps.js";
import type { ObjectSections } from "./sections.js";

/** Section indices from here on are no sections (`SHN_LORESERVE`). */
const RESERVED = 0xff00;

/** What an instruction refers to; the order is that in which libbpf sorts those of one instruction. */
export type Reference =
  | { readonly kind: "map"; readonly insn: number; readonly map: DraftMap }
  | { readonly kind: "call"; readonly insn: number; readonly symbolOffset: number }
  | { readonly kind: "data"; readonly insn: number; readonly map: DraftMap; readonly symbolOffset: number }
  | { readonly kind: "extern"; readonly insn: number; readonly extern: ExternDraft }
  | { readonly kind: "kfunc"; readonly insn: number; readonly extern: ExternDraft }
  | { readonly kind: "subprogram"; readonly insn: number; readonly symbolOffset: number }
  | { readonly kind: "jump_table"; readonly insn: number; readonly symbolOffset: number; readonly symbolSize: number };

const REFERENCE_ORDER: readonly Reference["kind"][] = [
  "map",
  "call",
  "data",
  "extern",
  "kfunc",
  "subprogram",
  "jump_table",
];

/** A function of the object. */
export interface DraftProgram {
  readonly name: string;
  /** Of its section, without `?`. */
  readonly section: string;
  readonly sectionIndex: number;
  /** From the start of the section, in instructions. */
  readonly sectionInsn: number;
  /** Without the subprograms that are appended. */
  readonly insnCount: number;
  readonly isSubprogram: boolean;
  readonly isGlobal: boolean;
  /** The linker hides it: the verifier may look at it together with its callers. */
  readonly isHidden: boolean;
  readonly convention: SectionConvention | undefined;
  autoload: boolean;
  /** `BPF_PROG_TYPE_*` */
  type: number;
  /** `enum bpf_attach_type`, or a member's index for struct_ops. */
  expectedAttachType: number;
  attachBtfId: number;
  /** Name of the module whose BTF has that id. */
  attachModule: string | undefined;
  /** The loaded program whose BTF has that id. */
  attachProgram: TargetProgram | undefined;
  code: Code;
  references: Reference[];
}

/** All functions, in the order of their sections and places. Source: libbpf's bpf_object__add_programs. */
export function collectPrograms(object: BpfObject, { text }: ObjectSections): DraftProgram[] {
  const found: DraftProgram[] = [];
  for (const symbol of object.symbols) {
    const section = object.sections[symbol.sectionIndex];
    if (symbol.type !== "func" || !section || !isCode(section)) continue;
    const { name, byteOffset, byteSize, binding, isHidden, sectionIndex } = symbol;
    if (byteOffset + byteSize > section.byteSize)
      fail(
        "FORMAT",
        `program "${name}" ends at byte ${byteOffset + byteSize}, section ${section.name} at ${section.byteSize}`,
      );
    if (sectionIndex !== text && binding === "local")
      fail("EOPNOTSUPP", `program "${name}" in section ${section.name} is static: remove the keyword`);
    if (byteSize === 0 || byteSize % INSN_SIZE || byteOffset % INSN_SIZE)
      fail("EINVAL", `program "${name}" has ${byteSize} bytes at ${byteOffset}: not whole instructions`);
    const autoload = !section.name.startsWith("?");
    const sectionName = autoload ? section.name : section.name.slice(1);
    const isGlobal = binding !== "local";
    const convention = conventionOf(sectionName)?.convention;
    const data = object.dataOf(section).slice(byteOffset, byteOffset + byteSize);
    found.push({
      name,
      section: sectionName,
      sectionIndex,
      sectionInsn: byteOffset / INSN_SIZE,
      insnCount: byteSize / INSN_SIZE,
      isSubprogram: sectionIndex === text,
      isGlobal,
      isHidden: isGlobal && isHidden,
      convention,
      autoload,
      type: convention ? PROGRAM_TYPES.indexOf(convention.type) : 0,
      expectedAttachType: convention?.attachType ? ATTACH_TYPES.indexOf(convention.attachType) : 0,
      attachBtfId: 0,
      attachModule: undefined,
      attachProgram: undefined,
      code: new Code(data, object.endian === "little"),
      references: [],
    });
  }
  return found.sort((a, b) => a.sectionIndex - b.sectionIndex || a.sectionInsn - b.sectionInsn);
}

/** Finds the function that holds an instruction of a section. */
export class ProgramIndex {
  readonly #bySection = new Map<number, DraftProgram[]>();

  constructor(programs: readonly DraftProgram[]) {
    for (const program of programs) {
      const list = this.#bySection.get(program.sectionIndex);
      if (list) list.push(program);
      else this.#bySection.set(program.sectionIndex, [program]);
    }
  }

  at(sectionIndex: number, insn: number): DraftProgram | undefined {
    const programs = this.#bySection.get(sectionIndex) ?? [];
    let [low, high] = [0, programs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (programs[middle]!.sectionInsn <= insn) low = middle + 1;
      else high = middle;
    }
    const program = programs[low - 1];
    return program && insn < program.sectionInsn + program.insnCount ? program : undefined;
  }
}

/** What the references of a section's code lead to. */
export interface ReferenceTargets {
  readonly object: BpfObject;
  readonly sections: ObjectSections;
  readonly maps: readonly DraftMap[];
  readonly externs: readonly ExternDraft[];
}

/** Reads the ELF relocations of code. Source: libbpf's bpf_object__collect_prog_relos. */
export function collectReferences(index: ProgramIndex, targets: ReferenceTargets): void {
  const { object } = targets;
  const externs = new Map(targets.externs.map((extern) => [extern.symbolIndex, extern]));
  const touched = new Set<DraftProgram>();
  for (const { sectionIndex, byteOffset, symbolIndex } of object.relocations) {
    const section = object.sections[sectionIndex]!;
    if (!isCode(section)) continue;
    const symbol = object.symbols[symbolIndex];
    if (!symbol)
      fail("FORMAT", `section ${section.name}: a relocation names symbol ${symbolIndex}, which does not exist`);
    if (symbol.sectionIndex >= object.sections.length)
      fail("FORMAT", `symbol "${symbol.name}" lies in section ${symbol.sectionIndex}, which does not exist`);
    if (byteOffset % INSN_SIZE || byteOffset >= section.byteSize)
      fail(
        "FORMAT",
        `section ${section.name}: a relocation applies to byte ${byteOffset}, where no instruction starts`,
      );
    const insn = byteOffset / INSN_SIZE;
    // A weak function that a linker dropped leaves its relocations behind.
    const program = index.at(sectionIndex, insn);
    if (!program) continue;
    touched.add(program);
    program.references.push(
      referenceOf(program, insn - program.sectionInsn, symbol, externs.get(symbolIndex), targets),
    );
  }
  for (const { references } of touched) {
    references.sort((a, b) => a.insn - b.insn || REFERENCE_ORDER.indexOf(a.kind) - REFERENCE_ORDER.indexOf(b.kind));
  }
}

/** Source: libbpf's bpf_program__record_reloc. */
function referenceOf(
  program: DraftProgram,
  insn: number,
  symbol: ElfSymbol,
  extern: ExternDraft | undefined,
  { object, sections, maps }: ReferenceTargets,
): Reference {
  const refuse: (note: string) => never = (note) =>
    fail("RELOC", `program "${program.name}", instruction ${insn}: ${note}`);
  const at = insn * INSN_SIZE;
  const { code } = program;
  const opcode = code.opcode(at);
  if (opcode !== CALL && opcode !== LD_IMM64)
    refuse(
      `a relocation against "${symbol.name}" applies to opcode 0x${opcode.toString(16)}, neither a call nor an ld_imm64`,
    );
  const { sectionIndex, byteOffset, byteSize } = symbol;
  const isExtern =
    sectionIndex === 0 && (symbol.binding === "global" || symbol.binding === "weak") && symbol.type === "none";
  if (isExtern) {
    if (!extern) return refuse(`"${symbol.name}" is not declared in the object's BTF`);
    return { kind: opcode === CALL ? "kfunc" : "extern", insn, extern };
  }
  if (opcode === CALL) {
    if (code.source(at) !== PSEUDO.call) refuse("the call is not one of a subprogram");
    if (sectionIndex === 0 || sectionIndex !== sections.text)
      refuse(`it calls "${symbol.name}" in section ${object.sections[sectionIndex]?.name}; subprograms lie in .text`);
    if (byteOffset % INSN_SIZE) refuse(`it calls byte ${byteOffset} of .text, where no instruction starts`);
    return { kind: "call", insn, symbolOffset: byteOffset };
  }
  if (sectionIndex === 0 || sectionIndex >= RESERVED)
    refuse(`"${symbol.name}" lies in no section: a global variable without an initial value, or an undefined symbol`);
  if (isFunction(symbol, sections.text)) {
    if (byteOffset % INSN_SIZE || code.immediate(at) % INSN_SIZE)
      refuse(`it takes the address of byte ${byteOffset} + ${code.immediate(at)} of .text`);
    return { kind: "subprogram", insn, symbolOffset: byteOffset };
  }
  if (sectionIndex === sections.arena) {
    const arena = maps.find(({ type }) => type === MAP_TYPE.ARENA);
    if (!arena) return refuse("it refers to arena data, and the object defines no arena map");
    return { kind: "data", insn, map: arena, symbolOffset: byteOffset };
  }
  if (sectionIndex === sections.jumpTables)
    return { kind: "jump_table", insn, symbolOffset: byteOffset, symbolSize: byteSize };
  if (sections.globalData.some(({ index }) => index === sectionIndex)) {
    const map = maps.find((candidate) => candidate.section !== "" && candidate.sectionIndex === sectionIndex);
    if (!map) return refuse(`section ${object.sections[sectionIndex]!.name} has no map`);
    return { kind: "data", insn, map, symbolOffset: byteOffset };
  }
  const name = object.sections[sectionIndex]!.name;
  if (sectionIndex !== sections.maps) refuse(`it refers to "${symbol.name}" in section ${name}, which holds no maps`);
  const map = maps.find(
    (candidate) =>
      candidate.origin === "definition" &&
      candidate.sectionIndex === sectionIndex &&
      candidate.sectionOffset === byteOffset,
  );
  return map ? { kind: "map", insn, map } : refuse(`no map is defined at byte ${byteOffset} of ${name}`);
}

/** Whether a symbol is a function of `.text`. Source: libbpf's sym_is_subprog. */
function isFunction({ sectionIndex, binding, type }: ElfSymbol, text: number): boolean {
  if (sectionIndex !== text) return false;
  if (binding === "local" && type === "section") return true;
  return (binding === "global" || binding === "weak") && type === "func";
}
