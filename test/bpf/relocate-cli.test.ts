// `btfkit relocate`: reports, files, exit codes; and its output on the running kernel.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RelocationReport, readObject } from "btfkit/bpf";
import { describe, expect, test } from "vitest";
import { bpfObject } from "../support/bpf.js";
import { Image, STRUCT } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { compileObject, objectNames } from "../support/objects.js";

const PROGRAM = "dist/cli/btfkit.cjs";
const folder = mkdtempSync(join(tmpdir(), "btfkit-"));

function run(...args: string[]): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, "relocate", ...args], {
    maxBuffer: 1 << 28,
  });
  return { code: status, out: stdout.toString("latin1"), error: stderr.toString() };
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** struct s { int a; int b; } as the program has it, or with other members. */
function types(
  members: readonly (readonly [string, number])[] = [
    ["a", 0],
    ["b", 32],
  ],
): Image {
  const image = new Image();
  image.int("int", 4, 1);
  image.composite(
    STRUCT,
    "s",
    16,
    members.map(([name, at]) => [name, 1, at] as const),
  );
  return image;
}

const LOAD = { opcode: 0x61, to: 1, from: 1, offset: 4 };
const object = file("object.o", bpfObject(types(), [LOAD, { opcode: 0x95 }], [[0, 2, "0:1", 0]]));
const moved = file(
  "moved.btf",
  types([
    ["a", 0],
    ["b", 64],
  ]).bytes(),
);
const renamed = file(
  "renamed.btf",
  types([
    ["a", 0],
    ["c", 32],
  ]).bytes(),
);
const empty = file("empty.btf", new Image().bytes());

describe("what it writes", () => {
  test("the object to -o, nothing else", () => {
    const out = join(folder, "out.o");
    expect(run(object, "--target", moved, "-o", out)).toEqual({ code: 0, out: "", error: "" });
    const relocated = readObject(readFileSync(out));
    expect(relocated.dataOf(relocated.section("raw_tp/x")!)[2]).toBe(8);
    expect(relocated.ext.coreRelocations).toBeUndefined();
    expect(run(object, "--target", moved, "-o", out, "--keep-records").code).toBe(0);
    expect(readObject(readFileSync(out)).ext.coreRelocations!.sections.length).toBe(1);
  });

  test("the object to standard output", () => {
    const { code, out } = run(object, "--target", moved);
    expect(code).toBe(0);
    expect(readObject(Buffer.from(out, "latin1")).programs.map(({ name }) => name)).toEqual(["program"]);
  });

  test("--json has the documented shape, and -o gets the object besides", () => {
    const path = join(folder, "both.o");
    const { code, out } = run(object, "--target", moved, "--json", "-o", path);
    expect([code, existsSync(path)]).toEqual([0, true]);
    expect(JSON.parse(out)).toEqual({
      version: 1,
      object,
      target: moved,
      engine: "libbpf",
      relocations: [
        {
          program: "program",
          section: "raw_tp/x",
          insn: 0,
          line: null,
          kind: "byte_off",
          access: "0:1",
          local: { id: 2, name: "s" },
          candidates: [2],
          matched: [2],
          original: 4,
          value: 8,
          status: "changed",
          reason: "struct s.b has moved from byte 4 to 8",
          before: "6111040000000000",
          after: "6111080000000000",
          localSpec: "<byte_off> [2] struct s.b (0:1 @ offset 4)",
          targetSpec: "<byte_off> [2] struct s.b (0:1 @ offset 8)",
          disagree: [],
        },
      ],
    });
  });

  test("--explain", () => {
    const { code, out } = run(object, "--target", moved, "--explain");
    expect(code).toBe(0);
    expect(out).toBe(
      [
        "~ changed program insn 0",
        "    <byte_off> [2] struct s.b (0:1 @ offset 4)",
        "    searched struct s [2]",
        "    matched [2] s.b (0:1)",
        "    value 4 -> 8",
        "    struct s.b has moved from byte 4 to 8",
        "1 relocations, 1 changed",
        "",
      ].join("\n"),
    );
  });

  test("a poisoned instruction is warned of", () => {
    const { code, error, out } = run(object, "--target", renamed, "--explain");
    expect(code).toBe(0);
    expect(out).toMatch(
      /^! poisoned program insn 0\n[\s\S]*value 4 -> poison\n {4}struct s has no member b in the target; renamed to c, which has the same type and offset\?\n/,
    );
    expect(error).toMatch(/^btfkit: .*: 1 of 1 relocations are poisoned: [^\n]+\n$/);
    expect(run(object, "--target", renamed, "--explain", "-q").error).toBe("");
  });
});

