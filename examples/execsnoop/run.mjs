// Compiles execsnoop.bpf.c with the clang that is there, and runs execsnoop.mjs.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const object = fileURLToPath(new URL("../../build/execsnoop.bpf.o", import.meta.url));
mkdirSync(fileURLToPath(new URL("../../build", import.meta.url)), { recursive: true });
const flags = ["-target", "bpf", "-g", "-O2", "-c", here("execsnoop.bpf.c"), "-o", object];
const compiler = ["clang", "clang-19", "clang-14"].find((name) => spawnSync(name, ["--version"]).status === 0);
if (!compiler) throw new Error("no clang: apt-get install clang");
if (spawnSync(compiler, flags, { stdio: "inherit" }).status !== 0) process.exit(1);
process.exitCode = spawnSync(process.execPath, [here("execsnoop.mjs"), object, ...process.argv.slice(2)], {
  stdio: "inherit",
}).status;
