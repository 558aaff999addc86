/** The uses that a program makes of its context, the memory that the kernel hands to it. */
import type { BtfType } from "../../../btf/types.js";
import type { Program } from "../../elf/programs.js";

/** A use of a part of the context. */
export interface Use {
  /** Of the part, in bytes. */
  readonly offset: number;
  /** The type, of the object's BTF, that the part is taken for a pointer to; `undefined` where it is just read. */
  readonly root: BtfType | undefined;
  /** Tells whether the verifier comes there whatever the settings are: an object may do this on some kernels only. */
  isCertain(): boolean;
}

/** Returns what a program does with its context. */
export type UsesOf = (program: Program) => readonly Use[];
