// The kernels once more as JavaScript, for hosts without WebAssembly: Binaryen
// makes it of the same modules, built without SIMD. src/memory/generated/js-*.ts.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const wasm2js = fileURLToPath(import.meta.resolve("binaryen").replace(/[^/]+$/, "bin/wasm2js"));

/** What asc's output uses. Of all features wasm2js would take one that it cannot lower. */
const FEATURES = ["bulk-memory", "bulk-memory-opt", "sign-ext", "mutable-globals", "nontrapping-float-to-int"];

for (const [module, file, type, from] of [
  ["kernel.plain", "js-kernel", "Kernel", "kernel"],
  ["edit.plain", "js-edit-kernel", "EditKernel", "edit-kernel"],
]) {
  const made = `build/${file}.js`;
  // Not as a module: such a one has its one instance when it is imported. This is a function that makes instances.
  const options = ["--emscripten", "-O3", ...FEATURES.map((name) => `--enable-${name}`)];
  execFileSync(process.execPath, [wasm2js, ...options, `build/${module}.wasm`, "-o", made]);
  const text = readFileSync(made, "utf8");
  rmSync(made);
  if (!text.startsWith("function instantiate(info) {")) throw new Error(`wasm2js: unexpected code of ${module}.wasm`);
  writeFileSync(
    `src/memory/generated/${file}.ts`,
    `// Made by scripts/build/wasm2js.mjs from build/${module}.wasm.
// @ts-nocheck
import type { ${type} } from "../${from}.js";

export const make${type}: () => ${type} = () => instantiate();

${text}`,
  );
}
