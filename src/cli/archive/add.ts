/** `btfkit archive add DIR FILES…` */
import { existsSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { ROOT } from "../../archive/store.js";
import { ArchiveWriter, type KernelToAdd } from "../../archive.js";
import { BtfError } from "../../errors/error.js";
import { archiveFolder } from "../../node/archive-folder.js";
import { type Context, type ExitCode, jsonText } from "../context.js";
import { InputError, UsageError } from "../exit.js";
import { inputError } from "../input-error.js";
import { extractInput, imageOptions, openAsImage } from "../input-file.js";
import { expandPaths } from "../paths.js";
import type { ArchiveOptions } from "./options.js";

/** Kernels after which a new generation is written, so that an interrupted call has not been for nothing. */
const AT_ONCE = 64;

export async function add(
  folder: string,
  paths: readonly string[],
  options: ArchiveOptions,
  context: Context,
): Promise<ExitCode> {
  if (paths.length === 0) throw new UsageError("no kernels: btfkit archive add DIR FILE...");
  const files = paths.flatMap((path) => expandPaths([path]).map((file) => ({ file, root: path })));
  if (options.id !== undefined && files.length > 1) throw new UsageError("--id names one kernel: give one FILE");
  const writer = await ArchiveWriter.open(archiveFolder(folder));
  const added: { id: string; file: string; bytes: number; isNew: boolean }[] = [];
  let isRefused = false;
  try {
    for (const [i, { file, root }] of files.entries()) {
      try {
        const kernel = await read(file, root, options, context.warn);
        const bytes = await writer.add(kernel);
        added.push({ id: kernel.id, file, bytes, isNew: bytes > 0 });
      } catch (error) {
        // One of many is told about; the others are added.
        const shown = error instanceof InputError ? error : inputError(file, error);
        if (files.length === 1 || !(shown instanceof InputError)) throw shown;
        context.warn(`${shown.message}; left out`);
        isRefused = true;
      }
      context.progress(i + 1, files.length, "kernels");
      if ((i + 1) % AT_ONCE === 0) await writer.commit();
    }
    await writer.commit();
  } finally {
    await writer.close();
  }
  if (options.json || options.pretty) {
    await context.out.write(jsonText({ version: 1, added, kernels: writer.kernels.length }, options.pretty));
  } else {
    const lines = added.map(({ id, bytes, isNew }) => (isNew ? `${id}: ${bytes} bytes\n` : `${id}: there already\n`));
    await context.out.write(lines.join(""));
  }
  return isRefused ? 1 : 0;
}

/** Makes an archive without kernels. */
export async function init(folder: string, options: ArchiveOptions, context: Context): Promise<ExitCode> {
  const writer = await ArchiveWriter.open(archiveFolder(folder));
  try {
    if (existsSync(join(folder, ROOT))) throw new InputError(`${folder}: an archive is there already`);
    await writer.commit();
  } finally {
    await writer.close();
  }
  if (options.json || options.pretty)
    await context.out.write(jsonText({ version: 1, folder, kernels: 0 }, options.pretty));
  return 0;
}

/** Reads a kernel, with its modules where they come with it. */
async function read(
  file: string,
  root: string,
  options: ArchiveOptions,
  warn: (line: string) => void,
): Promise<KernelToAdd> {
  const taken = imageOptions(options);
  const { bytes, version, architecture } = await extractInput(file, taken);
  const modules: { name: string; bytes: Uint8Array }[] = [];
  if (options.modules && isPackage(file)) {
    const image = await openAsImage(file, { ...taken, modules: true });
    for (const { name, path, find } of image.modules) {
      try {
        const found = await find();
        // A module with a base of its own is no part of this kernel's types.
        if (!found.base) modules.push({ name, bytes: found.bytes });
      } catch (error) {
        if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
        warn(`${file}: ${path}: left out: ${error.message}`);
      }
    }
    image.btf[Symbol.dispose]();
  }
  const place = placeIn(file, root);
  const id = options.id ?? place.id ?? version ?? nameOf(file);
  const release = options.release ?? version ?? nameOf(file);
  const distribution = options.distribution ?? place.distribution;
  const machine = options.architecture ?? place.architecture ?? architecture ?? architectureIn(release);
  return {
    id,
    release,
    vmlinux: bytes,
    modules,
    ...(distribution !== undefined && { distribution }),
    ...(machine !== undefined && { architecture: machine }),
  };
}

/** Whether modules may come with a kernel. */
function isPackage(file: string): boolean {
  return file !== "-" && (statSync(file).isDirectory() || /\.(?:deb|rpm|tar|t[gx]z|tar\.\w+)$/.test(file));
}

/** The file's name without what says how it is packed. */
function nameOf(file: string): string {
  return basename(file).replace(/(?:\.btf)?(?:\.tar)?(?:\.(?:gz|xz|zst|lz4|bz2|deb|rpm))?$/, "") || "kernel";
}

/** BTFHub's folders: DISTRIBUTION/VERSION/ARCHITECTURE/RELEASE.btf.tar.xz. */
function placeIn(file: string, root: string): { id?: string; distribution?: string; architecture?: string } {
  const [distribution, version, architecture, name, ...rest] = relative(root, file).split(/[\\/]/);
  if (name === undefined || rest.length > 0 || distribution === "..") return {};
  return {
    id: `${distribution}/${version}/${architecture}/${nameOf(name)}`,
    distribution: `${distribution} ${version}`,
    architecture: architecture!,
  };
}

/** What Debian's and others' releases end in. */
function architectureIn(release: string): string | undefined {
  const [, found] =
    /[-.](x86_64|amd64|i[3-6]86|686|aarch64|arm64|armhf|armmp|s390x|ppc64le|ppc64el|riscv64|loong64)$/.exec(release) ??
    [];
  const same: Readonly<Record<string, string>> = { amd64: "x86_64", arm64: "aarch64", ppc64el: "ppc64le" };
  return found && (same[found] ?? found);
}

/** Removes what interrupted writers and former generations have left. */
export async function gc(folder: string, options: ArchiveOptions, context: Context): Promise<ExitCode> {
  const writer = await ArchiveWriter.open(archiveFolder(folder));
  try {
    const removed = await writer.collectGarbage();
    if (options.json || options.pretty) await context.out.write(jsonText({ version: 1, removed }, options.pretty));
    else await context.out.write(`${removed} files removed\n`);
  } finally {
    await writer.close();
  }
  return 0;
}
