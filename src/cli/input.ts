/** Opens the FILE and --base of a command, with a hint at what may be missing. */
import type { Btf } from "../btf/btf.js";
import { BtfEnvironmentError, type BtfError } from "../errors/error.js";
import { KERNEL_BTF } from "../node/kernel.js";
import { inputError, lacksBase } from "./input-error.js";
import { type ImageSelection, openInputFile } from "./input-file.js";

export const VMLINUX = `${KERNEL_BTF}/vmlinux`;

export interface InputOptions extends ImageSelection {
  readonly base?: string;
}

async function named(
  file: string,
  base: Btf | undefined,
  hint: (error: BtfError) => string,
  taken?: ImageSelection,
): Promise<Btf> {
  try {
    return await openInputFile(file, base, taken);
  } catch (cause) {
    throw inputError(file, cause, hint);
  }
}

/**
 * Opens FILE, by default the running kernel's BTF; for a module of the running kernel the base is found by itself.
 *
 * @param withBase what to do about a missing base
 */
export async function openInput(
  file: string | undefined,
  { base, ...taken }: InputOptions,
  withBase = "give its base with -B FILE",
): Promise<Btf> {
  const path = file ?? VMLINUX;
  const isModule = path.startsWith(`${KERNEL_BTF}/`) && path !== VMLINUX;
  const basePath = base ?? (isModule ? VMLINUX : undefined);
  const onBase =
    basePath === undefined ? undefined : await named(basePath, undefined, () => "", { maxSize: taken.maxSize });
  const hint = (error: BtfError): string => {
    if (onBase === undefined && lacksBase(error)) {
      return `; if this is a module's split BTF, ${withBase}`;
    }
    if (onBase !== undefined && lacksBase(error)) return `; does it belong to the base ${basePath}?`;
    if (file === undefined && error instanceof BtfEnvironmentError) return "; name a FILE with BTF, such as a vmlinux";
    return "";
  };
  return await named(path, onBase, hint, taken);
}

/** Opens several FILEs, on the same base if one is given. */
export async function openInputs(
  files: readonly string[],
  { base, ...taken }: InputOptions,
): Promise<{ base: Btf | undefined; inputs: Btf[] }> {
  const onBase = base === undefined ? undefined : await openInput(base, { maxSize: taken.maxSize });
  const inputs: Btf[] = [];
  const hint = (error: BtfError): string => {
    if (!lacksBase(error)) return "";
    return onBase
      ? `; does it belong to the base ${base}?`
      : "; if this is a module's split BTF, give its base with -B FILE";
  };
  for (const file of files) inputs.push(await named(file, onBase, hint, taken));
  return { base: onBase, inputs };
}
