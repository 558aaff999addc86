/** Opens the FILE and --base of a command, and says which of them an error is about. */
import { readFileSync } from "node:fs";
import { Btf } from "../btf/btf.js";
import { BtfEnvironmentError, BtfError } from "../errors/error.js";
import type { FoundBtf } from "../image/containers/find.js";
import type { KernelImage } from "../image/containers/image.js";
import type { ImageOptions } from "../image/containers/options.js";
import { extractBtfFile, KERNEL_BTF, openFile, openImageFile } from "../node.js";
import { InputError } from "./exit.js";
import { splitBtfIn } from "./module-folder.js";

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
  readonly member?: string | undefined;
  readonly maxSize?: number | undefined;
}

/** What to take of an image or package. */
type Taken = Omit<InputOptions, "base">;

/** Codes of what is no BTF and no ELF file with it, but may be an image, a package or a folder. */
const PERHAPS_IMAGE: readonly string[] = [
  "ERR_BTF_MAGIC",
  "ERR_COMPRESSED",
  "ERR_ELF_NO_BTF",
  "ERR_OUTPUT_LIMIT",
  "ERR_FILE",
];

/** Standard input, which can be read once. */
let standardInput: Uint8Array | undefined;

function readStandardInput(): Uint8Array {
  standardInput ??= readFileSync(0);
  return standardInput;
}

/** Opens a FILE or standard input (`-`), on a base or none: BTF, or whatever holds it. @throws BtfError */
export async function open(file: string, base?: Btf, taken: Taken = {}): Promise<Btf> {
  try {
    return await openOn(file, base, taken);
  } catch (error) {
    if (!base || !(error instanceof BtfError) || error.code !== "ERR_UNSUPPORTED") throw error;
    // It brings a distilled base: as libbpf does, the types are moved from there.
    const { rebase } = await import("../edit/reshape/rebase.js");
    return rebase(await openOn(file, undefined, taken), base).btf;
  }
}

async function openOn(file: string, base: Btf | undefined, taken: Taken): Promise<Btf> {
  let refusal: BtfError | undefined;
  if (taken.member === undefined) {
    try {
      return await openPlain(file, base);
    } catch (error) {
      refusal = noPlainBtf(error);
    }
  }
  try {
    return (await openAsImage(file, { ...(base && { base }), ...imageOptions(taken) })).btf;
  } catch (cause) {
    throw clearer(refusal, cause);
  }
}

/** Opens BTF or an ELF file with it, either of them gzipped. */
async function openPlain(file: string, base: Btf | undefined): Promise<Btf> {
  if (file !== "-") return openFile(file, base && { base });
  const bytes = readStandardInput();
  return base ? await base.loadSplit(bytes) : await Btf.load(bytes);
}

/** The refusal of what may be an image instead; any other is thrown. */
function noPlainBtf(error: unknown): BtfError {
  if (error instanceof BtfError && PERHAPS_IMAGE.includes(error.code)) return error;
  throw error;
}

/** Options of the library. */
export function imageOptions({ member, maxSize }: Taken): ImageOptions {
  return { ...(member !== undefined && { member }), ...(maxSize !== undefined && { maxBytes: maxSize }) };
}

/** Opens an image, a package or a folder. */
export async function openAsImage(file: string, options: ImageOptions): Promise<KernelImage> {
  if (file !== "-") return await openImageFile(file, options);
  const { openImage } = await import("../image/containers/image.js");
  return await openImage(readStandardInput(), options);
}

/** BTF as it is, out of what holds it. */
export async function extractInput(file: string, options: ImageOptions): Promise<FoundBtf> {
  if (file !== "-") return await extractBtfFile(file, options);
  const { extractBtf } = await import("../image/containers/image.js");
  return await extractBtf(readStandardInput(), options);
}

/** Of two refusals of a file, as BTF and as an image, the one that says more. */
export function clearer(first: BtfError | undefined, second: unknown): unknown {
  if (!first || !(second instanceof BtfError)) return second;
  const isNoImage = second.code === "ERR_IMAGE_UNKNOWN" && !/^it is /.test(second.details.note ?? "");
  return isNoImage || (first.code === "ERR_ELF_NO_BTF" && second.code === "ERR_IMAGE_NO_BTF") ? first : second;
}

/** What is thrown about an input, with the input's name in front. */
export function inputError(file: string, cause: unknown, hint: (error: BtfError) => string = () => ""): unknown {
  if (!(cause instanceof BtfError) || cause.code === "ERR_INTERNAL") return cause;
  const what = cause.code === "ERR_FILE" ? cause.details.note : cause.message;
  return new InputError(`${file === "-" ? "standard input" : file}: ${what}${hint(cause)}`, { cause });
}

