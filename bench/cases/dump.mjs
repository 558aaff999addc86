/** Whole images as text: btfkit's and bpftool's whole process, output into a pipe. */
import { launch } from "../processes.mjs";
import { compare, inTurns } from "../statistics.mjs";

export const group = "dump";

const FORMATS = {
  raw: { ours: [], theirs: [], targets: { Node: 0.6, Bun: 0.25 } },
  json: { ours: ["-f", "json"], theirs: ["-j"], targets: { Node: 0.75, Bun: 0.4 } },
};

export async function measure({ subject, tools, rounds, warm, progress }) {
  const { path } = subject;
  const rows = [];
  for (const [format, { ours, theirs, targets }] of Object.entries(FORMATS)) {
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
      const bpftool = tools.bpftool && (() => launch(tools, [tools.bpftool], ...theirs, "btf", "dump", "file", path));
      const pairs = await inTurns(rounds, btfkit, bpftool);
      const unlike = pairs.find(([a, b]) => b && a.outputBytes !== b.outputBytes);
      if (unlike) throw new Error(`btfkit wrote ${unlike[0].outputBytes} bytes, bpftool ${unlike[1].outputBytes}`);
      rows.push({
        ...row,
        ...compare(pairs.map(([a, b]) => [a.ms, b?.ms])),
        note: tools.bpftool ? undefined : "bpftool not installed",
      });
    }
  }
  return [
    ...rows,
    { name: "dumpRaw, bytes, warm", ...warm.rawBytes },
    { name: "dumpRaw, string, warm", ...warm.rawText },
    { name: "dumpJson, bytes, warm", ...warm.jsonBytes },
    { name: "dumpJson, string, warm", ...warm.jsonText },
  ];
}
