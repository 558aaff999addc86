/** Types and flags of sections (`sh_type`, `sh_flags`) beside those that file.ts needs for BTF alone. */
export const SHT_SYMTAB = 2;
export const SHT_RELA = 4;
export const SHT_NOBITS = 8;
export const SHT_REL = 9;
export const SHF_EXECINSTR = 4;
