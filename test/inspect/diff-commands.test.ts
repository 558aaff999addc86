// The commands at, find, diff and history as a user runs them.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Btf } from "btfkit";
import { encode } from "btfkit/edit";
import { beforeAll, describe, expect, test } from "vitest";
import { built } from "../support/brief.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-differences-"));
const [OLD, NEW, MODULE] = ["v6.2.btf", "v6.10.btf", "kernel/extra"];

function run(...args: string[]): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(process.cwd(), "dist/cli/btfkit.cjs"), ...args],
    {
      cwd: folder,
      encoding: "utf8",
    },
  );
  return { code: status, out: stdout, error: stderr };
}

function write(name: string, btf: Btf): void {
  writeFileSync(join(folder, name), encode(btf));
}

beforeAll(() => {
  mkdirSync(join(folder, "kernel"));
  mkdirSync(join(folder, "series"));
  const old = built([
    "int int 4s",
    "struct s 8: a 1@0, b 1@32",
    "struct holder 8: s 2@0",
    "proto 1: x 1",
    "func f 4 static",
  ]);
  const now = built(["int int 4s", "struct s 12: n 1@0, a 1@32, b 1@64", "enum e 4: A=1"]);
  for (const place of [OLD, "series/v6.2", "kernel/vmlinux"]) write(place, old);
  for (const place of [NEW, "series/v6.10"]) write(place, now);
  write(MODULE, built(["struct extra 16: s 2@0, again 2@64"], old));
});

describe("at", () => {
  test("decimal, hexadecimal, and behind the type", () => {
    expect(run("at", "s", "6", OLD)).toEqual({ code: 0, out: "b+0x2\n", error: "" });
    expect(run("at", "struct s", "0x4", OLD).out).toBe("b\n");
    expect(run("at", "holder+0x4", OLD).out).toBe("s.b\n");
    expect(run("at", "s", "8", OLD)).toMatchObject({ code: 0, out: "<end>\n" });
    expect(run("at", "s", "9", OLD)).toMatchObject({ code: 1, out: "<past end>\n" });
    expect(JSON.parse(run("at", "holder", "5", OLD, "--json").out)).toMatchObject({
      version: 1,
      type: { kind: "struct", name: "holder", byteSize: 8 },
      byteOffset: 5,
      text: "s.b+0x1",
      places: [{ what: "member", path: "s.b", byteOffset: 4, bytesInto: 1 }],
    });
  });

  test("wrong input", () => {
    expect(run("at", "int", "0", OLD)).toMatchObject({ code: 1, error: 'btfkit: "int": int has no members\n' });
    expect(run("at", "hold", "0", OLD)).toMatchObject({ code: 1, error: expect.stringMatching(/hold/) });
    expect(run("at", "s", "4x", OLD)).toMatchObject({ code: 2, error: expect.stringMatching(/not an offset: 4x/) });
    expect(run("at", "s")).toMatchObject({ code: 2 });
  });
});

describe("find", () => {
  test("by relation, size and member, in modules too", () => {
    expect(run("find", "--embeds", "s", "kernel").out).toBe(
      "[3] STRUCT 'holder' size=8 members: s (kernel/vmlinux)\n[6] STRUCT 'extra' size=16 members: s, again (kernel/extra)\n",
    );
    expect(run("find", "^ext", "kernel", "--embeds", "s", "--size", ">8").out).toMatch(/^\[6\] STRUCT 'extra'/);
    expect(run("find", "*", OLD, "--takes", "int").out).toBe("[5] FUNC 'f' int f(int x)\n");
    expect(run("find", "", OLD, "--member", "b", "--json").out).toBe(
      '[{"version":1,"id":2,"kind":"struct","name":"s","byteSize":8,"members":["b"]}]\n',
    );
    expect(run("find", "nothing", "kernel")).toMatchObject({
      code: 1,
      error: expect.stringMatching(/searched 6 types of kernel\/vmlinux and 1 module/),
    });
    expect(run("find", "--size", "big", OLD)).toMatchObject({ code: 2 });
    expect(run("find")).toMatchObject({ code: 2, error: expect.stringMatching(/no pattern/) });
    expect(run("find", "--embeds", "ss", OLD)).toMatchObject({ code: 1 });
  });
});

