// Bundles examples/first-look.mjs with the library's sources, for `npm start`:
// it takes a fraction of the time in which the package is made.
import { resolve } from "node:path";
import { build } from "rolldown";
import { entries, specifierOf } from "../entries.mjs";

await build({
  input: "examples/first-look.mjs",
  platform: "node",
  logLevel: "warn",
  resolve: {
    alias: {
      ...Object.fromEntries(entries.map((entry) => [`${specifierOf(entry)}$`, resolve(`src/${entry.name}.ts`)])),
      // The package's `exports` do not have it.
      "lzma1/decoder": resolve("node_modules/lzma1/lib/decoder.js"),
    },
  },
  // Whatever the example does not run is loaded on demand.
  output: { file: "build/first-look.mjs", format: "es", codeSplitting: false },
});
