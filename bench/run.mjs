// npm run bench [-- --quick] [--kernel FILE]... [--only GROUP]
//
// Measures btfkit beside libbpf and bpftool in one run. A missed target shows
// in the table and never fails the run. --quick takes few rounds, and leaves
// the committed results alone. --kernel names kernels' raw BTF to merge, --only
// a group of rows to measure by itself; that leaves them alone too.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as archive from "./cases/archive.mjs";
import * as bpf from "./cases/bpf.mjs";
import * as data from "./cases/data.mjs";
import * as dump from "./cases/dump.mjs";
import * as edit from "./cases/edit.mjs";
import * as executable from "./cases/executable.mjs";
import * as explorer from "./cases/explorer.mjs";
import * as generate from "./cases/generate.mjs";
import * as inspect from "./cases/inspect.mjs";
import * as relations from "./cases/inspect-relations.mjs";
import * as live from "./cases/live.mjs";
import * as loader from "./cases/loader.mjs";
import * as lookup from "./cases/lookup.mjs";
import * as memory from "./cases/memory.mjs";
import * as open from "./cases/open.mjs";
import * as size from "./cases/size.mjs";
import { measureWarm } from "./cases/warm.mjs";
import { describeMachine } from "./machine.mjs";
import { openSubject } from "./subject.mjs";
import { table } from "./table.mjs";
import { findTools } from "./tools.mjs";

const FULL = { rounds: 30, warmRounds: 7, warmSeconds: 0.4, memoryRounds: 11, editRounds: 9, slowRounds: 2 };
const QUICK = { rounds: 3, warmRounds: 1, warmSeconds: 0.05, memoryRounds: 2, editRounds: 2, slowRounds: 0 };

/** A row with its unit and whether it meets its target. */
function finish(group, row) {
  const { name, against, unit = "ms", ours, theirs, ratio, target, note } = row;
  const [[of, limit] = []] = Object.entries(target ?? {});
  const measured = of && row[of];
  const pass = measured === undefined ? undefined : measured <= limit;
  return { name, group, against, unit, ours, theirs, ratio, target, pass, note };
}

const CASES = [
  open,
  lookup,
  dump,
  executable,
  inspect,
  relations,
  edit,
  bpf,
  data,
  live,
  loader,
  generate,
  memory,
  size,
  archive,
  explorer,
];
/** Groups with rows of calls repeated in one process, which are measured together. */
const WARM = [open, lookup, dump];

async function measureAll(plan, only) {
  const rows = [];
  const cases = CASES.filter(({ group }) => only === undefined || group === only);
  if (cases.length === 0) throw new Error(`no group ${only}: ${CASES.map(({ group }) => group).join(", ")}`);
  const warm = cases.some((one) => WARM.includes(one)) ? await measureWarm(plan) : undefined;
  for (const { group, measure } of cases) {
    for (const row of await measure({ ...plan, warm })) rows.push(finish(group, row));
  }
  return rows;
}

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    kernel: { type: "string", multiple: true, default: [] },
    only: { type: "string" },
  },
});
const kernels = options.kernel.map((path) => resolve(path));
process.chdir(fileURLToPath(new URL("..", import.meta.url)));
if (!existsSync("dist/index.js")) throw new Error("nothing is built: npm run build");

const progress = (text) => process.stderr.write(`${text}\n`);
const subject = await openSubject();
try {
  const tools = findTools();
  const plan = { subject, tools, kernels, progress, ...(options.quick ? QUICK : FULL) };
  const rows = await measureAll(plan, options.only);
  const results = {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(tools),
    subject: { origin: subject.origin, byteSize: subject.byteSize, typeCount: subject.typeCount },
    rows,
  };
  process.stdout.write(table(rows));

  const directory = options.quick || options.only ? "build/bench" : "bench";
  writeFileSync(`${directory}/results.json`, `${JSON.stringify(results, null, 2)}\n`);
  if (!existsSync("bench/node_modules")) execFileSync("npm", ["ci", "--prefix", "bench"], { stdio: ["ignore", 2, 2] });
  const { chart } = await import("./chart.mjs");
  writeFileSync(`${directory}/chart.svg`, chart(results));
  progress(`${directory}/results.json and chart.svg written`);
} finally {
  subject.remove();
}
