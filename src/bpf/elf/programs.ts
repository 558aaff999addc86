/** Finds the programs of a BPF object, and reads their types from the names of their sections. */

import { ERR_ELF_SECTION } from "../../errors/btf.js";
import { BtfFormatError } from "../../errors/error.js";
import { INSN_SIZE } from "../instruction.js";
import { type ElfSection, SHT_PROGBITS } from "./file.js";
import { conventionOf, type ProgramType } from "./section-names.js";
import { SHF_EXECINSTR } from "./section-types.js";
import type { ElfSymbol } from "./symbols.js";

/** One program, or a subprogram that others call. */
export interface Program {
  /** The name of its function symbol. */
  readonly name: string;
  /** The name of its section, without the `?` of a program that is not loaded by itself. */
  readonly section: string;
  readonly sectionIndex: number;
  /** From the start of the section, in bytes. */
  readonly byteOffset: number;
  readonly byteSize: number;
  /** The number of instruction slots. */
  readonly insnCount: number;
  /** The type by its section's name; `"unspec"` for a subprogram and for a name that libbpf does not know. */
  readonly type: ProgramType;
  /** The part of the section's name that says what it is: `"kprobe"`, `"fentry.s"`, `"tp_btf"`. */
  readonly convention: string | undefined;
  /** The target in the rest of the name: `"do_unlinkat"`, `"sched/sched_switch"`; `undefined` where there is none. */
  readonly attachTo: string | undefined;
  /** It is loaded with the object: its section's name has no `?`. */
  readonly autoload: boolean;
  /** It lies in `.text` and is not alone there: programs call it. */
  readonly isSubprogram: boolean;
  /** A subprogram that the kernel checks apart from its callers: global and visible. */
  readonly isGlobal: boolean;
}

/** Returns what a section's name (without `?`) says about its programs. */
export function sectionConvention(section: string): Pick<Program, "type" | "convention" | "attachTo"> {
  const found = conventionOf(section);
  if (!found) return { type: "unspec", convention: undefined, attachTo: undefined };
  return { type: found.convention.type, convention: found.convention.name, attachTo: found.attachTo };
}

/**
 * Returns the programs: function symbols in sections of code, ordered by section
 * and place. Source: libbpf's bpf_object__add_programs.
 *
 * @throws BtfFormatError ERR_ELF_SECTION for a program that passes its section's end or has no whole instructions
 */
export function findPrograms(sections: readonly ElfSection[], symbols: readonly ElfSymbol[]): Program[] {
  const found: Program[] = [];
  for (const symbol of symbols) {
    const { sectionIndex, byteOffset, byteSize, name } = symbol;
    const section = sections[sectionIndex];
    if (symbol.type !== "func" || !section || !isCode(section)) continue;
    const refuse = (note: string): never => {
      throw new BtfFormatError(ERR_ELF_SECTION, { name: section.name, note: `program ${name} ${note}` });
    };
    if (byteOffset > section.byteSize || byteSize > section.byteSize - byteOffset) {
      refuse(`ends at byte ${byteOffset + byteSize}, the section at ${section.byteSize}`);
    }
    if (byteSize === 0 || byteSize % INSN_SIZE || byteOffset % INSN_SIZE) {
      refuse(`has ${byteSize} bytes at ${byteOffset}: not whole instructions of ${INSN_SIZE} bytes`);
    }
    const autoload = !section.name.startsWith("?");
    const sectionName = autoload ? section.name : section.name.slice(1);
    found.push({
      name,
      section: sectionName,
      sectionIndex,
      byteOffset,
      byteSize,
      insnCount: byteSize / INSN_SIZE,
      ...sectionConvention(sectionName),
      autoload,
      isSubprogram: section.name === ".text",
      isGlobal: section.name === ".text" && symbol.binding !== "local" && !symbol.isHidden,
    });
  }
  // A lone program in .text is loaded, not called.
  const programs = found.length === 1 ? [{ ...found[0]!, isSubprogram: false, isGlobal: false }] : found;
  return programs.sort((a, b) => a.sectionIndex - b.sectionIndex || a.byteOffset - b.byteOffset);
}

/** Tells whether a section holds instructions. */
export function isCode({ type, flags, byteSize }: ElfSection): boolean {
  return type === SHT_PROGBITS && (flags & SHF_EXECINSTR) !== 0 && byteSize > 0;
}
