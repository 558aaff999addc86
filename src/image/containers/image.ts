/** Kernel images and packages: whatever holds BTF, opened. */
import type { Btf } from "../../btf/btf.js";
import { ERR_ARGUMENT } from "../../errors/btf.js";
import { BtfError, BtfFormatError, BtfInternalError } from "../../errors/error.js";
import { ERR_IMAGE_NO_KERNEL } from "../../errors/image.js";
import { type BytesInput, Reader, readerOf } from "../codecs/reader.js";
import type { Entry } from "./entry.js";
import type { FoundBtf, ImageStep } from "./find.js";
import type { ImageOptions } from "./options.js";
import { type Findings, type ImageModule, openFound, Search } from "./package.js";

/** A file of a folder. */
export interface ImageFile {
  /** With `/` between folders; from it a module's name is taken. */
  readonly path: string;
  /** In bytes, where it is known. */
  readonly size?: number;
  /** Called when the file is of interest. */
  open(): BytesInput | Promise<BytesInput>;
}

/** An opened image. */
export interface KernelImage {
  /** The kernel's BTF, or that of the one file or module that was asked for. */
  readonly btf: Btf;
  /** What was opened on the way to it, from the outermost to the innermost. */
  readonly steps: readonly ImageStep[];
  /** Of the kernel, such as `6.1.0-13-amd64`, where something tells. */
  readonly version?: string;
  /** Such as `x86_64`, where something tells. */
  readonly architecture?: string;
  /** With `modules`: those of the package or folder. */
  readonly modules: readonly ImageModule[];
}

/** The modules of an image on top of its kernel. */
export interface OpenedModules {
  readonly modules: readonly { readonly name: string; readonly path: string; readonly btf: Btf }[];
  /** Those that cannot be opened, and why. */
  readonly skipped: readonly { readonly name: string; readonly path: string; readonly error: BtfError }[];
}

/**
 * Finds BTF and hands it out as it is: raw BTF, ELF files, kernels that boot
 * (bzImage, zboot, Image, uImage, …), modules, all of these packed (gzip, xz,
 * zstd, lz4, lzma, bzip2), and packages that hold them (deb, rpm, tar, cpio, zip, ISO 9660).
 *
 * A stream is read once. What is held of it: one file at a time, of an ELF
 * kernel only what is loaded; and the window of each decoder.
 *
 * @throws BtfFormatError ERR_IMAGE_UNKNOWN, ERR_IMAGE_COMPRESSION, ERR_IMAGE_HEADER,
 *   ERR_IMAGE_TRUNCATED, ERR_IMAGE_DAMAGED, ERR_IMAGE_NO_BTF, ERR_IMAGE_NO_KERNEL, and those of ELF files;
 *   BtfLimitError ERR_IMAGE_LIMIT, ERR_IMAGE_DEPTH; BtfLookupError ERR_IMAGE_MEMBER, of
 *   folders ERR_IMAGE_KERNELS; BtfEnvironmentError ERR_WASM where xz or zstd is met without WebAssembly
 *
 * @example
 * const { bytes: btf, version } = await extractBtf(readFileSync("vmlinuz"));
 * console.log(btf.length, version); // 4111222 6.1.0-50-cloud-amd64
 */
export async function extractBtf(
  input: BytesInput | Promise<BytesInput>,
  options: ImageOptions = {},
): Promise<FoundBtf> {
  return await bytesOfFound(await look(input, options));
}

/**
 * Opens whatever `extractBtf` finds BTF in.
 *
 * @throws as `extractBtf`, and as `Btf.parse`
 *
 * @example
 * const image = await openImage(new Blob([readFileSync("linux-image.tar.gz")]).stream());
 * console.log(image.steps.map(({ kind }) => kind).join(" ")); // gzip tar bzImage gzip ELF
 * console.log(image.btf.size, image.architecture); // 95069 x86_64
 */
export async function openImage(
  input: BytesInput | Promise<BytesInput>,
  options: ImageOptions = {},
): Promise<KernelImage> {
  return await opened(await look(input, options), options);
}

