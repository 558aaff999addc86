// Packed orders are what compilers make of them, and no larger than what
// pahole finds where C allows that.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Btf } from "../../src/btf/btf.js";
import { alignOf } from "../../src/btf/query/resolve.js";
import { layout } from "../../src/inspect/layout/layout.js";
import { pack, packAll } from "../../src/inspect/pack/pack.js";
import { Image, STRUCT, UNION } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { seeded } from "../support/random.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-pack-"));

function compiled(name: string, source: string): Btf {
  const c = join(folder, `${name}.c`);
  writeFileSync(c, source);
  execFileSync("clang-19", ["-target", "bpf", "-g", "-c", "-o", `${c}.o`, c]);
  return Btf.parse(readFileSync(`${c}.o`));
}

const SCALARS = ["char", "short", "int", "long", "void *", "struct { char a; short b; }", "float"];

describe("random structs", () => {
  needing("clang-19")("have the size and the offsets that clang gives the new order", () => {
    const random = seeded("pack");
    const structs = Array.from({ length: 150 }, () =>
      Array.from({ length: 2 + random(12) }, (_, i) => {
        const kind = random(5);
        if (kind === 0) return `int m${i} : ${1 + random(32)};`;
        if (kind === 1) return `char m${i} : ${1 + random(8)};`;
        const scalar = SCALARS[random(SCALARS.length)]!;
        const aligned = random(12) === 0 ? " __attribute__((aligned(64)))" : "";
        return kind === 2 ? `${scalar} m${i}[${1 + random(5)}]${aligned};` : `${scalar} m${i}${aligned};`;
      }),
    );
    const declare = (all: readonly (readonly string[])[]): string =>
      all.map((members, i) => `struct s${i} { ${members.join(" ")} } v${i};`).join("\n");
    const before = compiled("before", declare(structs));
    const packings = structs.map((_, i) => pack(before.require(`s${i}`, "struct")));
    const after = compiled(
      "after",
      declare(structs.map((members, i) => packings[i]!.members.map(({ index }) => members[index]!))),
    );
    let saved = 0;
    for (const [i, { members, packedByteSize, byteSize, boundBytes }] of packings.entries()) {
      const made = after.require(`s${i}`, "struct");
      expect(boundBytes).toBeLessThanOrEqual(packedByteSize);
      // An attribute's alignment shows only where it left a hole: without one the compiler knows more than BTF.
      if (structs[i]!.some((member) => member.includes("aligned"))) continue;
      expect(made.byteSize, structs[i]!.join(" ")).toBe(packedByteSize);
      expect(made.members.map(({ bitOffset }) => bitOffset)).toEqual(members.map(({ bitOffset }) => bitOffset));
      saved += byteSize - packedByteSize;
    }
    expect(saved).toBeGreaterThan(100);
  });
});

describe("a kernel", () => {
  const open = (): Btf => Btf.parse(gunzipSync(readFileSync(corpusPath("vmlinux/6.12-amd64.btf.gz"))));
  needing("the corpus in ../shared", "pahole")("packs no worse than pahole, as far as C allows its sizes", () => {
    const btf = open();
    const path = join(folder, "vmlinux.btf");
    writeFileSync(path, gunzipSync(readFileSync(corpusPath("vmlinux/6.12-amd64.btf.gz"))));
    const lines = execFileSync("pahole", ["-F", "btf", "--packable", path]).toString().trim().split("\n");
    expect(lines.length).toBe(609);
    for (const line of lines) {
      const [name, before, after] = line.split("\t");
      const packings = btf
        .findAll(name!, "struct")
        .filter(({ byteSize }) => byteSize === Number(before))
        .map((type) => pack(type, { keepAligned: false }));
      const best = packings.reduce((a, b) => (a.packedByteSize < b.packedByteSize ? a : b));
      // pahole forgets that a size is a multiple of the alignment, and that members' types have alignments.
      if (best.packedByteSize > Number(after)) expect(best.isMinimal, line).toBe(true);
    }
  });

  needing("the corpus in ../shared")("keeps every member, apart from others and aligned", () => {
    const btf = open();
    const packings = packAll(btf);
    expect(packings.length).toBeGreaterThan(600);
    for (const { type, members, packedByteSize, byteSize, boundBytes } of packings) {
      expect(boundBytes).toBeLessThanOrEqual(packedByteSize);
      expect(packedByteSize).toBeLessThanOrEqual(byteSize);
      expect(members.map(({ index }) => index).sort((a, b) => a - b)).toEqual(type.members.map((_, i) => i));
      const old = layout(type).members;
      let end = 0;
      for (const { index, bitOffset } of members) {
        const { bitSize, bitfieldBits, type: of } = old[index]!;
        expect(bitOffset, type.name).toBeGreaterThanOrEqual(end);
        if (!bitfieldBits) expect(bitOffset % (8 * (alignOf(of) ?? 1)), type.name).toBe(0);
        end = bitOffset + bitSize;
      }
      expect(end).toBeLessThanOrEqual(packedByteSize * 8);
    }
  });
});

describe("what is kept", () => {
  const image = new Image();
  const int = image.int("int", 4);
  const char = image.int("char", 1);
  const long = image.int("long", 8);
  const none = image.array(char, int, 0);
  const flexible = image.composite(STRUCT, "flexible", 24, [
    ["a", char, 0],
    ["b", long, 64],
    ["c", char, 128],
    ["data", none, 136],
  ]);
  const grouped = image.composite(STRUCT, "grouped", 32, [
    ["a", char, 0],
    ["b", long, 64],
    ["c", char, 128],
    ["d", long, 192],
  ]);
  const cacheline = image.composite(STRUCT, "cacheline", 192, [
    ["a", char, 0],
    ["b", int, 512],
    ["c", char, 1024],
  ]);
  const union = image.composite(UNION, "union", 4, [["a", int, 0]]);
  const btf = Btf.parse(image.bytes());
  const order = (id: number, options = {}): string[] => pack(btf.get(id)!, options).members.map(({ name }) => name);

  test("a flexible array stays last", () => {
    expect(order(flexible)).toEqual(["b", "a", "c", "data"]);
    expect(pack(btf.get(flexible)!)).toMatchObject({ packedByteSize: 16, isMinimal: true });
  });
  test("named groups stay together", () => {
    expect(pack(btf.get(grouped)!).packedByteSize).toBe(24);
    const names = order(grouped, { groups: [["a", "b"]] });
    expect(Math.abs(names.indexOf("a") - names.indexOf("b"))).toBe(1);
    expect(() => order(grouped, { groups: [["nope"]] })).toThrow(/no member "nope"/);
  });
  test("members on cachelines of their own stay there unless that is given up", () => {
    expect(pack(btf.get(cacheline)!).unalignedByteSize).toBe(8);
    expect(pack(btf.get(cacheline)!).packedByteSize).toBeGreaterThan(64);
    expect(pack(btf.get(cacheline)!, { keepAligned: false }).packedByteSize).toBe(8);
  });
  test("a union is refused", () => {
    expect(() => pack(btf.get(union)!)).toThrow(/its members share their place/);
  });
});
