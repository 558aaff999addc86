// Importing the library does nothing: whatever has an effect when it is loaded
// stays in a bundle that uses none of it, so that bundle has to be empty.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { rollup } from "rollup";

const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const entry = resolve(exports["."].default);

const bundle = await rollup({
  input: "app",
  treeshake: { moduleSideEffects: true },
  onwarn(warning, warn) {
    if (warning.code !== "EMPTY_BUNDLE") warn(warning);
  },
  plugins: [
    {
      name: "app",
      resolveId: (id) => (id === "app" ? id : null),
      load: (id) => (id === "app" ? `import ${JSON.stringify(entry)};` : null),
    },
  ],
});
const { output } = await bundle.generate({ format: "es" });
const left = output[0].code.trim();
if (left) console.error(`code that runs at import:\n${left.slice(0, 2000)}`);
console.log(`import: ${left.length} bytes run`);
process.exitCode = left ? 1 : 0;
