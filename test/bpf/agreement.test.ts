// Verdicts against real loads: every object of the corpus on the running kernel.
// docs/objects.md has the figures.
import { execFileSync } from "node:child_process";
import { check, readObject } from "btfkit/bpf";
import { openKernel, readBytes } from "btfkit/node";
import { expect } from "vitest";
import { nativeProgram } from "../support/native.js";
import { corpusPath, needing } from "../support/needs.js";
import { objectNames } from "../support/objects.js";

const EPERM = 1;

needing(
  "bpf(2)",
  "BPF_BTF_LOAD",
  "gcc and libbpf-dev",
  "the corpus in ../shared",
)("an object breaks where libbpf does not load it", () => {
  const files = objectNames.filter((name) => !name.startsWith("s390x")).map((name) => corpusPath(`objects/${name}`));
  const said = execFileSync(nativeProgram("load-objects"), files, { stdio: ["ignore", "pipe", "ignore"] });
  const vmlinux = openKernel();
  const differing = said
    .toString()
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [, file, stage, errno] = /^(.*) (open|load) (-?\d+)$/.exec(line)!;
      const { verdict } = check(readObject(readBytes(file!)), vmlinux);
      // What a kernel forbids to whoever asks is no matter of the object.
      const isRefused = errno !== "0";
      if (Number(errno) === -EPERM || (verdict === "breaks") === isRefused) return [];
      return [`${file} ${stage} ${errno}: ${verdict}`];
    });
  expect(differing).toEqual([]);
});
