/** Opens a BPF object: an ELF file with programs, as a compiler made it. */
import { Btf } from "../../btf/btf.js";
import type { Endian } from "../../btf/header.js";
import { bytesOf, memorySource } from "../../btf/source.js";
import { ERR_OBJECT, ERR_OBJECT_SECTION } from "../../errors/bpf.js";
import { ERR_ELF_SECTION, ERR_ELF_TRUNCATED } from "../../errors/btf.js";
import { BtfFormatError } from "../../errors/error.js";
import { type ElfFile, type ElfSection, isElf, readElf, SHF_COMPRESSED, SHT_PROGBITS } from "../elf/file.js";
import { findPrograms, type Program } from "../elf/programs.js";
import { type ElfRelocation, readRelocations } from "../elf/relocations.js";
import { SHT_NOBITS } from "../elf/section-types.js";
import { type ElfSymbol, readSymbols } from "../elf/symbols.js";
import { readExt } from "../ext/read.js";
import type { Ext } from "../ext/types.js";
import type { ObjectContents } from "./contents.js";
import { type BpfMap, findMaps } from "./maps.js";
import { type Extern, findExterns, findGlobals, type Global } from "./variables.js";

const ET_REL = 1;
const EM_BPF = 247;

/**
 * One BPF object file. Its parts are read when they are asked for; the file is
 * never changed.
 *
 * Memory: the given bytes (not copied), the section table, symbols and ELF
 * relocations; the BTF as `Btf` once it is asked for.
 *
 * @example
 * const [program] = object.programs;
 * console.log(program?.name, program?.section); // program raw_tp/sched_switch
 */
export class BpfObject implements ObjectContents {
  /** The file. */
  readonly bytes: Uint8Array;
  /** Byte order of the file, its instructions and its BTF. */
  readonly endian: Endian;
  /** All sections, by their index; the first is empty. */
  readonly sections: readonly ElfSection[];
  /** @internal */
  readonly elf: ElfFile;
  #symbols: readonly ElfSymbol[] | undefined;
  #programs: readonly Program[] | undefined;
  #btf: Btf | undefined;
  #ext: Ext | undefined;
  #maps: readonly BpfMap[] | undefined;
  #relocations: readonly ElfRelocation[] | undefined;
  #bySection: Map<number, Program[]> | undefined;

