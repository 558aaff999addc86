/** `btfkit/node`: files and the running kernel. */
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { BtfEnvironmentError, dumpRaw } from "btfkit";
import { KERNEL_BTF, openFile, openKernel } from "btfkit/node";
import { ok, same, throws } from "../suite/assert.js";
import { run } from "../suite/run.js";
import { specimen, splitOn } from "../suite/specimen.js";
import { readVmlinux } from "./fixtures.js";

export async function main({ read, print }) {
  const { packed, golden } = await readVmlinux(read);
  const folder = mkdtempSync(join(tmpdir(), "btfkit-files-"));
  const file = (name, bytes) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const base = specimen();
  const module = splitOn(base);

  await run((test) => {
    test("opens raw and gzipped files", () => {
      for (const [name, bytes] of Object.entries({ raw: gunzipSync(packed), gzip: packed })) {
        const btf = openFile(file(name, bytes));
        same([btf.byteLength, btf.size - 1], [golden.byteLength, golden.types], name);
        same(dumpRaw(btf).text().length, golden.dumps.raw.byteLength, name);
      }
    });
    test("opens a descriptor, which stays open", () => {
      const fd = openSync(file("descriptor", base.bytes), "r");
      same(openFile(fd).size, base.image.nextId);
      same(openFile(fd).size, base.image.nextId);
      closeSync(fd);
    });
    test("opens a split on its base", () => {
      const btf = openFile(file("base", base.bytes));
      same(openFile(file("split", module.bytes), { base: btf }).find("module").id, module.id.module);
    });
    test("refuses what is no file", () => {
      const missing = throws(() => openFile(join(folder, "missing")), { type: BtfEnvironmentError, code: "ERR_FILE" });
      same(missing.cause.code, "ENOENT");
      throws(() => openFile(folder), { type: BtfEnvironmentError, code: "ERR_FILE", message: /directory/ });
    });
    test("opens the running kernel where it shows its BTF", () => {
      if (!existsSync(join(KERNEL_BTF, "vmlinux"))) return throws(() => openKernel(), { code: "ERR_FILE" });
      const kernel = openKernel();
      ok(kernel.require("task_struct", "struct").members.length > 100);
      const name = readdirSync(KERNEL_BTF).find((entry) => entry !== "vmlinux");
      if (name) ok(openKernel(name, { base: kernel }).size > kernel.size);
    });
  }, print);
  rmSync(folder, { recursive: true });
}
