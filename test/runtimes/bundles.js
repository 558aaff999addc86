/** Bundles of the application, made by bundlers with their default settings. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { build } from "esbuild";
import { rollup } from "rollup";
import { check } from "./report.js";

/** What a bundle of one helper may take once minified, in bytes. */
const HELPER_LIMITS = { kinds: 1024, resolve: 1024 };

/** Bundlers by name: each writes the bundle of `input` into `folder` and returns its warnings. */
const bundlers = {
  async rollup(input, folder) {
    const warnings = [];
    const bundle = await rollup({ input, plugins: [nodeResolve()], onwarn: ({ message }) => warnings.push(message) });
    await bundle.write({ dir: folder, format: "es" });
    await bundle.close();
    return warnings;
  },
  async esbuild(input, folder) {
    const { warnings } = await build({
      entryPoints: [input],
      bundle: true,
      format: "esm",
      outdir: folder,
      logLevel: "silent",
    });
    return warnings.map(({ text }) => text);
  },
};

/** Makes all bundles; returns the path of each, by its bundler, below the application's folder. */
export async function makeBundles(folder, print) {
  const paths = {};
  for (const [name, bundle] of Object.entries(bundlers)) {
    await check(print, `${name} bundles without warnings`, async () => {
      const path = `bundles/${name}`;
      const warnings = await bundle(join(folder, "guest/app.js"), join(folder, path));
      if (warnings.length > 0) throw new Error(warnings.join("\n"));
      paths[name] = `${path}/app.js`;
    });
  }
  return paths;
}

/** A bundle that uses one helper holds little more than the helper. */
export async function checkHelpers(folder, print) {
  for (const [helper, limit] of Object.entries(HELPER_LIMITS)) {
    await check(print, `a bundle of ${helper} alone stays below ${limit} bytes`, async () => {
      const outfile = join(folder, `bundles/${helper}.js`);
      const entryPoints = [join(folder, `guest/${helper}.js`)];
      await build({ entryPoints, bundle: true, minify: true, format: "esm", outfile, logLevel: "silent" });
      const text = readFileSync(outfile, "utf8");
      if (text.length >= limit) throw new Error(`${text.length} bytes, which start ${text.slice(0, 200)}`);
      print(`${helper}: ${text.length} bytes`);
    });
  }
}
