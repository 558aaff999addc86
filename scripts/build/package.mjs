// What is in dist/ beside the code: declarations that an entry leads to, the
// kernels as files, the licences of the libraries that are inside.
import { copyFileSync, cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { closure } from "../check/closure.mjs";
import { kernels } from "../kernels.mjs";

for (const { name, wasm } of kernels) copyFileSync(wasm, `dist/${name}.wasm`);

const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const declarations = new Set();
for (const { types } of Object.values(exports)) {
  if (types) closure(posix.normalize(types).replace("dist/types", "build/types"), declarations);
}
for (const path of declarations) cpSync(path, path.replace("build/types", "dist/types"));

// Binaryen's wasm2js puts some lines of its own around the kernels that it makes JavaScript of.
const BUNDLED = [
  "commander",
  "fzstd",
  "hyparquet-writer",
  "hyparquet",
  "pako",
  "zstddec",
  "xz-decompress",
  "lz4js",
  "lzma1",
  "unbzip2-stream",
  "binaryen",
];
/** What the explorer has in it. */
const IN_EXPLORER = ["preact", "@preact/signals", "@preact/signals-core", "d3-hierarchy"];

/**
 * Returns a package's licence. A package that ships none gets the text of the
 * licence that it declares, its author, and what the head of its script says that it contains.
 */
function licenceOf(folder, { author, homepage, license, main }) {
  if (existsSync(`${folder}/LICENSE`)) return readFileSync(`${folder}/LICENSE`, "utf8").trim();
  const text = readFileSync(`scripts/build/licences/${license}.txt`, "utf8");
  const [, contents = ""] = (main && /^\/\*!(.*?)\n \*\//s.exec(readFileSync(`${folder}/${main}`, "utf8"))) || [];
  const holder = typeof author === "object" ? author.name : author;
  return `Copyright (c) ${holder}, ${homepage}\n${contents.replace(/^ \* ?/gm, "")}\n\n${text}`.trim();
}

const folders = [
  ...BUNDLED.map((name) => `node_modules/${name}`),
  ...IN_EXPLORER.map((name) => `explorer/node_modules/${name}`),
];
const notices = folders.map((folder) => {
  const about = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  return `${about.name} ${about.version} (${about.license} licence)\n\n${licenceOf(folder, about)}\n`;
});
writeFileSync(
  "dist/THIRD-PARTY.txt",
  `Parts of these libraries are inside this package.\n\n${notices.join(`\n${"-".repeat(72)}\n\n`)}`,
);
