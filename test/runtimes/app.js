/** An application that has the packed package installed, in a folder of its own. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

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
  mkdirSync(join(folder, "bundles"));
  return { folder, tarball: join(folder, filename), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The executable as one file, which is no part of the package. */
export function buildSingleFile() {
  execFileSync("npm", ["run", "single", "--silent"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  return join(root, "build/btfkit.cjs");
}
