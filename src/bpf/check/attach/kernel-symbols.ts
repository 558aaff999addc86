/** Looks up functions, variables and types by name in a kernel and its modules. */
import type { Btf } from "../../../btf/btf.js";
import type { BtfType } from "../../../btf/types.js";
import { BtfFormatError, BtfLimitError } from "../../../errors/error.js";
import { kindNumber } from "../../../format/kind.js";
import { RelocationFailure } from "../../core-relocation/failure.js";
import type { CoreTarget } from "../../core-relocation/resolution.js";
import type { KernelSymbolTable } from "./kallsyms.js";

/** Where symbols are looked for: BTF, and the kernel's table of symbols where it is known. */
export interface AttachTarget extends CoreTarget {
  readonly kallsyms?: KernelSymbolTable | undefined;
}

/** The advice for a symbol that BTF lacks, where no modules are given. */
export function moduleAdvice({ modules }: CoreTarget): string | undefined {
  return modules.length === 0 ? "if a module defines it, add the module" : undefined;
}

/** Returns the BTFs in the order in which they are searched. */
export function places({ vmlinux, modules }: CoreTarget): Btf[] {
  return [vmlinux, ...modules];
}

/** Returns the first type of a name and kind. */
export function findInTarget(
  target: CoreTarget,
  name: string,
  kind: "func" | "typedef" | "struct" | "var",
): BtfType | undefined {
  for (const btf of places(target)) {
    const found = btf.find(name, kind);
    if (found) return found;
  }
  return undefined;
}

/** Tells whether the target's BTF lists functions at all: a minimised BTF does not. */
export function listsFunctions(target: CoreTarget): boolean {
  return places(target).some(hasFunctions);
}

function hasFunctions({ image, base }: Btf): boolean {
  return image.kinds.includes(kindNumber("func")) || (base !== undefined && hasFunctions(base));
}

/** Tells whether an error says that types are malformed: a loop, an id that does not exist. */
export function isMalformed(error: unknown): error is BtfFormatError | BtfLimitError | RelocationFailure {
  return error instanceof BtfFormatError || error instanceof BtfLimitError || error instanceof RelocationFailure;
}
