// The package as JSR takes it, in build/jsr: modules say where their types are,
// and declarations refer to declarations. The command line stays with npm.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

const FOLDER = "build/jsr";

const { version, license, exports } = JSON.parse(readFileSync("package.json", "utf8"));
const entries = Object.entries(exports).filter(([, { types }]) => types);
const within = (path) => path.replace("./dist/", "./");

rmSync(FOLDER, { recursive: true, force: true });
for (const path of ["chunks", "types", "THIRD-PARTY.txt"])
  cpSync(join("dist", path), join(FOLDER, path), { recursive: true });
for (const path of ["README.md", "LICENSE"]) cpSync(path, join(FOLDER, path));
for (const [, { types, default: module }] of entries) {
  const code = readFileSync(module, "utf8");
  const declarations = posix.relative(posix.dirname(module), types).replace(/^(?!\.)/, "./");
  mkdirSync(dirname(join(FOLDER, within(module))), { recursive: true });
  writeFileSync(join(FOLDER, within(module)), `/* @ts-self-types="${declarations}" */\n${code}`);
}
for (const file of readdirSync(join(FOLDER, "types"), { recursive: true })) {
  if (!file.endsWith(".d.ts")) continue;
  const path = join(FOLDER, "types", file);
  writeFileSync(path, readFileSync(path, "utf8").replace(/((?:from |import[ (])"\.[^"]+)\.js"/g, '$1.d.ts"'));
}
const manifest = {
  name: "@btfkit/btfkit",
  version,
  license,
  exports: Object.fromEntries(entries.map(([name, { default: module }]) => [name, within(module)])),
};
writeFileSync(join(FOLDER, "jsr.json"), `${JSON.stringify(manifest, null, 2)}\n`);
