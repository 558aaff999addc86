/** Finds the BTF sections of an ELF file: `.BTF`, and `.BTF.base` where a module carries its distilled base. */
import type { Compression } from "../../btf/compression.js";
import type { ByteSource } from "../../btf/source.js";
import { ERR_ELF_NO_BTF, ERR_ELF_SECTION } from "../../errors/btf.js";
import { BtfFormatError } from "../../errors/error.js";
import { type ElfFile, type ElfSection, part, readElf, SHF_COMPRESSED, SHT_PROGBITS } from "./file.js";

/** The place of a section's BTF in the file, plain or packed. */
export interface Payload {
  readonly section: string;
  readonly offset: number;
  readonly length: number;
  /** The compression, and the length in bytes once unpacked. */
  readonly packed?: { readonly kind: Compression; readonly byteSize: number };
}

export interface ElfBtf {
  readonly btf: Payload;
  readonly base?: Payload;
  /** In bytes: by the ELF class, as libbpf sets it. */
  readonly pointerSize: 4 | 8;
}

// ch_type of a compressed section's header.
const ELFCOMPRESS: Record<number, Compression> = { 1: "zlib", 2: "zstd" };

function payload(source: ByteSource, elf: ElfFile, section: ElfSection): Payload {
  const { name, type, flags, offset, byteSize: length } = section;
  if (type !== SHT_PROGBITS) {
    throw new BtfFormatError(ERR_ELF_SECTION, {
      name,
      note: `type ${type}, not SHT_PROGBITS: stripped to debug info?`,
    });
  }
  const whole = part(source, `section ${name}`, offset, length);
  if (!(flags & SHF_COMPRESSED)) return { section: name, offset, length };
  const headerSize = elf.is64 ? 24 : 12;
  if (length < headerSize) {
    throw new BtfFormatError(ERR_ELF_SECTION, { name, note: `${length} bytes, too few for a compression header` });
  }
  const view = new DataView(whole.buffer, whole.byteOffset, headerSize);
  const number = view.getUint32(0, elf.littleEndian);
  const kind = ELFCOMPRESS[number];
  if (!kind)
    throw new BtfFormatError(ERR_ELF_SECTION, { name, note: `unknown compression ${number} (1 is zlib, 2 zstd)` });
  const byteSize = elf.is64 ? Number(view.getBigUint64(8, elf.littleEndian)) : view.getUint32(4, elf.littleEndian);
  return { section: name, offset: offset + headerSize, length: length - headerSize, packed: { kind, byteSize } };
}

/** Finds the BTF of an ELF file. @throws BtfFormatError ERR_ELF_NO_BTF, and the errors of a malformed file. */
export function findBtf(source: ByteSource): ElfBtf {
  const elf = readElf(source);
  const section = elf.sections.find(({ name }) => name === ".BTF");
  if (!section) {
    const note =
      elf.sections.length === 0
        ? "it has no sections at all"
        : "kernels have it with CONFIG_DEBUG_INFO_BTF, BPF objects with -g";
    throw new BtfFormatError(ERR_ELF_NO_BTF, { note });
  }
  const base = elf.sections.find(({ name }) => name === ".BTF.base");
  return {
    btf: payload(source, elf, section),
    ...(base && { base: payload(source, elf, base) }),
    pointerSize: elf.is64 ? 8 : 4,
  };
}
