/** Reads ELF relocations: the places that a linker or loader fills in. */
import type { ByteSource } from "../../btf/source.js";
import { ERR_ELF_SECTION } from "../../errors/btf.js";
import { BtfFormatError } from "../../errors/error.js";
import { type ElfFile, part } from "./file.js";
import { SHT_REL, SHT_RELA } from "./section-types.js";

/** `R_BPF_64_64`: the two words of an ld_imm64. */
export const R_BPF_64_64 = 1;
/** `R_BPF_64_32`: the immediate of a call. */
export const R_BPF_64_32 = 10;

/** One entry of a relocation section. */
export interface ElfRelocation {
  /** Index of the section that it applies to. */
  readonly sectionIndex: number;
  /** From the start of that section, in bytes. */
  readonly byteOffset: number;
  /** `R_BPF_*` */
  readonly type: number;
  readonly symbolIndex: number;
  /** The addend of a RELA entry; `undefined` where the place itself holds it. */
  readonly addend: bigint | undefined;
}

/** Returns all relocations, section by section. @throws BtfFormatError ERR_ELF_SECTION, ERR_ELF_TRUNCATED */
export function readRelocations(source: ByteSource, elf: ElfFile): ElfRelocation[] {
  const { is64, littleEndian: little } = elf;
  const found: ElfRelocation[] = [];
  for (const section of elf.sections) {
    if (section.type !== SHT_REL && section.type !== SHT_RELA) continue;
    const withAddend = section.type === SHT_RELA;
    const entrySize = (is64 ? 16 : 8) + (withAddend ? (is64 ? 8 : 4) : 0);
    if (section.entrySize !== entrySize) {
      const note = `entries of ${section.entrySize} bytes, expected ${entrySize}`;
      throw new BtfFormatError(ERR_ELF_SECTION, { name: section.name, note });
    }
    if (section.info >= elf.sections.length) {
      const note = `applies to section ${section.info}, which does not exist`;
      throw new BtfFormatError(ERR_ELF_SECTION, { name: section.name, note });
    }
    const bytes = part(source, `section ${section.name}`, section.offset, section.byteSize);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + entrySize <= bytes.length; at += entrySize) {
      found.push({
        sectionIndex: section.info,
        ...(is64 ? entry64(view, at, little) : entry32(view, at, little)),
        addend: withAddend ? addend(view, at, is64, little) : undefined,
      });
    }
  }
  return found;
}

type Entry = Pick<ElfRelocation, "byteOffset" | "type" | "symbolIndex">;

function entry64(view: DataView, at: number, little: boolean): Entry {
  return {
    byteOffset: Number(view.getBigUint64(at, little)),
    type: view.getUint32(at + (little ? 8 : 12), little),
    symbolIndex: view.getUint32(at + (little ? 12 : 8), little),
  };
}

function entry32(view: DataView, at: number, little: boolean): Entry {
  const info = view.getUint32(at + 4, little);
  return { byteOffset: view.getUint32(at, little), type: info & 0xff, symbolIndex: info >>> 8 };
}

function addend(view: DataView, at: number, is64: boolean, little: boolean): bigint {
  return is64 ? view.getBigInt64(at + 16, little) : BigInt(view.getInt32(at + 8, little));
}
