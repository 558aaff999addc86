/**
 * Files, for Node, Deno and Bun: the one part of the library that imports node:*.
 *
 * @module btfkit/node
 */

import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import type * as Zlib from "node:zlib";
import { Btf } from "./btf/btf.js";
import { type Compression, checkUnpacked, isGzip, UNPACKED_LIMIT } from "./btf/compression.js";
import { type ByteSource, memorySource } from "./btf/source.js";
import { ERR_COMPRESSED, ERR_FILE, ERR_OUTPUT_LIMIT } from "./errors/btf.js";
import { BtfEnvironmentError, BtfError, BtfFormatError, BtfLimitError } from "./errors/error.js";
import type { FoundBtf } from "./image/containers/find.js";
import type { ImageFile, KernelImage } from "./image/containers/image.js";
import type { ImageOptions } from "./image/containers/options.js";
import { decodeWith } from "./memory/kernel.js";

/** What a file is opened on. */
export interface OpenOptions {
  /** The base of a split BTF. */
  readonly base?: Btf;
}

/**
 * Opens a file: raw BTF, an ELF file with `.BTF`, either of them gzipped. The
 * bytes of a plain file go straight into WebAssembly memory; of an ELF file
 * only the sections are read. Directories and unreadable files are refused.
 *
 * @param path a path, or a file descriptor, which is read from its start to its end and stays open
 * @throws as `Btf.parse`; BtfEnvironmentError ERR_FILE with the system's error as its `cause`
 * @example
 * using btf = openFile("vmlinux.btf");
 * console.log(btf.size); // 95069
 */
export function openFile(path: string | number, { base }: OpenOptions = {}): Btf {
  decodeWith((text) => Buffer.from(text, "latin1"));
  return withFile(path, (source) => Btf.fromSource(source, { base, inflate }));
}

/**
 * A whole file, gzip unpacked: what `readObject` of `btfkit/bpf` takes.
 *
 * @param path as for `openFile`
 * @throws BtfEnvironmentError ERR_FILE; BtfFormatError ERR_COMPRESSED; BtfLimitError ERR_OUTPUT_LIMIT
 * @example
 * console.log(readBytes("vmlinux.btf.gz").length); // 4111222
 */
export function readBytes(path: string | number): Uint8Array {
  return withFile(path, (source) => source.read(0, source.size));
}

/** Runs `use` on a file's bytes, gzip unpacked. */
function withFile<T>(path: string | number, use: (source: ByteSource) => T): T {
  const fd = typeof path === "number" ? path : attempt(path, () => openSync(path, "r"));
  try {
    const source = attempt(path, () => fileSource(path, fd));
    const head = attempt(path, () => source.read(0, Math.min(2, source.size)));
    return use(isGzip(head) ? memorySource(gunzip(source.read(0, source.size))) : source);
  } finally {
    if (typeof path === "string") closeSync(fd);
  }
}

const REASONS: Record<string, string> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "is a directory",
};

function attempt<T>(path: string | number, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof BtfError) throw cause;
    const { code = "", message } = cause as NodeJS.ErrnoException;
    const note = REASONS[code] ?? message;
    throw new BtfEnvironmentError(ERR_FILE, { name: String(path), note }, { cause });
  }
}

function fileSource(path: string | number, fd: number): ByteSource {
  const stat = fstatSync(fd);
  if (stat.isDirectory()) throw new BtfEnvironmentError(ERR_FILE, { name: String(path), note: "is a directory" });
  // Pipes and the like have no size and cannot be read at an offset.
  if (!stat.isFile()) return memorySource(readToEnd(fd));
  const readInto = (offset: number, target: Uint8Array): void => {
    let done = 0;
    while (done < target.length) {
      const count = attempt(path, () => readSync(fd, target, done, target.length - done, offset + done));
      if (count === 0)
        throw new BtfEnvironmentError(ERR_FILE, { name: String(path), note: "became shorter while it was read" });
      done += count;
    }
  };
  return {
    size: stat.size,
    readInto,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      readInto(offset, bytes);
      return bytes;
    },
  };
}

