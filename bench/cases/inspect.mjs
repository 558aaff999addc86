/** Layouts: a whole kernel's text and packing, btfkit's and pahole's whole processes, and a single struct. */
import { launch } from "../processes.mjs";
import { compare, inTurns } from "../statistics.mjs";

export const group = "inspect";

const TARGETS = { Node: { ratio: 0.8 }, Bun: { ratio: 0.5 } };

export async function measure({ subject, tools, rounds, progress }) {
  const { path } = subject;
  const rows = [];
  const note = !tools.launch ? "gcc not installed" : tools.pahole ? undefined : "pahole not installed";
  const jobs = [
    {
      name: "btfkit layout, whole kernel",
      ours: ["layout", "--compat", "pahole-1.31", path],
      theirs: ["-F", "btf", path],
      targets: TARGETS,
    },
    { name: "btfkit pack, whole kernel", ours: ["pack", path], theirs: ["-F", "btf", "--packable", path], targets: {} },
  ];
  for (const { name, ours, theirs, targets } of jobs) {
    for (const runtime of ["Node", "Bun"]) {
      const host = tools.runtimes[runtime];
      const row = { name: `${name}, ${runtime}`, against: "pahole", target: targets[runtime] };
      if (!host || !tools.launch) {
        rows.push({ ...row, note: host ? note : `${runtime} not installed` });
        continue;
      }
      progress(`${name}, ${runtime}`);
      const btfkit = () => launch(tools, host.command, "dist/cli/btfkit.cjs", ...ours);
      const pahole = tools.pahole && (() => launch(tools, [tools.pahole], ...theirs));
      const pairs = await inTurns(rounds, btfkit, pahole);
      rows.push({ ...row, ...compare(pairs.map(([a, b]) => [a.ms, b?.ms])), note });
    }
  }
  if (tools.launch) {
    progress("btfkit layout, a struct");
    const node = tools.runtimes.Node.command;
    const pairs = await inTurns(
      rounds,
      () => launch(tools, node, "dist/cli/btfkit.cjs", "layout", "-t", "list_head", path),
      () => launch(tools, node, "bench/programs/empty.cjs"),
    );
    rows.push({
      name: "btfkit layout -t list_head beyond an empty script, Node",
      ...compare(pairs.map(([a, b]) => [a.ms - b.ms, undefined])),
      target: { ours: 15 },
    });
  }
  return rows;
}
