/** Relations and differences: a whole process, and questions to an open kernel. No native tool answers them. */
import { execFileSync } from "node:child_process";
import { launch } from "../processes.mjs";
import { compare, inTurns } from "../statistics.mjs";

export const group = "relations";

/** An older kernel, to have something to compare. */
const OLD = "test/data/vmlinux-6.1-cloud-amd64.btf.gz";

/** What a process reports, what it is called, and how many milliseconds it may take. */
const QUESTIONS = [
  ["embedsFirst", "who embeds list_head, first question", 20],
  ["embedsLater", "who embeds list_head, later", 1],
  ["identitiesFirst", "identities of a kernel", 100],
  ["diffFirst", "diff of two kernels, first", undefined],
  ["diffLater", "diff of two kernels, warm", 150],
];

export async function measure({ subject, tools, rounds, progress }) {
  const { path } = subject;
  const rows = [];
  const node = tools.runtimes.Node.command;
  if (tools.launch) {
    progress("btfkit diff");
    // As diff(1), it ends with 1 where the two differ.
    const differing = { launch: tools.launch, exitCode: 1 };
    const pairs = await inTurns(rounds, () => launch(differing, node, "dist/cli/btfkit.cjs", "diff", OLD, path));
    rows.push({
      name: "btfkit diff, two kernels, Node",
      ...compare(pairs.map(([a]) => [a.ms, undefined])),
      target: { ours: 350 },
    });
  }
  progress("relations");
  const [program, ...args] = node;
  const reports = Array.from({ length: Math.max(1, Math.min(rounds, 7)) }, () =>
    JSON.parse(execFileSync(program, [...args, "bench/programs/relations.mjs", OLD, path], { encoding: "utf8" })),
  );
  for (const [field, name, limit] of QUESTIONS) {
    rows.push({
      name: `${name}, Node`,
      ...compare(reports.map((report) => [report[field], undefined])),
      ...(limit !== undefined && { target: { ours: limit } }),
    });
  }
  return rows;
}
