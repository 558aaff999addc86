// Small cases with a known answer: deduplication, alone and on a base, distilled
// bases and moves to another, appending. Each says in a line a type what goes in
// and what has to come out.
import { type Btf, BtfError, Btf as Opened } from "btfkit";
import { BtfBuilder, dedup, distill, encode, rebase } from "btfkit/edit";
import { describe, expect, test } from "vitest";
import { built, lines } from "../support/brief.js";
import * as image from "../support/image.js";
import { everyKind, Image } from "../support/image.js";

/** What dedup makes of the lines, and once more of that. */
function deduped(of: readonly string[], base?: Btf): string[] {
  const once = dedup(built(of, base)).btf;
  expect(lines(dedup(once).btf)).toEqual(lines(once));
  return lines(once);
}

/** Input, and what comes out; "same" if that is the input. */
const DEDUP: Record<string, readonly [input: readonly string[], output: readonly string[] | "same"]> = {
  "strings that nothing refers to": [["int int 4s", "int long 8s"], "same"],
  "equal ints, strings apart": [
    ["int int 4s", "int j 8s", "int int 4s", "int j 8s", "int int 4s"],
    ["int int 4s", "int j 8s"],
  ],
  "a struct that holds itself, and all it needs, twice over": [
    [
      "int int 4s",
      "array 1*16 by 1",
      "struct s 88: next 4@0, a 5@64, b 2@128, c 1@640, d 15@672",
      "ptr 3",
      "ptr 6",
      "const 1",
      "tag s 3",
      "tag s 3.1",
      "int int 4s",
      "array 9*16 by 9",
      "struct s 88: next 12@0, a 13@64, b 10@128, c 9@640, d 15@672",
      "ptr 11",
      "ptr 14",
      "const 9",
      "float float 4",
      "tag s 11",
      "tag s 11.1",
    ],
    [
      "int int 4s",
      "array 1*16 by 1",
      "struct s 88: next 4@0, a 5@64, b 2@128, c 1@640, d 9@672",
      "ptr 3",
      "ptr 6",
      "const 1",
      "tag s 3",
      "tag s 3.1",
      "float float 4",
    ],
  ],
  "a declaration met by its definition": [
    ["fwd x", "ptr 1", "struct s 8: x 2@0", "struct x 0", "ptr 4", "struct s 8: x 5@0"],
    ["ptr 3", "struct s 8: x 1@0", "struct x 0"],
  ],
  "void is no struct": [["struct - 1", "ptr 1", "struct s 8: x 2@0", "ptr 0", "struct s 8: x 4@0"], "same"],
  "one of each kind": [
    [
      "int A 8s",
      "enum B 4: C=0, D=1",
      "fwd E union",
      "array 2*7 by 1",
      "struct F 4: G 1@0",
      "union H 4: I 1@0",
      "typedef J 1",
      "ptr 0",
      "const 8",
      "volatile 8",
      "restrict 8",
      "proto 1: K 1, L 8",
      "func M 12 static",
      "float N 2",
      "tag O 13",
      "tag P 13.1",
      "typetag Q 8",
    ],
    "same",
  ],
  "ints and floats that differ in one thing": [
    [
      "int int 8s",
      "int other 8s",
      "int int 8c",
      "int int 8b",
      "int int 4s",
      "float float 2",
      "float float 4",
      "float float 8",
      "float float 12",
      "float float 16",
    ],
    "same",
  ],
  "enums declared before, behind, and unlike": [
    ["enum e1 4", "enum e1 4: a=123", "enum e2 4: b=456", "enum e2 4", "enum e1 4: a=321"],
    ["enum e1 4: a=123", "enum e2 4: b=456", "enum e1 4: a=321"],
  ],
  "variables and sections stay, what they refer to does not": [
    ["int i 4s", "var t 1 static", "datasec .bss 4: 2@0+4", "int i 4s", "var t 4 static", "datasec .bss 4: 5@0+4"],
    ["int i 4s", "var t 1 static", "datasec .bss 4: 2@0+4", "var t 1 static", "datasec .bss 4: 4@0+4"],
  ],
  "tags of variables, functions and arguments": [
    [
      "int i 4s",
      "var t 1 static",
      "proto 0: a1 1, a2 1",
      "func f 3 static",
      "tag x 2",
      "tag x 2",
      "tag x 4",
      "tag x 4",
      "tag x 4.1",
      "tag x 4.1",
    ],
    ["int i 4s", "var t 1 static", "proto 0: a1 1, a2 1", "func f 3 static", "tag x 2", "tag x 4", "tag x 4.1"],
  ],
  "tags of functions that become one": [
    [
      "int i 4s",
      "proto 0: a1 1, a2 1",
      "func f 2 static",
      "proto 0: a1 1, a2 1",
      "func f 4 static",
      "tag one 3",
      "tag two 3",
      "tag one 3.1",
      "tag two 3.1",
      "tag one 5",
      "tag three 5",
      "tag one 5.1",
      "tag three 5.1",
    ],
    [
      "int i 4s",
      "proto 0: a1 1, a2 1",
      "func f 2 static",
      "tag one 3",
      "tag two 3",
      "tag one 3.1",
      "tag two 3.1",
      "tag three 3",
      "tag three 3.1",
    ],
  ],
  "tags of structs and members that become one": [
    [
      "int i 4s",
      "struct t 8: m1 1@0, m2 1@32",
      "struct t 8: m1 1@0, m2 1@32",
      "tag one 2",
      "tag two 2",
      "tag one 2.1",
      "tag two 2.1",
      "tag one 3",
      "tag three 3",
      "tag one 3.1",
      "tag three 3.1",
    ],
    [
      "int i 4s",
      "struct t 8: m1 1@0, m2 1@32",
      "tag one 2",
      "tag two 2",
      "tag one 2.1",
      "tag two 2.1",
      "tag three 2",
      "tag three 2.1",
    ],
  ],
  "a typedef of a function that returns it": [
    ["typedef Foo 2", "proto 1", "typedef Foo 4", "proto 3"],
    ["typedef Foo 2", "proto 1"],
  ],
  typedefs: [
    ["int i 4s", "typedef foo 1", "int i 4s", "typedef foo 3"],
    ["int i 4s", "typedef foo 1"],
  ],
  "tags of typedefs": [
    ["int i 4s", "typedef t 1", "typedef t 1", "tag one 2", "tag two 2", "tag one 3", "tag three 3"],
    ["int i 4s", "typedef t 1", "tag one 2", "tag two 2", "tag three 2"],
  ],
  "type tags: two, two and one": [
    [
      "int i 4s",
      "typetag one 1",
      "typetag two 2",
      "ptr 3",
      "typetag one 1",
      "typetag two 5",
      "ptr 6",
      "typetag one 1",
      "ptr 8",
    ],
    ["int i 4s", "typetag one 1", "typetag two 2", "ptr 3", "ptr 2"],
  ],
  "type tags: the second alone": [
    ["int i 4s", "typetag one 1", "typetag two 2", "ptr 3", "typetag two 1", "ptr 5"],
    "same",
  ],
  "type tags in another order": [
    ["int i 4s", "typetag one 1", "typetag two 2", "ptr 3", "typetag two 1", "typetag one 5", "ptr 6"],
    "same",
  ],
  "type tags of another type": [["int i 4s", "typetag one 1", "ptr 2", "int j 8s", "typetag one 4", "ptr 5"], "same"],
  "type tags of a member": [
    ["int i 4s", "typetag one 1", "struct t 4: m 2@0:3", "typetag one 1", "struct t 4: m 4@0:3"],
    ["int i 4s", "typetag one 1", "struct t 4: m 2@0:3"],
  ],
  "enum64 twice": [["enum64 e1 8: v=4294967419", "enum64 e1 8: v=4294967419"], ["enum64 e1 8: v=4294967419"]],
  "enum64 declared before and behind, and unlike": [
    [
      "enum64 e1 8",
      "enum64 e1 8: v=4294967419",
      "enum64 e2 8: w=1958505086976",
      "enum64 e2 8",
      "enum64 e1 8: v=1378684502016",
    ],
    ["enum64 e1 8: v=4294967419", "enum64 e2 8: w=1958505086976", "enum64 e1 8: v=1378684502016"],
  ],
  "enum and enum64": [["enum e1 4: v=1", "enum64 e1 4: v=1"], "same"],
  "enums of unequal size": [["enum e1 4: v=1", "enum e1 2: v=1"], "same"],
  "an enum declared, defined as enum64": [
    ["enum64 e1 8: v=1", "enum e1 4", "typedef td 2"],
    ["enum64 e1 8: v=1", "typedef td 1"],
  ],
  "an enum64 declared, defined as enum": [
    ["enum e1 4: v=1", "enum64 e1 8", "typedef td 2"],
    ["enum e1 4: v=1", "typedef td 1"],
  ],
  "a declaration met by its definition elsewhere": [
    ["int int 4s", "struct foo 4: x 1@0", "ptr 2", "int k 8", "fwd foo", "ptr 5", "struct holder 8: p 6@0"],
    ["int int 4s", "struct foo 4: x 1@0", "ptr 2", "int k 8", "struct holder 8: p 3@0"],
  ],
  "a declaration alone, of a struct": [
    ["struct foo 4: x 2@0", "int i 4s", "fwd foo", "ptr 3", "typedef foo_ptr 4"],
    ["struct foo 4: x 2@0", "int i 4s", "ptr 1", "typedef foo_ptr 3"],
  ],
  "a declaration alone, of a union": [
    ["union foo 4: x 2@0", "int i 4s", "fwd foo union", "ptr 3", "typedef foo_ptr 4"],
    ["union foo 4: x 2@0", "int i 4s", "ptr 1", "typedef foo_ptr 3"],
  ],
  "a declaration alone, of which there are two definitions": [
    ["struct foo 4: x 2@0", "int i 4s", "fwd foo", "ptr 3", "typedef foo_ptr 4", "struct foo 8: x 2@0, y 2@0"],
    "same",
  ],
  "a declaration that says it is a struct where there is a union too": [
    ["int int 4s", "struct foo 4: x 1@0", "union foo 4: x 1@0", "fwd foo", "ptr 4"],
    ["int int 4s", "struct foo 4: x 1@0", "union foo 4: x 1@0", "ptr 2"],
  ],
  "an enum declared, then defined in two ways": [
    ["enum e 4", "typedef t 1", "enum e 4: a=1", "enum e 4: b=2"],
    ["typedef t 3", "enum e 4: a=1", "enum e 4: b=2"],
  ],
  "an enum defined, declared, and defined in another way": [
    ["enum e 4: a=1", "enum e 4", "typedef t 2", "enum e 4: b=2"],
    ["enum e 4: a=1", "typedef t 1", "enum e 4: b=2"],
  ],
  "an enum that is only declared, as enum and enum64, of two sizes": [
    ["enum e 4", "enum64 e 8", "enum e 1", "typedef t 2"],
    ["enum e 4", "typedef t 1"],
  ],
  "an enum declared and defined in two ways: the one that a struct asks for": [
    ["enum e 4: a=1", "enum e 4: b=2", "enum e 4", "struct s 4: e 2@0", "struct s 4: e 3@0"],
    ["enum e 4: a=1", "enum e 4: b=2", "struct s 4: e 2@0"],
  ],
  "a declaration of a union where there is a struct": [
    ["int int 4s", "struct foo 4: x 1@0", "fwd foo union", "ptr 3"],
    "same",
  ],
  "equal structs without a name inside one": [
    ["int int 4s", "struct s 8: a 3@0, b 4@0", "struct - 8: f1 1@0, f2 1@32", "struct - 8: f1 1@0, f2 1@32"],
    ["int int 4s", "struct s 8: a 3@0, b 3@0", "struct - 8: f1 1@0, f2 1@32"],
  ],
  "equal arrays inside a struct": [
    ["int int 4s", "array 1*2 by 1", "array 1*2 by 1", "struct s 16: a 2@0, b 3@64", "struct s 16: a 2@0, b 2@64"],
    ["int int 4s", "array 1*2 by 1", "struct s 16: a 2@0, b 2@64"],
  ],
};

