// The example of the documents in each runtime, as its README starts it: all
// programs that are started are seen.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { needing, runtime } from "../support/needs.js";

const COUNT = 20;
const SOURCE = "examples/execsnoop/execsnoop.bpf.c";
const SCRIPT = "examples/execsnoop/execsnoop.mjs";

/** Starts the example, starts programs once it watches, and returns the files that it saw. */
async function seen(command: string, args: readonly string[]): Promise<string[]> {
  const object = join(mkdtempSync(join(tmpdir(), "btfkit-exec-")), "execsnoop.bpf.o");
  execFileSync("clang-19", ["-target", "bpf", "-g", "-O2", "-c", SOURCE, "-o", object]);
  const child = spawn(command, [...args, SCRIPT, object], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === "watching") {
        // Through env, whose path nobody else on the machine uses.
        for (let i = 0; i < COUNT; i++) spawn("/usr/bin/env", ["--", "/bin/true"], { stdio: "ignore" });
      } else if (/ \/usr\/bin\/env$/.test(line)) lines.push(line);
      if (lines.length >= COUNT) break;
    }
  } finally {
    child.kill();
    await once(child, "close");
  }
  return lines;
}

const RUNTIMES = [
  ["node", undefined, process.execPath, []],
  ["node 22", "node 22", runtime("node 22"), []],
  ["node 24", "node 24", runtime("node 24"), []],
  ["bun", "bun", runtime("bun"), []],
  ["deno", "deno", runtime("deno"), ["run", "--allow-all"]],
] as const;

for (const [name, need, command, args] of RUNTIMES) {
  needing(
    "bpf(2)",
    "tracefs",
    "clang-19",
    ...(need ? [need] : []),
  )(`sees ${COUNT} of ${COUNT} programs in ${name}`, async () => {
    expect((await seen(command, args)).length).toBeGreaterThanOrEqual(COUNT);
  });
}
