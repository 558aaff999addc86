// The page as Vite serves it for development, and the folder that is built:
// `npm run explorer` and `node explorer/build.mjs`. The library is taken as it
// is published, by the entries of the package.
import { resolve } from "node:path";
import { entries } from "../scripts/entries.mjs";

const here = import.meta.dirname;
const dist = resolve(here, "../dist");

/** The package's entries, also those without WebAssembly, longest first: an alias matches what starts with it. */
const alias = entries
  .flatMap(({ name, hosts }) => [name, ...hosts.filter((host) => host === "js").map((host) => `${host}/${name}`)])
  .map((file) => ({ file, name: file.replace(/(^|\/)index$/, "") }))
  .map(({ file, name }) => ({
    find: new RegExp(`^${name ? `btfkit/${name}` : "btfkit"}$`),
    replacement: `${dist}/${file}.js`,
  }));

export default {
  root: here,
  base: "./",
  cacheDir: resolve(here, "../build/vite"),
  resolve: { alias },
  build: {
    outDir: resolve(here, "../dist/explorer"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    chunkSizeWarningLimit: 2000,
  },
  worker: { format: "es" },
  server: { host: "127.0.0.1", fs: { allow: [here, dist] } },
};
