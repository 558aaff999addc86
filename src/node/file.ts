/** A file that holds BTF or an ELF file, gzipped or not. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Btf } from "../btf/btf.js";
import { isGzip } from "../btf/compression.js";
import { type ByteSource, memorySource } from "../btf/source.js";
import { ERR_FILE } from "../errors/btf.js";
import { BtfEnvironmentError } from "../errors/error.js";
import { decodeWith } from "../memory/module-text.js";
import { attempt } from "./attempt.js";
import { gunzip, inflate } from "./unpack.js";

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
