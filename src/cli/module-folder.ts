/** Finds raw split BTF in a folder: what a kernel exposes in /sys/kernel/btf, or a copy of it. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

/** The kernel's own BTF, which stands beside those of its modules. */
const KERNEL = /^vmlinux(\.btf)?$/;

/** Returns the paths of a folder's files that start as BTF does, the kernel's left out; none for a file. */
export function splitBtfIn(folder: string): string[] {
  try {
    if (folder === "-" || !statSync(folder).isDirectory()) return [];
    const names = readdirSync(folder).filter((name) => !KERNEL.test(name));
    return names
      .sort()
      .map((name) => join(folder, name))
      .filter(isBtf);
  } catch {
    // Whoever opens the folder says what is wrong with it.
    return [];
  }
}

/** Tells whether a file starts with BTF's magic, in either byte order. */
function isBtf(path: string): boolean {
  if (!statSync(path).isFile()) return false;
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(2);
    return readSync(file, head) === 2 && [0xeb9f, 0x9feb].includes(head.readUInt16LE());
  } finally {
    closeSync(file);
  }
}
