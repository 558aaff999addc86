// Every command's --json against its schema in schemas/, which leave nothing open: a field that is new or gone fails.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { Kernel } from "btfkit/live";
import { beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import { ours } from "../support/live.js";
import { corpusPath, needing } from "../support/needs.js";
import { compileObject } from "../support/objects.js";
import { layOutSamples } from "../support/samples.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-json-"));
const [KERNEL, MODULE, PROBE] = ["vmlinux.btf", "module.btf", "probe.bpf.o"].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const RELEASE = "6.1.0-50-cloud-amd64";
beforeAll(() => layOutSamples(folder));

const schemas = readdirSync("schemas").map((file) => file.replace(/\.json$/, ""));
// Formats are for those who read the schemas.
const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, validateFormats: false });
const validators = new Map<string, ValidateFunction>(
  schemas.map((name) => [name, ajv.compile(JSON.parse(readFileSync(`schemas/${name}.json`, "utf8")))]),
);

/** Commands that write no JSON of their own: code, and what other tools print. */
const WITHOUT = ["explore", "generate", "pahole", "bpftool"];

/** `lines`: a result on each. */
const CASES: readonly {
  readonly schema: string;
  readonly args: () => readonly string[];
  readonly code?: number;
  readonly lines?: true;
}[] = [
  {
    schema: "archive-add",
    args: () => ["archive", "add", join(folder, "kernels"), join(folder, "linux-image.tar.gz")],
  },
  { schema: "archive-init", args: () => ["archive", "init", join(folder, "none")] },
  {
    schema: "archive-export",
    args: () => ["archive", "export", join(folder, "kernels"), "-d", join(folder, "tables")],
  },
  { schema: "archive-sql", args: () => ["archive", "sql", join(folder, "tables"), "SELECT id FROM kernels"] },
  {
    schema: "minimize",
    args: () => ["archive", "minimize", join(folder, "kernels"), PROBE, "-d", join(folder, "small")],
  },
  { schema: "archive-list", args: () => ["archive", "list", join(folder, "kernels")] },
  {
    schema: "archive-get",
    args: () => ["archive", "get", join(folder, "kernels"), RELEASE, "-o", join(folder, "got")],
  },
  { schema: "archive-find", args: () => ["archive", "find", join(folder, "kernels"), "tcp_*"] },
  { schema: "archive-gc", args: () => ["archive", "gc", join(folder, "kernels")] },
  { schema: "history", args: () => ["archive", "history", join(folder, "kernels"), "task_struct.pid"] },
  { schema: "diff", args: () => ["archive", "diff", join(folder, "kernels"), RELEASE, RELEASE] },
  { schema: "archive-verify", args: () => ["archive", "verify", join(folder, "kernels")] },
  { schema: "at", args: () => ["at", "task_struct", "100", KERNEL] },
  { schema: "at", args: () => ["at", "task_struct", "99999", KERNEL] },
  { schema: "check", args: () => ["check", PROBE, "-t", KERNEL] },
  { schema: "check-requirements", args: () => ["check", PROBE, "--requirements"] },
  { schema: "convert", args: () => ["convert", KERNEL, "--endian", "big"] },
  { schema: "decode", args: () => ["decode", "list_head", KERNEL, "--hex", "01".repeat(32)], lines: true },
  {
    schema: "encode",
    args: () => ["encode", "list_head", KERNEL, "--value", '[{"next":1},{"next":2}]'],
    lines: true,
  },
  { schema: "dedup", args: () => ["dedup", PROBE] },
  { schema: "merge", args: () => ["merge", PROBE, PROBE] },
  { schema: "diff", args: () => ["diff", PROBE, KERNEL, "-t", "task_struct", "-t", "int", "--impact"], code: 1 },
  { schema: "distill", args: () => ["distill", MODULE, "-B", KERNEL] },
  { schema: "dump", args: () => ["dump", KERNEL, "-t", "task_struct"] },
  { schema: "ext", args: () => ["ext", PROBE] },
  { schema: "extract", args: () => ["extract", join(folder, "linux-image.tar.gz")] },
  { schema: "find", args: () => ["find", "tcp_", KERNEL] },
  { schema: "find", args: () => ["find", "", KERNEL, "--embeds", "list_head", "--holes"] },
  { schema: "history", args: () => ["history", "task_struct.pid", "task_struct.none", "--in", PROBE, KERNEL] },
  { schema: "layout", args: () => ["layout", KERNEL, "-E", "-t", "task_struct", "-t", "sk_buff"] },
  { schema: "load-plan", args: () => ["load", PROBE, "--plan", "-t", KERNEL, "--kernel", "6.1.0", "--cpus", "2"] },
  { schema: "minimize", args: () => ["minimize", PROBE, "-t", KERNEL] },
  { schema: "minimize", args: () => ["minimize", PROBE, "-t", KERNEL, "-d", join(folder, "small")] },
  { schema: "pack", args: () => ["pack", KERNEL, "-t", "task_struct"] },
  { schema: "rebase", args: () => ["rebase", MODULE, "-B", KERNEL, "-N", KERNEL] },
  { schema: "relocate", args: () => ["relocate", PROBE, "-t", KERNEL] },
  { schema: "sanitize", args: () => ["sanitize", KERNEL, "--kernel", "5.4"] },
  { schema: "stat", args: () => ["stat", KERNEL] },
  { schema: "verify", args: () => ["verify", KERNEL, "--kernel", "5.4"], code: 1 },
];

