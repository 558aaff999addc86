// The kernels keep their promises: no imports, the exports that src/memory names
// and no others, memory that the host alone grows, and a size budget. So do
// those that are JavaScript.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import binaryen from "binaryen";
import { kernels } from "../kernels.mjs";
import { minified } from "./closure.mjs";

const KIB = 1024;

const problems = [];
const fail = (kernel, problem) => problems.push(`${kernel}: ${problem}`);

/** The members of an interface: what the library calls. */
function membersOf(file, name) {
  const [, members] = new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, "ms").exec(readFileSync(file, "utf8"));
  return Array.from(members.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm), ([, member]) => member).sort();
}

const modules = kernels.flatMap(({ wasm, debug, interfaceFile, interfaceName, budget }) => {
  const expected = membersOf(interfaceFile, interfaceName);
  return [
    [wasm, budget.wasm * KIB, expected],
    [debug, Infinity, expected],
  ];
});
for (const [kernel, limit, expected] of modules) {
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

// The kernels as JavaScript, over the wire.
for (const { script, budget } of kernels) {
  const chunk = `dist/chunks/${basename(script, ".ts")}.js`;
  const limit = budget.script * KIB;
  const text = readFileSync(chunk, "utf8");
  const length = await minified(chunk);
  if (length > limit) fail(chunk, `${length} bytes of brotli, the limit is ${limit}`);
  if (/\beval\b|\bFunction\b/.test(text)) fail(chunk, "makes code of text");
  console.log(`${chunk}: ${length} bytes of brotli`);
}

for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
