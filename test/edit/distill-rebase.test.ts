// Distilled bases, rebasing, other orders of types, BTF for older kernels.
// Distilling and rebasing are libbpf's, byte for byte.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Btf, BtfError, dumpRaw } from "btfkit";
import {
  BtfBuilder,
  dedup,
  distill,
  encode,
  fingerprints,
  permute,
  rebase,
  sanitize,
  sortByName,
  type TypeId,
  verify,
} from "btfkit/edit";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { elf } from "../support/elf.js";
import * as image from "../support/image.js";
import { everyKind, Image } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";

const refused = (act: () => unknown): BtfError => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(BtfError);
    expect((error as BtfError).message).not.toMatch(/undefined|NaN|\n/);
    return error as BtfError;
  }
  throw new Error("not refused");
};

describe("goldens of libbpf 1.8", () => {
  const folder = corpusPath("golden/distill");
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".base.btf.gz")) : ["corpus"];
  for (const name of files.map((file) => file.replace(".base.btf.gz", ""))) {
    needing("the corpus in ../shared")(name, () => {
      const golden = (part: string): Buffer => gunzipSync(readFileSync(join(folder, `${name}.${part}.btf.gz`)));
      const kernel = openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"));
      const { base, btf } = distill(openFile(corpusPath(`modules/${name}.btf.gz`), { base: kernel }));
      expect(Buffer.from(encode(base, { header: 32 })).equals(golden("base"))).toBe(true);
      expect(Buffer.from(encode(btf, { header: 32 })).equals(golden("split"))).toBe(true);
      const moved = rebase(btf, kernel);
      expect(Buffer.from(encode(moved.btf, { header: 32 })).equals(golden("reloc-6.12-amd64"))).toBe(true);
      expect(moved.btf.base).toBe(kernel);
      for (let id = 1; id < base.size; id++) expect(kernel.nameAt(moved.map[id]!)).toBe(base.nameAt(id));
    });

    needing("the corpus in ../shared")(`${name}, an ELF file with .BTF.base, on its kernel`, () => {
      const golden = (part: string): Buffer => gunzipSync(readFileSync(join(folder, `${name}.${part}.btf.gz`)));
      const module = elf({ ".BTF": golden("split"), ".BTF.base": golden("base") });
      const path = join(mkdtempSync(join(tmpdir(), "btfkit-ko-")), `${name}.ko`);
      writeFileSync(path, module);
      const kernel = corpusPath("vmlinux/6.12-amd64.btf.gz");
      const expected = dumpRaw(openFile(kernel).split(golden("reloc-6.12-amd64"))).text();
      for (const [file, input] of [[path], ["-", module]] as const) {
        const { stdout, stderr } = spawnSync(process.execPath, ["dist/cli/btfkit.cjs", "dump", file, "-B", kernel], {
          input,
          maxBuffer: 1 << 28,
        });
        expect(stderr.toString()).toBe("");
        expect(stdout.toString() === expected).toBe(true);
      }
    });
  }
});

/** A split on a base that has one of each. */
function module(change: (base: BtfBuilder) => void = () => {}): Btf {
  const b = new BtfBuilder();
  const int = b.int("int", { byteSize: 4, isSigned: true });
  const point = b.struct("point", { byteSize: 8 }, [
    ["x", int],
    ["y", int, { bitOffset: 32 }],
  ]);
  const color = b.enum64("color", {}, [["RED", 1]]);
  const anonymous = b.union("", { byteSize: 8 }, [["p", point]]);
  const ptr = b.ptr(b.fwd("later"));
  change(b);
  const base = b.build();
  const s = new BtfBuilder({ base });
  s.struct("mine", { byteSize: 40 }, [
    ["point", point],
    ["color", color, { bitOffset: 64 }],
    ["u", anonymous, { bitOffset: 128 }],
    ["later", ptr, { bitOffset: 192 }],
    ["n", int, { bitOffset: 256 }],
  ]);
  return s.build();
}

