// What rollup leaves to do: the kernel beside the code, the executable's run
// bit, the licences of the libraries that are inside.
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";

copyFileSync("build/kernel.wasm", "dist/kernel.wasm");
copyFileSync("build/edit.wasm", "dist/edit.wasm");
chmodSync("dist/cli/btfkit.cjs", 0o755);

const BUNDLED = ["commander", "@bomb.sh/tab", "fzstd"];

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
