// sizeOf, alignOf, resolve, pointerSize and fieldOf: libbpf's answers for every
// type of real kernels, a compiler's for offsets.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { alignOf, Btf, BtfError, fieldOf, resolve, sizeOf } from "btfkit";
import { openFile } from "btfkit/node";
import { beforeAll, describe, expect, test } from "vitest";
import { CONST, everyKind, Image, PTR, STRUCT, TYPEDEF, UNION, VOLATILE } from "../support/image.js";
import { nativeProgram } from "../support/native.js";
import { corpusPath, needing } from "../support/needs.js";

/** libbpf's size and alignment of each type, by id. */
function libbpfSizes(...files: string[]): { pointerSize: number; sizes: Map<number, [number, number]> } {
  const out = execFileSync(nativeProgram("sizes"), files, { maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] });
  const [first, ...lines] = out.toString().trim().split("\n");
  const sizes = lines.map((line) => line.split(" ").map(Number) as [number, number, number]);
  return { pointerSize: Number(first), sizes: new Map(sizes.map(([id, size, align]) => [id, [size, align]])) };
}

/** Ours in libbpf's terms: negative or 0 where there is no answer. */
function ours(act: () => number | undefined, none: number): number {
  try {
    return act() ?? none;
  } catch (error) {
    if (error instanceof BtfError) return none;
    throw error;
  }
}

function compare(btf: Btf, file: string): void {
  const { pointerSize, sizes } = libbpfSizes(file);
  expect(btf.knownPointerSize ?? 0).toBe(pointerSize);
  const different: string[] = [];
  for (const type of btf) {
    const [size, align] = sizes.get(type.id)!;
    const mine = ours(() => sizeOf(type), -1);
    if (mine !== Math.max(size, -1)) different.push(`[${type.id}] size ${mine}, libbpf ${size}`);
    const aligned = ours(() => alignOf(type), 0);
    if (aligned !== Math.max(align, 0)) different.push(`[${type.id}] align ${aligned}, libbpf ${align}`);
  }
  expect(different.slice(0, 10)).toEqual([]);
}

describe("size and alignment of every type equal libbpf's", () => {
  const live = "/sys/kernel/btf/vmlinux";
  needing("the running kernel's BTF", "gcc and libbpf-dev")("running kernel", () => compare(openFile(live), live));
  for (const name of ["6.1-cloud-amd64", "6.12-s390x"]) {
    needing("the corpus in ../shared", "gcc and libbpf-dev")(name, () => {
      const file = join(mkdtempSync(join(tmpdir(), "btfkit-")), "vmlinux.btf");
      writeFileSync(file, gunzipSync(readFileSync(corpusPath(`vmlinux/${name}.btf.gz`))));
      compare(openFile(file), file);
    });
  }
});

describe("rules", () => {
  function struct(members: readonly (readonly [string, number, number, number?])[], byteSize: number): Btf {
    const image = new Image();
    image.int("char", 1);
    image.int("long", 8, 1);
    image.composite(STRUCT, "s", byteSize, members);
    return Btf.parse(image.bytes());
  }

  test("a member that is not aligned makes a struct packed", () => {
    expect(
      alignOf(
        struct(
          [
            ["a", 1, 0],
            ["b", 2, 8],
          ],
          9,
        ).require("s"),
      ),
    ).toBe(1);
    expect(
      alignOf(
        struct(
          [
            ["a", 1, 0],
            ["b", 2, 64],
          ],
          16,
        ).require("s"),
      ),
    ).toBe(8);
  });

  test("a size that is no multiple of the alignment makes a struct packed", () => {
    expect(alignOf(struct([["a", 2, 0]], 12).require("s"))).toBe(1);
  });

  test("a bitfield does not", () => {
    expect(alignOf(struct([["a", 2, 3, 5]], 8).require("s"))).toBe(8);
  });

  test("an empty struct has alignment 1, void none", () => {
    const btf = struct([], 0);
    expect([alignOf(btf.require("s")), sizeOf(btf.require("s"))]).toEqual([1, 0]);
    expect([alignOf(btf.get(0)!), sizeOf(btf.get(0)!)]).toEqual([undefined, undefined]);
  });

  test("resolve goes through modifiers and typedefs", () => {
    const image = new Image();
    image.int("int");
    image.ref(CONST, 1);
    image.ref(VOLATILE, 2);
    image.ref(TYPEDEF, 3, "t");
    const btf = Btf.parse(image.bytes());
    expect(resolve(btf.get(4)!)).toBe(btf.get(1));
    expect(resolve(btf.get(0)!).kind).toBe("void");
  });

  test("a deep web of shared structs is looked at once", () => {
    const image = new Image();
    image.int("int");
    for (let i = 1; i <= 200; i++)
      image.composite(STRUCT, `s${i}`, 4, [
        ["a", i, 0],
        ["b", i, 0],
      ]);
    expect(alignOf(Btf.parse(image.bytes()).require("s200"))).toBe(4);
  });
});

