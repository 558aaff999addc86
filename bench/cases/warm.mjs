/** Calls repeated in a running process: libbpf's process and ours in turns. */
import { report, reportOf } from "../processes.mjs";
import { compare, inTurns, median } from "../statistics.mjs";

/** Which of libbpf's figures each of our calls is compared with. */
const COUNTERPARTS = { parse: "new", open: "parse", find: "find", findMissing: "findMissing", headerBytes: "header" };
/** Enough for libbpf to be measured as long as Benchmark.js measures one of our calls, some tenths of a second. */
const REPETITIONS = "200";
const HEADER_REPETITIONS = "8";

async function libbpfMedians({ libbpf }, { path, lateStruct }) {
  const warm = await report(libbpf, "warm", path, REPETITIONS);
  const [late] = await report(libbpf, "find", path, lateStruct.name, REPETITIONS);
  const [missing] = await report(libbpf, "find", path, "no_such_struct", REPETITIONS);
  const header = await report(libbpf, "header", path, HEADER_REPETITIONS);
  const cases = [...warm, ...header, late, { ...missing, case: "findMissing" }];
  return Object.fromEntries(cases.map((one) => [one.case, median(one.ns) / 1e6]));
}

async function ourMedians({ path, lateStruct }, seconds) {
  const calls = await reportOf("warm-calls.mjs", path, lateStruct.name, String(seconds));
  return Object.fromEntries(calls.map((one) => [one.call, median(one.seconds) * 1e3]));
}

/** Figures by call, in milliseconds. */
export async function measureWarm({ subject, tools, warmRounds, warmSeconds, progress }) {
  progress("repeated calls in one process");
  const theirs = tools.libbpf && (() => libbpfMedians(tools, subject));
  const pairs = await inTurns(warmRounds, () => ourMedians(subject, warmSeconds), theirs);
  const calls = Object.keys(pairs[0][0]);
  return Object.fromEntries(
    calls.map((call) => [call, compare(pairs.map(([ours, native]) => [ours[call], native?.[COUNTERPARTS[call]]]))]),
  );
}
