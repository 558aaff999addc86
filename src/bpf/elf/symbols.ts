/** Reads the symbol table of an ELF file. */

import type { ByteSource } from "../../btf/source.js";
import { decodeSlice } from "../../btf/strings.js";
import { ERR_ELF_SECTION } from "../../errors/btf.js";
import { BtfFormatError } from "../../errors/error.js";
import { type ElfFile, part } from "./file.js";
import { SHT_SYMTAB } from "./section-types.js";

/** Bytes after which names are cut: overlapping names must not multiply the size of the file. */
const NAME_LIMIT = 4096;

/** The type of a symbol (`STT_*`). */
export type SymbolType = "none" | "object" | "func" | "section" | "file" | "other";
/** The visibility among objects (`STB_*`). */
export type SymbolBinding = "local" | "global" | "weak" | "other";

const TYPES: readonly SymbolType[] = ["none", "object", "func", "section", "file"];
const BINDINGS: readonly SymbolBinding[] = ["local", "global", "weak"];

/** One symbol. */
export interface ElfSymbol {
  /** "" if it has none, as the symbols of sections. */
  readonly name: string;
  readonly type: SymbolType;
  readonly binding: SymbolBinding;
  /** `STV_HIDDEN` or `STV_INTERNAL`: static for libbpf, whatever its binding. */
  readonly isHidden: boolean;
  /** Index of its section; 0 for a symbol that is defined elsewhere; numbers from 0xff00 on are not sections. */
  readonly sectionIndex: number;
  /** From the start of its section, in bytes. */
  readonly byteOffset: number;
  readonly byteSize: number;
}

/**
 * Returns all symbols in the order of the table, the empty first symbol included;
 * none where there is no table.
 *
 * @throws BtfFormatError ERR_ELF_SECTION, ERR_ELF_TRUNCATED
 */
export function readSymbols(source: ByteSource, elf: ElfFile): ElfSymbol[] {
  const table = elf.sections.find(({ type }) => type === SHT_SYMTAB);
  if (!table) return [];
  const { is64, littleEndian: little } = elf;
  const entrySize = is64 ? 24 : 16;
  if (table.entrySize !== entrySize) {
    const note = `entries of ${table.entrySize} bytes, expected ${entrySize}`;
    throw new BtfFormatError(ERR_ELF_SECTION, { name: table.name, note });
  }
  const names = elf.sections[table.link];
  if (!names)
    throw new BtfFormatError(ERR_ELF_SECTION, {
      name: table.name,
      note: `names in section ${table.link}, which does not exist`,
    });
  const text = part(source, `section ${names.name}`, names.offset, names.byteSize).slice();
  const bytes = part(source, `section ${table.name}`, table.offset, table.byteSize);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): number => (is64 ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
  return Array.from({ length: Math.floor(table.byteSize / entrySize) }, (_, i) => {
    const at = i * entrySize;
    const info = view.getUint8(at + (is64 ? 4 : 12));
    const visibility = view.getUint8(at + (is64 ? 5 : 13)) & 3;
    const nameOffset = view.getUint32(at, little);
    return {
      name: nameOffset === 0 ? "" : decodeSlice(text, nameOffset, NAME_LIMIT),
      type: TYPES[info & 15] ?? "other",
      binding: BINDINGS[info >> 4] ?? "other",
      isHidden: visibility === 1 || visibility === 2,
      sectionIndex: view.getUint16(at + (is64 ? 6 : 14), little),
      byteOffset: word(at + (is64 ? 8 : 4)),
      byteSize: word(at + (is64 ? 16 : 8)),
    };
  });
}