function readToEnd(fd: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = new Uint8Array(1 << 16);
    const count = readSync(fd, chunk, 0, chunk.length, null);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
  }
}

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
  const { openImage, openImageFolder } = await import("./image/containers/image.js");
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
  const { extractBtf, extractBtfFromFolder } = await import("./image/containers/image.js");
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

async function* chunksOfFile(path: string | number): AsyncGenerator<Uint8Array> {
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

/** Loaded when it is needed: importing it takes milliseconds. */
function zlib(): typeof Zlib & { readonly zstdDecompressSync?: typeof Zlib.inflateSync } {
  return process.getBuiltinModule("node:zlib");
}

function gunzip(bytes: Uint8Array): Uint8Array {
  return unpack("gzip data", "gzip", UNPACKED_LIMIT, (options) => zlib().gunzipSync(bytes, options));
}

function inflate(
  { section, packed }: { section: string; packed?: { kind: Compression; byteSize: number } },
  bytes: Uint8Array,
) {
  const { kind, byteSize } = packed!;
  const { zstdDecompressSync } = zlib();
  const name = `section ${section}`;
  if (kind === "zlib") return unpack(name, kind, byteSize, (options) => zlib().inflateSync(bytes, options));
  if (zstdDecompressSync) return unpack(name, kind, byteSize, (options) => zstdDecompressSync(bytes, options));
  throw new BtfFormatError(ERR_COMPRESSED, {
    name,
    note: "packed with zstd, which this Node cannot unpack at once: use Btf.load",
  });
}

function unpack(
  name: string,
  kind: Compression,
  limit: number,
  act: (options: Zlib.ZlibOptions) => Uint8Array,
): Uint8Array {
  checkUnpacked(limit, name);
  try {
    return act({ maxOutputLength: Math.max(1, limit) });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new BtfLimitError(ERR_OUTPUT_LIMIT, { name, limit }, { cause });
    }
    throw new BtfFormatError(ERR_COMPRESSED, { name, note: `damaged ${kind} data` }, { cause });
  }
}

/**
 * Where the running kernel and its modules show their BTF.
 *
 * @example
 * console.log(KERNEL_BTF); // /sys/kernel/btf
 */
export const KERNEL_BTF = "/sys/kernel/btf";

/**
 * The running kernel's BTF, or a loaded module's on top of it.
 *
 * vmlinux is looked for where libbpf looks (btf__load_vmlinux_btf):
 * /sys/kernel/btf/vmlinux, then images of the running release below /boot,
 * /lib/modules, /usr/lib/modules and /usr/lib/debug.
 *
 * @param module a module's name, such as `"nf_conntrack"`; `"vmlinux"` by default
 * @throws BtfEnvironmentError ERR_FILE where the kernel shows none
 * @example
 * console.log(openKernel().require("task_struct", "struct").kind); // struct
 */
export function openKernel(module = "vmlinux", { base }: OpenOptions = {}): Btf {
  const kernel = base ?? openFile(vmlinuxPath());
  return module === "vmlinux" ? kernel : openFile(`${KERNEL_BTF}/${module}`, { base: kernel });
}

function vmlinuxPath(): string {
  const version = process.getBuiltinModule("node:os").release();
  const places = [
    `${KERNEL_BTF}/vmlinux`,
    `/boot/vmlinux-${version}`,
    `/lib/modules/${version}/vmlinux-${version}`,
    `/lib/modules/${version}/build/vmlinux`,
    `/usr/lib/modules/${version}/kernel/vmlinux`,
    `/usr/lib/debug/boot/vmlinux-${version}`,
    `/usr/lib/debug/boot/vmlinux-${version}.debug`,
    `/usr/lib/debug/lib/modules/${version}/vmlinux`,
  ];
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  throw new BtfEnvironmentError(ERR_FILE, {
    name: places[0]!,
    note: "the running kernel shows no BTF here",
  });
}
