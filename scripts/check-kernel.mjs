// The kernels keep their promises: no imports, the exports that src/wasm names
// and no others, memory that the host alone grows, and a size budget.
import { readFileSync } from "node:fs";
import binaryen from "binaryen";

/** Of the release kernel, in bytes: 24 KB to open, look up and print, 12 KB for C headers. */
const SIZE_LIMIT = 36 * 1024;

const problems = [];
const fail = (kernel, problem) => problems.push(`${kernel}: ${problem}`);

/** The members of `interface Kernel`: what the library calls. */
const [, members] = /^export interface Kernel \{\n(.*?)^\}/ms.exec(readFileSync("src/wasm/kernel.ts", "utf8"));
const expected = Array.from(members.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm), ([, name]) => name).sort();

for (const [kernel, limit] of Object.entries({
  "build/kernel.wasm": SIZE_LIMIT,
  "build/kernel.debug.wasm": Infinity,
})) {
  const bytes = readFileSync(kernel);
  const module = new WebAssembly.Module(bytes);
  for (const { module: from, name } of WebAssembly.Module.imports(module)) fail(kernel, `imports ${from}.${name}`);
  const actual = WebAssembly.Module.exports(module)
    .map(({ name }) => name)
    .sort();
  for (const name of actual)
    if (!expected.includes(name)) fail(kernel, `exports ${name}, which src/wasm/kernel.ts lacks`);
  for (const name of expected) if (!actual.includes(name)) fail(kernel, `lacks ${name} of src/wasm/kernel.ts`);
  if (bytes.length > limit) fail(kernel, `${bytes.length} bytes, the limit is ${limit}`);

  const parsed = binaryen.readBinaryWithFeatures(bytes, binaryen.Features.All);
  if (/\(memory\.grow\b/.test(parsed.emitText())) fail(kernel, "grows memory");
  parsed.dispose();
  console.log(`${kernel}: ${bytes.length} bytes, ${actual.length} exports`);
}

for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
