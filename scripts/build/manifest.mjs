// Writes what package.json lists and other files know: the entries (entries.json)
// and the manual pages (a page for each file of src/cli/commands). --check writes
// nothing and fails where package.json is stale.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { entries, exportOf } from "../entries.mjs";
import { kernels } from "../kernels.mjs";

const FILE = "package.json";

/** Conditions in the order in which hosts try them: types come first. */
const conditions = (folder, name, workerd) => ({
  types: `./dist/types/${folder}${name}.d.ts`,
  ...(workerd ? { workerd: `./dist/workerd/${name}.js` } : {}),
  default: `./dist/${folder}${name}.js`,
});

const exports = {};
for (const entry of entries) exports[exportOf(entry)] = conditions("", entry.name, entry.hosts.includes("workerd"));
for (const entry of entries) {
  if (entry.hosts.includes("js")) exports[exportOf(entry).replace(".", "./js")] = conditions("js/", entry.name, false);
}
for (const { name } of kernels) exports[`./${name}.wasm`] = `./dist/${name}.wasm`;
exports["./schemas/*.json"] = "./schemas/*.json";
exports["./package.json"] = "./package.json";

const commands = readdirSync("src/cli/commands").map((file) => file.replace(/\.ts$/, ""));
const man = ["dist/man/btfkit.1", ...commands.sort().map((name) => `dist/man/btfkit-${name}.1`)];

const written = readFileSync(FILE, "utf8");
const made = `${JSON.stringify({ ...JSON.parse(written), exports, man }, null, 2)}\n`;
if (made !== written) {
  if (process.argv.includes("--check")) {
    console.error(`${FILE} is stale; run node scripts/build/manifest.mjs`);
    process.exit(1);
  }
  writeFileSync(FILE, made);
}
