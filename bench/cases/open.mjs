/** Opening: from bytes and from a file, in a running process and in a fresh one. */
import process from "node:process";
import { firstCall, launch, report } from "../processes.mjs";
import { compare, excess, inTurns } from "../statistics.mjs";

export const group = "open";

export async function measure({ subject, tools, rounds, warm, progress }) {
  const { path } = subject;
  const note = tools.libbpf ? undefined : "libbpf not installed";
  const native = (mode) => tools.libbpf && (async () => (await report(tools.libbpf, mode, path))[0].ns[0] / 1e6);
  const rows = [];

  progress("open, first call of a process");
  const firstParse = await inTurns(rounds, () => firstCall("parse", path), native("first-new"));
  const firstOpen = await inTurns(rounds, () => firstCall("open", path), native("first-parse"));
  rows.push(
    { name: "Btf.parse, warm", against: "btf__new", ...warm.parse, target: { ratio: 1 }, note },
    { name: "Btf.parse, first", against: "btf__new", ...compare(firstParse), target: { ratio: 1.3 }, note },
    { name: "openFile, warm", against: "btf__parse", ...warm.open, target: { ratio: 1 }, note },
    { name: "openFile, first", against: "btf__parse", ...compare(firstOpen), target: { ratio: 1.3 }, note },
  );

  if (!tools.launch) return [...rows, { name: "whole processes", note: "gcc not installed" }];
  progress("open, whole processes");
  const node = [process.execPath];
  const opened = await inTurns(
    rounds,
    async () => (await launch(tools, node, "bench/programs/open.mjs", path)).ms,
    async () => (await launch(tools, node, "bench/programs/empty.mjs", path)).ms,
  );
  rows.push({ name: "import and openFile beyond Node's start", ...excess(opened), target: { ours: 15 } });
  const started = await inTurns(
    rounds,
    async () => (await launch(tools, node, "dist/cli/btfkit.cjs", "--version")).ms,
    async () => (await launch(tools, node, "bench/programs/empty.cjs")).ms,
  );
  rows.push({
    name: "btfkit --version, Node",
    against: "an empty script",
    ...compare(started),
    target: { ratio: 1.25 },
  });
  for (const name of ["Node", "Bun", "Deno"]) {
    const runtime = tools.runtimes[name];
    const row = { name: `start to first struct found, ${name}`, target: { ours: 100 } };
    if (!runtime) {
      rows.push({ ...row, note: `${name} not installed` });
      continue;
    }
    const found = async () => (await launch(tools, runtime.command, "bench/programs/find.mjs", path)).firstByteMs;
    rows.push({ ...row, ...compare(await inTurns(rounds, found)) });
  }
  return rows;
}