describe("diff", () => {
  test("text, exit codes, JSON, Markdown", () => {
    const { code, out } = run("diff", OLD, NEW);
    expect(code).toBe(1);
    expect(out).toBe(
      [
        `--- ${OLD}`,
        `+++ ${NEW}`,
        "-struct holder",
        "-func f",
        "+enum e",
        "@@ struct s 8 -> 12 bytes @@",
        "+\tint n; /* 0 4 */",
        " \t/* moved by +4: a to b, 2 members */",
        "# struct: 0 added, 1 removed, 1 changed",
        "# enum: 1 added, 0 removed, 0 changed",
        "# func: 0 added, 1 removed, 0 changed",
        "",
      ].join("\n"),
    );
    expect(run("diff", OLD, OLD)).toEqual({ code: 0, out: "", error: "" });
    const json = JSON.parse(run("diff", OLD, NEW, "--json").out) as Record<string, unknown>;
    expect(json).toMatchObject({
      version: 1,
      old: { file: OLD, definitions: { struct: 2 } },
      new: { file: NEW },
      added: [{ kind: "enum", name: "e" }],
      removed: [
        { kind: "struct", name: "holder" },
        { kind: "func", name: "f" },
      ],
      changed: [{ kind: "struct", name: "s", members: [{ name: "n" }, { name: "a" }, { name: "b" }] }],
      renamed: [],
    });
    expect(run("diff", OLD, NEW, "--markdown").out).toMatch(/^# `v6.2.btf` → `v6.10.btf`/);
    expect(run("diff", OLD, NEW, "-k", "enum64", "-t", "e").out).toMatch(/^--- .*\n\+\+\+ .*\n\+enum e\n/);
  });

  test("a module set, impact, an ignore file", () => {
    expect(run("diff", OLD, "kernel", "-k", "struct").out).toMatch(/\+struct extra\n/);
    expect(run("diff", NEW, OLD, "-t", "s", "--impact").out).toMatch(/embedded in 1: struct holder/);
    writeFileSync(join(folder, "rules"), "# comment\nstruct s.n\ns.[ab] # moved\nfunc *\nholder\ne\n");
    expect(run("diff", OLD, NEW, "--ignore", "rules")).toEqual({ code: 0, out: "", error: "" });
    writeFileSync(join(folder, "rules"), "strct s\n");
    expect(run("diff", OLD, NEW, "--ignore", "rules")).toMatchObject({
      code: 3,
      error: expect.stringMatching(/rules: line 1 is no rule: strct s/),
    });
    expect(run("diff", OLD, NEW, "--json", "--markdown")).toMatchObject({ code: 2 });
    expect(run("diff", OLD, "missing")).toMatchObject({ code: 3 });
  });
});

describe("history", () => {
  test("a folder in the order of versions; JSON; a chart", () => {
    expect(run("history", "s.n", "--in", "series").out).toBe(
      "s.n: since v6.10\n  KERNELS  OFFSET  SIZE  TYPE\n  v6.2     -       -     (no such member)\n  v6.10    0       4     int\n",
    );
    expect(JSON.parse(run("history", "s.a", "--in", OLD, NEW, "--json").out)).toMatchObject({
      version: 1,
      kernels: [{ name: "v6.2", file: OLD }, { name: "v6.10" }],
      members: [
        {
          member: "s.a",
          states: [
            { kernel: "v6.2", bitOffset: 0 },
            { bitOffset: 32, bitSize: 32, type: "int" },
          ],
        },
      ],
    });
    expect(run("history", "s.a", "--in", "series", "--svg").out).toMatch(/^<svg /);
    expect(run("history", "none.at_all", "--in", "series")).toMatchObject({ code: 1 });
    expect(run("history", "s", "--in", "series")).toMatchObject({
      code: 1,
      error: expect.stringMatching(/TYPE\.MEMBER/),
    });
    expect(run("history", "s.a")).toMatchObject({ code: 2, error: expect.stringMatching(/--in FILES/) });
  });
});
