/** The runtimes and how they run a file. */
import { execFileSync } from "node:child_process";
import { executables } from "./executables.js";

function versionOf(executable) {
  const text = execFileSync(executable, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return /\d+([.-]\d+)+/.exec(text)?.[0] ?? "";
}

/** @param confined arguments with which a program may read files and nothing else, where the runtime has such */
function host(name, unconfined, confined = unconfined) {
  const executable = executables[name];
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

export const deno = host("deno", ["run", "-A", "--no-lock"], ["run", "--allow-read", "--no-prompt", "--no-lock"]);
export const bun = host("bun", []);

/** Runtimes that have files and processes. One that is not installed says so in `missing`. */
export const commandHosts = [host("node", []), host("node 22", []), host("node 24", []), deno, bun];

export const browsers = [host("chromium", []), host("firefox", [])];

export const workerd = host("workerd", []);

/** The environment of the runtimes: nothing is looked up on the network, nothing is coloured. */
export const environment = { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
