/** Opens the kernel that objects are judged on, with modules on top of it. */
import type { Btf } from "../btf/btf.js";
import { BtfError } from "../errors/error.js";
import { openArchived } from "./archive/target.js";
import { type InputOptions, openInput, VMLINUX } from "./input.js";
import { inputError, lacksBase } from "./input-error.js";
import {
  clearer,
  type ImageSelection,
  imageOptions,
  noPlainBtf,
  openAsImage,
  openInputFile,
  openPlain,
} from "./input-file.js";
import { splitBtfIn } from "./module-folder.js";

/** Opens the BTF that an object is relocated on, and modules on top of it: files, or packages and folders of them. */
export async function openTarget(
  file: string | undefined,
  modules: readonly string[] = [],
  { warn, ...options }: InputOptions & { readonly warn?: (line: string) => void } = {},
): Promise<{ vmlinux: Btf; modules: Btf[] }> {
  const { maxSize } = options;
  const archived = file === undefined ? undefined : await openArchived(file);
  if (archived && modules.length === 0) return archived;
  const vmlinux =
    archived?.vmlinux ??
    (await openInput(
      file,
      { ...(options.base !== undefined && { base: options.base }), maxSize },
      "name the kernel with --target, and this file with --module",
    ));
  const opened: Btf[] = [];
  for (const module of modules) {
    try {
      opened.push(...(await openModuleInput(module, vmlinux, { maxSize }, warn)));
    } catch (cause) {
      throw inputError(module, cause, (error) => (lacksBase(error) ? `; does it belong to ${file ?? VMLINUX}?` : ""));
    }
  }
  return { vmlinux, modules: opened };
}

/** A module, or all modules of a package or folder; what is wrong with one of those is told, and it is left out. */
async function openModuleInput(
  file: string,
  base: Btf,
  taken: ImageSelection,
  warn: (line: string) => void = () => {},
): Promise<Btf[]> {
  const exposed = splitBtfIn(file);
  if (exposed.length > 0) return await openAll(exposed, base, warn);
  try {
    return [await openPlain(file, base)];
  } catch (error) {
    // It brings a base of its own.
    if (error instanceof BtfError && error.code === "ERR_UNSUPPORTED") return [await openInputFile(file, base, taken)];
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
