/** Opens the FILE and --base of a command, and says which of them an error is about. */
import { readFileSync } from "node:fs";
import { Btf } from "../btf.js";
import { memorySource } from "../core/source.js";
import { findBtf } from "../elf/btf.js";
import { isElf } from "../elf/file.js";
import { BtfEnvironmentError, BtfError } from "../errors.js";
import { KERNEL_BTF, openFile, readBytes } from "../node.js";
import { InputError } from "./input-error.js";

export { InputError };

export const VMLINUX = `${KERNEL_BTF}/vmlinux`;

/** Codes that a split BTF opened without its base commonly gives. */
const BASE_MISSING: readonly string[] = [
  "ERR_BTF_STRINGS_START",
  "ERR_BTF_STRINGS_EMPTY",
  "ERR_BTF_NAME_OFFSET",
  "ERR_BTF_TYPE_ID",
  "ERR_BTF_FUNC_PROTO",
];

export interface InputOptions {
  readonly base?: string;
}

/** Opens a FILE or standard input (`-`), on a base or none. @throws BtfError */
export async function open(file: string, base?: Btf): Promise<Btf> {
  // Standard input can be read once.
  let bytes = file === "-" ? readBytes(0) : undefined;
  const opened = async (on: Btf | undefined): Promise<Btf> => {
    if (!bytes) return openFile(file, on && { base: on });
    return on ? await on.loadSplit(bytes) : await Btf.load(bytes);
  };
  try {
    return await opened(base);
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    if (base && error.code === "ERR_UNSUPPORTED") {
      // It brings a distilled base: as libbpf does, the types are moved from there.
      const { rebase } = await import("../edit/rebase.js");
      return rebase(await opened(undefined), base).btf;
    }
    // What only an asynchronous library unpacks.
    if (bytes || error.code !== "ERR_COMPRESSED") throw error;
    bytes = readFileSync(file);
    return await opened(base);
  }
}

/** What is thrown about an input, with the input's name in front. */
export function inputError(file: string, cause: unknown, hint: (error: BtfError) => string = () => ""): unknown {
  if (!(cause instanceof BtfError) || cause.code === "ERR_INTERNAL") return cause;
  const what = cause.code === "ERR_FILE" ? cause.details.note : cause.message;
  return new InputError(`${file === "-" ? "standard input" : file}: ${what}${hint(cause)}`, { cause });
}

async function named(file: string, base: Btf | undefined, hint: (error: BtfError) => string): Promise<Btf> {
  try {
    return await open(file, base);
  } catch (cause) {
    throw inputError(file, cause, hint);
  }
}

/** Opens the BTF that an object is relocated on, and modules on top of it. */
export async function openTarget(
  file: string | undefined,
  modules: readonly string[] = [],
  options: InputOptions = {},
): Promise<{ vmlinux: Btf; modules: Btf[] }> {
  const vmlinux = await openInput(file, options, "name the kernel with --target, and this file with --module");
  const opened: Btf[] = [];
  for (const module of modules) {
    const hint = (error: BtfError): string =>
      BASE_MISSING.includes(error.code) ? `; does it belong to ${file ?? VMLINUX}?` : "";
    opened.push(await named(module, vmlinux, hint));
  }
  return { vmlinux, modules: opened };
}

/**
 * Opens FILE, by default the running kernel's BTF; for a module of the running kernel the base is found by itself.
 *
 * @param withBase what to do about a missing base
 */
export async function openInput(
  file: string | undefined,
  { base }: InputOptions,
  withBase = "give its base with -B FILE",
): Promise<Btf> {
  const path = file ?? VMLINUX;
  const isModule = path.startsWith(`${KERNEL_BTF}/`) && path !== VMLINUX;
  const basePath = base ?? (isModule ? VMLINUX : undefined);
  const onBase = basePath === undefined ? undefined : await named(basePath, undefined, () => "");
  return await named(path, onBase, (error) => {
    if (onBase === undefined && BASE_MISSING.includes(error.code)) {
      return `; if this is a module's split BTF, ${withBase}`;
    }
    if (onBase !== undefined && BASE_MISSING.includes(error.code)) return `; does it belong to the base ${basePath}?`;
    if (file === undefined && error instanceof BtfEnvironmentError) return "; name a FILE with BTF, such as a vmlinux";
    return "";
  });
}

/** The bytes of a FILE whose BTF cannot be opened, out of what holds them. */
export function rawBytes(file: string): Uint8Array {
  const plain = readBytes(file === "-" ? 0 : file);
  if (!isElf(plain)) return plain;
  const { btf } = findBtf(memorySource(plain));
  return plain.subarray(btf.offset, btf.offset + btf.length);
}

/** Opens several FILEs, on the same base if one is given. */
export async function openInputs(
  files: readonly string[],
  { base }: InputOptions,
): Promise<{ base: Btf | undefined; inputs: Btf[] }> {
  const onBase = base === undefined ? undefined : await openInput(base, {});
  const inputs: Btf[] = [];
  for (const file of files) {
    inputs.push(
      await named(file, onBase, (error) => {
        if (!BASE_MISSING.includes(error.code)) return "";
        return onBase
          ? `; does it belong to the base ${base}?`
          : "; if this is a module's split BTF, give its base with -B FILE";
      }),
    );
  }
  return { base: onBase, inputs };
}