/** What came out, each result of it valid. */
async function valid(schema: string, args: readonly string[], code = 0, lines = false): Promise<unknown[]> {
  const ran = await ours(...args, "--json");
  expect({ code: ran.code, error: code ? "" : ran.error }).toEqual({ code, error: "" });
  const results = (lines ? ran.out.trim().split("\n") : [ran.out]).map((text) => JSON.parse(text) as unknown);
  const validate = validators.get(schema)!;
  for (const result of results) {
    validate(result);
    expect(validate.errors ?? []).toEqual([]);
  }
  return results;
}

describe("--json is what its schema says", () => {
  for (const { schema, args, code, lines } of CASES) {
    test(`${schema}: ${args()
      .map((arg) => arg.replace(`${folder}/`, ""))
      .join(" ")}`, async () => {
      expect((await valid(schema, args(), code, lines)).length).toBe(lines ? 2 : 1);
    });
  }

  needing("the corpus in ../shared")("check, relocate, ext and load of objects that do more", async () => {
    const target = corpusPath("vmlinux/6.12-amd64.btf.gz");
    for (const [name, code] of [
      ["lt026-biotop", 0],
      ["lt026-tcprtt", 0],
      ["s390x-xdp-monitor.1", 1],
    ] as const) {
      const object = corpusPath(`objects/${name}.bpf.o`);
      await valid("ext", ["ext", object]);
      await valid("check", ["check", object, "-t", target], code);
      await valid("check-requirements", ["check", object, "--requirements"]);
    }
    await valid("relocate", ["relocate", corpusPath("objects/lt026-biotop.bpf.o"), "-t", target, "-q"]);
    await valid("load-plan", [
      ...["load", corpusPath("objects/lt026-tcprtt.bpf.o"), "--plan", "-t", target, "--kernel", "6.12.95"],
      ...["--cpus", "2", "--kconfig", corpusPath("golden/plan/config-6.12.gz")],
    ]);
    const old = corpusPath("vmlinux/6.1-cloud-amd64.btf.gz");
    await valid("diff", ["diff", old, target, "-t", "task_*", "-t", "bpf_*", "-t", "tcp_*", "--impact"], 1);
  });

  needing(
    "bpf(2)",
    "tracefs",
    "clang-19",
  )("run, map watch, ps", async () => {
    const [first, second] = [compileObject("events"), compileObject("maps")];
    using kernel = await Kernel.open();
    const getpgid = 121;
    const calls = setInterval(() => kernel.system.ffi.syscall(getpgid, 0), 5);
    const events = ["--attach", "on_tracepoint", "--set", `only_pid=${process.pid}`, "--duration", "9", "--count", "2"];
    expect((await valid("run", ["run", first, ...events, "--maps"], 0, true)).length).toBeGreaterThan(2);
    clearInterval(calls);
    const pins = `/sys/fs/bpf/btfkit-json-${process.pid}`;
    try {
      execFileSync("bpftool", ["prog", "loadall", second, pins, "pinmaps", `${pins}/maps`]);
      const [map] = readdirSync(`${pins}/maps`);
      await valid("map-watch", ["map", "watch", `${pins}/maps/${map}`, "--count", "2", "--interval", "0.01"], 0, true);
      await valid("ps", ["ps"]);
    } finally {
      execFileSync("rm", ["-rf", pins]);
    }
  });
});

test("every command has a case, every schema a command", () => {
  const live = ["run", "map-watch", "ps"];
  const covered = new Set([...CASES.map(({ schema }) => schema), ...live]);
  expect(schemas.sort()).toEqual([...covered].sort());
  const commands = new Set([...CASES.map(({ args }) => args()[0]!), "run", "map", "ps", ...WITHOUT]);
  expect(COMMANDS.map(({ name }) => name).sort()).toEqual([...commands].sort());
});

test("every schema numbers its shape, but that of bpftool's", () => {
  for (const name of schemas) {
    const text = readFileSync(`schemas/${name}.json`, "utf8");
    expect([name, /"version": \{\s*"description": "[^"]+",\s*"const": \d+/.test(text)]).toEqual([
      name,
      name !== "dump",
    ]);
  }
});

test("docs/json.md has every schema", () => {
  execFileSync(process.execPath, ["scripts/docs/json.mjs", "--check"]);
});