describe("pointer size", () => {
  test("the first long decides, the base before it, nothing means 8", () => {
    const image = new Image();
    image.int("int");
    image.int("int long unsigned", 4);
    const base = Btf.parse(image.bytes());
    expect(base.pointerSize).toBe(4);
    const split = new Image({ base: image });
    split.int("long", 8);
    expect(base.split(split.bytes()).pointerSize).toBe(4);
    const none = Btf.parse(new Image().bytes());
    expect([none.pointerSize, none.knownPointerSize]).toEqual([8, undefined]);
  });

  test("can be set, and sizes follow", () => {
    const image = everyKind();
    const btf = Btf.parse(image.bytes());
    const pointer = btf.get(PTR)!;
    expect(sizeOf(pointer)).toBe(8);
    btf.pointerSize = 4;
    expect([sizeOf(pointer), alignOf(pointer)]).toEqual([4, 4]);
  });
});

describe("fieldOf", () => {
  let btf: Btf;
  beforeAll(() => {
    btf = openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz");
  });

  test("through pointers, anonymous members and arrays", () => {
    const pgd = fieldOf(btf, "task_struct", "mm.pgd");
    const mm = btf.require("task_struct", "struct").members.find(({ name }) => name === "mm")!;
    expect(pgd.pointers).toEqual([mm.bitOffset]);
    expect(resolve(pgd.type).kind).toBe("ptr");
    expect(pgd.byteSize).toBe(8);
    expect(fieldOf(btf, "task_struct", "mm->pgd")).toEqual({ ...pgd, path: "mm->pgd" });
    const comm = fieldOf(btf, "task_struct", "comm");
    expect(fieldOf(btf, "task_struct", "comm[3]").bitOffset).toBe(comm.bitOffset + 24);
    // rcu_node is in an anonymous union of list_head's neighbours in many structs: sk_buff starts with one.
    expect(fieldOf(btf, "sk_buff", "next").bitOffset).toBe(0);
    expect(fieldOf(btf, "sk_buff", "cloned").bitfieldSize).toBe(1);
    expect(fieldOf(btf, btf.require("list_head", "struct"), "prev").bitOffset).toBe(64);
  });

  test("a member shadowed by nothing but nested twice is found once per level", () => {
    const image = new Image();
    image.int("int");
    image.composite(STRUCT, "", 4, [["deep", 1, 0]]);
    image.composite(UNION, "", 8, [
      ["", 2, 0],
      ["", 2, 32],
    ]);
    image.composite(STRUCT, "outer", 16, [["", 3, 64]]);
    image.ref(TYPEDEF, 4, "outer_t");
    const small = Btf.parse(image.bytes());
    expect(fieldOf(small, "outer_t", "deep").bitOffset).toBe(64);
  });

  needing("clang-19", "llvm-objcopy-19")("offsets equal a compiler's", () => {
    const folder = mkdtempSync(join(tmpdir(), "btfkit-"));
    const source = readFileSync("test/native/fields.c");
    writeFileSync(join(folder, "fields.c"), source);
    const object = join(folder, "fields.o");
    execFileSync("clang-19", ["-target", "bpf", "-g", "-O2", "-c", join(folder, "fields.c"), "-o", object]);
    execFileSync("llvm-objcopy-19", ["--dump-section", `.offsets=${folder}/offsets`, object]);
    const compiled = openFile(object);
    const offsets = readFileSync(join(folder, "offsets"));
    const paths = [...source.toString().matchAll(/OFFSET\((.*)\)/g)].slice(1).map(([, path]) => path!);
    expect(paths.length).toBeGreaterThan(4);
    paths.forEach((path, i) => {
      expect([path, fieldOf(compiled, "outer", path).bitOffset]).toEqual([path, offsets.readUInt32LE(i * 4) * 8]);
    });
  });
});
