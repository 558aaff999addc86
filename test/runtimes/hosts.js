/** The runtimes: where their executables are, and how they run a file. */
import { execFileSync } from "node:child_process";
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

function versionOf(executable) {
  const text = execFileSync(executable, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return /\d+([.-]\d+)+/.exec(text)?.[0] ?? "";
}

/** @param confined arguments with which a program may read files and nothing else, where the runtime has such */
function host(name, executable, unconfined, confined = unconfined) {
  if (!executable) return { name, missing: `no ${name} on this machine` };
  const version = versionOf(executable);
  return {
    name,
    title: `${name.split(" ")[0]} ${version}`,
    executable,
    version,
    command: (file) => [executable, ...unconfined, file],
    confinedCommand: (file) => [executable, ...confined, file],
  };
}

/** A binary inside an npm package. */
function fromPackage(file) {
  return [join(modules, file)].find(isExecutable);
}

export const deno = host(
  "deno",
  fromPlatformPackage("@deno", "deno") ?? fromPath("deno"),
  ["run", "-A", "--no-lock"],
  ["run", "--allow-read", "--no-prompt", "--no-lock"],
);
// Where install scripts are run, Bun's moves the binary.
export const bun = host(
  "bun",
  fromPlatformPackage("@oven", "bin/bun") ?? fromPackage("bun/bin/bun.exe") ?? fromPath("bun"),
  [],
);

/** Runtimes that have files and processes. One that is not installed says so in `missing`. */
export const commandHosts = [
  host("node", process.execPath, []),
  host("node 22", fromPackage("node-22/bin/node"), []),
  host("node 24", fromPackage("node-24/bin/node"), []),
  deno,
  bun,
];

export const browsers = [
  host("chromium", fromPath("chromium", "chromium-browser", "google-chrome"), []),
  host("firefox", fromPath("firefox-esr", "firefox"), []),
];

export const workerd = host("workerd", fromPlatformPackage("@cloudflare", "bin/workerd"), []);

/** The environment of the runtimes: nothing is looked up on the network, nothing is coloured. */
export const environment = { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