async function named(
  file: string,
  base: Btf | undefined,
  hint: (error: BtfError) => string,
  taken?: Taken,
): Promise<Btf> {
  try {
    return await open(file, base, taken);
  } catch (cause) {
    throw inputError(file, cause, hint);
  }
}

/** Opens the BTF that an object is relocated on, and modules on top of it: files, or packages and folders of them. */
export async function openTarget(
  file: string | undefined,
  modules: readonly string[] = [],
  { warn, ...options }: InputOptions & { readonly warn?: (line: string) => void } = {},
): Promise<{ vmlinux: Btf; modules: Btf[] }> {
  const { maxSize } = options;
  const vmlinux = await openInput(
    file,
    { ...(options.base !== undefined && { base: options.base }), maxSize },
    "name the kernel with --target, and this file with --module",
  );
  const opened: Btf[] = [];
  for (const module of modules) {
    try {
      opened.push(...(await openModuleInput(module, vmlinux, { maxSize }, warn)));
    } catch (cause) {
      throw inputError(module, cause, (error) =>
        BASE_MISSING.includes(error.code) ? `; does it belong to ${file ?? VMLINUX}?` : "",
      );
    }
  }
  return { vmlinux, modules: opened };
}

/** A module, or all modules of a package or folder; what is wrong with one of those is told, and it is left out. */
async function openModuleInput(
  file: string,
  base: Btf,
  taken: Taken,
  warn: (line: string) => void = () => {},
): Promise<Btf[]> {
  const exposed = splitBtfIn(file);
  if (exposed.length > 0) return await openAll(exposed, base, warn);
  try {
    return [await openPlain(file, base)];
  } catch (error) {
    // It brings a base of its own.
    if (error instanceof BtfError && error.code === "ERR_UNSUPPORTED") return [await open(file, base, taken)];
    const refusal = noPlainBtf(error);
    try {
      const image = await openAsImage(file, { base, modules: true, ...imageOptions(taken) });
      if (image.modules.length === 0) return [image.btf];
      const { openModules } = await import("../image/containers/image.js");
      const { modules, skipped } = await openModules(image);
      for (const { path, error: why } of skipped) warn(`${file}: ${path}: left out: ${why.message}`);
      return modules.map(({ btf }) => btf);
    } catch (cause) {
      throw clearer(refusal, cause);
    }
  }
}

/** Opens the split BTF of modules; what does not fit the base is told, and left out. */
async function openAll(paths: readonly string[], base: Btf, warn: (line: string) => void): Promise<Btf[]> {
  const opened: Btf[] = [];
  for (const path of paths) {
    try {
      opened.push(await openPlain(path, base));
    } catch (error) {
      if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
      warn(`${path}: left out: ${error.message}`);
    }
  }
  return opened;
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
    if (onBase === undefined && BASE_MISSING.includes(error.code)) {
      return `; if this is a module's split BTF, ${withBase}`;
    }
    if (onBase !== undefined && BASE_MISSING.includes(error.code)) return `; does it belong to the base ${basePath}?`;
    if (file === undefined && error instanceof BtfEnvironmentError) return "; name a FILE with BTF, such as a vmlinux";
    return "";
  };
  return await named(path, onBase, hint, taken);
}

/** The bytes of a FILE whose BTF cannot be opened, out of what holds them. */
export async function rawBytes(file: string, taken: Taken = {}): Promise<Uint8Array> {
  try {
    return (await extractInput(file, imageOptions(taken))).bytes;
  } catch (error) {
    if (!(error instanceof BtfError) || error.code !== "ERR_IMAGE_UNKNOWN" || taken.member !== undefined) throw error;
    return file === "-" ? readStandardInput() : readFileSync(file);
  }
}

/** Opens several FILEs, on the same base if one is given. */
export async function openInputs(
  files: readonly string[],
  { base, ...taken }: InputOptions,
): Promise<{ base: Btf | undefined; inputs: Btf[] }> {
  const onBase = base === undefined ? undefined : await openInput(base, { maxSize: taken.maxSize });
  const inputs: Btf[] = [];
  const hint = (error: BtfError): string => {
    if (!BASE_MISSING.includes(error.code)) return "";
    return onBase
      ? `; does it belong to the base ${base}?`
      : "; if this is a module's split BTF, give its base with -B FILE";
  };
  for (const file of files) inputs.push(await named(file, onBase, hint, taken));
  return { base: onBase, inputs };
}