describe("distill", () => {
  test("keeps names and sizes in the base, the rest goes into the split", () => {
    const { base, btf } = distill(module());
    expect([...base].map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "int int",
      "struct point",
      "enum color",
      "fwd later",
    ]);
    expect(base.find("point", "struct")).toMatchObject({ byteSize: 8, members: [] });
    expect([...btf.types({ own: true })].map(({ kind }) => kind)).toEqual(["struct", "union", "ptr"]);
    expect(btf.find("mine", "struct")?.members.map(({ type }) => type.name)).toEqual(["point", "color", "", "", "int"]);
  });

  test("in the other byte order it is the same", () => {
    const little = everyKind();
    const big = everyKind({ endian: "big" });
    const of = (base: Image): string => {
      const split = new Image({ base, endian: base === big ? "big" : "little" });
      split.composite(image.STRUCT, "s", 8, [
        ["a", 4, 0],
        ["b", 2, 64],
      ]);
      const { base: small, btf } = distill(Btf.parse(base.bytes()).split(split.bytes()));
      return dumpRaw(small).text() + dumpRaw(btf).text();
    };
    expect(of(big)).toBe(of(little));
  });

  test("refuses what is no split, and references that a distilled base cannot hold", () => {
    expect(refused(() => distill(Btf.parse(everyKind().bytes()))).code).toBe("ERR_DISTILL_BASE");
    const base = everyKind();
    const split = new Image({ base });
    split.declTag("x", 12);
    const error = refused(() => distill(Btf.parse(base.bytes()).split(split.bytes())));
    expect([error.code, error.message]).toEqual([
      "ERR_DISTILL_KIND",
      expect.stringMatching(/type \[20\] refers to type \[12\].*FUNC/),
    ]);
  });
});

describe("rebase", () => {
  const kernel = (change: (b: BtfBuilder, int: TypeId) => void): Btf => {
    const b = new BtfBuilder();
    b.typedef("first", b.id(2));
    const int = b.int("int", { byteSize: 4, isSigned: true });
    change(b, int);
    return b.build();
  };
  const usual = (b: BtfBuilder, int: TypeId): void => {
    b.struct("later", { byteSize: 4 }, [["bits", int, { bitfieldSize: 3 }]]);
    b.enum("color", { byteSize: 8 }, [["RED", 1]]);
    b.struct("point", { byteSize: 8 }, [["y", int]]);
  };

  test("finds types by name, wherever they are, and kinds that stand for others", () => {
    const { btf, map } = rebase(distill(module()).btf, kernel(usual));
    const mine = btf.find("mine", "struct")!;
    expect(mine.members.map(({ type }) => type.kind)).toEqual(["struct", "enum", "union", "ptr", "int"]);
    expect(mine.members[0]!.type).toMatchObject({ name: "point", members: [{ name: "y" }] });
    const ptr = mine.members[3]!.type;
    expect(ptr.kind === "ptr" && ptr.target).toMatchObject({ kind: "struct", name: "later" });
    expect(map.length).toBe(distill(module()).btf.size);
  });

  test("names what the new base lacks, and what uses it", () => {
    const error = refused(() =>
      rebase(
        distill(module()).btf,
        kernel((b) => b.fwd("later")),
      ),
    );
    expect(error).toMatchObject({ code: "ERR_REBASE_MISSING", name: "BtfLookupError" });
    expect(error.message).toMatch(/has no STRUCT "point" of 8 bytes; used by STRUCT \[5\] "mine", UNION \[6\]/);
  });

  test("refuses an embedded struct of another size, says what there is instead", () => {
    const other = kernel((b, int) => {
      b.struct("later", { byteSize: 4 });
      b.enum("color", { byteSize: 8 }, [["RED", 1]]);
      b.struct("point", { byteSize: 12 }, [["y", int]]);
    });
    expect(refused(() => rebase(distill(module()).btf, other)).message).toMatch(
      /"point" of 8 bytes, only STRUCT \[5\] of 12 bytes/,
    );
  });

  test("refuses two that fit", () => {
    const twice = kernel((b, int) => {
      usual(b, int);
      b.struct("point", { byteSize: 8 }, [["z", int]]);
    });
    const error = refused(() => rebase(distill(module()).btf, twice));
    expect([error.code, error.message]).toEqual([
      "ERR_REBASE_AMBIGUOUS",
      expect.stringMatching(/STRUCT "point" is there as types \[5\] and \[6\]/),
    ]);
  });

  test("takes the one of two that has the size", () => {
    const twice = kernel((b, int) => {
      b.struct("point", { byteSize: 16 }, [["z", int]]);
      usual(b, int);
    });
    expect(rebase(distill(module()).btf, twice).btf.find("mine", "struct")?.members[0]?.type).toMatchObject({
      byteSize: 8,
    });
  });

  test("refuses a union for a struct, a base that is not distilled, and another byte order", () => {
    const union = kernel((b, int) => {
      b.fwd("later");
      b.enum("color", { byteSize: 8 }, [["RED", 1]]);
      b.union("point", { byteSize: 8 }, [["y", int]]);
    });
    expect(refused(() => rebase(distill(module()).btf, union)).code).toBe("ERR_REBASE_MISSING");
    expect(refused(() => rebase(module(), kernel(usual))).code).toBe("ERR_REBASE_BASE");
    expect(refused(() => rebase(kernel(usual), kernel(usual))).code).toBe("ERR_REBASE_BASE");
    const big = Btf.parse(everyKind({ endian: "big" }).bytes());
    expect(refused(() => rebase(distill(module()).btf, big)).code).toBe("ERR_REBASE_ENDIAN");
  });
});

