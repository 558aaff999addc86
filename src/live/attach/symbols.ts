/** Where functions of executables and libraries start, by their symbols. Source: libbpf's elf.c. */

import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_ATTACH } from "../../errors/live.js";

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const PT_LOAD = 1;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
const ET_EXEC = 2;
const ET_DYN = 3;

/** Folders that a library without a path is looked for in; those of the processor come first. */
const LIBRARY_FOLDERS = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"];
const PROGRAM_FOLDERS = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin"];

/** Finds the file of `libc.so.6`, `bash`, or a path. Source: libbpf's resolve_full_path. */
export function findBinary(program: string, name: string): string {
  const { existsSync } = process.getBuiltinModule("node:fs");
  if (name.includes("/")) return name;
  const isLibrary = name.endsWith(".so") || name.includes(".so.");
  const folders = isLibrary
    ? (process.env["LD_LIBRARY_PATH"]?.split(":") ?? [])
    : (process.env["PATH"]?.split(":") ?? []);
  const architecture = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const places = isLibrary
    ? [...folders, ...LIBRARY_FOLDERS.flatMap((folder) => [`${folder}/${architecture}`, folder])]
    : [...folders, ...PROGRAM_FOLDERS];
  for (const folder of places) if (folder && existsSync(`${folder}/${name}`)) return `${folder}/${name}`;
  const note = `no file "${name}" in ${isLibrary ? "the folders of libraries" : "PATH"}: give its path`;
  throw new BtfLookupError(ERR_LIVE_ATTACH, { name: program, note });
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly address: bigint;
  readonly entrySize: number;
}

/**
 * Returns the offset of a function in a file, in bytes: of `NAME`, or
 * `NAME@VERSION`, whose version is not looked at.
 *
 * @throws BtfLookupError ERR_LIVE_ATTACH
 */
export function symbolOffset(program: string, path: string, symbol: string): bigint {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const refuse = (note: string, cause?: unknown): never => {
    throw new BtfLookupError(ERR_LIVE_ATTACH, { name: program, note }, { cause });
  };
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    return refuse(`${path} cannot be read: ${(cause as Error).message}`, cause);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64 || view.getUint32(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1)
    return refuse(`${path} is not a little-endian 64-bit ELF file`);
  try {
    const kind = view.getUint16(16, true);
    if (kind !== ET_EXEC && kind !== ET_DYN) return refuse(`${path} is neither an executable nor a library`);
    const wanted = symbol.replace(/@.*/, "");
    const address = findSymbol(view, bytes, wanted);
    if (address === undefined) return refuse(`${path} has no function "${symbol}"`);
    return fileOffset(view, address) ?? refuse(`${path}: function "${symbol}" lies in no segment`);
  } catch (cause) {
    if (cause instanceof RangeError) return refuse(`${path} is damaged: its tables pass its end`, cause);
    throw cause;
  }
}

function sections(view: DataView): Section[] {
  const at = Number(view.getBigUint64(40, true));
  const size = view.getUint16(58, true);
  return Array.from({ length: view.getUint16(60, true) }, (_, i) => {
    const start = at + i * size;
    return {
      type: view.getUint32(start + 4, true),
      address: view.getBigUint64(start + 16, true),
      offset: Number(view.getBigUint64(start + 24, true)),
      size: Number(view.getBigUint64(start + 32, true)),
      link: view.getUint32(start + 40, true),
      entrySize: Number(view.getBigUint64(start + 56, true)),
    };
  });
}

function findSymbol(view: DataView, bytes: Uint8Array, wanted: string): bigint | undefined {
  const all = sections(view);
  const name = new TextEncoder().encode(`${wanted}\0`);
  for (const type of [SHT_DYNSYM, SHT_SYMTAB]) {
    const table = all.find((section) => section.type === type);
    const strings = table && all[table.link];
    if (!table || !strings) continue;
    let weak: bigint | undefined;
    for (let at = table.offset; at + 24 <= table.offset + table.size; at += 24) {
      const kind = view.getUint8(at + 4) & 15;
      const isDefined = view.getUint16(at + 6, true) !== 0;
      if ((kind !== STT_FUNC && kind !== STT_GNU_IFUNC) || !isDefined) continue;
      const start = strings.offset + view.getUint32(at, true);
      if (!name.every((byte, i) => bytes[start + i] === byte)) continue;
      const value = view.getBigUint64(at + 8, true);
      // A strong definition goes before a weak one.
      if (view.getUint8(at + 4) >> 4 !== 2) return value;
      weak ??= value;
    }
    if (weak !== undefined) return weak;
  }
  return undefined;
}

function fileOffset(view: DataView, address: bigint): bigint | undefined {
  const at = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  for (let i = 0; i < view.getUint16(56, true); i++) {
    const start = at + i * size;
    if (view.getUint32(start, true) !== PT_LOAD) continue;
    const [offset, from, length] = [8, 16, 32].map((field) => view.getBigUint64(start + field, true)) as [
      bigint,
      bigint,
      bigint,
    ];
    if (address >= from && address < from + length) return address - from + offset;
  }
  return undefined;
}
