/** BPF objects: relocation beside libbpf's, minimising beside bpftool's, and a matrix of checks. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { gunzipSync } from "node:zlib";
import { launch, report, reportOf } from "../processes.mjs";
import { compare, inTurns, median } from "../statistics.mjs";

export const group = "bpf";

/** Kernels, modules and objects of others, which are not part of the repository. */
const CORPUS = "../shared/corpus";
/** Debian's libbpf-tools. */
const TOOLS = /^lt026-/;
/** The object with the most relocations of those that libbpf relocates without a look at the running kernel. */
const LARGEST = "lt026-tcptracer.bpf.o";
const KERNELS = ["6.12-amd64", "6.1-cloud-amd64", "6.1-i386"];
const CLI = "dist/cli/btfkit.cjs";

/** Calls in one process: enough for code to be compiled. */
const REPETITIONS = "300";

async function relocating({ tools, warmRounds, rounds }, object, kernel) {
  const native = (count, pick) =>
    tools.relocate &&
    (async () =>
      pick((await report(tools.relocate, object, kernel, count)).map(({ load, parse }) => (load - parse) / 1e6)));
  const ours = (count, pick) => async () =>
    pick((await reportOf("relocate.mjs", object, kernel, count)).map(({ ns }) => ns / 1e6));
  const first = ([one]) => one;
  const note = tools.relocate ? undefined : "libbpf not installed";
  const warm = await inTurns(warmRounds, ours(REPETITIONS, median), native("20", median));
  const cold = await inTurns(rounds, ours("1", first), native("1", first));
  const row = { against: "bpf_object__open_file and __load, without its btf__parse", note };
  return [
    {
      ...row,
      name: "readObject and relocate, 53 relocations, target open, warm",
      ...compare(warm),
      target: { ratio: 0.5 },
    },
    { ...row, name: "readObject and relocate, first", ...compare(cold) },
  ];
}

async function wholeProcesses({ tools, rounds }, objects, kernels, folder) {
  const rows = [];
  const [kernel] = kernels;
  const count = objects.length;
  // What breaks is expected: the exit code is 0 then.
  const expected = join(folder, "expected.json");
  const check = ["check", ...objects, "--target", ...kernels];
  try {
    execFileSync(process.execPath, [CLI, ...check, "--json", "-o", expected]);
  } catch (error) {
    if (error.status !== 1) throw error;
  }
  for (const name of ["Node", "Bun", "Deno"]) {
    const runtime = tools.runtimes[name];
    const minimizing = { name: `btfkit minimize, ${count} objects, ${name}`, against: "bpftool gen min_core_btf" };
    const checking = { name: `btfkit check, ${count} objects on ${kernels.length} kernels, ${name}` };
    if (!runtime || !tools.launch) {
      const note = runtime ? "gcc not installed" : `${name} not installed`;
      rows.push({ ...minimizing, note }, { ...checking, note });
      continue;
    }
    const run = async (...args) => (await launch(tools, runtime.command, CLI, ...args)).ms;
    const ours = () => run("minimize", ...objects, "--target", kernel, "-o", join(folder, "ours.btf"));
    const theirs =
      tools.bpftool &&
      (async () =>
        (await launch(tools, [tools.bpftool], "gen", "min_core_btf", kernel, join(folder, "theirs.btf"), ...objects))
          .ms);
    rows.push({
      ...minimizing,
      ...compare(await inTurns(rounds, ours, theirs)),
      target: name === "Deno" ? undefined : { ratio: 0.7 },
      note: tools.bpftool ? undefined : "bpftool not installed",
    });
    const matrix = await inTurns(Math.ceil(rounds / 3), () => run(...check, "--expect", expected));
    rows.push({ ...checking, ...compare(matrix), target: { ours: 1500 } });
  }
  return rows;
}

export async function measure(plan) {
  if (!existsSync(CORPUS)) return [{ name: "BPF objects", note: "no objects in ../shared/corpus" }];
  const folder = mkdtempSync(join(tmpdir(), "btfkit-bench-"));
  try {
    const kernels = KERNELS.map((name) => {
      const path = join(folder, `${name}.btf`);
      writeFileSync(path, gunzipSync(readFileSync(`${CORPUS}/vmlinux/${name}.btf.gz`)));
      return path;
    });
    const names = readdirSync(`${CORPUS}/objects`).filter((name) => TOOLS.test(name));
    const objects = names.sort().map((name) => `${CORPUS}/objects/${name}`);
    plan.progress("BPF objects, relocation");
    const rows = await relocating(plan, `${CORPUS}/objects/${LARGEST}`, kernels[0]);
    plan.progress("BPF objects, whole processes");
    return [...rows, ...(await wholeProcesses(plan, objects, kernels, folder))];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
