/** Whole images as text: btfkit's and bpftool's whole process, output into a pipe. */
import { firstCall, launch } from "../processes.mjs";
import { compare, inTurns } from "../statistics.mjs";

export const group = "dump";

const FORMATS = {
  raw: { ours: [], options: [], format: [], targets: { Node: 0.6, Bun: 0.25 } },
  json: { ours: ["-f", "json"], options: ["-j"], format: [], targets: { Node: 0.75, Bun: 0.4 } },
  // bpftool before 7.5 does not sort, as --unsorted.
  c: { ours: ["-f", "c"], options: [], format: ["format", "c"], targets: { Node: 0.9, Bun: 0.45 } },
  "c unsorted": {
    ours: ["-f", "c", "--unsorted"],
    options: [],
    format: ["format", "c"],
    targets: { Node: 0.9, Bun: 0.45 },
  },
};

export async function measure({ subject, tools, rounds, warm, progress }) {
  const { path } = subject;
  const rows = [];
  for (const [format, { ours, options, format: words, targets }] of Object.entries(FORMATS)) {
    for (const name of ["Node", "Bun", "Deno"]) {
      const runtime = tools.runtimes[name];
      const target = targets[name] && { ratio: targets[name] };
      const row = { name: `btfkit dump, ${format}, ${name}`, against: "bpftool", target };
      if (!runtime || !tools.launch) {
        rows.push({ ...row, note: runtime ? "gcc not installed" : `${name} not installed` });
        continue;
      }
      progress(`dump, ${format}, ${name}`);
      const btfkit = () => launch(tools, runtime.command, "dist/cli/btfkit.cjs", "dump", ...ours, path);
      const bpftool =
        tools.bpftool && (() => launch(tools, [tools.bpftool], ...options, "btf", "dump", "file", path, ...words));
      const pairs = await inTurns(rounds, btfkit, bpftool);
      // Headers differ in what stands before the types, by version.
      const unlike = words.length === 0 && pairs.find(([a, b]) => b && a.outputBytes !== b.outputBytes);
      if (unlike) throw new Error(`btfkit wrote ${unlike[0].outputBytes} bytes, bpftool ${unlike[1].outputBytes}`);
      rows.push({
        ...row,
        ...compare(pairs.map(([a, b]) => [a.ms, b?.ms])),
        note: tools.bpftool ? undefined : "bpftool not installed",
      });
    }
  }
  progress("dump, first chunk of a header");
  const first = await inTurns(rounds, () => firstCall("header", path, ""));
  return [
    ...rows,
    { name: "first 64 KB of an unsorted header, after open, fresh process", ...compare(first), target: { ours: 30 } },
    { name: "dumpC, unsorted, warm", against: "btf_dump__dump_type", ...warm.headerBytes, target: { ratio: 1 } },
    { name: "dumpC, sorted, warm", ...warm.sortedHeaderBytes },
    { name: "dumpRaw, bytes, warm", ...warm.rawBytes },
    { name: "dumpRaw, string, warm", ...warm.rawText },
    { name: "dumpJson, bytes, warm", ...warm.jsonBytes },
    { name: "dumpJson, string, warm", ...warm.jsonText },
  ];
}
