// pahole's arguments give the bytes of pahole 1.31: on whole kernels, and in
// its other modes; where its misprints are not copied, C is written.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Btf } from "../../src/btf/btf.js";
import { layoutText, layoutTexts } from "../../src/inspect/layout/text.js";
import { PaholeUsage, parsePaholeArguments } from "../../src/inspect/pahole/options.js";
import { PaholeRun } from "../../src/inspect/pahole/run.js";
import { CONST, FLOAT, FUNC_PROTO, Image, PTR, STRUCT } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";

const withCorpus = needing("the corpus in ../shared");

const opened = new Map<string, Btf>();

function kernel(name: string): Btf {
  const known = opened.get(name) ?? Btf.parse(gunzipSync(readFileSync(corpusPath(`vmlinux/${name}.btf.gz`))));
  opened.set(name, known);
  return known;
}

function pahole(btf: Btf, args: readonly string[], file = "FILE"): string {
  const parsed = parsePaholeArguments([...args, file]);
  const run = new PaholeRun(parsed, parsed.className?.split(",") ?? []);
  // Copied one by one: a chunk lasts until the next.
  const copies = (chunks: Iterable<string | Uint8Array>) => Array.from(chunks, (chunk) => Buffer.from(chunk));
  return Buffer.concat([...copies(run.file(btf, file)), ...copies(run.end())]).toString();
}

const digest = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");

describe("whole kernels", () => {
  for (const name of ["6.12-amd64", "6.1-i386", "6.12-s390x"]) {
    withCorpus(name, () => {
      const golden = gunzipSync(readFileSync(corpusPath(`golden/pahole/${name}.txt.gz`)));
      const hash = createHash("sha256");
      for (const chunk of layoutTexts(kernel(name), { compat: "pahole-1.31" })) hash.update(chunk);
      expect(hash.digest("hex")).toBe(digest(golden));
      expect(digest(pahole(kernel(name), []))).toBe(digest(golden));
    });
  }
});

interface Call {
  readonly args: readonly string[];
  readonly rc: number;
  readonly text: string;
}

describe("other modes", () => {
  const path = corpusPath("golden/pahole/6.12-amd64.modes.jsonl.gz");
  const calls: Call[] = existsSync(path)
    ? gunzipSync(readFileSync(path))
        .toString()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Call)
    : [];
  const byMode = new Map<string, Call[]>();
  for (const call of calls) {
    const mode = call.args.filter((arg) => arg.startsWith("-")).join(" ");
    byMode.set(mode, [...(byMode.get(mode) ?? []), call]);
  }
  withCorpus("there are some", () => expect(calls.length).toBe(999));
  for (const [mode, group] of byMode) {
    withCorpus(mode, () => {
      for (const { args, text } of group) {
        // The file's name where the calls were made.
        const file = /^\/\* Used at: (.*) \*\/$/m.exec(text)?.[1] ?? "FILE";
        expect(pahole(kernel("6.12-amd64"), args, file), args.join(" ")).toBe(text);
      }
    });
  }
});

describe("arguments", () => {
  test("are read as GNU's argp reads them", () => {
    expect(parsePaholeArguments(["FILE", "-sECname"])).toMatchObject({
      files: ["FILE"],
      listing: "sizes",
      expand: true,
      className: "name",
    });
    expect(parsePaholeArguments(["--sizes", "--class_name=a", "-c", "32", "-j", "--", "-x"])).toMatchObject({
      files: ["-x"],
      listing: "sizes",
      className: "a",
      cachelineBytes: 32,
    });
  });
  test("that are unknown, ambiguous, incomplete or unsupported are refused by name", () => {
    for (const [args, message] of [
      [["--nope"], /no option --nope/],
      [["-@"], /no option -@/],
      [["--s"], /--s may be any of --skip, --seek_bytes/],
      [["-C"], /-C requires an argument/],
      [["--hex=1"], /--hex takes no argument/],
      [["--prettify", "x"], /--prettify of pahole is not supported/],
      [["-J"], /-J of pahole is not supported/],
    ] as const) {
      expect(() => parsePaholeArguments(args)).toThrow(PaholeUsage);
      expect(() => parsePaholeArguments(args)).toThrow(message);
    }
  });
});

describe("the command", () => {
  const run = (...args: string[]): { code: number | null; out: string; error: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/btfkit.cjs", "pahole", ...args], {
      maxBuffer: 1 << 30,
    });
    return { code: status, out: stdout.toString(), error: stderr.toString() };
  };
  withCorpus("takes lists, several files and names in place of files", () => {
    const file = corpusPath("vmlinux/6.12-amd64.btf.gz");
    expect(run("-F", "btf", "-C", "list_head,hlist_head", file).out.split("\n}").length).toBe(3);
    const twice = run("--sizes", "-y", "list_", file, corpusPath("vmlinux/6.1-i386.btf.gz")).out.trim().split("\n");
    expect(twice.filter((line) => line.startsWith("list_head\t"))).toEqual(["list_head\t16\t0", "list_head\t8\t0"]);
    const missing = run("-C", "no_such_type", file);
    expect(missing).toEqual({ code: 0, out: "", error: "btfkit: pahole: type 'no_such_type' not found\n" });
  });
  test("names what it refuses", () => {
    expect(run("--prettify", "x").code).toBe(2);
    expect(run("--prettify", "x").error).toMatch(/^btfkit: pahole: option --prettify of pahole is not supported\n$/);
    expect(run("-F", "dwarf", "x").code).toBe(2);
    expect(run("--version")).toEqual({ code: 0, out: "v1.31\n", error: "" });
  });
});

describe("types that pahole misprints", () => {
  const image = new Image();
  const int = image.int("int", 4);
  const char = image.int("char", 1);
  const proto = image.type(FUNC_PROTO, "", int);
  const pointer = (to: number): number => image.ref(PTR, to);
  const constant = (to: number): number => image.ref(CONST, to);
  const array = (of: number, length: number): number => image.array(of, int, length);
  const cases: readonly [name: string, type: number, compatible: string, right: string][] = [
    [
      "two dimensions",
      array(array(int, 2), 3),
      "int                        it[2][3];",
      "int                        it[3][2];",
    ],
    [
      "a pointer to an array",
      pointer(array(int, 4)),
      "int *                      it;",
      "int                        (*it)[4];",
    ],
    [
      "an array of pointers to functions",
      array(pointer(proto), 5),
      "int                        (*it)(void)[5];",
      "int                        (*it[5])(void);",
    ],
    [
      "a constant pointer to something constant",
      constant(pointer(constant(char))),
      "const const char  *        it;",
      "const char *const          it;",
    ],
    ["a constant pointer", constant(pointer(int)), "const int *                it;", "int *const                 it;"],
    [
      "a floating-point number",
      image.type(FLOAT, "double", 8),
      "single double              it;",
      "double                     it;",
    ],
  ];
  const holders = cases.map(([, type]) => image.composite(STRUCT, "holder", 64, [["it", type, 0]]));
  const btf = Btf.parse(image.bytes());
  for (const [i, [name, , compatible, right]] of cases.entries()) {
    test(`${name} is C unless pahole is asked for`, () => {
      const line = (text: string): string =>
        text
          .split("\n")[1]!
          .trim()
          .replace(/ *\/\*.*/, "");
      const type = btf.get(holders[i]!)!;
      expect(line(layoutText(type, { compat: "pahole-1.31" }))).toBe(compatible);
      expect(line(layoutText(type))).toBe(right);
    });
  }
});
