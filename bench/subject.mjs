/** The BTF that everything is measured on: a regular file that all tools read. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const RUNNING_KERNEL = "/sys/kernel/btf/vmlinux";
const SAMPLES = "test/data";

/** The running kernel's BTF, or the repository's sample of one. */
export async function openSubject() {
  const directory = mkdtempSync(join(tmpdir(), "btfkit-bench-"));
  const path = join(directory, "vmlinux.btf");
  const origin = copySubject(path);
  const { openFile } = await import("../dist/node.js");
  const btf = openFile(path);
  return {
    path,
    origin,
    byteSize: statSync(path).size,
    typeCount: btf.size - 1,
    lateStruct: lateStruct(btf),
    remove: () => rmSync(directory, { recursive: true }),
  };
}

function copySubject(path) {
  if (existsSync(RUNNING_KERNEL)) {
    copyFileSync(RUNNING_KERNEL, path);
    return RUNNING_KERNEL;
  }
  const sample = existsSync(SAMPLES) && readdirSync(SAMPLES).find((name) => /^vmlinux.*\.btf\.gz$/.test(name));
  if (!sample) throw new Error(`no ${RUNNING_KERNEL} and no vmlinux sample in ${SAMPLES}`);
  writeFileSync(path, gunzipSync(readFileSync(join(SAMPLES, sample))));
  return `${SAMPLES}/${sample}`;
}

/** The last struct that a search for its name meets first: where a linear search takes longest. */
function lateStruct(btf) {
  for (const id of btf.idsOfKind("struct").reverse()) {
    const name = btf.nameAt(id);
    if (name && btf.find(name, "struct").id === id) return { id, name };
  }
  throw new Error("the subject has no named struct");
}
