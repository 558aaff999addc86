// BTF of other languages as C: compilers take the headers, and sizes and offsets stay.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Btf, type BtfType, dumpC, fieldOf, sizeOf } from "btfkit";
import { readObject } from "btfkit/bpf";
import { fitForC } from "btfkit/edit";
import { describe, expect, test } from "vitest";
import { built, lines } from "../support/brief.js";
import { everyKind, Image, STRUCT } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { objectNames } from "../support/objects.js";

const RUST = [
  "int u32 4",
  "int i8 1s",
  "struct core::Option<u32> 8: 0 1@0, x 1@32",
  "ptr 3",
  "struct user 8: f 4@0",
  "ptr 5",
  "struct behind 8: user 6@0",
  "struct holds 8: user 5@0",
  "typedef opt_t 4",
  "proto 4: self 1",
  "struct keyword 8: default 1@0, other 1@32",
  "struct moved 8: b 1@32, a 2@0",
  "enum Kind::A 4: x::y=1",
  "struct plain 8: a 1@0, e 2@32",
  "array 3*2 by 1",
  "struct array 16: a 15@0",
  "float f32 4",
  "struct floats 4: f 17@0",
] as const;

describe("fitForC", () => {
  test("leaves out what cannot be named, and what cannot be said without it", () => {
    const { btf, omitted, renamed, sorted } = fitForC(built(RUST));
    expect([omitted, renamed, sorted]).toEqual([[3, 4, 5, 8, 9, 10, 11, 13, 15, 16], [], [12]]);
    expect(lines(btf)).toEqual([
      "int unsigned int 4",
      "int char 1s",
      "ptr 0",
      "ptr 0",
      "fwd user",
      "ptr 5",
      "struct behind 8: user 6@0",
      "fwd holds",
      "ptr 0",
      "ptr 0",
      "fwd keyword",
      "struct moved 8: a 2@0, b 1@32",
      "ptr 0",
      "struct plain 8: a 1@0, e 2@32",
      "ptr 0",
      "fwd array",
      "float float 4",
      "struct floats 4: f 17@0",
    ]);
  });

  test("renames and leaves nothing out", () => {
    const { btf, omitted, renamed } = fitForC(built(RUST), { names: true });
    expect([omitted, renamed]).toEqual([[], [3, 11, 13]]);
    expect([btf.get(3)?.name, btf.get(11)?.name]).toEqual(["core__Option_u32_", "keyword"]);
    expect(fieldOf(btf, btf.get(3)!, "_0").bitOffset).toBe(0);
    expect(fieldOf(btf, btf.get(11)!, "default_").bitOffset).toBe(0);
  });

  test("what has no name gets one that nothing else has", () => {
    const image = new Image();
    const int = image.int("int", 4, 1);
    image.composite(STRUCT, "bare", 12, [
      ["", int, 0],
      ["_0", int, 32],
      ["", int, 64],
    ]);
    const { btf, renamed } = fitForC(Btf.parse(image.bytes()), { names: true });
    expect([lines(btf)[1], renamed]).toEqual(["struct bare 12: _0_2 1@0, _0 1@32, _2 1@64", [2]]);
  });

  test("two names that become one are kept apart", () => {
    const { btf } = fitForC(built(["int int 4s", "struct s 8: a-b 1@0, a+b 1@32"]), { names: true });
    expect(lines(btf)[1]).toBe("struct s 8: a_b 1@0, a_b_2 1@32");
  });

  test("a split's base stays, and ids go on behind it", () => {
    const base = built(["int int 4s", "struct point 8: x 1@0, y 1@32"]);
    const split = built(["struct a::b 8: p 2@0", "struct user 8: p 3@0", "struct fine 8: p 2@0"], base);
    const { btf, omitted } = fitForC(split);
    expect([omitted, btf.firstId, btf.get(5)?.name]).toEqual([[3, 4], 3, "fine"]);
  });

  test("what C takes stays byte for byte in the header", () => {
    for (const btf of [Btf.parse(everyKind().bytes()), Btf.parse(everyKind({ endian: "big" }).bytes())]) {
      expect(dumpC(fitForC(btf).btf).text()).toBe(dumpC(btf).text());
    }
  });

  test("a chain of 100,000, and loops", () => {
    const chain = ["struct odd<> 4", ...Array.from({ length: 100_000 }, (_, i) => `ptr ${i + 1}`)];
    expect(fitForC(built(chain)).omitted.length).toBe(100_001);
    expect(fitForC(built(["const 2", "const 1", "struct 0x 4: a 1@0"])).omitted).toEqual([3]);
  });

  const compiles = (text: string, standard: string): string =>
    execFileSync("gcc", ["-std=gnu2x", `-std=${standard}`, "-Wall", "-Werror", "-fsyntax-only", "-xc", "-"], {
      input: text,
      stdio: ["pipe", "pipe", "pipe"],
      encoding: "utf8",
    });
  const sizes = (btf: Btf, names: (type: BtfType) => boolean): string =>
    [...btf.types()]
      .flatMap((type) =>
        type.kind === "struct" && type.name && names(type)
          ? [`_Static_assert(sizeof(struct ${type.name}) == ${sizeOf(type)}, "");\n`]
          : [],
      )
      .join("");
  needing("gcc and libbpf-dev", "the corpus in ../shared")(
    "Rust's objects compile, left out or renamed, with the sizes that they have",
    () => {
      const rust = Btf.parse(readFileSync(corpusPath("../cases/btf/rust.btf")));
      const object = readObject(readFileSync(corpusPath("../cases/objects/rust-names.o"))).btf!;
      for (const btf of [rust, object, built(RUST)]) {
        for (const names of [false, true]) {
          const fit = fitForC(btf, { names }).btf;
          const text = dumpC(fit, { preserveAccessIndex: false }).text();
          const counts = new Map<string, number>();
          for (const { kind, name } of fit.types())
            if (kind === "struct") counts.set(name, (counts.get(name) ?? 0) + 1);
          for (const standard of ["gnu11", "gnu17", "gnu2x"])
            compiles(text + sizes(fit, ({ name }) => counts.get(name) === 1), standard);
        }
      }
    },
  );

  needing("the corpus in ../shared")("C's objects are left as they are", () => {
    for (const name of objectNames) {
      const { btf } = readObject(readFileSync(corpusPath(`objects/${name}`)));
      if (!btf) continue;
      const fit = fitForC(btf);
      expect([name, fit.omitted, fit.renamed, fit.sorted]).toEqual([name, [], [], []]);
      expect(dumpC(fit.btf).text() === dumpC(btf).text()).toBe(true);
    }
  });
});
