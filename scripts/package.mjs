// What rollup leaves to do: the kernel beside the code, the executable's run
// bit, declarations without those that no entry leads to, the licences of the
// libraries that are inside.
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { closure } from "./closure.mjs";

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
const BUNDLED = ["commander", "@bomb.sh/tab", "fzstd", "binaryen"];

const notices = BUNDLED.map((name) => {
  const { version, license, author, homepage } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  const file = `node_modules/${name}/LICENSE`;
  const text = existsSync(file) ? readFileSync(file, "utf8").trim() : `Copyright (c) ${author}, ${homepage}`;
  return `${name} ${version} (${license} licence)\n\n${text}\n`;
});
writeFileSync(
  "dist/THIRD-PARTY.txt",
  `Parts of these libraries are inside this package.\n\n${notices.join(`\n${"-".repeat(72)}\n\n`)}`,
);
