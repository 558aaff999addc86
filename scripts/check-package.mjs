// What is published: only what belongs there, every entry with its types, and
// a budget for what a page loads.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { brotliCompressSync } from "node:zlib";

/** Of the default entry with all it loads at once, in bytes over the wire. */
const BROTLI_LIMIT = 24 * 1024;

const PUBLISHED = /^(dist\/.+\.(js|cjs|d\.ts|wasm)|dist\/THIRD-PARTY\.txt|README\.md|LICENSE|package\.json)$/;

const problems = [];
const { exports, bin } = JSON.parse(readFileSync("package.json", "utf8"));

const [{ files, size }] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { encoding: "utf8" }),
);
const packed = new Set(files.map(({ path }) => path));
for (const path of packed) if (!PUBLISHED.test(path)) problems.push(`${path} is published`);

const published = (path) => {
  if (!existsSync(path) || !packed.has(posix.normalize(path)))
    problems.push(`${path} is named in package.json and not published`);
};
for (const [name, target] of Object.entries(exports)) {
  if (typeof target === "string") published(target);
  else {
    if (Object.keys(target)[0] !== "types") problems.push(`the first condition of ${name} is not "types"`);
    for (const path of Object.values(target)) published(path);
  }
}
for (const path of Object.values(bin)) published(path);

/** A file and all that it imports statically. */
function closure(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, from] of readFileSync(path, "utf8").matchAll(/(?:\bfrom|\bimport)\s*"(\.[^"]+)"/g)) {
    closure(posix.join(posix.dirname(path), from), found);
  }
  return found;
}

let compressed = 0;
for (const path of closure(posix.normalize(exports["."].default))) {
  const { length } = brotliCompressSync(readFileSync(path));
  compressed += length;
  console.log(`${path}: ${length} bytes of brotli`);
}
if (compressed > BROTLI_LIMIT)
  problems.push(`the default entry takes ${compressed} bytes of brotli, the limit is ${BROTLI_LIMIT}`);

for (const problem of problems) console.error(problem);
console.log(
  `package: ${files.length} files, ${size} bytes; default entry ${compressed} of ${BROTLI_LIMIT} bytes of brotli`,
);
process.exitCode = problems.length > 0 ? 1 : 0;
