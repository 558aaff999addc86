// Writes the figures of bench/results.json into bench/figures.md, between its markers:
// none is written by hand. --check writes nothing and fails if they differ.
// Another results file can be named: scripts/docs/figures.mjs [--check] [FILE]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

const PAGE = "bench/figures.md";

const HEADINGS = {
  open: "Open",
  find: "Find by name",
  dump: "Dump",
  bpf: "BPF objects",
  edit: "Merge, encode, verify",
  memory: "Memory",
  size: "Size",
  archive: "Archives",
  explorer: "Explorer",
};

const check = process.argv.includes("--check");
const file = process.argv.slice(2).find((argument) => argument !== "--check") ?? "bench/results.json";
const { quantity, ratio } = await import(resolve(dirname(file), "format.mjs"));
const { date, machine, subject, rows } = JSON.parse(readFileSync(file, "utf8"));

function circumstances() {
  const tools = ["node", "bun", "deno", "bpftool", "libbpf"].filter((tool) => machine[tool]);
  const size = `${(subject.byteSize / 1e6).toFixed(1)} MB, ${subject.typeCount.toLocaleString("en")} types`;
  const software = tools.map((tool) => `${tool} ${machine[tool]}`).join(", ");
  return `Medians of ${date} on a kernel's BTF (${size}), ${machine.cpu}, ${machine.cores} cores, ${software}. A ratio below 1 is faster than the native tool.${unchecked()}`;
}

/** Opening is compared with opening only where both check the same. */
function unchecked() {
  const [major, minor] = (machine.libbpf ?? "1.3").split(".").map(Number);
  return major === 0 || (major === 1 && minor < 3)
    ? " This libbpf does not check names and type ids on opening, as btfkit and libbpf from 1.3 on do."
    : "";
}

function tableRow({ name, against, unit, ours, theirs, ratio: measured }) {
  const native = theirs === undefined ? "" : `${quantity(theirs, unit)} (${against})`;
  return `| ${name} | ${quantity(ours, unit)} | ${native} | ${ratio(measured)} |`;
}

function table() {
  const lines = ["| | btfkit | native | ratio |", "|---|--:|--:|--:|"];
  rows.forEach((row, i) => {
    if (row.ours === undefined) return;
    if (row.group !== rows[i - 1]?.group) lines.push(`| **${HEADINGS[row.group] ?? row.group}** | | | |`);
    lines.push(tableRow(row));
  });
  return lines.join("\n");
}

const chart = "![btfkit beside libbpf and bpftool](chart.svg)";
const origin =
  "`npm run bench` measures all of it again; [README.md](README.md) says how, and what to mind in comparing.";
const figures = [
  circumstances(),
  ...(existsSync("bench/chart.svg") ? [chart] : []),
  table(),
  ...(existsSync("bench/README.md") ? [origin] : []),
].join("\n\n");
const old = readFileSync(PAGE, "utf8");
const made = old.replace(
  /(<!-- figures:.*-->\n)[\s\S]*?(<!-- \/figures -->)/,
  (_, start, end) => `${start}${figures}\n${end}`,
);
if (!made.includes(figures)) throw new Error(`${PAGE} has no figures markers`);
if (!check) writeFileSync(PAGE, made);
else if (made !== old) {
  console.error(`figures: ${PAGE} does not have the figures of bench/results.json; run node scripts/docs/figures.mjs`);
  process.exitCode = 1;
}