describe("deduplication", () => {
  for (const [name, [input, output]] of Object.entries(DEDUP)) {
    test(name, () => expect(deduped(input)).toEqual(output === "same" ? input : output));
  }

  test("ints that differ in their bits alone", () => {
    const to = new Image();
    for (const [offset, bits] of [
      [0, 32],
      [8, 32],
      [0, 27],
      [8, 32],
    ] as const) {
      to.int("int", 8, 1, bits, offset);
    }
    expect(lines(dedup(Opened.parse(to.bytes())).btf)).toEqual([
      "int int 8s 0+32",
      "int int 8s 8+32",
      "int int 8s 0+27",
    ]);
  });

  test("strings come out once, in the order in which types use them", () => {
    const to = new Image();
    to.string("unused");
    to.int("int", 4, 1);
    to.composite(image.STRUCT, "s", 4, [["int", 1, 0]]);
    const made = encode(dedup(Opened.parse(to.bytes())).btf);
    expect(Buffer.from(made.subarray(made.length - 7)).toString()).toBe("\0int\0s\0");
  });
});

describe("deduplication on a base", () => {
  test("types of the base are not repeated", () => {
    const base = built(["int int 4s", "ptr 1", "struct s1 4: f1 1@0"]);
    expect(deduped(["struct s2 16: f1 6@0, f2 5@32, f3 2@64", "int int 4s", "struct s1 4: f1 5@0"], base)).toEqual([
      "struct s2 16: f1 3@0, f2 1@32, f3 2@64",
    ]);
  });

  test("a declaration is met by the base's definition", () => {
    const base = built(["int int 4s", "ptr 4", "ptr 5", "struct s1 16: f1 2@0, f2 3@64", "struct s2 4: f1 1@0"]);
    expect(deduped(["int int 4s", "ptr 10", "fwd s2", "ptr 8", "struct s1 16: f1 7@0, f2 9@64"], base)).toEqual([]);
  });

  test("a definition of what the base only declares brings its users along", () => {
    const base = built(["int int 4s", "ptr 5", "fwd s2", "ptr 3", "struct s1 16: f1 2@0, f2 4@64"]);
    const split = [
      "int int 4s",
      "ptr 10",
      "fwd s2",
      "ptr 11",
      "struct s1 16: f1 7@0, f2 9@64",
      "struct s2 40: f1 7@0, f2 9@64, f3 6@128, f4 10@192",
      "ptr 8",
      "struct s3 8: f1 12@0",
    ];
    expect(deduped(split, base)).toEqual([
      "ptr 8",
      "ptr 9",
      "struct s1 16: f1 6@0, f2 7@64",
      "struct s2 40: f1 6@0, f2 7@64, f3 1@128, f4 8@192",
      "struct s3 8: f1 7@0",
    ]);
  });

  test("a base that was deduplicated takes the same again", () => {
    const unit = (first: number): string[] => [
      "int int 4s",
      `struct s 8: a ${first + 3}@0, b ${first + 4}@0`,
      `struct (anon) 8: f1 ${first + 1}@0, f2 ${first + 1}@32`,
      `struct (anon) 8: f1 ${first + 1}@0, f2 ${first + 1}@32`,
    ];
    const base = dedup(built(unit(0))).btf;
    expect(lines(base)).toEqual(["int int 4s", "struct s 8: a 3@0, b 3@0", "struct (anon) 8: f1 1@0, f2 1@32"]);
    expect(deduped(unit(3), base)).toEqual([]);
  });
});

