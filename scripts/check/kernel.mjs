// The kernels keep their promises: no imports, the exports that src/memory names
// and no others, memory that the host alone grows, and a size budget. So do
// those that are JavaScript.
import { readFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import binaryen from "binaryen";

/** Of the release kernel, in bytes: 24 KB to open, look up and print, 12 KB for C headers. */
const SIZE_LIMIT = 36 * 1024;

const problems = [];
const fail = (kernel, problem) => problems.push(`${kernel}: ${problem}`);

/** Of the release module that makes and reshapes BTF, in bytes. */
const EDIT_LIMIT = 32 * 1024;

/** The members of an interface: what the library calls. */
function membersOf(file, name) {
  const [, members] = new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, "ms").exec(readFileSync(file, "utf8"));
  return Array.from(members.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm), ([, member]) => member).sort();
}
const read = membersOf("src/memory/kernel.ts", "Kernel");
const edit = membersOf("src/memory/edit-kernel.ts", "EditKernel");

for (const [kernel, limit, expected] of [
  ["build/kernel.wasm", SIZE_LIMIT, read],
  ["build/kernel.debug.wasm", Infinity, read],
  ["build/edit.wasm", EDIT_LIMIT, edit],
  ["build/edit.debug.wasm", Infinity, edit],
]) {
  const bytes = readFileSync(kernel);
  const module = new WebAssembly.Module(bytes);
  for (const { module: from, name } of WebAssembly.Module.imports(module)) fail(kernel, `imports ${from}.${name}`);
  const actual = WebAssembly.Module.exports(module)
    .map(({ name }) => name)
    .sort();
  for (const name of actual) if (!expected.includes(name)) fail(kernel, `exports ${name}, which src/memory lacks`);
  for (const name of expected) if (!actual.includes(name)) fail(kernel, `lacks ${name} of src/memory`);
  if (bytes.length > limit) fail(kernel, `${bytes.length} bytes, the limit is ${limit}`);

  const parsed = binaryen.readBinaryWithFeatures(bytes, binaryen.Features.All);
  if (/\(memory\.grow\b/.test(parsed.emitText())) fail(kernel, "grows memory");
  parsed.dispose();
  console.log(`${kernel}: ${bytes.length} bytes, ${actual.length} exports`);
}

/** Of the kernels as JavaScript, in bytes over the wire. */
for (const [chunk, limit] of [
  ["dist/chunks/js-kernel.js", 16 * 1024],
  ["dist/chunks/js-edit-kernel.js", 14 * 1024],
]) {
  const text = readFileSync(chunk, "utf8");
  const { length } = brotliCompressSync(text);
  if (length > limit) fail(chunk, `${length} bytes of brotli, the limit is ${limit}`);
  if (/\beval\b|\bFunction\b/.test(text)) fail(chunk, "makes code of text");
  console.log(`${chunk}: ${length} bytes of brotli`);
}

for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
