/** An application that has the packed package installed, in a folder of its own. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { GENERATED_TYPES } from "../suite/data.js";
import { specimen } from "../suite/specimen.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");

/** Packs the built package, installs it, and puts the guests, the suite and its data beside it. */
export function makeApp() {
  const folder = mkdtempSync(join(tmpdir(), "btfkit-app-"));
  const npm = (args, cwd) => execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const [{ filename }] = JSON.parse(npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  npm(["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", join(folder, filename)], folder);
  for (const name of ["suite", "data"]) cpSync(join(root, "test", name), join(folder, name), { recursive: true });
  cpSync(join(here, "guest"), join(folder, "guest"), { recursive: true });
  renameSync(join(folder, "guest/index.html"), join(folder, "index.html"));
  writeFileSync(join(folder, "generated.js"), generatedCodecs(folder));
  mkdirSync(join(folder, "bundles"));
  return { folder, tarball: join(folder, filename), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What the installed command line generates of the specimen, as JavaScript. */
function generatedCodecs(folder) {
  const btf = join(folder, "specimen.btf");
  writeFileSync(btf, specimen().bytes);
  const types = GENERATED_TYPES.flatMap((name) => ["-t", name]);
  const args = [join(folder, "node_modules/btfkit/dist/cli/btfkit.cjs"), "generate", "ts", btf, ...types];
  const source = execFileSync(process.execPath, args, { encoding: "utf8" });
  return transformSync(source, { loader: "ts", target: "es2022" }).code;
}

/** The executable as one file, which is no part of the package. */
export function buildSingleFile() {
  execFileSync("npm", ["run", "single", "--silent"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  return join(root, "build/btfkit.cjs");
}
