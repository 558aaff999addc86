// The action's step as a runner runs it: inputs in the environment, files for summary and outputs.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { bpfObject, type Insn } from "../support/bpf.js";
import { Image, STRUCT } from "../support/image.js";
import { needing } from "../support/needs.js";
import { compileSource } from "../support/objects.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-action-"));

function types(member: string): Image {
  const image = new Image();
  image.int("int", 4, 1);
  image.composite(STRUCT, "s", 4, [[member, 1, 0]]);
  return image;
}

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const CODE: readonly Insn[] = [{ opcode: 0x61, to: 0, from: 1 }, { opcode: 0x95 }];
file("probe.bpf.o", bpfObject(types("b"), CODE, [[0, 2, "0:0", 0]], { section: "socket" }));
file("good.btf", types("b").bytes());
file("bad, 100%.btf", types("c").bytes());

interface Step {
  readonly code: number | null;
  readonly log: readonly string[];
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
}

let steps = 0;

/** What action.yml hands over: the defaults, and `inputs`. */
function step(inputs: Record<string, string>): Step {
  const number = steps++;
  const [summary, output] = [join(folder, `summary-${number}`), join(folder, `output-${number}`)];
  const env = {
    PATH: process.env["PATH"],
    RUNNER_TEMP: folder,
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_OUTPUT: output,
    INPUT_ANNOTATIONS: "true",
    INPUT_SUMMARY: "true",
    ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name}`, value])),
  };
  const { status, stdout } = spawnSync(process.execPath, [resolve("action/check.mjs")], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
  const outputs = Object.fromEntries(
    read(output)
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split("=") as [string, string]),
  );
  return { code: status, log: stdout.trim().split("\n"), summary: read(summary), outputs };
}

test("objects on kernels: annotations, a summary, outputs, and the exit code", () => {
  const { code, log, summary, outputs } = step({ OBJECTS: "*.bpf.o", KERNELS: "good.btf\n bad*.btf \n" });
  expect(code).toBe(1);
  expect(log).toEqual([
    "::error title=btfkit%3A probe.bpf.o::probe.bpf.o on bad, 100%25.btf: program insn 0: struct s has no member b in the target; renamed to c, which has the same type and offset?",
    "2 checks, 1 broken",
  ]);
  expect(summary).toMatch(/^## BPF objects on kernels\n\n\| object \| good\.btf \| bad, 100%\.btf \|\n/);
  expect(summary).toContain("❌ breaks");
  expect(outputs["broken"]).toBe("1");
  for (const name of ["json", "sarif", "junit"]) expect(existsSync(outputs[name]!)).toBe(true);
  expect(step({ OBJECTS: "probe.bpf.o", KERNELS: "good.btf" })).toMatchObject({
    code: 0,
    log: ["1 checks, 0 broken"],
    outputs: { broken: "0" },
  });
  const expected = { OBJECTS: "probe.bpf.o", KERNELS: "bad*", EXPECT: outputs["json"]! };
  expect(step(expected)).toMatchObject({ code: 0, outputs: { broken: "1" } });
});

needing("clang-19")("a fault stands at its line, below the root of the sources", () => {
  const source = `
    struct s { int none; } __attribute__((preserve_access_index));
    __attribute__((section("socket"), used)) int program(struct s *s) { return s->none; }`;
  file("lines.bpf.o", readFileSync(compileSource("action", source)));
  const { log } = step({ OBJECTS: "lines.bpf.o", KERNELS: "good.btf", SOURCE_ROOT: resolve() });
  expect(log[0]).toMatch(/^::error file=<stdin>,line=3,col=\d+,title=btfkit%3A lines\.bpf\.o::lines\.bpf\.o on /);
  const elsewhere = step({ OBJECTS: "lines.bpf.o", KERNELS: "good.btf" });
  expect(elsewhere.log[0]).toMatch(/^::error title=/);
});

test("wrong inputs are one annotation, and the code of btfkit", () => {
  expect(step({ OBJECTS: "", KERNELS: "good.btf" })).toMatchObject({
    code: 2,
    log: [expect.stringMatching(/^::error title=btfkit::btfkit: .*objects/)],
    outputs: {},
  });
  expect(step({ OBJECTS: "none.o\n", KERNELS: "good.btf" })).toMatchObject({
    code: 3,
    log: [expect.stringMatching(/^::error title=btfkit::btfkit: none\.o: no such file/)],
  });
});

test("action.yml hands over every input that the step reads, and tells every output", () => {
  const yaml = readFileSync("action/action.yml", "utf8");
  const script = readFileSync("action/check.mjs", "utf8");
  const read = new Set(Array.from(script.matchAll(/(?:input|lines|isOn)\("([A-Z_]+)"\)/g), ([, name]) => name));
  const handed = Array.from(yaml.matchAll(/INPUT_([A-Z_]+): \$\{\{ inputs\.([a-z-]+) \}\}/g));
  for (const [, name, from] of handed) expect(from!.toUpperCase().replaceAll("-", "_")).toBe(name);
  expect(new Set(handed.map(([, name]) => name))).toEqual(read);
  const declared = yaml.slice(yaml.indexOf("inputs:"), yaml.indexOf("outputs:")).matchAll(/^ {2}([a-z-]+):$/gm);
  const documented = readFileSync("action/README.md", "utf8");
  for (const [, name] of declared) expect(documented).toContain(`\`${name}\``);
  for (const name of ["broken", "json", "sarif", "junit"]) {
    expect(yaml).toContain(`value: \${{ steps.check.outputs.${name} }}`);
  }
});