describe("permute and sort", () => {
  const btf = Btf.parse(everyKind().bytes());

  test("sorted by name: anonymous first, same types", () => {
    const { btf: sorted, map } = sortByName(btf);
    const names = [...sorted].map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    const [before, after] = [fingerprints(btf), fingerprints(sorted)];
    for (let id = 1; id < btf.size; id++) expect(after.of(map[id]!)).toBe(before.of(id));
    expect(encode(sortByName(sorted).btf)).toEqual(encode(sorted));
  });

  test("a split keeps its base's ids", () => {
    const base = everyKind();
    const split = Btf.parse(base.bytes()).split(everyKind({ base }).bytes());
    const { btf: sorted, map } = sortByName(split);
    expect([...map.subarray(0, 20)]).toEqual([...Array(20).keys()]);
    expect(sorted.base).toBe(split.base);
    const [before, after] = [fingerprints(split), fingerprints(sorted)];
    for (let id = 20; id < split.size; id++) expect(after.of(map[id]!)).toBe(before.of(id));
  });

  test("refuses what is no permutation", () => {
    const map = (): Uint32Array => Uint32Array.from({ length: btf.size }, (_, id) => id);
    for (const change of [
      [0, 1],
      [1, 0],
      [1, 2],
      [3, 99],
    ] as const) {
      const wrong = map();
      wrong[change[0]] = change[1];
      expect(refused(() => permute(btf, wrong)).code).toBe("ERR_ARGUMENT");
    }
    expect(refused(() => permute(btf, new Uint32Array(3))).code).toBe("ERR_ARGUMENT");
  });

  needing("the corpus in ../shared")("a kernel sorted is a kernel still", () => {
    const kernel = openFile(corpusPath("vmlinux/6.1-cloud-amd64.btf.gz"));
    const { btf: sorted } = sortByName(kernel);
    expect(verify(sorted).ok).toBe(true);
    expect(dedup(sorted).btf.size).toBe(kernel.size);
  });
});

describe("sanitize", () => {
  // Well-formed for a kernel, one of each kind.
  const full = (): Btf => {
    const b = new BtfBuilder();
    const int = b.int("int", { byteSize: 4, isSigned: true });
    const proto = b.funcProto(int, [["n", int]]);
    b.func("run", proto, "global");
    const variable = b.var("counter", int, "global");
    b.datasec("?.data", { byteSize: 4 }, [[variable, { byteOffset: 0, byteSize: 4 }]]);
    b.float("double", { byteSize: 8 });
    b.declTag("tag", b.typedef("t", int));
    b.typeTag("user", int, { isAttribute: true });
    b.enum64("big", { isSigned: true }, [
      ["A", -1n],
      ["B", 2n],
    ]);
    b.enum("signed", {}, [["C", -1]]);
    return b.build();
  };

  for (const kernel of ["4.18", "5.0", "5.2", "5.6", "5.13", "5.16", "5.17", "6.0", "6.10", "6.15"]) {
    test(`what comes out for ${kernel} is loaded by it`, () => {
      const { btf } = sanitize(full(), { kernel });
      expect(verify(btf, { kernel }).findings.map(({ message }) => message)).toEqual([]);
    });
  }

  test("4.18 gets the shapes that libbpf gives it, ids stay", () => {
    const { btf, changed } = sanitize(full(), { kernel: "4.18" });
    expect([...btf].map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "int int",
      "enum ",
      "typedef run",
      "int counter",
      "struct __data",
      "struct ",
      "typedef t",
      "int tag",
      "const ",
      "union big",
      "enum signed",
      "int enum64_placeholder",
    ]); // prettier-ignore
    expect(btf.get(5)).toMatchObject({ members: [{ name: "counter", typeId: 4, bitOffset: 0 }] });
    expect(btf.get(10)).toMatchObject({
      members: [
        { name: "A", typeId: 12 },
        { name: "B", typeId: 12 },
      ],
    });
    expect(changed).toEqual([2, 3, 4, 5, 6, 8, 9, 10, 11]);
  });

  test("a kernel that knows all changes nothing", () => {
    const { btf, changed } = sanitize(full(), { kernel: "6.18" });
    expect([changed, dumpRaw(btf).text()]).toEqual([[], dumpRaw(full()).text()]);
  });

  test("features in place of a version", () => {
    const { changed } = sanitize(full(), {
      features: ["func", "func_global", "datasec", "qmark_datasec", "float", "decl_tag", "type_tag", "attributes"],
    });
    expect(changed).toEqual([10, 11]);
    for (const wrong of [{}, { kernel: "x" }, { kernel: "6.1", features: [] }, { features: ["speed" as never] }]) {
      expect(refused(() => sanitize(full(), wrong)).code).toBe("ERR_ARGUMENT");
    }
  });
});

