/** Code from types: a whole kernel as volatility's symbols and as a C header, and one object as TypeScript. */
import { existsSync } from "node:fs";
import { launch } from "../processes.mjs";
import { compare, inTurns } from "../statistics.mjs";

export const group = "generate";

const OBJECT = "../shared/corpus/objects/lt026-execsnoop.bpf.o";
const CLI = "dist/cli/btfkit.cjs";

export async function measure({ subject, tools, rounds, progress }) {
  const { path } = subject;
  const bpftool = tools.bpftool;
  const jobs = [
    // No other tool makes these symbols from BTF: bpftool's JSON is the same types as JSON.
    { language: "isf", file: path, theirs: ["-j", "btf", "dump", "file", path], target: { ours: 2000 } },
    { language: "c", file: path, theirs: ["btf", "dump", "file", path, "format", "c"] },
    ...(existsSync(OBJECT) ? [{ language: "ts", file: OBJECT, target: { ours: 200 } }] : []),
  ];
  const node = tools.runtimes.Node.command;
  const rows = [];
  for (const { language, file, theirs, target } of jobs) {
    const name = `btfkit generate ${language}, ${file === path ? "whole kernel" : "an object"}, Node`;
    if (!tools.launch) {
      rows.push({ name, target, note: "gcc not installed" });
      continue;
    }
    progress(name);
    const btfkit = () => launch(tools, node, CLI, "generate", language, file);
    const native = theirs && bpftool && (() => launch(tools, [bpftool], ...theirs));
    const pairs = await inTurns(rounds, btfkit, native);
    const against = native && { against: language === "isf" ? "bpftool -j" : "bpftool format c" };
    rows.push({ name, target, ...against, ...compare(pairs.map(([a, b]) => [a.ms, b?.ms])) });
  }
  return rows;
}
