/** The standalone executable beside bpftool: whole processes, output into a pipe. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "../processes.mjs";
import { compare, inTurns } from "../statistics.mjs";

export const group = "executable";

const OBJECT = new URL("../../../shared/corpus/objects/lt026-biotop.bpf.o", import.meta.url).pathname;

const CASES = [
  { name: "start (--version)", ours: ["--version"], theirs: ["version"] },
  { name: "dump, raw", ours: ["dump"], theirs: ["btf", "dump", "file"], target: { ratio: 0.85 } },
  { name: "dump, json", ours: ["dump", "--json"], theirs: ["-j", "btf", "dump", "file"], target: { ratio: 0.85 } },
  { name: "dump, c", ours: ["dump", "-f", "c"], theirs: ["btf", "dump", "file"], after: ["format", "c"] },
];

export async function measure({ subject, tools, rounds, progress }) {
  const { path } = subject;
  const folder = mkdtempSync(join(tmpdir(), "btfkit-executable-"));
  const executable = join(folder, "btfkit");
  if (tools.launch && tools.runtimes.Bun) {
    execFileSync(process.execPath, ["scripts/build/make.mjs", "single", "--quiet"]);
    execFileSync(process.execPath, ["scripts/build/executable.mjs", "--output", folder]);
  }
  const cases = CASES.map(({ ours, theirs, after = [], ...rest }) => {
    const files = rest.name.startsWith("start") ? [] : [path];
    return { ...rest, ours: [...ours, ...files], theirs: [...theirs, ...files, ...after] };
  });
  if (existsSync(OBJECT)) {
    const [small, theirs] = [join(folder, "small.btf"), join(folder, "their.btf")];
    cases.push({
      name: "minimize",
      ours: ["minimize", OBJECT, "--target", path, "-o", small],
      theirs: ["gen", "min_core_btf", path, theirs, OBJECT],
    });
  }
  const rows = [];
  for (const { name, ours, theirs, target } of cases) {
    const row = { name: `executable, ${name}`, against: "bpftool", target };
    if (!existsSync(executable)) {
      rows.push({ ...row, note: tools.launch ? "Bun not installed" : "gcc not installed" });
      continue;
    }
    progress(row.name);
    const bpftool = tools.bpftool && (() => launch(tools, [tools.bpftool], ...theirs));
    const pairs = await inTurns(rounds, () => launch(tools, [executable], ...ours), bpftool);
    const note = tools.bpftool ? undefined : "bpftool not installed";
    rows.push({ ...row, ...compare(pairs.map(([a, b]) => [a.ms, b?.ms])), note });
  }
  return rows;
}
