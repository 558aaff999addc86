/** Opens a kernel together with its modules: /sys/kernel/btf, a folder or package with them, or a single file. */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Btf } from "../btf/btf.js";
import { BtfError } from "../errors/error.js";
import { openFile } from "../node/file.js";
import { KERNEL_BTF } from "../node/kernel.js";
import { type InputOptions, openInput, VMLINUX } from "./input.js";
import { imageOptions, openAsImage } from "./input-file.js";

/** A Btf, and what it is called in messages and results. */
export interface Source {
  readonly file: string;
  readonly btf: Btf;
}

/** A kernel with what was opened of it. */
export interface OpenedKernel {
  /** As it was named. */
  readonly name: string;
  /** The kernel first; a module's Btf has the kernel's as its base. */
  readonly sources: readonly Source[];
}

/** Names of a kernel's BTF in a folder of raw BTF; its modules' lie beside it. */
const KERNELS = /^vmlinux(?:\.btf)?(?:\.gz)?$/;

/**
 * Opens a FILE with the modules that come with it; without a FILE the running kernel and its modules. A module that
 * cannot be opened is told about and left out.
 */
export async function openKernelInput(
  path: string | undefined,
  options: InputOptions,
  warn: (line: string) => void,
): Promise<OpenedKernel> {
  const name = path ?? KERNEL_BTF;
  const isPlain = options.base !== undefined || options.member !== undefined || path === "-";
  if (path === undefined && !isPlain) {
    const vmlinux = { file: VMLINUX, btf: await openInput(undefined, options) };
    return { name, sources: [vmlinux, ...modulesBeside(KERNEL_BTF, basename(VMLINUX), vmlinux.btf, warn)] };
  }
  if (path === undefined || isPlain) {
    return { name, sources: [{ file: path ?? VMLINUX, btf: await openInput(path, options) }] };
  }
  const kernel = isFolder(path) ? readdirSync(path).find((file) => KERNELS.test(file)) : undefined;
  if (kernel !== undefined && statSync(join(path, kernel)).isFile()) {
    const vmlinux = { file: join(path, kernel), btf: await openInput(join(path, kernel), options) };
    return { name, sources: [vmlinux, ...modulesBeside(path, kernel, vmlinux.btf, warn)] };
  }
  return {
    name,
    sources: (await packagedSources(path, options, warn)) ?? [{ file: path, btf: await openInput(path, options) }],
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The split BTF in a folder, in the order of names. */
function modulesBeside(folder: string, kernel: string, base: Btf, warn: (line: string) => void): Source[] {
  if (!isFolder(folder)) return [];
  const sources: Source[] = [];
  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name);
    if (name === kernel || name.startsWith(".") || isFolder(file)) continue;
    try {
      sources.push({ file, btf: openFile(file, { base }) });
    } catch (error) {
      if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
      warn(`${file}: left out: ${error.message}`);
    }
  }
  return sources;
}

/** The kernel and the modules of a package or folder; `undefined` for what is neither. */
async function packagedSources(
  path: string,
  options: InputOptions,
  warn: (line: string) => void,
): Promise<Source[] | undefined> {
  try {
    if (!isFolder(path)) {
      openFile(path)[Symbol.dispose]();
      return undefined;
    }
  } catch (error) {
    if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
  }
  try {
    const image = await openAsImage(path, { modules: true, ...imageOptions(options) });
    if (image.modules.length === 0) return [{ file: path, btf: image.btf }];
    const { openModules } = await import("../image/containers/image.js");
    const { modules, skipped } = await openModules(image);
    for (const { path: inside, error } of skipped) warn(`${path}: ${inside}: left out: ${error.message}`);
    return [
      { file: path, btf: image.btf },
      ...modules.map(({ path: inside, btf }) => ({ file: `${path}: ${inside}`, btf })),
    ];
  } catch (error) {
    // Opened once more by itself, which words what is wrong.
    if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
    return undefined;
  }
}
