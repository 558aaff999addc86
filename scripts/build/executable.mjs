// Standalone executables: the command line with Bun's runtime in one file, and
// its bytecode, which makes it start three times as fast. Arguments: platforms
// such as linux-x64, or `all`; without one this machine's. Bun fetches the
// runtime of another platform from npm's registry. --output FOLDER (default
// build/executable).
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { executables } from "../../test/runtimes/executables.js";

const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "windows-x64"];

const args = process.argv.slice(2);
const at = args.indexOf("--output");
const [, folder] = at < 0 ? [undefined, "build/executable"] : args.splice(at, 2);
const unknown = args.find((name) => name !== "all" && !PLATFORMS.includes(name));
if (unknown || !folder || !executables.bun) {
  const platforms = `platforms are ${PLATFORMS.join(", ")}, all`;
  console.error(executables.bun ? platforms : "Bun is missing: npm ci --prefix test/runtimes");
  process.exit(2);
}

const own = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
const platforms = args.includes("all") ? PLATFORMS : args.length > 0 ? args : [own];
mkdirSync(folder, { recursive: true });
for (const platform of platforms) {
  // The machine's own has no platform in its name: it is the one to try.
  const name = args.length > 0 ? `btfkit-${platform}` : "btfkit";
  const file = join(folder, platform.startsWith("windows") ? `${name}.exe` : name);
  const target = platform === own ? [] : [`--target=bun-${platform}`];
  const options = ["--compile", "--bytecode", "--format=cjs", "--external", "koffi", ...target];
  execFileSync(executables.bun, ["build", ...options, "build/btfkit.cjs", "--outfile", file], { stdio: "pipe" });
  console.log(file);
}