const code = (act: () => unknown): string => {
  try {
    act();
    return "none";
  } catch (error) {
    if (error instanceof BtfError) return error.code;
    throw error;
  }
};

describe("distilling", () => {
  const base = built([
    "int int 4s",
    "ptr 1",
    "struct s1 8: f1 2@0",
    "struct - 12: f1 1@0, f2 3@32",
    "int unsigned 4",
    "union u1 12: f1 1@0, f2 2@0",
    "union - 4: f1 1@0",
    "enum e1 4: v1=1",
    "enum - 4: av1=2",
    "enum64 e641 8s: v1=1024",
    "enum64 - 8s: v1=1025",
    "struct unneeded 4: f1 1@0",
    "struct embedded 4: f1 1@0",
    "proto 1: p1 1",
    "array 1*3 by 1",
    "struct from_proto 4: f1 1@0",
    "union u1 4: f1 1@0",
  ]);
  const split = built(
    [
      "ptr 3",
      "ptr 4",
      "const 6",
      "restrict 7",
      "volatile 8",
      "typedef et 9",
      "const 10",
      "ptr 11",
      "struct with_embedded 4: f1 13@0",
      "func fn 14 static",
      "typedef arraytype 15",
      "proto 1: p1 16",
    ],
    base,
  );

  test("the base keeps names and sizes of what is used, the split takes what has no name", () => {
    const made = distill(split);
    expect(lines(made.base)).toEqual([
      "int int 4s",
      "struct s1 8",
      "union u1 12",
      "enum e1 4",
      "enum e641 8",
      "struct embedded 4",
      "struct from_proto 4",
    ]);
    expect(lines(made.btf)).toEqual([
      "ptr 2",
      "ptr 20",
      "const 3",
      "restrict 21",
      "volatile 4",
      "typedef et 22",
      "const 5",
      "ptr 23",
      "struct with_embedded 4: f1 6@0",
      "func fn 24 static",
      "typedef arraytype 25",
      "proto 1: p1 7",
      "struct - 12: f1 1@0, f2 2@32",
      "union - 4: f1 1@0",
      "enum - 4: av1=2",
      "enum64 - 8s: v1=1025",
      "proto 1: p1 1",
      "array 1*3 by 1",
    ]);
  });

  test("back on its base it is what it was, and what has no name stands behind", () => {
    expect(lines(rebase(distill(split).btf, base).btf)).toEqual([
      "ptr 3",
      "ptr 30",
      "const 6",
      "restrict 31",
      "volatile 8",
      "typedef et 32",
      "const 10",
      "ptr 33",
      "struct with_embedded 4: f1 13@0",
      "func fn 34 static",
      "typedef arraytype 35",
      "proto 1: p1 16",
      "struct - 12: f1 1@0, f2 3@32",
      "union - 4: f1 1@0",
      "enum - 4: av1=2",
      "enum64 - 8s: v1=1025",
      "proto 1: p1 1",
      "array 1*3 by 1",
    ]);
  });

  const two = built(["int int 4s", "int int 8s"]);
  const onTwo = (): Btf => distill(built(["ptr 1", "const 2"], two)).btf;

  test("names are told apart by size", () => {
    expect(lines(onTwo().base!)).toEqual(["int int 4s", "int int 8s"]);
    expect(lines(rebase(onTwo(), two).btf)).toEqual(["ptr 1", "const 2"]);
  });

  test("a base without one of them", () => {
    expect(code(() => rebase(onTwo(), built(["int int 4s"])))).toBe("ERR_REBASE_MISSING");
  });

  test("two of one name and size, before or behind", () => {
    const twice = built(["int int 4s", "int int 4s"]);
    const both = distill(built(["ptr 1", "const 2"], twice)).btf;
    expect(lines(both.base!)).toEqual(["int int 4s", "int int 4s"]);
    expect(code(() => rebase(both, twice))).toBe("ERR_REBASE_AMBIGUOUS");
    const one = distill(built(["ptr 1"], built(["int int 4s"]))).btf;
    expect(code(() => rebase(one, twice))).toBe("ERR_REBASE_AMBIGUOUS");
  });

  test("a struct that is held by value has to keep its size", () => {
    const small = built(["int int 4s", "struct s1 4: f1 1@0"]);
    const large = built(["int int 4s", "struct s1 8: f1 1@0"]);
    const held = distill(built(["struct with_embedded 8: e1 2@0"], small));
    expect(lines(held.base)).toEqual(["struct s1 4"]);
    expect(lines(held.btf)).toEqual(["struct with_embedded 8: e1 1@0"]);
    expect(code(() => rebase(held.btf, large))).toBe("ERR_REBASE_MISSING");
    const pointed = distill(built(["ptr 2"], small)).btf;
    expect(lines(rebase(pointed, large).btf)).toEqual(["ptr 2"]);
  });

  test("a declaration is met by a declaration sooner than by a struct with bitfields", () => {
    const declared = built(["int int 4s", "fwd c", "struct c 8: b 1@0:3"]);
    const held = distill(built(["ptr 2"], declared)).btf;
    expect(lines(rebase(held, declared).btf)).toEqual(["ptr 2"]);
    expect(lines(rebase(held, built(["int int 4s", "struct c 8: b 1@0:3"])).btf)).toEqual(["ptr 2"]);
    expect(code(() => rebase(held, built(["fwd c", "struct c 8"])))).toBe("ERR_REBASE_AMBIGUOUS");
  });

  test("a definition is taken where the base declares it too", () => {
    const base = built(["int int 4s", "struct b 8: x 1@0", "fwd b"]);
    const held = distill(built(["struct mine 8: b 2@0"], base)).btf;
    expect(lines(rebase(held, base).btf)).toEqual(["struct mine 8: b 2@0"]);
  });

  test("a split that uses nothing of its base by name is whole", () => {
    const base = built(["int int 4s", "enum - 4: E=1", "typedef d 2"]);
    const made = distill(built(["ptr 3"], base));
    expect([lines(made.base), lines(made.btf)]).toEqual([[], ["ptr 3", "enum - 4: E=1", "typedef d 2"]]);
  });

  test("both keep the byte order", () => {
    const b = new BtfBuilder({ endian: "big" });
    b.int("int", { byteSize: 4, isSigned: true });
    const s = new BtfBuilder({ base: b.build() });
    s.ptr(s.id(1));
    const made = distill(s.build());
    expect([made.base.endian, made.btf.endian]).toEqual(["big", "big"]);
    const again = Opened.parse(encode(made.base));
    expect([again.endian, lines(again), lines(again.split(encode(made.btf)))]).toEqual([
      "big",
      ["int int 4s"],
      ["ptr 1"],
    ]);
  });
});

describe("appending", () => {
  test("ids and names of what is appended move, those of a common base stay", () => {
    const base = built(["int int 4s", "ptr 1"]);
    const one = built(["struct s 8: p 2@0"], base);
    const two = built(["struct t 16: s 4@0, p 2@64", "struct s 8: p 2@0"], base);
    const b = new BtfBuilder({ base });
    expect([b.append(one), b.append(two)]).toEqual([0, 1]);
    expect(lines(b.build())).toEqual(["struct s 8: p 2@0", "struct t 16: s 5@0, p 2@64", "struct s 8: p 2@0"]);
  });

  test("one of each kind, to one of each kind", () => {
    const each = Opened.parse(everyKind().bytes());
    const b = new BtfBuilder();
    b.append(each);
    b.append(each);
    const both = b.build();
    expect(both.size).toBe(39);
    expect(both.get(19 + 4)).toMatchObject({ members: [{ typeId: 20 }, { typeId: 20 }] });
    expect(both.get(19 + 17)).toMatchObject({ targetId: 19 + 4, componentIndex: 1 });
    expect(both.header.stringsLength).toBe(each.header.stringsLength);
  });
});
