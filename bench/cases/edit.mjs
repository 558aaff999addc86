/**
 * Making BTF: merging kernels, encoding, verifying. libbpf's time is that of
 * btf__dedup alone, once all is appended; ours takes in the copy of the inputs
 * and the opening of the result.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BtfBuilder, merge, verify } from "../../dist/edit.js";
import { openFile } from "../../dist/node.js";
import { findKernels, rebuilt } from "../kernels.mjs";
import { reportOf } from "../processes.mjs";
import { compare, inTurns, median } from "../statistics.mjs";

export const group = "edit";

const AGAINST = "btf__dedup";

function timed(act) {
  const start = performance.now();
  act();
  return performance.now() - start;
}

/** Milliseconds that one of our C programs prints. */
const native = (program, ...args) => Number(execFileSync(program, args).toString());

export async function measure({ subject, tools, editRounds, slowRounds, kernels, progress }) {
  const paths = findKernels(subject, kernels);
  const note = tools.dedup ? undefined : "libbpf not installed";
  const out = join(dirname(subject.path), "merged.btf");
  const rows = [];

  /** Merges files beside libbpf; without rounds ours alone. Returns nanoseconds by type. */
  async function mergeRow(name, files, limit, rounds) {
    progress(name);
    const inputs = files.map((path) => openFile(path));
    const types = inputs.reduce((sum, { size }) => sum + size - 1, 0);
    const ours = () => timed(() => merge(inputs).btf[Symbol.dispose]());
    // Compiled well before it is measured.
    ours();
    const theirs = tools.dedup && rounds > 0 && (() => native(tools.dedup, out, ...files));
    const pairs = await inTurns(Math.max(rounds, 1), ours, theirs || undefined);
    const left = rounds > 0 ? note : "without libbpf, which takes long";
    rows.push({ name, against: AGAINST, ...compare(pairs), target: { ratio: limit }, note: left });
    for (const input of inputs) input[Symbol.dispose]();
    return (median(pairs.map(([ms]) => ms)) * 1e6) / types;
  }

  const pair = paths.slice(0, 2);
  await mergeRow("merge of a kernel with itself", [paths[0], paths[0]], 0.6, editRounds);
  const two = pair.length === 2 && (await mergeRow("merge of two kernels", pair, 0.6, editRounds));
  const four = paths.length >= 4 ? paths.slice(0, 4) : undefined;
  if (four) {
    const each = await mergeRow("merge of four kernels", four, 0.15, editRounds);
    rows.push({ name: "time a type, four kernels beside two", unit: "×", ours: each / two, target: { ours: 1.5 } });
  } else rows.push({ name: "merge of four kernels", note: "no four kernels here; --kernel names some" });
  const builds = pair.flatMap((path) => [path, rebuilt(path)]);
  if (two && builds.every(Boolean)) {
    const name = "merge of two kernels, two builds each";
    const each = await mergeRow(name, builds, 0.15, slowRounds);
    rows.push({ name: "time a type, two builds each beside one", unit: "×", ours: each / two, target: { ours: 1.5 } });
  }

  progress("memory of a merge");
  const [{ peak, input }] = await reportOf("merge-memory.mjs", ...(four ?? pair));
  rows.push({ name: "memory of that merge, by its inputs", unit: "×", ours: peak / input, target: { ours: 6 } });

  progress("encode, verify");
  const kernel = openFile(subject.path);
  const encoded = await inTurns(
    editRounds,
    () =>
      timed(() => {
        const builder = new BtfBuilder();
        builder.append(kernel);
        builder.struct("added", { byteSize: 4 }, [["member", builder.int("int", { byteSize: 4, isSigned: true })]]);
        builder.encode();
      }),
    tools.append && (() => native(tools.append, subject.path)),
  );
  rows.push({
    name: "encode of an edited kernel",
    against: "btf__add_btf, btf__raw_data",
    ...compare(encoded),
    target: { ratio: 0.5 },
    note: tools.append ? undefined : "libbpf not installed",
  });
  const bytes = readFileSync(subject.path);
  const verified = await inTurns(editRounds, () => timed(() => verify(bytes)));
  rows.push({ name: "verify of a kernel", ...compare(verified), target: { ours: 60 } });
  return rows;
}