describe("reasons", () => {
  const reasonOn = (target: Image): string | null => {
    const path = file("reason.btf", target.bytes());
    return (JSON.parse(run(object, "--target", path, "--json").out) as { relocations: RelocationReport[] })
      .relocations[0]!.reason;
  };

  test("a missing type: what is spelled alike, what is of another kind", () => {
    expect(reasonOn(new Image())).toBe("no struct s in the target; if a module defines it, add the module");
    const other = new Image();
    other.int("s", 4);
    expect(reasonOn(other)).toBe("no struct s in the target: it is a int there");
    const alike = types();
    alike.composite(STRUCT, "sk", 4, []);
    const program = bpfObject(
      (() => {
        const image = new Image();
        image.int("int", 4, 1);
        image.composite(STRUCT, "ss", 8, [["b", 1, 32]]);
        return image;
      })(),
      [LOAD, { opcode: 0x95 }],
      [[0, 2, "0:0", 0]],
    );
    const { out } = run(file("alike.o", program), "--target", file("alike.btf", alike.bytes()), "--json");
    expect(out).toMatch(/no struct ss in the target; similar names: s, sk/);
  });

  test("a field that moved into a nested struct, is spelled alike, is of another kind", () => {
    const nested = new Image();
    nested.int("int", 4, 1);
    nested.composite(STRUCT, "inner", 4, [["b", 1, 0]]);
    nested.composite(STRUCT, "s", 8, [
      ["a", 1, 0],
      ["in", 2, 64],
    ]);
    expect(reasonOn(nested)).toBe("struct s has no member b in the target; moved to in.b?");
    expect(
      reasonOn(
        types([
          ["a", 0],
          ["b_", 96],
        ]),
      ),
    ).toMatch(/renamed to b_, which has the same type and neighbours\?$/);
    const kind = new Image();
    kind.int("int", 4, 1);
    kind.composite(STRUCT, "inner", 4, []);
    kind.composite(STRUCT, "s", 8, [["b", 2, 0]]);
    expect(reasonOn(kind)).toBe("struct s.b is struct inner in the target, int int in the program");
  });
});

describe("wrong input: one line, the right exit code, nothing written", () => {
  const ambiguous = types([["b", 0]]);
  ambiguous.composite(STRUCT, "s___other", 16, [["b", 1, 64]]);
  const malformed = bpfObject(types(), [LOAD, { opcode: 0x95 }], [[0, 2, "0:7", 0]]);
  const cases: Record<string, { args: () => string[]; code: number; error: RegExp }> = {
    "no object": { args: () => [moved, "--target", moved], code: 3, error: /moved\.btf: not a BPF object/ },
    "a missing object": { args: () => [join(folder, "none"), "--target", moved], code: 3, error: /none: no such file/ },
    "a missing target": {
      args: () => [object, "--target", join(folder, "none")],
      code: 3,
      error: /none: no such file/,
    },
    "a target that is no BTF": {
      args: () => [object, "--target", "package.json"],
      code: 3,
      error: /package\.json: not BTF/,
    },
    "a split target without its base": {
      args: () => {
        const base = types();
        const split = new Image({ base });
        split.composite(STRUCT, "module_struct", 4, [["a", 1, 0]]);
        return [object, "--target", file("split.btf", split.bytes())];
      },
      code: 3,
      error: /split\.btf: .*base.*name the kernel with --target, and this file with --module/,
    },
    "an ambiguity": {
      args: () => [object, "--target", file("two.btf", ambiguous.bytes())],
      code: 1,
      error:
        /object\.o: section raw_tp\/x, CO-RE relocation #0: ambiguous between struct s \[2\] and struct s___other \[3\]/,
    },
    "a malformed record": {
      args: () => [file("bad.o", malformed), "--target", moved],
      code: 3,
      error: /bad\.o: section raw_tp\/x, malformed CO-RE relocation #0: no member 7/,
    },
    "no target option": { args: () => [object, "--tarket", moved], code: 2, error: /unknown option/ },
  };
  for (const [name, { args, code, error }] of Object.entries(cases)) {
    test(name, () => {
      const out = mkdtempSync(join(folder, "none-"));
      const result = run(...args(), "-o", join(out, "x.o"));
      expect(result).toEqual({ code, out: "", error: expect.stringMatching(error) });
      expect(result.error).toMatch(/^btfkit: [^\n]+\n$/);
      expect(readdirSync(out)).toEqual([]);
    });
  }

  test("an error is in the report before the command fails", () => {
    const { code, out } = run(object, "--target", file("two.btf", ambiguous.bytes()), "--json");
    expect(code).toBe(1);
    expect((JSON.parse(out) as { relocations: RelocationReport[] }).relocations[0]).toMatchObject({
      status: "error",
      value: null,
      reason: expect.stringMatching(/ambiguous/) as string,
    });
  });

  test("an empty target poisons", () => {
    expect(run(object, "--target", empty, "-q", "-o", join(folder, "p.o")).code).toBe(0);
  });
});

