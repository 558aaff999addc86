/** Objects loaded into the running kernel and their events read, beside a C program on libbpf that does the same. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { report } from "../processes.mjs";
import { compare, inTurns, median } from "../statistics.mjs";

export const group = "loader";

const PROGRAM = "bench/programs/loader.mjs";
/** Thousands of events, and microseconds between a thousand and the next: half a million a second. */
const RUNS = 1000;
const PACE = 2000;
/** What a JavaScript engine takes until it has compiled the reading; the rest is measured. */
const FILLS = 6;

function compile(source, object) {
  execFileSync("clang-19", ["-target", "bpf", "-g", "-O2", "-c", source, "-o", object], { stdio: "ignore" });
  return object;
}

/** Nanoseconds an event, once the code is compiled. */
const perEvent = (lines) => median(lines.slice(lines.length >> 1).map(({ ns, events }) => ns / events));

export async function measure({ tools, slowRounds, progress }) {
  const name = "an object loaded and attached";
  if (!existsSync("/sys/fs/bpf") || process.getuid?.() !== 0)
    return [{ name, note: "needs root and a BPF file system" }];
  if (!tools.loader) return [{ name, note: "gcc or libbpf not installed" }];
  progress("loader");
  const folder = mkdtempSync(join(tmpdir(), "btfkit-bench-"));
  try {
    const example = compile("examples/execsnoop/execsnoop.bpf.c", join(folder, "execsnoop.bpf.o"));
    const flood = compile("test/native/flood.bpf.c", join(folder, "flood.bpf.o"));
    const rows = [];
    for (const [runtime, ratio] of [
      ["Node", 3],
      ["Bun", 2],
      ["Deno", 3],
    ]) {
      const host = tools.runtimes[runtime];
      if (!host) {
        rows.push({ name: `${name}, ${runtime}`, note: `${runtime} not installed` });
        continue;
      }
      const [command, ...args] = host.command;
      const ours = (...rest) => report(command, ...args, PROGRAM, ...rest);
      const theirs = (...rest) => report(tools.loader, ...rest);
      const attached = await inTurns(
        4 + slowRounds,
        () => ours("attach", example),
        () => theirs("attach", example),
      );
      /** The first in a process, or the last one, once its code has run a few times. */
      const timesAt = (which) => attached.map((pair) => pair.map((lines) => lines.at(which).ns / 1e6));
      const against = "libbpf's load and attach";
      const target = { ratio: 1.5 };
      rows.push(
        { name: `${name}, ${runtime}`, against, ...compare(timesAt(0)), target },
        { name: `${name} again, ${runtime}`, against, ...compare(timesAt(-1)), target },
      );
      const copied = [];
      const typed = [];
      for (let round = 0; round <= slowRounds; round++) {
        const native = perEvent(await theirs("consume", flood, String(FILLS)));
        // In a process each: a program does one or the other, and engines compile for what they see.
        copied.push([perEvent(await ours("consume", flood, String(FILLS), "raw")), native]);
        typed.push([perEvent(await ours("consume", flood, String(FILLS), "typed")), native]);
      }
      const copying = { against: "libbpf's, copied by a callback", unit: "ns" };
      rows.push(
        { name: `an event of a ring buffer copied, ${runtime}`, ...copying, ...compare(copied), target: { ratio } },
        { name: `an event of a ring buffer decoded, ${runtime}`, ...copying, ...compare(typed) },
      );
      const [{ lost, unordered }] = await ours("stream", flood, String(RUNS), String(PACE), tools.loader);
      const [native] = await theirs("stream", flood, String(RUNS), String(PACE));
      rows.push({
        name: `of a million events at 0.5 million/s lost, ${runtime}`,
        against: "libbpf's poll",
        unit: "",
        ours: lost + unordered,
        theirs: native.lost + native.unordered,
        target: { ours: 0 },
      });
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
