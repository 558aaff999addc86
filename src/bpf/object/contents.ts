/** The parts of an object file from which its maps and variables are found. */
import type { Btf } from "../../btf/btf.js";
import type { Endian } from "../../btf/header.js";
import type { ElfSection } from "../elf/file.js";
import type { ElfSymbol } from "../elf/symbols.js";

export interface ObjectContents {
  readonly endian: Endian;
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  readonly hasBtf: boolean;
  readonly btf: Btf;
  dataOf(section: ElfSection): Uint8Array;
}
