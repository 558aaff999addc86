// btfkit/live as processes of every runtime, and where it has to refuse.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { architecture } from "../../src/live/ffi/open.js";
import { commandHosts, environment } from "../runtimes/hosts.js";
import { needing, runtime } from "../support/needs.js";
import { compileObject } from "../support/objects.js";

const live = resolve("dist/live.js");
const suite = resolve("test/live/suite.mjs");

for (const host of commandHosts) {
  const name = `the suite passes in ${host.name}`;
  if (host.missing && !process.env["CI"]) test.skip(`${name} (skipped: ${host.missing})`, () => {});
  else
    needing("bpf(2)")(name, () => {
      if (host.missing) throw new Error(host.missing);
      const [program, ...args] = host.command(suite) as [string, ...string[]];
      const { status, stdout, stderr } = spawnSync(program, [...args, live], { encoding: "utf8", env: environment });
      expect({ status, failed: stdout.split("\n").filter((line) => !line.startsWith("ok ") && line), stderr }).toEqual({
        status: 0,
        failed: [],
        stderr: expect.any(String),
      });
    });
}

test("other systems and processors are refused", () => {
  expect(() => architecture({ platform: "darwin", arch: "arm64" })).toThrow(/needs Linux .* this is darwin on arm64/);
  expect(() => architecture({ platform: "linux", arch: "riscv64" })).toThrow(/this is linux on riscv64/);
  expect(architecture({ platform: "linux", arch: "arm64" })).toBe("arm64");
});

/** The built library where koffi is not installed. */
function withoutKoffi<T>(use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "btfkit-"));
  try {
    chmodSync(folder, 0o755);
    cpSync("dist", folder, { recursive: true });
    return use(join(folder, "live.js"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const OPEN = `
  const { Kernel } = await import(process.argv[1]);
  try {
    const kernel = await Kernel.open();
    for (const id of kernel.mapIds()) console.log(id);
  } catch (error) {
    console.log(error.name, error.code, error.message);
  }`;

const open = (file: string, options = {}): string =>
  execFileSync(process.execPath, ["--input-type=module", "-e", OPEN, file], { encoding: "utf8", ...options });

test("without koffi it says what to install", () => {
  expect(withoutKoffi((file) => open(file))).toContain(
    "BtfEnvironmentError ERR_LIVE_FFI btfkit/live cannot make system calls: it needs the package koffi in Node: npm install koffi",
  );
});

needing("bpf(2)")("without the capability it names the capability", () => {
  const program = `process.setgroups([]); process.setgid(65534); process.setuid(65534);${OPEN}`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", program, live], { encoding: "utf8" });
  expect(out).toMatch(
    /BtfSystemError ERR_LIVE_PERMISSION bpf\(MAP_GET_NEXT_ID\): operation not permitted: it needs CAP_/,
  );
});

const LOAD = `
  const { Kernel } = await import(Deno.args[0]);
  const kernel = await Kernel.open();
  console.log([...kernel.mapIds()].length >= 0);
  try {
    await kernel.load(Deno.args[1]);
  } catch (error) {
    console.log(error.name, error.code, error.message);
  }`;

needing(
  "bpf(2)",
  "deno",
  "clang-19",
)("in Deno maps are listed with leave for FFI alone; loading says what it wants", () => {
  const file = join(mkdtempSync(join(tmpdir(), "btfkit-")), "load.mjs");
  writeFileSync(file, LOAD);
  const flags = ["run", "--no-prompt", "--allow-ffi", "--allow-read"];
  const out = execFileSync(runtime("deno"), [...flags, file, `file://${live}`, compileObject("live")], {
    encoding: "utf8",
  });
  expect(out).toMatch(/^true\nBtfEnvironmentError ERR_FILE .*: Deno opens it with the permission --allow-all alone\n$/);
});
