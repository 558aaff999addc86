// A kernel and its modules as one BTF: bpftool reads the same types under the same ids.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Btf, dumpRaw } from "btfkit";
import { flatten, merge, verify } from "btfkit/edit";
import { afterAll, expect, test } from "vitest";
import { built } from "../support/brief.js";
import { everyKind, LAYOUT } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-flat-"));
afterAll(() => rmSync(folder, { recursive: true }));
const btfkit = (...args: string[]): string =>
  execFileSync(process.execPath, ["dist/cli/btfkit.cjs", ...args], { encoding: "utf8", maxBuffer: 1 << 28 });

test("ids, names and byte order stay; a base that has a base; one that has none", () => {
  for (const endian of ["little", "big"] as const) {
    for (const options of [{ endian }, { endian, layout: [...LAYOUT] }]) {
      const base = everyKind(options);
      const split = Btf.parse(base.bytes()).split(everyKind({ ...options, base }).bytes());
      const alone = flatten(split);
      expect([alone.base, alone.endian, dumpRaw(alone).text()]).toEqual([
        undefined,
        endian,
        dumpRaw(split, { types: [...split] }).text(),
      ]);
      expect(dumpRaw(flatten(alone)).text()).toBe(dumpRaw(alone).text());
    }
  }
  const lowest = built(["int int 4s"]);
  const top = built(["ptr 2"], built(["struct a 4: x 1@0"], lowest));
  expect([...flatten(top)].map(({ id, kind }) => [id, kind])).toEqual([
    [1, "int"],
    [2, "struct"],
    [3, "ptr"],
  ]);
});

needing("bpftool", "the corpus in ../shared")("a kernel and a module, as bpftool reads them", () => {
  const at = (name: string): string => join(folder, name);
  const unpacked = (path: string, name: string): string => {
    writeFileSync(at(name), gunzipSync(readFileSync(corpusPath(path))));
    return at(name);
  };
  const kernel = unpacked("vmlinux/6.12-amd64.btf.gz", "vmlinux");
  const module = unpacked("modules/6.12-amd64-btrfs.btf.gz", "btrfs");
  const bpftool = (...args: string[]): string =>
    execFileSync("bpftool", ["btf", "dump", "file", ...args], { encoding: "utf8", maxBuffer: 1 << 28 });
  btfkit("merge", "--flatten", kernel, module, "-o", at("whole"));
  expect(bpftool(at("whole")) === bpftool(kernel) + bpftool(module, "-B", kernel)).toBe(true);
  btfkit("merge", "--flatten", "-B", kernel, module, "-o", at("again"));
  expect(readFileSync(at("again")).equals(readFileSync(at("whole")))).toBe(true);
  btfkit("merge", "--flatten", folder, "--member", "vmlinux", "-o", at("one"));
  expect(readFileSync(at("one")).equals(readFileSync(kernel))).toBe(true);
  const base = Btf.parse(readFileSync(kernel));
  const both = flatten(merge([base.split(readFileSync(module))], { base }).btf);
  expect([verify(both).ok, both.size]).toEqual([true, Btf.parse(readFileSync(at("whole"))).size]);
});
