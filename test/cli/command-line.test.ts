// The command line as a user runs it: output, exit codes, one line of error.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { bpfObject } from "../support/bpf.js";
import { elf } from "../support/elf.js";
import { CONST, everyKind, Image, LAYOUT } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";

const PROGRAM = "dist/cli/btfkit.cjs";
const folder = mkdtempSync(join(tmpdir(), "btfkit-"));

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

function run(args: readonly string[], input?: Uint8Array, env: Record<string, string> = {}): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    input,
    env: { ...process.env, ...env },
    maxBuffer: 1 << 30,
  });
  return { code: status, out: stdout.toString(), error: stderr.toString() };
}

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const RAW = `[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED
[2] PTR '(anon)' type_id=1
[3] ARRAY '(anon)' type_id=1 index_type_id=1 nr_elems=7
[4] STRUCT 'point' size=8 vlen=2
\t'x' type_id=1 bits_offset=0
\t'flags' type_id=1 bits_offset=32 bitfield_size=3
`;

let image: string;
let base: Image;
beforeAll(() => {
  base = everyKind();
  image = file("every.btf", base.bytes());
});

describe("dump", () => {
  test("raw text", () => {
    const { code, out, error } = run(["dump", image]);
    expect([code, error]).toEqual([0, ""]);
    expect(out.startsWith(RAW)).toBe(true);
  });

  test("json, plain and indented", () => {
    const plain = run(["dump", image, "-f", "json"]);
    expect(plain.out).toBe(run(["dump", image, "--json"]).out);
    const { types } = JSON.parse(plain.out) as { types: { id: number; kind: string }[] };
    expect(types.length).toBe(19);
    const pretty = run(["dump", image, "--json", "-p"]).out;
    expect(JSON.parse(pretty)).toEqual(JSON.parse(plain.out));
    expect(pretty).toMatch(/^\{\n {4}"types": \[\{\n {12}"id": 1,/);
  });

  test("-t by id, name and KIND:name, repeated, none twice", () => {
    const { out } = run(["dump", image, "-t", "2", "-t", "STRUCT:point", "-t", "int", "-t", "1"]);
    const first = RAW.split("\n");
    expect(out).toBe([first[1], ...first.slice(3, 6), first[0], ""].join("\n"));
  });

  test("standard input, gzip, ELF", () => {
    expect(run(["dump", "-"], base.bytes()).out.startsWith(RAW)).toBe(true);
    expect(run(["dump", file("every.btf.gz", gzipSync(base.bytes()))]).out.startsWith(RAW)).toBe(true);
    expect(run(["dump", file("every.o", elf({ ".BTF": base.bytes() }))]).out.startsWith(RAW)).toBe(true);
  });

  test("a split on its base shows its own types", () => {
    const split = new Image({ base });
    split.ref(2, 4);
    const { out } = run(["dump", file("split.btf", split.bytes()), "-B", image]);
    expect(out).toBe("[20] PTR '(anon)' type_id=4\n");
  });

  test("-o writes the file, nothing else", () => {
    const target = join(folder, "out.txt");
    expect(run(["dump", image, "-o", target])).toEqual({ code: 0, out: "", error: "" });
    expect(readFileSync(target, "utf8").startsWith(RAW)).toBe(true);
  });

  needing("the running kernel's BTF", "bpftool")("without FILE: the running kernel, as bpftool", () => {
    const theirs = execFileSync("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux"], { maxBuffer: 1 << 30 });
    expect(run(["dump"]).out === theirs.toString()).toBe(true);
  });

  needing("the corpus in ../shared", "bpftool")("a module with -B, as bpftool", () => {
    const gunzip = (name: string): string =>
      file(
        name.replaceAll("/", "-"),
        execFileSync("gzip", ["-dc", corpusPath(`${name}.btf.gz`)], { maxBuffer: 1 << 30 }),
      );
    const [kernel, module] = [gunzip("vmlinux/6.12-amd64"), gunzip("modules/6.12-amd64-veth")];
    for (const [ours, theirs] of [
      [[], []],
      [["--json"], ["-j"]],
      [
        ["--json", "-p"],
        ["-j", "-p"],
      ],
    ] as const) {
      const bpftool = execFileSync("bpftool", ["-B", kernel, ...theirs, "btf", "dump", "file", module], {
        maxBuffer: 1 << 30,
      });
      expect(run(["dump", module, "-B", kernel, ...ours]).out).toBe(bpftool.toString());
    }
  });

  test("a closed pipe ends quietly", async () => {
    const child = spawn(process.execPath, [PROGRAM, "dump", "test/data/vmlinux-6.1-cloud-amd64.btf.gz"]);
    let error = "";
    child.stderr.on("data", (chunk: Buffer) => {
      error += chunk.toString();
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect([code, error]).toEqual([0, ""]);
  });
});

describe("dump -f c", () => {
  test("a header, its options, and a type with a glob", () => {
    const { code, out, error } = run([
      "dump",
      image,
      "-f",
      "c",
      "--annotate",
      "--guard",
      "__H__",
      "--no-preserve-access-index",
    ]);
    expect([code, error]).toEqual([0, ""]);
    expect(out).toMatch(/^#ifndef __H__\n#define __H__\n\n#ifndef __ksym/);
    expect(out).toContain("\tint x; /* 0 4 */\n");
    const globbed = run(["dump", image, "-f", "c", "-t", "struct:poi*"]).out;
    expect(globbed).toContain("struct point {");
    expect(globbed).not.toContain("union either");
    expect(run(["dump", image, "-f", "c", "--exclude", "poin?", "-t", "struct:point"]).out).toContain("struct point;");
  });

  test("several files are merged: modules on their base, or images that stand for themselves", () => {
    const module = (name: string): string => {
      const split = new Image({ base });
      split.composite(4, name, 8, [["point", 4, 0]]);
      split.composite(4, "shared", 8, [["point", 4, 0]]);
      return file(`${name}.btf`, split.bytes());
    };
    const { code, out, error } = run(["dump", "-f", "c", "-B", image, module("one"), module("two")]);
    expect([code, error]).toEqual([0, ""]);
    for (const name of ["point", "one", "two", "shared"])
      expect(out.match(new RegExp(`struct ${name} \\{`, "g"))?.length).toBe(1);
    // Variables are never equal: they stand for storage.
    expect(run(["dump", "-f", "c", image, image]).out).toBe(run(["dump", "-f", "c", image]).out);
  });

  test("what C cannot name is left out, or renamed; what is out of order is told", () => {
    const odd = new Image();
    odd.int("u32", 4);
    odd.composite(4, "core::option::Option<u8>", 4, [["0", 1, 0]]);
    odd.composite(4, "moved", 8, [
      ["b", 1, 32],
      ["a", 1, 0],
    ]);
    const path = file("odd.btf", odd.bytes());
    const { code, out, error } = run(["dump", path, "-f", "c"]);
    expect([code, error]).toEqual([
      0,
      "btfkit: struct core::option::Option<u8> [2]: left out: C cannot name them or what they need (--names replaces what C does not take)\n" +
        "btfkit: struct moved [3]: written with the members in the order of their offsets\n",
    ]);
    expect(out).toContain("struct moved {\n\tunsigned int a;\n\tunsigned int b;\n};");
    expect(out).not.toMatch(/core/);
    const renamed = run(["dump", path, "-f", "c", "--names"]);
    expect(renamed.out).toContain("struct core__option__Option_u8_ {\n\tunsigned int _0;\n};");
    expect(renamed.error).toMatch(/^btfkit: struct core::option::Option<u8> \[2\]: renamed/);
    const bpftool = run(["dump", path, "-f", "c", "--compat", "bpftool-7.8"]);
    expect(bpftool.out).toContain("struct core::option::Option<u8> {\n\tu32 0;\n};");
    expect(bpftool.error).toMatch(/will not compile/);
  });

  test("a kernel whose kfuncs are not tagged", () => {
    const kernel = new Image();
    kernel.int("int", 4, 1);
    kernel.composite(4, "btf_kfunc_id_set", 4, [["set", 1, 0]]);
    kernel.func("bpf_do", kernel.proto(1));
    const path = file("untagged.btf", kernel.bytes());
    expect(run(["dump", path, "-f", "c"]).error).toMatch(
      /no function is tagged as a kfunc .*--kfunc NAME writes one\n$/,
    );
    const one = run(["dump", path, "-f", "c", "--kfunc", "bpf_do"]);
    expect([one.error, one.out.match(/^extern.*/m)?.[0]]).toEqual(["", "extern int bpf_do(void) __weak __ksym;"]);
    expect(run(["dump", path, "-f", "c", "--kfunc", "bpf_undo"])).toMatchObject({ code: 1 });
  });

  needing("the corpus in ../shared")("what an object uses, on the running kernel's BTF or another", () => {
    const object = corpusPath("objects/lt026-opensnoop.bpf.o");
    const { code, out } = run(["dump", "test/data/vmlinux-6.1-cloud-amd64.btf.gz", "-f", "c", "--for", object]);
    expect(code).toBe(0);
    expect(out).toMatch(/^struct trace_event_raw_sys_enter \{/m);
    expect(out).toMatch(/^struct task_struct \{/m);
    expect(out).not.toMatch(/^struct nf_conn \{/m);
  });
});

describe("stat", () => {
  test("text and json", () => {
    const { code, out } = run(["stat", image]);
    expect(code).toBe(0);
    expect(out).toMatch(/^STRUCT\s+1\s+36/m);
    expect(out).toMatch(/little endian/);
    const facts = JSON.parse(run(["stat", image, "--json"]).out) as Record<string, unknown>;
    expect(facts).toMatchObject({
      bytes: base.bytes().length,
      endian: "little",
      pointerSize: 8,
      types: 19,
      firstId: 1,
    });
    expect(facts["kinds"]).toContainEqual({ kind: "enum64", count: 1, bytes: 36 });
  });

  test("says what a version other than 1 means, and opens it as libbpf does", () => {
    const bytes = base.bytes();
    bytes[2] = 2;
    const { code, error } = run(["stat", file("version.btf", bytes)]);
    expect([code, error]).toEqual([0, "btfkit: BTF version 2: kernels load version 1 only\n"]);
    expect(run(["stat", "-q", join(folder, "version.btf")]).error).toBe("");
  });

  test("colour only when asked for, NO_COLOR obeyed", () => {
    expect(run(["stat", image]).out).not.toContain("\x1b[");
    expect(run(["stat", image, "--color", "always"]).out).toContain("\x1b[");
    expect(run(["stat", image, "--color", "auto"], undefined, { NO_COLOR: "1" }).out).not.toContain("\x1b[");
  });
});

describe("find", () => {
  const names = (...args: string[]): string[] =>
    run(["find", ...args])
      .out.split("\n")
      .filter(Boolean)
      .map((line) => line.split("'")[1]!);

  test("substring, ^prefix, /regex/, glob, -k", () => {
    expect(names("int", image)).toEqual(["int", "point", "int_t"]);
    expect(names("^int", image)).toEqual(["int", "int_t"]);
    expect(names("/^IN.$/i", image)).toEqual(["int"]);
    expect(names("*[!t]", image)).toEqual([
      "either",
      "color",
      "later",
      "run",
      "counter",
      ".data",
      "double",
      "tag",
      "user",
      "big",
    ]);
    expect(names("int", image, "-k", "TYPEDEF")).toEqual(["int_t"]);
  });

  test("json", () => {
    expect(JSON.parse(run(["find", "point", image, "--json"]).out)).toEqual([
      { version: 1, id: 4, kind: "struct", name: "point", byteSize: expect.any(Number) as number },
    ]);
  });

  test("nothing found: exit 1, and what was searched", () => {
    const { code, out, error } = run(["find", "nothing_like_it", image]);
    expect([code, out]).toEqual([1, ""]);
    expect(error).toMatch(/^btfkit: no type matches nothing_like_it: searched \d+ types of /);
    expect(run(["find", "-q", "nothing_like_it", image])).toEqual({ code: 1, out: "", error: "" });
  });

  test("^name$ and name$ mean what they say", () => {
    expect(names("^int$", image)).toEqual(["int"]);
    expect(names("^in$", image)).toEqual([]);
    expect(names("nt$", image)).toEqual(["int", "point"]);
    expect(names("^i.*_t$", image)).toEqual(["int_t"]);
  });
});

describe("dedup, merge, verify", () => {
  test("dedup writes a file, and tells of it with --json", () => {
    const out = join(folder, "dedup.btf");
    const { code, out: text } = run(["dedup", image, image, "-o", out, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({ types: { in: 38, out: 21 }, bytes: { in: expect.any(Number) } });
    expect(run(["stat", out, "--json"]).out).toContain('"types":21');
    expect(run(["merge", image, image, "--no-dedup", "--json"]).out).toMatch(/"out":38/);
  });

  test("verify: nothing and 0, or a line for each finding and 1", () => {
    const odd = new Image();
    odd.ref(CONST, 0, "named");
    odd.ref(CONST, 0, "named");
    const fine = new Image();
    fine.int("int");
    const [bad, good] = [file("bad.btf", odd.bytes()), file("good.btf", fine.bytes())];
    expect(run(["verify", good])).toEqual({ code: 0, out: "", error: "" });
    const line = (id: number, at: number): string =>
      `${bad}: type [${id}] CONST "named", name: Invalid name (at byte ${at})\n`;
    expect(run(["verify", good, bad])).toEqual({ code: 1, out: line(1, 24) + line(2, 36), error: "" });
    expect(JSON.parse(run(["verify", good, bad, "--json"]).out)).toMatchObject([
      { file: good, ok: true, findings: [] },
      { file: bad, ok: false, findings: [{ rule: "name", typeId: 1, name: "named", offset: 24 }, {}] },
    ]);
    expect(run(["verify", file("short.btf", fine.bytes().subarray(0, 20))]).out).toMatch(/header-truncated/);
    expect(run(["verify", good, "--kernel", "x"])).toMatchObject({
      code: 3,
      error: expect.stringMatching(/no kernel version/),
    });
    expect(run(["verify", join(folder, "none")])).toMatchObject({ code: 3 });
  });
});

describe("help and completion", () => {
  test("--help of each command has an example; --version", () => {
    expect(run(["--help"]).out).toMatch(/dump[\s\S]*stat[\s\S]*find[\s\S]*btfkit complete bash/);
    for (const command of ["dump", "stat", "find"])
      expect(run([command, "--help"]).out).toMatch(/Examples?:\n {2}btfkit/);
    expect(run(["--version"]).out.trim()).toBe(
      (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version,
    );
  });

  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    test(`completion script for ${shell}`, () => {
      const { code, out } = run(["complete", shell]);
      expect(code).toBe(0);
      expect(out).toMatch(/btfkit/);
    });
  }

  test("completes commands, options and their values", () => {
    expect(run(["complete", "--", ""]).out).toMatch(/dump[\s\S]*stat[\s\S]*find/);
    expect(run(["complete", "--", "dump", "--fo"]).out).toMatch(/--format/);
    expect(run(["complete", "--", "dump", "--format", ""]).out).toMatch(/raw[\s\S]*json/);
  });

  test("help, help COMMAND and a bare call are other spellings of --help; -V of --version", () => {
    const { out } = run(["--help"]);
    expect(run([])).toEqual({ code: 0, out, error: "" });
    expect(run(["help"]).out).toBe(out);
    expect(run(["help", "dump"])).toEqual(run(["dump", "--help"]));
    expect(run(["-V"]).out).toBe(run(["--version"]).out);
  });

  test("NO_COLOR and FORCE_COLOR decide where standard output is no terminal", () => {
    expect(run(["stat", image]).out).not.toContain("\x1b[");
    expect(run(["stat", image], undefined, { FORCE_COLOR: "1" }).out).toContain("\x1b[1m");
    expect(run(["stat", image], undefined, { FORCE_COLOR: "1", NO_COLOR: "1" }).out).not.toContain("\x1b[");
    expect(run(["stat", image], undefined, { FORCE_COLOR: "0" }).out).not.toContain("\x1b[");
  });

  /** What bash offers for a line that is typed up to its end. */
  function completedByBash(words: readonly string[]): string[] {
    const bin = mkdtempSync(join(tmpdir(), "btfkit-bin-"));
    symlinkSync(resolve(PROGRAM), join(bin, "btfkit"));
    const list = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const script = `${run(["complete", "bash"]).out}
COMP_WORDS=(btfkit ${list}); COMP_CWORD=${words.length}; _btfkit; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
    return execFileSync("bash", ["-c", script], { cwd: bin, env, encoding: "utf8" }).split("\n").filter(Boolean);
  }

  needing("bash")("bash completes without its completion package, and evaluates nothing that is typed", () => {
    expect(completedByBash(["du"])).toEqual(["dump"]);
    expect(completedByBash(["dump", "--form"])).toEqual(["--format"]);
    expect(completedByBash(["dump", "--format", "="])).toEqual(["raw", "json", "c"]);
    expect(completedByBash(["dump", "--format", "=", "j"])).toEqual(["json"]);
    expect(completedByBash(["dump", "./vml"])).toEqual([]);
    const marker = join(folder, "evaluated");
    for (const hostile of [
      `$(touch ${marker})`,
      `\`touch ${marker}\``,
      `;touch ${marker}`,
      `'; touch ${marker} #`,
      "$(",
    ]) {
      completedByBash(["dump", hostile, "-"]);
      completedByBash(["dump", `-${hostile}`]);
      completedByBash([hostile]);
    }
    expect(existsSync(marker)).toBe(false);
  });
});

describe("wrong input: one line, the right exit code, nothing written", () => {
  /** A BPF object whose program has another name of seven characters. */
  const renamedProbe = (name: string): Uint8Array => {
    const types = new Image();
    types.int("int", 4, 1);
    const bytes = Buffer.from(bpfObject(types, [{ opcode: 0x95 }], []));
    bytes.write(name, bytes.lastIndexOf("program\0"));
    return bytes;
  };
  const bytes = (change: (bytes: Uint8Array<ArrayBuffer>) => void, of = base): Uint8Array => {
    const made = of.bytes();
    change(made);
    return made;
  };
  const split = (): Uint8Array => {
    const made = new Image({ base });
    made.composite(4, "module_struct", 8, [["inner", 4, 0]]);
    return made.bytes();
  };
  const layout = everyKind({ layout: LAYOUT });

  const cases: Record<string, { args: () => string[]; code: number; error: RegExp; stdin?: Uint8Array }> = {
    "not BTF": { args: () => ["dump", file("x", "#!/bin/sh\n")], code: 3, error: /x: not BTF: .*0xeb9f/ },
    empty: { args: () => ["dump", file("x", "")], code: 3, error: /x: empty input/ },
    "empty standard input": {
      args: () => ["dump", "-"],
      stdin: new Uint8Array(0),
      code: 3,
      error: /standard input: empty input/,
    },
    "wrong magic": {
      args: () => [
        "dump",
        file(
          "x",
          bytes((b) => (b[0] = 0)),
        ),
      ],
      code: 3,
      error: /not BTF/,
    },
    "wrong header length": {
      args: () => ["dump", file("x", base.bytes({ 4: 0xffff }))],
      code: 3,
      error: /truncated header/,
    },
    "a header length below 24 in the other byte order": {
      args: () => ["dump", file("x", everyKind({ endian: "big" }).bytes({ 4: 12 }))],
      code: 3,
      error: /header length 12/,
    },
    "truncated in the header": {
      args: () => ["dump", file("x", base.bytes().subarray(0, 11))],
      code: 3,
      error: /truncated header/,
    },
    "truncated in the types": {
      args: () => ["dump", file("x", base.bytes().subarray(0, 100))],
      code: 3,
      error: /truncated/,
    },
    "truncated in the layout": {
      args: () => ["dump", file("x", layout.bytes().subarray(0, -150))],
      code: 3,
      error: /truncated/,
    },
    "truncated in the strings": {
      args: () => ["dump", file("x", base.bytes().subarray(0, -3))],
      code: 3,
      error: /truncated: the string section/,
    },
    "a 4 GB length field": {
      args: () => ["dump", file("x", base.bytes({ 20: 0xffffffff }))],
      code: 3,
      error: /string section ends at byte/,
    },
    "a 4 GB type section": {
      args: () => ["dump", file("x", base.bytes({ 12: 0xfffffffc }))],
      code: 3,
      error: /type section ends at/,
    },
    "split BTF without its base": { args: () => ["dump", file("x", split())], code: 3, error: /base.*-B FILE/ },
    "a base of the other byte order": {
      args: () => ["dump", file("x", split()), "-B", file("big", everyKind({ endian: "big" }).bytes())],
      code: 3,
      error: /x: the image is little-endian, but its base is not/,
    },
    "a base that it does not belong to": {
      args: () => ["dump", file("x", split()), "-B", file("tiny", new Image().bytes())],
      code: 3,
      error: /does it belong to the base/,
    },
    "a missing base": { args: () => ["dump", image, "-B", join(folder, "none")], code: 3, error: /none: no such file/ },
    "an ELF file without .BTF": {
      args: () => ["dump", file("x", elf({ ".text": new Uint8Array(4) }))],
      code: 3,
      error: /without a \.BTF/,
    },
    "a truncated ELF file": {
      args: () => ["dump", file("x", elf({ ".BTF": base.bytes() }).subarray(0, 90))],
      code: 3,
      error: /truncated ELF/,
    },
    "truncated gzip": {
      args: () => ["dump", file("x", gzipSync(base.bytes()).subarray(0, 40))],
      code: 3,
      error: /truncated: the gzip data ends early \(at byte 40\)/,
    },
    "a folder without a kernel": {
      args: () => ["dump", mkdtempSync(join(folder, "empty-"))],
      code: 3,
      error: /found no kernel in its 0 files/,
    },
    "a missing file": { args: () => ["stat", join(folder, "none")], code: 3, error: /none: no such file/ },
    "an unknown command": { args: () => ["dunp"], code: 2, error: /unknown command 'dunp'.*dump/ },
    "help of no command": { args: () => ["help", "nothing"], code: 2, error: /unknown command/ },
    "completion of no shell": { args: () => ["complete", "tcsh"], code: 2, error: /bash, zsh, fish, powershell/ },
    "an unknown flag": {
      args: () => ["dump", image, "--formt", "raw"],
      code: 2,
      error: /unknown option '--formt'.*--format/,
    },
    "an unknown format": { args: () => ["dump", image, "-f", "xml"], code: 2, error: /raw, json/ },
    "an unknown kind": { args: () => ["find", "x", image, "-k", "strct"], code: 2, error: /strct.*struct/ },
    "comments in raw text": {
      args: () => ["dump", image, "--annotate"],
      code: 2,
      error: /--annotate goes with --format c/,
    },
    "a program whose name leads out of a folder": {
      args: () => ["load", file("x", renamedProbe("../prog")), "--pin", join(folder, "pins")],
      code: 3,
      error: /x: "\.\.\/prog" is no name for a pin/,
    },
    "an object that is not there": {
      args: () => ["run", join(folder, "none.bpf.o")],
      code: 3,
      error: /none\.bpf\.o: no such file/,
    },
    "a bad include guard": {
      args: () => ["dump", image, "-f", "c", "--guard", "1 2"],
      code: 2,
      error: /"1 2" is no name for an include guard/,
    },
    "C as JSON": { args: () => ["dump", image, "-f", "c", "--json"], code: 2, error: /do not go with --format c/ },
    "a cyclic typedef as C": {
      args: () => {
        const loop = new Image();
        loop.ref(8, 1, "loop_t");
        return ["dump", file("loop.btf", loop.bytes()), "-f", "c"];
      },
      code: 3,
      error: /\[1\] typedef loop_t -> \[1\]/,
    },
    "a file of no object": {
      args: () => ["dump", image, "-f", "c", "--for", image],
      code: 3,
      error: /not a BPF object/,
    },
    "a bad regular expression": { args: () => ["find", "/(/", image], code: 2, error: /regular expression/ },
    "several files, one of them a split without its base": {
      args: () => ["dump", image, file("x", split())],
      code: 3,
      error: /x: .*-B FILE/,
    },
    "too many arguments": { args: () => ["stat", image, image], code: 2, error: /too many arguments/ },
    "an unknown type name": {
      args: () => ["dump", image, "-t", "pont"],
      code: 1,
      error: /no type named "pont"; did you mean "point"/,
    },
    "an unknown type name of a kind": {
      args: () => ["dump", image, "-t", "union:point"],
      code: 1,
      error: /no union named "point"/,
    },
    "an id that is no type's": {
      args: () => ["dump", image, "-t", "20"],
      code: 1,
      error: /no type 20: ids go from 0 to 19/,
    },
    "an output that cannot be written": {
      args: () => ["dump", image, "-o", join(folder, "no", "where")],
      code: 3,
      error: /cannot be written/,
    },
  };

  for (const [name, { args, code, error, stdin }] of Object.entries(cases)) {
    test(name, () => {
      const target = join(mkdtempSync(join(folder, "out-")), "target");
      const given = args();
      const result = run(given.length > 1 && !given.includes("-o") ? [...given, "-o", target] : given, stdin);
      expect(result).toEqual({ code, out: "", error: expect.stringMatching(error) });
      expect(result.error).toMatch(/^btfkit: [^\n]+\n$/);
      expect(result.error).not.toMatch(/ at .*\.[cm]?js:\d|undefined|\[object/);
      expect(readdirSync(join(target, ".."))).toEqual([]);
    });
  }

  test("an unreadable file", () => {
    const path = file("secret", base.bytes());
    execFileSync("chmod", ["000", path]);
    const asUser = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    // The program and the file have to be within reach of another user.
    const place = mkdtempSync("/tmp/btfkit-open-");
    execFileSync("cp", ["-r", "dist/cli", place]);
    execFileSync("cp", [path, join(place, "secret")]);
    execFileSync("chmod", ["-R", "a+rX", place]);
    execFileSync("chmod", ["000", join(place, "secret")]);
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(place, "cli/btfkit.cjs"), "stat", join(place, "secret")],
      asUser,
    );
    expect([status, stderr.toString()]).toEqual([3, `btfkit: ${join(place, "secret")}: permission denied\n`]);
  });

  test("a dump that fails leaves the old file as it was", () => {
    const target = file("kept", "old");
    expect(run(["dump", file("x", "no"), "-o", target]).code).toBe(3);
    expect(readFileSync(target, "utf8")).toBe("old");
    mkdirSync(join(folder, "taken"), { recursive: true });
    expect(run(["dump", image, "-o", join(folder, "taken")]).code).toBe(3);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("no running kernel's BTF: says how to name a file", () => {
    if (existsSync("/sys/kernel/btf/vmlinux")) return;
    expect(run(["stat"])).toEqual({ code: 3, out: "", error: expect.stringMatching(/name a FILE/) });
  });
});
