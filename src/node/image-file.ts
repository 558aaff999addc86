/** A file or folder that is, or holds, a kernel image. */
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import type { FoundBtf } from "../image/containers/find.js";
import type { ImageFile, KernelImage } from "../image/containers/image.js";
import type { ImageOptions } from "../image/containers/options.js";
import { attempt } from "./attempt.js";

/**
 * `openImage` of `btfkit/image` for a file or a folder: a kernel image, a
 * package, a folder of modules. It is read a MiB at a time.
 *
 * @param path as for `openFile`
 * @throws as `openImage`; BtfEnvironmentError ERR_FILE
 *
 * @example
 * const { btf } = await openImageFile("linux-image.tar.gz", { member: "module" });
 * console.log(btf.size - btf.firstId, btf.base?.size); // 2 95069
 */
export async function openImageFile(path: string | number, options: ImageOptions = {}): Promise<KernelImage> {
  const { openImage, openImageFolder } = await import("../image/containers/image.js");
  return isFolder(path)
    ? await openImageFolder(filesBelow(path), options)
    : await openImage(chunksOfFile(path), options);
}

/**
 * `extractBtf` of `btfkit/image` for a file or a folder.
 *
 * @throws as `extractBtf`; BtfEnvironmentError ERR_FILE
 *
 * @example
 * console.log((await extractBtfFile("vmlinuz")).bytes.length); // 4111222
 */
export async function extractBtfFile(path: string | number, options: ImageOptions = {}): Promise<FoundBtf> {
  const { extractBtf, extractBtfFromFolder } = await import("../image/containers/image.js");
  return isFolder(path)
    ? await extractBtfFromFolder(filesBelow(path), options)
    : await extractBtf(chunksOfFile(path), options);
}

function isFolder(path: string | number): path is string {
  return typeof path === "string" && (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

/** All files below a folder, in the order of their names. Links to folders are not followed: they may lead back. */
function* filesBelow(folder: string, below = ""): Generator<ImageFile> {
  const entries = attempt(folder, () => readdirSync(`${folder}/${below}`, { withFileTypes: true }));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${below}${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(folder, `${path}/`);
    else if (
      entry.isFile() ||
      (entry.isSymbolicLink() && statSync(`${folder}/${path}`, { throwIfNoEntry: false })?.isFile())
    ) {
      yield { path, open: () => chunksOfFile(`${folder}/${path}`) };
    }
  }
}

/** A file's bytes, with its size where it has one. */
function chunksOfFile(path: string | number): AsyncIterable<Uint8Array> & { readonly size?: number } {
  const told = typeof path === "string" ? statSync(path, { throwIfNoEntry: false }) : undefined;
  return {
    [Symbol.asyncIterator]: () => readChunks(path),
    // Files that the kernel makes as they are read have none.
    ...(told?.isFile() && told.size > 0 && { size: told.size }),
  };
}

async function* readChunks(path: string | number): AsyncGenerator<Uint8Array> {
  const fd = typeof path === "number" ? path : attempt(path, () => openSync(path, "r"));
  try {
    const { isFile } = attempt(path, () => ({ isFile: fstatSync(fd).isFile() }));
    const buffer = new Uint8Array(1 << 20);
    for (let at = 0; ; ) {
      const count = attempt(path, () => readSync(fd, buffer, 0, buffer.length, isFile ? at : null));
      if (count === 0) return;
      at += count;
      yield buffer.subarray(0, count);
    }
  } finally {
    if (typeof path === "string") closeSync(fd);
  }
}
