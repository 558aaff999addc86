// Calls repeated in one process, measured by Benchmark.js:
// node warm-calls.mjs FILE NAME SECONDS
import { readFileSync } from "node:fs";
import process from "node:process";
import Benchmark from "benchmark";
import { Btf, dumpC, dumpJson, dumpRaw } from "../../dist/index.js";
import { openFile } from "../../dist/node.js";

const [, , file, name, seconds] = process.argv;
const bytes = readFileSync(file);
const btf = Btf.parse(bytes);
const discard = () => {};

const calls = {
  parse: () => Btf.parse(bytes)[Symbol.dispose](),
  open: () => openFile(file)[Symbol.dispose](),
  find: () => btf.find(name, "struct"),
  findMissing: () => btf.find("no_such_struct", "struct"),
  searchShort: () => btf.searchIds("e"),
  searchPrefix: () => btf.searchIds("sk_b"),
  searchName: () => btf.searchIds("task_struct"),
  searchMissing: () => btf.searchIds("no_such_struct"),
  rawText: () => dumpRaw(btf).text(),
  rawBytes: () => dumpRaw(btf).drain(discard),
  jsonText: () => dumpJson(btf).text(),
  jsonBytes: () => dumpJson(btf).drain(discard),
  headerBytes: () => dumpC(btf, { sorted: false }).drain(discard),
  sortedHeaderBytes: () => dumpC(btf).drain(discard),
};

for (const [call, fn] of Object.entries(calls)) {
  const benchmark = new Benchmark(call, fn, { maxTime: Number(seconds) });
  benchmark.run();
  if (benchmark.error) throw benchmark.error;
  console.log(JSON.stringify({ call, seconds: benchmark.stats.sample }));
}
