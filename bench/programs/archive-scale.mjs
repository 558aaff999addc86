// archive-scale.mjs KERNEL RELEASES FOLDER [OBJECT...]: makes an archive of that many releases derived from a part of a
// kernel, and prints a line of JSON each time it has grown: kernels, bytes of BTF and of the archive, milliseconds.
// The part has what the objects name, and every eighth definition beside it.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Archive, ArchiveWriter } from "../../dist/archive.js";
import { readObject } from "../../dist/bpf.js";
import { archiveFolder } from "../../dist/node.js";
import { Kernel, randomFrom } from "./releases.mjs";

const SHARE = 1 / 8;
/** Kernels after which a generation is written, as `btfkit archive add` does it. */
const AT_ONCE = 64;
const SEED = 1;
/** What a program attaches to is called so in BTF. */
const PREFIXES = ["", "btf_trace_", "bpf_lsm_", "bpf_iter_", "__x64_sys_"];

const [path, releases, folder, ...objects] = process.argv.slice(2);
const wanted = new Set([
  "task_struct",
  "sk_buff",
  "list_head",
  "bpf_func_id",
  "bpf_map_type",
  "bpf_prog_type",
  "bpf_attach_type",
]);
for (const file of objects) {
  const object = readObject(readFileSync(file));
  for (const { name } of object.btf) wanted.add(name.replace(/___.*/, ""));
  for (const { attachTo = "" } of object.programs)
    for (const prefix of PREFIXES)
      wanted.add(
        prefix +
          attachTo
            .split(/[/+]/)
            .at(-1)
            .replace(/^sys_(enter|exit)_/, ""),
      );
}
const random = randomFrom(SEED);
const bytes = readFileSync(path);
const kernel = Kernel.parse(path.endsWith(".gz") ? gunzipSync(bytes) : bytes).part(
  ({ name }) => wanted.has(name) || random() < SHARE,
);

const sizeOf = (place) => {
  const stat = statSync(place);
  return stat.isFile() ? stat.size : readdirSync(place).reduce((sum, name) => sum + sizeOf(join(place, name)), 0);
};
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
async function timed(act) {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

const writer = await ArchiveWriter.open(archiveFolder(folder));
let raw = 0;
let adding = [];
const checkpoints = [1, 10, 40, 100, 250, 500, 1000, 1500, 2000, Number(releases)];
for (let number = 1; number <= releases; number++) {
  if (number > 1) kernel.change(number, random);
  const vmlinux = kernel.toBytes();
  raw += vmlinux.length;
  adding.push(await timed(() => writer.add({ id: `6.1.${number}-amd64`, architecture: "x86_64", vmlinux })));
  const isReported = checkpoints.includes(number);
  if (!isReported && number % AT_ONCE !== 0) continue;
  const commit = await timed(() => writer.commit());
  await writer.collectGarbage();
  if (!isReported) continue;
  const archive = () => Archive.open(archiveFolder(folder));
  const lookup = await timed(async () => {
    for await (const _ of (await archive()).find({ name: "sk_buff" }));
  });
  const historyFirst = await timed(async () => await (await archive()).history(["task_struct.pid"]));
  const open = await archive();
  await open.history(["sk_buff.len"]);
  const historyLater = await timed(() => open.history(["task_struct.tgid"]));
  const add = median(adding);
  adding = [];
  console.log(
    JSON.stringify({
      kernels: number,
      types: kernel.records.length,
      raw,
      stored: sizeOf(folder),
      add,
      commit,
      lookup,
      historyFirst,
      historyLater,
      resident: process.memoryUsage.rss(),
    }),
  );
}
await writer.close();
