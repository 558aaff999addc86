/** Where the executables of the runtimes are; one that is not on this machine is undefined. */
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const modules = fileURLToPath(new URL("node_modules/", import.meta.url));

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * A binary that an npm package brings as an optional dependency for this
 * platform. The package's own stub is linked by an install script, which npm
 * may not run.
 */
function fromPlatformPackage(scope, file) {
  const folder = join(modules, scope);
  const packages = existsSync(folder) ? readdirSync(folder) : [];
  return packages.map((name) => join(folder, name, file)).find(isExecutable);
}

function fromPath(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** A binary inside an npm package. */
function fromPackage(file) {
  return [join(modules, file)].find(isExecutable);
}

export const executables = {
  node: process.execPath,
  "node 22": fromPackage("node-22/bin/node"),
  "node 24": fromPackage("node-24/bin/node"),
  deno: fromPlatformPackage("@deno", "deno") ?? fromPath("deno"),
  // Where install scripts are run, Bun's moves the binary.
  bun: fromPlatformPackage("@oven", "bin/bun") ?? fromPackage("bun/bin/bun.exe") ?? fromPath("bun"),
  workerd: fromPlatformPackage("@cloudflare", "bin/workerd"),
  chromium: fromPath("chromium", "chromium-browser", "google-chrome"),
  firefox: fromPath("firefox-esr", "firefox"),
};
