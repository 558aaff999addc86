/** What an application has to carry. */
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { brotliCompressSync } from "node:zlib";

export const group = "size";

/** An ES module and all that it imports statically; import() is not followed. */
function staticImports(path, seen = new Set()) {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const [, specifier] of readFileSync(path, "utf8").matchAll(/\b(?:from|import)\s*"(\.[^"]+)"/g)) {
    staticImports(join(dirname(path), specifier), seen);
  }
  return seen;
}

export async function measure() {
  const files = [...staticImports("dist/index.js")];
  const brotli = files.reduce((sum, file) => sum + brotliCompressSync(readFileSync(file)).length, 0);
  return [
    { name: "kernel.wasm", unit: "KiB", ours: statSync("dist/kernel.wasm").size / 1024 },
    { name: "default entry with its static imports, brotli", unit: "KiB", ours: brotli / 1024, target: { ours: 24 } },
  ];
}