describe("on the running kernel", () => {
  let pins = 0;
  /** Loads all programs of an object and takes them away again. */
  const loads = (path: string, ...before: string[]): { ok: boolean; said: string } => {
    const pin = `/sys/fs/bpf/btfkit-${process.pid}-${pins++}`;
    const [command, ...args] = [...before, "bpftool", "prog", "loadall", path, pin] as unknown as [string, ...string[]];
    const earlier = new Set(readdirSync("/sys/fs/bpf"));
    const { status, stdout, stderr } = spawnSync(command, args, { maxBuffer: 1 << 28 });
    // The programs, and maps that are pinned by their name.
    for (const name of readdirSync("/sys/fs/bpf"))
      if (!earlier.has(name) && !name.startsWith("btfkit-check"))
        rmSync(join("/sys/fs/bpf", name), { recursive: true, force: true });
    return { ok: status === 0, said: `${stdout.toString()}${stderr.toString()}` };
  };
  const relocated = (path: string): string => {
    const out = join(folder, `live${pins++}.o`);
    execFileSync(process.execPath, [PROGRAM, "relocate", path, "-q", "-o", out]);
    return out;
  };

  const trace = join(folder, "trace");
  /** The files that a loader opens for an object that loads. */
  const look = (of: string): string => {
    expect(loads(of, "strace", "-f", "-e", "trace=open,openat", "-o", trace)).toEqual({
      ok: true,
      said: expect.any(String),
    });
    return readFileSync(trace, "utf8");
  };
  const KERNEL_BTF = /\/sys\/kernel\/btf|\/boot\/vmlinux/;

  needing(
    "bpf(2)",
    "clang-19",
    "strace",
  )("a compiled object loads, without its records and without a look at the kernel's BTF", () => {
    const path = compileObject("live");
    expect(loads(path).said).toBe("");
    expect(look(path)).toMatch(/\/sys\/kernel\/btf\/vmlinux/);
    expect(look(relocated(path))).not.toMatch(KERNEL_BTF);
  });

  for (const name of objectNames.filter((one) => !one.startsWith("s390x"))) {
    needing(
      "bpf(2)",
      "strace",
      "the corpus in ../shared",
    )(`${name}: if it loads, so does what comes out`, () => {
      const path = corpusPath(`objects/${name}`);
      const object = readObject(readFileSync(path));
      if (!loads(path).ok || !object.hasExt) return;
      const files = look(relocated(path));
      // Programs that are loaded with the id of what they attach to make libbpf look for it.
      const byId = object.programs.some(({ type }) => ["tracing", "lsm", "ext", "struct_ops"].includes(type));
      if (!byId && object.externs.every(({ kind }) => kind === "kconfig")) expect(files).not.toMatch(KERNEL_BTF);
    });
  }
});
