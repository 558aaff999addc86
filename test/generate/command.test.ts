// The command `generate`: what it writes, and what it says of wrong input.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { corpusPath, needing } from "../support/needs.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-generate-"));
const KERNEL = "test/data/vmlinux-6.1-cloud-amd64.btf.gz";

function run(...args: string[]): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/btfkit.cjs", "generate", ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return { code: status, out: stdout, error: stderr };
}

test("writes the types that -t names", () => {
  const { code, out, error } = run("c", KERNEL, "-t", "list_head", "-t", "pid_t");
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toContain("struct list_head {\n\tstruct list_head *next;\n\tstruct list_head *prev;\n};\n");
  expect(out).toContain("typedef int pid_t;\n");
});

test("writes to a file, which is not there after an error", () => {
  const file = join(folder, "out.rs");
  expect(run("rust", KERNEL, "-t", "lisst_head", "-o", file)).toEqual({
    code: 1,
    out: "",
    error: 'btfkit: no type named "lisst_head"; did you mean "list_head", "hlist_head", "llist_head"?\n',
  });
  expect(existsSync(file)).toBe(false);
  expect(run("rust", KERNEL, "-t", "list_head", "-o", file).code).toBe(0);
  expect(readFileSync(file, "utf8")).toContain("pub struct list_head {");
});

test("takes a System.map and a banner for volatility's symbols", () => {
  const [map, banner] = [join(folder, "System.map"), join(folder, "version")];
  writeFileSync(map, "ffffffff82000000 D linux_banner\n");
  writeFileSync(banner, "Linux version 6.1\n");
  const { out } = run("isf", KERNEL, "-t", "list_head", "--system-map", map, "--banner", banner);
  const { symbols } = JSON.parse(out) as { symbols: unknown };
  expect(symbols).toEqual({
    linux_banner: { address: 0xffffffff82000000, constant_data: btoa("Linux version 6.1\n") },
  });
});

needing("the corpus in ../shared")("knows a BPF object by its content, or by --object", () => {
  const object = corpusPath("objects/lt026-execsnoop.bpf.o");
  const { code, out } = run("ts", object);
  expect(code).toBe(0);
  expect(out).toContain("export interface Skeleton {");
  expect(run("ts", "--object", object).out).toBe(out);
  expect(run("ts", object, "--events", "nope=event")).toMatchObject({
    code: 3,
    error: expect.stringContaining('no map "nope"; there are cgroup_map'),
  });
});

test("names what is wrong with its arguments", () => {
  expect(run("rst", KERNEL)).toMatchObject({ code: 2, error: expect.stringContaining("ts, c, rust, go, python, isf") });
  expect(run("c", KERNEL, "--json")).toMatchObject({ code: 2, error: expect.stringContaining("--json") });
  expect(run("c", KERNEL, "--events", "event")).toMatchObject({
    code: 2,
    error: expect.stringContaining("--events goes with a BPF object"),
  });
  expect(run("c", KERNEL, "--system-map", "x")).toMatchObject({
    code: 2,
    error: expect.stringContaining("go with isf"),
  });
  expect(run("ts", "--object", KERNEL)).toMatchObject({ code: 3, error: expect.stringContaining("not a BPF object") });
  expect(run("isf", KERNEL, "--system-map", join(folder, "none"))).toMatchObject({
    code: 3,
    error: expect.stringContaining("cannot be read"),
  });
});
