// Compiles what test/live/hooks.mjs attaches.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const OBJECTS = {
  hooks: ["hooks"],
  congestion: ["hooks", '-DSTRUCT_OPS=".struct_ops"'],
  "congestion-link": ["hooks", '-DSTRUCT_OPS=".struct_ops.link"'],
  usdt: ["usdt", "-D__TARGET_ARCH_x86", "-I/usr/include/x86_64-linux-gnu"],
} as const;

/** Compiles the objects and the process with probes into a folder, which is made. */
export function compileHooks(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, [source, ...flags]] of Object.entries(OBJECTS)) {
    const out = join(folder, `${name}.o`);
    execFileSync("clang-19", ["-target", "bpf", "-g", "-O2", ...flags, "-c", `test/native/${source}.bpf.c`, "-o", out]);
  }
  execFileSync("gcc", ["-O2", "-static", "-o", join(folder, "probed"), "test/native/usdt.c"]);
  return folder;
}

/** What test/live/hooks.mjs prints, by the names of its checks. */
export function resultsOf(output: string): Map<string, string> {
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  return new Map(
    lines.map((line) => {
      const { name, result } = JSON.parse(line) as { name: string; result: string };
      return [name, result];
    }),
  );
}
