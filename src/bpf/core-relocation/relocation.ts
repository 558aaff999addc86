/** The result of relocating an object: each relocation, and the patched code. */
import type { Btf } from "../../btf/btf.js";
import type { BtfError } from "../../errors/error.js";
import type { Program } from "../elf/programs.js";
import type { CoreRelocation, LineInfo } from "../ext/types.js";
import type { BpfObject } from "../object/object.js";
import type { EngineName } from "./engines.js";
import type { CoreTarget, Resolution } from "./resolution.js";

/** The types to relocate on: a kernel's BTF, or that with its modules'. */
export type RelocationTarget = Btf | { readonly vmlinux: Btf; readonly modules?: readonly Btf[] };

/**
 * `same`: the instruction stays as it is. `changed`: it is patched. `absent`:
 * nothing matched, and the kind has a value for that (0). `poisoned`: the
 * instruction became a call of a function that does not exist, which the
 * verifier refuses if it can be reached. `error`: libbpf refuses to load the object.
 */
export type RelocationStatus = "same" | "changed" | "absent" | "poisoned" | "error";

/** One relocation's result. */
export interface Relocation {
  readonly record: CoreRelocation;
  /** Number of the record in its section, as libbpf's messages count them. */
  readonly index: number;
  readonly program: Program | undefined;
  /** The ELF section's name. */
  readonly section: string;
  /** Index of the instruction in its program. */
  readonly insn: number;
  readonly status: RelocationStatus;
  /** Specs, candidates and values. */
  readonly resolution: Resolution;
  /** Set with the status `error`. */
  readonly error: BtfError | undefined;
  /** libbpf's errno for the error, as a positive number; 0 otherwise. */
  readonly errno: number;
  /** The instruction's bytes as they lie in the file: 8, or 16 for an ld_imm64. Empty where there is none. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** The line of the source. */
  readonly line: LineInfo | undefined;
  /** Why it came out so, in words; `undefined` where there is nothing to say. Computed when it is read. */
  readonly reason: string | undefined;
}

/** An object with its relocations applied. */
export interface RelocatedObject {
  readonly object: BpfObject;
  readonly target: CoreTarget;
  /** The engine whose rules were followed. */
  readonly engine: EngineName;
  /** In the order of the records. Records of instructions that belong to no program (weak functions that a linker dropped) are left out, as libbpf leaves them out. */
  readonly relocations: readonly Relocation[];
  /** The first error; the object cannot be loaded then. */
  readonly error: BtfError | undefined;
  /** Patched code by section index, for sections that have relocations. */
  readonly code: ReadonlyMap<number, Uint8Array>;
  /**
   * The object file with patched instructions, and without its CO-RE records.
   *
   * @param options.keepRecords leaves the records in, for tools that look at
   *   them. A loader that relocates again, as libbpf does, refuses instructions
   *   that do not hold the value it expects.
   * @throws the first error
   */
  toBytes(options?: { readonly keepRecords?: boolean }): Uint8Array<ArrayBuffer>;
}
