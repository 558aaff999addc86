/** Where functions of executables and libraries start, by their symbols. Source: libbpf's elf.c. */

import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_ATTACH } from "../../errors/live.js";
import { type Binary, fileOffset, readBinary } from "./binary.js";

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;

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

/**
 * Returns the offset of a function in a file, in bytes: of `NAME`, or
 * `NAME@VERSION`, whose version is not looked at.
 *
 * @throws BtfLookupError ERR_LIVE_ATTACH
 */
export function symbolOffset(program: string, path: string, symbol: string): bigint {
  const refuse = (note: string): never => {
    throw new BtfLookupError(ERR_LIVE_ATTACH, { name: program, note });
  };
  return readBinary(program, path, (binary) => {
    const address = findSymbol(binary, symbol.replace(/@.*/, ""));
    if (address === undefined) return refuse(`${path} has no function "${symbol}"`);
    const segment = binary.segmentAt(address);
    return segment ? fileOffset(segment, address) : refuse(`${path}: function "${symbol}" lies in no segment`);
  });
}

function findSymbol({ view, bytes, sections }: Binary, wanted: string): bigint | undefined {
  const name = new TextEncoder().encode(`${wanted}\0`);
  for (const type of [SHT_DYNSYM, SHT_SYMTAB]) {
    const table = sections.find((section) => section.type === type);
    const strings = table && sections[table.link];
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
