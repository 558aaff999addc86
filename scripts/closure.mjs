// What a host loads at once: a module and all that it imports statically.
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { brotliCompressSync } from "node:zlib";

/** A module's path and those of its static imports; import() is not followed. */
export function closure(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, from] of readFileSync(path, "utf8").matchAll(/(?:\bfrom|\bimport)\s*"(\.[^"]+)"/g)) {
    closure(posix.join(posix.dirname(path), from), found);
  }
  return found;
}

/** Bytes of all these files over the wire. */
export const overTheWire = (paths) =>
  Array.from(paths, (path) => brotliCompressSync(readFileSync(path)).length).reduce((sum, length) => sum + length, 0);
