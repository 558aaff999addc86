/** Kernels to merge: those that are named, or the subject with the samples there are. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Samples in the order in which they are merged; the first two are the pair. */
const SAMPLES = [
  "../shared/corpus/vmlinux/6.12-amd64.btf.gz",
  "test/data/vmlinux-6.1-cloud-amd64.btf.gz",
  "../shared/corpus/vmlinux/6.1-i386.btf.gz",
];

/** Paths of raw BTF, beside the subject. */
export function findKernels(subject, named) {
  if (named.length > 0) return named;
  const folder = dirname(subject.path);
  const samples = SAMPLES.filter((path) => existsSync(path)).map((path) => {
    const to = join(folder, basename(path, ".gz"));
    writeFileSync(to, gunzipSync(readFileSync(path)));
    return to;
  });
  return [...samples, subject.path];
}

/**
 * Another build of a kernel: a copy in which a member that only struct device
 * has goes by another name, so that what leads to that struct is another type.
 */
export function rebuilt(path) {
  const bytes = readFileSync(path);
  const at = bytes.indexOf("\0devres_head\0");
  if (at < 0) return undefined;
  bytes.write("devres_tail", at + 1);
  const to = `${path}.rebuilt`;
  writeFileSync(to, bytes);
  return to;
}
