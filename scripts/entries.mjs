// The package's entries, from entries.json: the one list that package.json's
// exports, the bundler, the documents, the budgets, the checks and the tests
// read. To add an entry, write src/NAME.ts, add it here, and run
// `node scripts/build/manifest.mjs`.
import { readFileSync } from "node:fs";

/**
 * @typedef {object} Entry
 * @property {string} name of the file in src/; `index` is the package itself
 * @property {string} about what it holds, for the list of entries in docs/api.md
 * @property {("js" | "workerd")[]} hosts that have an entry of their own, src/HOST/NAME.ts
 * @property {boolean} [importsNode] whether it may import node:*; such an entry is no part of bundle budgets
 * @property {{ files?: number, bundle?: number }} budget KiB over the wire: of its files in dist/, minified one by one, and
 *   of an application that imports all of it
 * @property {{ title: string, about: string, files: string }[]} documents chapters of docs/api.md: `files` is a regular
 *   expression of paths in dist/types, `about` a text, or with `@` the file whose header is the text
 */

/** @type {Entry[]} In order: the folder of an entry imports the folders of those above it alone. */
export const entries = JSON.parse(readFileSync(new URL("../entries.json", import.meta.url), "utf8")).entries;

/** `bpf` → `btfkit/bpf`, what users import. */
export const specifierOf = ({ name }) => (name === "index" ? "btfkit" : `btfkit/${name}`);

/** `bpf` → `./bpf`, the key in package.json's exports. */
export const exportOf = ({ name }) => (name === "index" ? "." : `./${name}`);
