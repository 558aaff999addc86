// Bundles code that imports the built package by its name, and minifies it, as
// an application that is published does.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import terser from "@rollup/plugin-terser";
import { rollup } from "rollup";

const { name, exports } = JSON.parse(readFileSync("package.json", "utf8"));

/** `btfkit/edit`: its file in dist/. */
const entryOf = (id) => exports[id.replace(name, ".")]?.default;

/** The file that is loaded first, as text. */
export async function bundle(code) {
  const application = {
    name: "application",
    resolveId: (id) => (id === "application" ? id : entryOf(id) && resolve(entryOf(id))),
    load: (id) => (id === "application" ? code : null),
  };
  const made = await rollup({
    input: "application",
    external: /^node:/,
    // Whatever has an effect when it is loaded stays.
    treeshake: { moduleSideEffects: "no-external" },
    onwarn(warning, warn) {
      if (warning.code !== "EMPTY_BUNDLE") warn(warning);
    },
    plugins: [application],
  });
  const { output } = await made.generate({ format: "es", plugins: [terser({ module: true })] });
  await made.close();
  return output[0].code;
}