  /** @internal */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.elf = readElf(memorySource(bytes));
    const { machine, type, is64, littleEndian, sections } = this.elf;
    // Some compilers leave the machine empty; libbpf accepts that.
    if (machine !== EM_BPF && machine !== 0)
      throw new BtfFormatError(ERR_OBJECT, { note: `the ELF file is for machine ${machine}, not for BPF (${EM_BPF})` });
    if (type !== ET_REL)
      throw new BtfFormatError(ERR_OBJECT, {
        note: `the ELF file has type ${type}, not that of a relocatable object (${ET_REL})`,
      });
    if (!is64) throw new BtfFormatError(ERR_OBJECT, { note: "the ELF file has 32 bits, BPF objects have 64" });
    this.endian = littleEndian ? "little" : "big";
    this.sections = sections;
  }

  /** All symbols in the order of the table, the empty first one included. @throws BtfFormatError ERR_ELF_SECTION, ERR_ELF_TRUNCATED */
  get symbols(): readonly ElfSymbol[] {
    this.#symbols ??= readSymbols(memorySource(this.bytes), this.elf);
    return this.#symbols;
  }

  /** Programs and subprograms, ordered by section and place. @throws BtfFormatError ERR_ELF_SECTION, ERR_ELF_TRUNCATED */
  get programs(): readonly Program[] {
    this.#programs ??= findPrograms(this.sections, this.symbols);
    return this.#programs;
  }

  /** ELF relocations: calls, map references, externs. @throws BtfFormatError ERR_ELF_SECTION, ERR_ELF_TRUNCATED */
  get relocations(): readonly ElfRelocation[] {
    this.#relocations ??= readRelocations(memorySource(this.bytes), this.elf);
    return this.#relocations;
  }

  /** Returns the first section with a name, as libbpf looks it up. */
  section(name: string): ElfSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** Returns the bytes of a section, without a copy; none for a section without contents in the file. @throws BtfFormatError ERR_ELF_TRUNCATED */
  dataOf(section: ElfSection): Uint8Array {
    const { name, type, offset, byteSize } = section;
    if (type === SHT_NOBITS) return new Uint8Array(0);
    if (offset > this.bytes.length || byteSize > this.bytes.length - offset) {
      throw new BtfFormatError(ERR_ELF_TRUNCATED, {
        name: `section ${name}`,
        value: offset + byteSize,
        limit: this.bytes.length,
      });
    }
    return this.bytes.subarray(offset, offset + byteSize);
  }

  /** Returns the program that holds the instruction at a byte offset of a section. */
  programAt(sectionIndex: number, byteOffset: number): Program | undefined {
    this.#bySection ??= groupBySection(this.programs);
    const programs = this.#bySection.get(sectionIndex) ?? [];
    let [low, high] = [0, programs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (programs[middle]!.byteOffset <= byteOffset) low = middle + 1;
      else high = middle;
    }
    const program = programs[low - 1];
    return program && byteOffset < program.byteOffset + program.byteSize ? program : undefined;
  }

  /** Whether it has a `.BTF` section. */
  get hasBtf(): boolean {
    return this.section(".BTF") !== undefined;
  }

  /** Whether it has a `.BTF.ext` section. */
  get hasExt(): boolean {
    return this.section(".BTF.ext") !== undefined;
  }

  /** Its types. @throws BtfFormatError ERR_OBJECT_SECTION where it has none, and the errors of `Btf.parse` */
  get btf(): Btf {
    if (this.#btf) return this.#btf;
    const section = this.section(".BTF");
    if (!section) throw new BtfFormatError(ERR_OBJECT_SECTION, { name: ".BTF", note: "compile it with -g" });
    const isPlain = section.type === SHT_PROGBITS && !(section.flags & SHF_COMPRESSED) && !this.section(".BTF.base");
    // A plain section needs no second look at the section table.
    this.#btf = Btf.parse(isPlain ? this.dataOf(section) : this.bytes);
    this.#btf.pointerSize = 8;
    return this.#btf;
  }

  /** Its `.BTF.ext`. @throws BtfFormatError ERR_OBJECT_SECTION where it has none, ERR_EXT where it is malformed */
  get ext(): Ext {
    if (this.#ext) return this.#ext;
    const { image } = this.btf;
    this.#ext = readExt(this.extBytes, (offset, limit) => image.stringAt(offset, limit));
    return this.#ext;
  }

  /** @internal */
  get extBytes(): Uint8Array {
    const section = this.section(".BTF.ext");
    if (!section) {
      throw new BtfFormatError(ERR_OBJECT_SECTION, {
        name: ".BTF.ext",
        note: "it has no CO-RE relocations; compile it with -g",
      });
    }
    if (section.type !== SHT_PROGBITS) {
      throw new BtfFormatError(ERR_ELF_SECTION, {
        name: ".BTF.ext",
        note: `type ${section.type}, expected SHT_PROGBITS`,
      });
    }
    return this.dataOf(section);
  }

  /** Maps, from the BTF of `.maps` or from the older `maps` section. */
  get maps(): readonly BpfMap[] {
    this.#maps ??= findMaps(this);
    return this.#maps;
  }

  /** The license's name; `undefined` where there is none. */
  get license(): string | undefined {
    const section = this.section("license");
    if (!section) return undefined;
    const bytes = this.dataOf(section).subarray(0, 63);
    const end = bytes.indexOf(0);
    return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
  }

  /** The symbols that the kernel has to provide: `.kconfig` settings, and `.ksyms` functions and variables. */
  get externs(): readonly Extern[] {
    return this.hasBtf ? findExterns(this) : [];
  }

  /** Hands the memory of its BTF over to the next Btf that is opened; its types cannot be read any more. */
  [Symbol.dispose](): void {
    this.#btf?.[Symbol.dispose]();
  }

  /** Variables in `.data`, `.rodata`, `.bss`, `.percpu` and sections of such names. */
  get globals(): readonly Global[] {
    return this.hasBtf ? findGlobals(this) : [];
  }
}

function groupBySection(programs: readonly Program[]): Map<number, Program[]> {
  const groups = new Map<number, Program[]>();
  for (const program of programs) {
    const group = groups.get(program.sectionIndex);
    if (group) group.push(program);
    else groups.set(program.sectionIndex, [program]);
  }
  return groups;
}

/**
 * Opens a BPF object of either byte order, made by clang, gcc or rustc. The
 * bytes are not copied and must not change.
 *
 * @throws BtfFormatError ERR_OBJECT for a file that is not a BPF object, ERR_ELF_* for a malformed file
 * @example
 * const probe = readObject(readBytes("probe.bpf.o"));
 * console.log(probe.hasBtf, probe.programs.length); // true 1
 */
export function readObject(bytes: ArrayBuffer | ArrayBufferView): BpfObject {
  const { buffer, byteOffset, byteLength } = bytesOf(bytes);
  // A plain Uint8Array: slice() of a subclass such as Node's Buffer does not copy.
  const data = new Uint8Array(buffer, byteOffset, byteLength);
  if (!isElf(data)) throw new BtfFormatError(ERR_OBJECT, { note: "it does not start with the ELF magic" });
  return new BpfObject(data);
}
