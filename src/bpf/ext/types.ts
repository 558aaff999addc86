/**
 * The contents of `.BTF.ext`: the functions that start at instructions, the
 * source lines of instructions, and their CO-RE relocations. Offsets of instructions are
 * bytes from the start of their ELF section.
 *
 * Source: the kernel's Documentation/bpf/btf.rst, section "BTF.ext".
 */
import type { Endian } from "../../btf/header.js";
import type { RelocationKind } from "./kinds.js";

/** One function (`struct bpf_func_info`). */
export interface FuncInfo {
  readonly insnByteOffset: number;
  /** The id of a FUNC. */
  readonly typeId: number;
}

/** The source of an instruction and of those that follow it (`struct bpf_line_info`). */
export interface LineInfo {
  readonly insnByteOffset: number;
  readonly file: string;
  /** The source text of the line. */
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1; 0 where it is not known. */
  readonly column: number;
}

/** One CO-RE relocation (`struct bpf_core_relo`). */
export interface CoreRelocation {
  readonly insnByteOffset: number;
  /** The id of the local root type. */
  readonly typeId: number;
  /** Path of indices from the root type, such as `"0:1:2"`; `undefined` where its string does not exist. */
  readonly access: string | undefined;
  /** The kind's number. */
  readonly kindNumber: number;
  readonly kind: RelocationKind | "unknown";
}

/** The records of one ELF section. */
export interface ExtSection<R> {
  /** The ELF section's name. */
  readonly section: string;
  readonly records: readonly R[];
}

/** One of the three lists. */
export interface ExtInfo<R> {
  /** Bytes of a stored record; more than the known fields have means fields of a later format, which are skipped. */
  readonly recordSize: number;
  readonly sections: readonly ExtSection<R>[];
}

/** The contents of a `.BTF.ext` section. A list that is not there is `undefined`. */
export interface Ext {
  readonly endian: Endian;
  /** 24 without, 32 with CO-RE relocations. */
  readonly headerLength: number;
  readonly funcInfo: ExtInfo<FuncInfo> | undefined;
  readonly lineInfo: ExtInfo<LineInfo> | undefined;
  readonly coreRelocations: ExtInfo<CoreRelocation> | undefined;
}
