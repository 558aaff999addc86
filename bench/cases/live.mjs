/** The running kernel: lists and dumps of maps beside bpftool's. */
import { existsSync, rmSync } from "node:fs";
import process from "node:process";
import { launch } from "../processes.mjs";
import { compare, inTurns } from "../statistics.mjs";

export const group = "live";

const CLI = "dist/cli/btfkit.cjs";
const ENTRIES = 20_000;
const PIN = `/sys/fs/bpf/btfkit-bench-${process.pid}`;

/** A hash of that many entries, without BTF, at the path. */
async function pinMap() {
  const { Kernel } = await import("../../dist/live.js");
  const kernel = await Kernel.open();
  const map = kernel.createMap({ type: "hash", keyByteSize: 4, valueByteSize: 16, maxEntries: ENTRIES, name: "bench" });
  for (let i = 0; i < ENTRIES; i++) map.set(new Uint8Array(Uint32Array.of(i).buffer), new Uint8Array(16).fill(i));
  map.pin(PIN);
  map[Symbol.dispose]();
}

export async function measure({ tools, rounds, progress }) {
  const name = "btfkit bpftool map dump, 20,000 entries";
  if (!existsSync("/sys/fs/bpf") || process.getuid?.() !== 0)
    return [{ name, note: "needs root and a BPF file system" }];
  if (!tools.launch || !tools.bpftool) return [{ name, note: "gcc or bpftool not installed" }];
  progress("live maps");
  await pinMap();
  try {
    const rows = [];
    for (const runtime of ["Node", "Bun", "Deno"]) {
      const host = tools.runtimes[runtime];
      if (!host) {
        rows.push({ name: `${name}, ${runtime}`, note: `${runtime} not installed` });
        continue;
      }
      for (const [what, args, target] of [
        [name, ["map", "dump", "pinned", PIN], { ratio: 0.5 }],
        ["btfkit bpftool -j map dump, 20,000 entries", ["-j", "map", "dump", "pinned", PIN], { ratio: 0.5 }],
        ["btfkit bpftool map list", ["map", "list"]],
      ]) {
        const ours = async () => (await launch(tools, host.command, CLI, "bpftool", ...args)).ms;
        const theirs = async () => (await launch(tools, [tools.bpftool], ...args)).ms;
        const against = `bpftool ${args.slice(0, 2).join(" ")}`;
        rows.push({ name: `${what}, ${runtime}`, against, ...compare(await inTurns(rounds, ours, theirs)), target });
      }
    }
    return rows;
  } finally {
    rmSync(PIN, { force: true });
  }
}