describe("command line", () => {
  const folder = mkdtempSync(join(tmpdir(), "btfkit-reshape-"));
  const file = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const run = (...args: string[]): { code: number | null; out: string; error: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/btfkit.cjs", ...args]);
    return { code: status, out: stdout.toString(), error: stderr.toString() };
  };
  const split = module();
  const [base, mine] = [file("base.btf", encode(split.base!)), file("mine.btf", encode(split))];
  const out = (name: string): string => join(folder, name);

  test("convert", () => {
    expect(run("convert", base, "--endian", "big", "-o", out("be.btf"), "--json").out).toMatch(/"endian":"big"/);
    expect(dumpRaw(openFile(out("be.btf"))).text()).toBe(dumpRaw(split.base!).text());
    expect(run("convert", base, "--layout", "--sort", "-o", out("sorted.btf"))).toEqual({
      code: 0,
      out: "",
      error: "",
    });
    expect(openFile(out("sorted.btf")).header.layoutLength).toBe(80);
    expect(run("convert", base, "--endian", "odd").code).toBe(2);
  });

  test("distill and rebase", () => {
    expect(run("distill", mine, "-B", base).code).toBe(2);
    const done = run("distill", mine, "-B", base, "-o", out("d.btf"), "--base-output", out("d.base.btf"), "--json");
    expect(JSON.parse(done.out)).toMatchObject({ base: { types: 4 }, split: { types: 3 } });
    expect(run("rebase", out("d.btf"), "-B", out("d.base.btf"), "-N", base, "-o", out("r.btf")).code).toBe(0);
    expect(openFile(out("r.btf"), { base: openFile(base) }).find("mine")?.kind).toBe("struct");
    // One on a whole kernel is distilled on the way.
    expect(run("rebase", mine, "-B", base, "-N", base, "-o", out("r2.btf")).code).toBe(0);
    const lost = run(
      "rebase",
      out("d.btf"),
      "-B",
      out("d.base.btf"),
      "-N",
      file("none.btf", new Image().bytes()),
      "-o",
      out("none2.btf"),
    );
    expect(lost).toMatchObject({
      code: 1,
      error: expect.stringMatching(/no INT "int" of 4 bytes; used by STRUCT \[5\] "mine"/),
    });
    expect(existsSync(out("none2.btf"))).toBe(false);
  });

  test("sanitize", () => {
    expect(run("sanitize", base, "--kernel", "5.15", "-o", out("s.btf"), "--json").out).toMatch(/"changed":1,/);
    expect(verify(openFile(out("s.btf")), { kernel: "5.15" }).ok).toBe(true);
    // The second is a name that every object of JavaScript has.
    for (const one of ["x", "toString"]) {
      expect(run("sanitize", base, "--kernel", `func,${one}`, "-o", out("s2.btf"))).toMatchObject({
        code: 3,
        error: expect.stringMatching(`"${one}" is no feature`),
      });
      expect(existsSync(out("s2.btf"))).toBe(false);
    }
  });
});
