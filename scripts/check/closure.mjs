// What a host loads at once: a module and all that it imports statically. And
// what a compiler reads: a declaration file and all that it refers to.
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { minify } from "terser";

/** A file's path and those of its static imports; import() is not followed in modules, and is a type in declarations. */
export function closure(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  const isDeclaration = path.endsWith(".d.ts");
  const imports = isDeclaration ? /(?:\bfrom |\bimport[ (])"(\.[^"]+)"/g : /(?:\bfrom|\bimport)\s*["'](\.[^"']+)["']/g;
  for (const [, from] of readFileSync(path, "utf8").matchAll(imports)) {
    const file = posix.join(posix.dirname(path), from);
    closure(isDeclaration ? file.replace(/\.js$/, ".d.ts") : file, found);
  }
  return found;
}

/** Bytes of a module over the wire, once a bundler or a server has minified it. */
export async function minified(path) {
  const { code } = await minify(readFileSync(path, "utf8"), { module: true });
  return brotliCompressSync(code).length;
}

/** Bytes of all these files over the wire, as they are. */
export const overTheWire = (paths) =>
  Array.from(paths, (path) => brotliCompressSync(readFileSync(path)).length).reduce((sum, length) => sum + length, 0);
