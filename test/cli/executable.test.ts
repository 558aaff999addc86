// The standalone executable: one file that needs nothing else.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { needing } from "../support/needs.js";
import { layOutSamples } from "../support/samples.js";

needing("bun")("the executable does what the command line does", () => {
  const folder = mkdtempSync(join(tmpdir(), "btfkit-executable-"));
  execFileSync(process.execPath, ["scripts/build/make.mjs", "single", "--quiet"]);
  execFileSync(process.execPath, ["scripts/build/executable.mjs", "--output", folder]);
  const samples = join(folder, "samples");
  layOutSamples(samples);
  const run = (command: string, args: readonly string[]): unknown => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: samples, env: {}, maxBuffer: 1 << 30 });
    return { status, out: stdout.toString("base64"), error: stderr.toString() };
  };
  for (const args of [
    ["--version"],
    ["help", "dump"],
    ["dump", "vmlinux.btf.gz", "-t", "task_struct", "-f", "c"],
    ["stat", "linux-image.tar.gz", "--json"],
    ["check", "probe.bpf.o", "-t", "vmlinux.btf", "--jobs", "2"],
    ["find", "--embeds", "list_head", "vmlinux.btf"],
    ["minimize", "probe.bpf.o", "-t", "vmlinux.btf"],
    ["dump", "none.btf"],
  ]) {
    const wanted = run(process.execPath, [resolve("dist/cli/btfkit.cjs"), ...args]);
    expect([args, run(join(folder, "btfkit"), args)]).toEqual([args, wanted]);
  }
});

describe("what is not filled in is not published", () => {
  const script = resolve("scripts/check/release.mjs");
  const folder = mkdtempSync(join(tmpdir(), "btfkit-release-"));
  mkdirSync(folder, { recursive: true });
  cpSync("package.json", join(folder, "package.json"));
  cpSync("CHANGELOG.md", join(folder, "CHANGELOG.md"));
  const released = (repository?: string): { status: number | null; stderr: string } => {
    const { GITHUB_REPOSITORY: _, ...rest } = process.env;
    const env = { ...rest, ...(repository && { GITHUB_REPOSITORY: repository }) };
    const { status, stderr } = spawnSync(process.execPath, [script], { cwd: folder, env, encoding: "utf8" });
    return { status, stderr };
  };

  test("placeholders are named, and stop npm publish", () => {
    const { status, stderr } = released();
    expect(status).toBe(1);
    for (const name of ["author", "repository.url", "bugs.url"]) {
      expect(stderr).toContain(`${name} of package.json is a placeholder`);
    }
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
    expect(scripts["prepublishOnly"]).toBe("node scripts/check/release.mjs");
    expect(readFileSync(".github/workflows/release.yml", "utf8")).toContain("node scripts/check/release.mjs");
  });

  test("a tree that is filled in passes, in its own repository and with its version in the changelog", () => {
    const text = readFileSync("package.json", "utf8").replaceAll("OWNER", "someone").replaceAll("AUTHOR", "Some One");
    writeFileSync(join(folder, "package.json"), text);
    expect(released()).toEqual({ status: 0, stderr: "" });
    expect(released("someone/btfkit").status).toBe(0);
    expect(released("other/btfkit")).toMatchObject({ status: 1, stderr: expect.stringMatching(/not that of other/) });
    writeFileSync(join(folder, "CHANGELOG.md"), "# Changelog\n");
    expect(released()).toMatchObject({ status: 1, stderr: expect.stringMatching(/does not tell of/) });
  });
});