/**
 * `openImage` for a folder, such as `/lib/modules/VERSION`, or files that were chosen.
 *
 * @example
 * const files = [{ path: "boot/vmlinuz", open: () => readFileSync("vmlinuz") }];
 * console.log((await openImageFolder(files)).btf.size); // 95069
 */
export async function openImageFolder(
  files: Iterable<ImageFile> | AsyncIterable<ImageFile>,
  options: ImageOptions = {},
): Promise<KernelImage> {
  return await opened(await lookInFolder(files, options), options);
}

/**
 * `extractBtf` for a folder.
 *
 * @example
 * const files = [{ path: "boot/vmlinuz", open: () => readFileSync("vmlinuz") }];
 * console.log((await extractBtfFromFolder(files)).bytes.length); // 4111222
 */
export async function extractBtfFromFolder(
  files: Iterable<ImageFile> | AsyncIterable<ImageFile>,
  options: ImageOptions = {},
): Promise<FoundBtf> {
  return await bytesOfFound(await lookInFolder(files, options));
}

/**
 * Opens an image's modules on its kernel. One that is broken is reported and left out.
 *
 * @example
 * const image = await openImage(readFileSync("linux-image.tar.gz"), { modules: true });
 * const { modules, skipped } = await openModules(image);
 * console.log(modules[0]?.name, modules[0]?.btf.find("module_state", "struct")?.byteSize, skipped.length); // module 16 0
 */
export async function openModules({ btf, modules }: Pick<KernelImage, "btf" | "modules">): Promise<OpenedModules> {
  const opened: { name: string; path: string; btf: Btf }[] = [];
  const skipped: { name: string; path: string; error: BtfError }[] = [];
  for (const { name, path, find } of modules) {
    try {
      opened.push({ name, path, btf: openFound(await find(), btf) });
    } catch (error) {
      if (!(error instanceof BtfError) || error instanceof BtfInternalError) throw error;
      skipped.push({ name, path, error });
    }
  }
  return { modules: opened, skipped };
}

async function look(input: BytesInput | Promise<BytesInput>, options: ImageOptions): Promise<Findings> {
  return await new Search(options).file(await readerOf(input, options.name ?? ""));
}

async function lookInFolder(
  files: Iterable<ImageFile> | AsyncIterable<ImageFile>,
  options: ImageOptions,
): Promise<Findings> {
  return await new Search(options).folder(entriesOfFolder(files), options.name ?? "");
}

async function* entriesOfFolder(files: Iterable<ImageFile> | AsyncIterable<ImageFile>): AsyncGenerator<Entry> {
  for await (const file of files) {
    async function* contents(): AsyncGenerator<Uint8Array> {
      yield* (await readerOf(file.open(), file.path)).rest();
    }
    const body = new Reader(contents(), file.path);
    yield { path: file.path, size: file.size ?? Number.NaN, body };
    await body.close();
  }
}

async function bytesOfFound({ main, chosen }: Findings): Promise<FoundBtf> {
  const found = chosen ? await chosen.find() : main;
  if (found) return found;
  // The base was given, and no module was asked for by name.
  throw new BtfError(ERR_ARGUMENT, { note: "the package holds modules only: name one" });
}

async function opened({ main, chosen, modules }: Findings, { base }: ImageOptions): Promise<KernelImage> {
  const found = chosen ? await chosen.find() : main;
  let btf = base;
  if (main && !base) btf = openFound(main);
  if (chosen && !btf && !found?.base) {
    const note = "it is a module: give the kernel's BTF as the base";
    throw new BtfFormatError(ERR_IMAGE_NO_KERNEL, { name: chosen.path, value: 1, note });
  }
  if (found && (chosen || base)) btf = openFound(found, btf);
  const { steps = [], version, architecture } = found ?? {};
  return { btf: btf!, steps, ...(version && { version }), ...(architecture && { architecture }), modules };
}
