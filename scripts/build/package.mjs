// What rollup leaves to do: the kernel beside the code, the executable's run
// bit, declarations without those that no entry leads to, the licences of the
// libraries that are inside.
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { closure } from "../check/closure.mjs";

copyFileSync("build/kernel.wasm", "dist/kernel.wasm");
copyFileSync("build/edit.wasm", "dist/edit.wasm");
chmodSync("dist/cli/btfkit.cjs", 0o755);

const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const declarations = new Set();
for (const { types } of Object.values(exports)) if (types) closure(posix.normalize(types), declarations);
for (const file of readdirSync("dist/types", { recursive: true })) {
  const path = posix.join("dist/types", file);
  if (path.endsWith(".d.ts") && !declarations.has(path)) rmSync(path);
}

// Binaryen's wasm2js puts some lines of its own around the kernels that it makes JavaScript of.
const BUNDLED = [
  "commander",
  "@bomb.sh/tab",
  "fzstd",
  "pako",
  "zstddec",
  "xz-decompress",
  "lz4js",
  "lzma1",
  "unbzip2-stream",
  "binaryen",
];

/** A package's licence; without one its author, and what the head of its script says that it is made of. */
function licenceOf(folder, { author, homepage, main }) {
  if (existsSync(`${folder}/LICENSE`)) return readFileSync(`${folder}/LICENSE`, "utf8").trim();
  const [, made = ""] = (main && /^\/\*!(.*?)\n \*\//s.exec(readFileSync(`${folder}/${main}`, "utf8"))) || [];
  return `Copyright (c) ${author}, ${homepage}\n${made.replace(/^ \* ?/gm, "")}`.trim();
}

const notices = BUNDLED.map((name) => {
  const folder = `node_modules/${name}`;
  const about = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  return `${name} ${about.version} (${about.license} licence)\n\n${licenceOf(folder, about)}\n`;
});
writeFileSync(
  "dist/THIRD-PARTY.txt",
  `Parts of these libraries are inside this package.\n\n${notices.join(`\n${"-".repeat(72)}\n\n`)}`,
);
