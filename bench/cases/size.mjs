/** What an application has to carry. */
import { statSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import { APPLICATIONS } from "../../scripts/check/budgets.mjs";
import { bundle } from "../../scripts/check/bundle.mjs";
import { closure, minified } from "../../scripts/check/closure.mjs";

export const group = "size";

export async function measure() {
  // The files are readable: who serves them without a bundler minifies them.
  let entry = 0;
  for (const path of closure("dist/index.js")) entry += await minified(path);
  const bundles = [];
  for (const { does, code, brotli: limit } of Object.values(APPLICATIONS).filter((one) => one.brotli)) {
    const { length } = brotliCompressSync(await bundle(code));
    bundles.push({ name: `bundle, ${does}, brotli`, unit: "KiB", ours: length / 1024, target: { ours: limit / 1024 } });
  }
  return [
    { name: "kernel.wasm", unit: "KiB", ours: statSync("dist/kernel.wasm").size / 1024 },
    {
      name: "default entry with its static imports, minified, brotli",
      unit: "KiB",
      ours: entry / 1024,
      target: { ours: 24 },
    },
    ...bundles,
  ];
}
