// What Deno has to be allowed, which docs/runtimes.md names and errors say.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { needing, runtime } from "../support/needs.js";

const script = `
  import { openKernel } from ${JSON.stringify(`file://${resolve("dist/node.js")}`)};
  try {
    console.log(openKernel().size > 1);
  } catch (error) {
    console.log(error.name, error.message);
  }
`;

function kernelWith(...flags: string[]): string {
  const { stdout, stderr } = spawnSync(runtime("deno"), ["run", "--quiet", "--no-prompt", ...flags, "-"], {
    input: script,
    encoding: "utf8",
  });
  return `${stdout}${stderr}`.trim();
}

needing("deno", "the running kernel's BTF")("openKernel names the permission that it lacks, and needs no other", () => {
  const lacks = (flag: string): string =>
    `BtfEnvironmentError /sys/kernel/btf/vmlinux: Deno opens it with the permission ${flag} alone`;
  expect(kernelWith()).toBe(lacks("--allow-read"));
  expect(kernelWith("--allow-read")).toBe(lacks("--allow-all"));
  expect(kernelWith("--allow-all")).toBe("true");
});

test("docs/runtimes.md names them", () => {
  expect(readFileSync("docs/runtimes.md", "utf8")).toMatch(
    /files need `--allow-read`; `openKernel` needs `--allow-all`/,
  );
});
