/** What a bundler made of `app.js`; the argument is the bundle's path, empty where the page has run it (`page.js`). */
import { same } from "../suite/assert.js";
import { elf } from "../suite/elf.js";
import { run } from "../suite/run.js";
import { specimen } from "../suite/specimen.js";
import { readVmlinux } from "./fixtures.js";

export async function main({ read, print, argument }) {
  const { packed, golden } = await readVmlinux(read);
  const { digests, openPacked } = argument ? await import(/* @vite-ignore */ `../${argument}`) : globalThis.application;
  await run((test) => {
    test("dumps as bpftool does", async () => {
      same(await digests(packed), { raw: golden.dumps.raw.sha256, json: golden.dumps.json.sha256 });
    });
    test("loads a decompressor on demand", async () => {
      const { bytes, image } = specimen();
      same(await openPacked(elf([{ name: ".BTF", bytes, packed: "zstd" }])), image.nextId);
    });
  }, print);
}
