// node bench/edit.mjs [--rounds N] FILE... : deduplication, encoding and
// verification beside libbpf, in the same run and in turns. FILEs are kernels'
// BTF, raw, at least two. libbpf's time is that of btf__dedup alone, or of
// btf__add_btf with btf__raw_data; ours takes in the copy of the inputs and
// the opening of the result. Medians in milliseconds; memory is WebAssembly's,
// as a multiple of the inputs.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { BtfBuilder, merge, verify } from "../dist/edit.js";
import { openFile } from "../dist/node.js";

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "7" } },
});
const rounds = Number(values.rounds);
if (files.length < 2) throw new Error("name two kernels' BTF at least");

mkdirSync("build/native", { recursive: true });
const program = (name) => {
  execFileSync("gcc", ["-O2", "-o", `build/native/${name}`, `test/native/${name}.c`, "-lbpf", "-lelf", "-lz"]);
  return `build/native/${name}`;
};
const dedup = program("dedup");
const out = join(tmpdir(), `btfkit-bench-${process.pid}.btf`);

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const timed = (act) => {
  const start = performance.now();
  const result = act();
  return [performance.now() - start, result];
};

/** Most memory that any WebAssembly instance of `act` had, in bytes. */
function peakOf(act) {
  const { grow } = WebAssembly.Memory.prototype;
  let peak = 0;
  WebAssembly.Memory.prototype.grow = function (pages) {
    const before = grow.call(this, pages);
    peak = Math.max(peak, this.buffer.byteLength);
    return before;
  };
  try {
    act();
    return peak;
  } finally {
    WebAssembly.Memory.prototype.grow = grow;
  }
}

function row(name, ours, theirs, more = "") {
  const [a, b] = [median(ours), median(theirs)];
  const ratio = theirs.length ? median(ours.map((time, i) => time / theirs[i])).toFixed(2) : "";
  process.stdout.write(
    `${name.padEnd(44)}${a.toFixed(1).padStart(9)}${theirs.length ? b.toFixed(1).padStart(9) : "".padStart(9)}${ratio.padStart(8)}  ${more}\n`,
  );
}

process.stdout.write(`${"".padEnd(44)}${"ours".padStart(9)}${"libbpf".padStart(9)}${"ratio".padStart(8)}\n`);
const cases = [[files[0], files[0]], files.slice(0, 2), ...(files.length > 2 ? [files] : [])];
for (const paths of cases) {
  const inputs = paths.map((path) => openFile(path));
  const types = inputs.reduce((sum, { size }) => sum + size - 1, 0);
  const bytes = inputs.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const peak = peakOf(() => merge(inputs));
  const [ours, theirs] = [[], []];
  for (let round = 0; round < rounds; round++) {
    theirs.push(Number(execFileSync(dedup, [out, ...paths]).toString()));
    const [time, { btf }] = timed(() => merge(inputs));
    ours.push(time);
    btf[Symbol.dispose]();
  }
  const name =
    paths.length === 2 && paths[0] === paths[1] ? "dedup, a kernel with itself" : `dedup, ${paths.length} kernels`;
  const each = ((median(ours) * 1e6) / types).toFixed(0);
  row(name, ours, theirs, `${each} ns a type, ${(peak / bytes).toFixed(1)} × the inputs`);
}

const kernel = openFile(files[0]);
const append = program("append-time");
const [ours, theirs] = [[], []];
for (let round = 0; round < rounds; round++) {
  theirs.push(Number(execFileSync(append, [files[0]]).toString()));
  ours.push(
    timed(() => {
      const builder = new BtfBuilder();
      builder.append(kernel);
      builder.struct("added", { byteSize: 4 }, [["member", builder.int("int", { byteSize: 4, isSigned: true })]]);
      return builder.encode();
    })[0],
  );
}
row("encode an edited kernel", ours, theirs);

const bytes = readFileSync(files[0]);
row(
  "verify a kernel",
  Array.from({ length: rounds }, () => timed(() => verify(bytes))[0]),
  [],
);
