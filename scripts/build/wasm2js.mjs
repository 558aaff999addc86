// wasm2js.mjs NAME: writes a kernel as JavaScript into src/, for hosts without
// WebAssembly. Binaryen makes it of the same module, built without SIMD.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { kernels } from "../kernels.mjs";

const wasm2js = fileURLToPath(import.meta.resolve("binaryen").replace(/[^/]+$/, "bin/wasm2js"));

/** What asc's output uses. Of all features wasm2js would take one that it cannot lower. */
const FEATURES = ["bulk-memory", "bulk-memory-opt", "sign-ext", "mutable-globals", "nontrapping-float-to-int"];

const { name, plain, script, interfaceFile, interfaceName } = kernels.find(({ name }) => name === process.argv[2]);
const made = `build/${name}.js`;
// Not as a module: such a one has its one instance when it is imported. This is a function that makes instances.
const options = ["--emscripten", "-O3", ...FEATURES.map((feature) => `--enable-${feature}`)];
execFileSync(process.execPath, [wasm2js, ...options, plain, "-o", made]);
const text = readFileSync(made, "utf8");
rmSync(made);
if (!text.startsWith("function instantiate(info) {")) throw new Error(`wasm2js: unexpected code of ${plain}`);
mkdirSync(dirname(script), { recursive: true });
writeFileSync(
  script,
  `// Made by scripts/build/wasm2js.mjs from ${plain}.
// @ts-nocheck
import type { ${interfaceName} } from "../${basename(interfaceFile, ".ts")}.js";

export const make${interfaceName}: () => ${interfaceName} = () => instantiate();

${text}`,
);
