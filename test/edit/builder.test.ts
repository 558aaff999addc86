// The builder against libbpf's own: the same calls give the same bytes, the
// same mistakes are refused.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Btf, BtfError, type BtfType, dumpRaw } from "btfkit";
import { BtfBuilder, type TypeId } from "btfkit/edit";
import { layout } from "btfkit/inspect";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { everyKind, Image, LAYOUT } from "../support/image.js";
import { nativeProgram } from "../support/native.js";
import { corpusPath, needing } from "../support/needs.js";

function everyKindBuilt(builder = new BtfBuilder()): BtfBuilder {
  const b = builder;
  const int = b.int("int", { byteSize: 4, isSigned: true });
  const double = b.float("double", { byteSize: 8 });
  const ptr = b.ptr(b.id(b.nextId + 1));
  const point = b.struct("point", { byteSize: 12 }, [
    ["x", int],
    ["bits", int, { bitOffset: 32, bitfieldSize: 3 }],
    ["", ptr, { bitOffset: 64 }],
  ]);
  const union = b.union("", { byteSize: 8 }, [
    ["a", int],
    ["d", double],
  ]);
  b.enum("color", {}, [
    ["RED", 0],
    ["BLUE", -1],
  ]);
  b.enum("wide", { byteSize: 8 }, [["TOP", 0xffffffff]]);
  b.enum64("big", { isSigned: true }, [
    ["MIN", -5n],
    ["x", 7],
  ]);
  b.fwd("later");
  b.fwd("or", "union");
  b.fwd("else", "enum");
  const typedef = b.typedef("point_t", point);
  const constant = b.const(typedef);
  const volatile = b.volatile(constant);
  b.restrict(ptr);
  b.typeTag("user", volatile);
  b.array(union, { length: 5, index: int });
  const proto = b.funcProto(int, [
    ["n", int],
    ["", 0],
  ]);
  b.func("run", proto, "global");
  const variable = b.var("counter", int, "extern");
  b.datasec(".data", { byteSize: 8 }, [[variable, { byteOffset: 4, byteSize: 4 }]]);
  b.declTag("tag", point, { componentIndex: 1 });
  b.declTag("tag", point);
  return b;
}

const native = (...args: string[]): Uint8Array<ArrayBuffer> => {
  const out = join(mkdtempSync(join(tmpdir(), "btfkit-")), "out.btf");
  execFileSync(nativeProgram("write"), [args[0]!, out, ...args.slice(1)]);
  return new Uint8Array(readFileSync(out));
};

const withLibbpf = needing("gcc and libbpf-dev");

describe("bytes equal libbpf's", () => {
  withLibbpf("one of each kind", () => {
    expect(Buffer.from(everyKindBuilt().encode()).equals(native("kinds"))).toBe(true);
  });

  needing("gcc and libbpf-dev", "the corpus in ../shared")("objects appended, one after the other", () => {
    const folder = corpusPath("objects");
    const paths = readdirSync(folder)
      .filter((name) => name.startsWith("lt026-"))
      .map((name) => join(folder, name));
    const builder = new BtfBuilder();
    for (const path of paths) builder.append(openFile(path));
    expect(Buffer.from(builder.encode()).equals(native("append", ...paths))).toBe(true);
  });
});

describe("builds", () => {
  test("what it was told, in both byte orders", () => {
    const text = dumpRaw(everyKindBuilt().build()).text();
    const big = everyKindBuilt(new BtfBuilder({ endian: "big" }));
    expect(dumpRaw(big.build()).text()).toBe(text);
    expect([...big.encode().subarray(0, 2)]).toEqual([0xeb, 0x9f]);
    expect(text).toContain(
      "[4] STRUCT 'point' size=12 vlen=3\n\t'x' type_id=1 bits_offset=0\n\t'bits' type_id=1 bits_offset=32 bitfield_size=3",
    );
  });

  test("a split on a base, with ids and strings that go on, views of the base taken", () => {
    const base = everyKindBuilt().build();
    const b = new BtfBuilder({ base });
    expect(b.nextId).toBe(base.size);
    const point = base.require("point", "struct");
    const id = b.struct("more", { byteSize: 16 }, [
      ["point", point],
      ["x", base.require("int"), { bitOffset: 96 }],
    ]);
    const built = b.build();
    expect(built.get(id)).toMatchObject({ kind: "struct", name: "more", members: [{ name: "point" }, { name: "x" }] });
    expect(built.find("more", "struct")?.members[0]?.type).toBe(point);
    // "x" and "point" are the base's strings.
    expect(built.header.stringsLength).toBe("more\0".length);
    expect(b.findString("x")).toBeLessThan(base.header.stringsLength);
  });

  test("nothing: an empty image, alone and split", () => {
    const empty = new BtfBuilder().build();
    expect([empty.size, empty.header.stringsLength]).toEqual([1, 1]);
    expect(new BtfBuilder({ base: empty }).build().header.stringsLength).toBe(0);
  });

  test("attributes carry kind_flag", () => {
    const b = new BtfBuilder();
    const int = b.int("int", { byteSize: 4 });
    b.typeTag("aligned", int, { isAttribute: true });
    b.declTag("weak", b.var("v", int), { isAttribute: true });
    expect([...b.build()].map(({ kindFlag }) => kindFlag)).toEqual([false, true, false, true]);
  });

  test("strings once each", () => {
    const b = new BtfBuilder();
    expect(b.string("name")).toBe(b.string("name"));
    expect([b.findString("name"), b.findString("other"), b.findString("")]).toEqual([1, undefined, 0]);
    for (let i = 0; i < 3000; i++) b.typedef(`t${i % 1500}`, 0);
    expect(b.build().header.stringsLength).toBe(1 + [...Array(1500).keys()].join("t\0").length + 2 + "name\0".length);
  });

  test("header of 32 bytes, layout section, pointer size", () => {
    const btf = Btf.parse(everyKindBuilt().encode({ header: 32, layout: true }));
    expect([btf.header.headerLength, btf.header.layoutLength]).toEqual([32, 80]);
    expect(new BtfBuilder({ pointerSize: 4 }).build().pointerSize).toBe(4);
  });
});

describe("takes types of another Btf", () => {
  test("one, with everything it needs, each once", () => {
    const source = everyKindBuilt().build();
    const b = new BtfBuilder();
    b.int("before", { byteSize: 1 });
    const id = b.copy(source.require("point", "struct"));
    const again = b.copy(source.require("point_t", "typedef"));
    const built = b.build();
    const point = built.get(id)!;
    expect(point).toMatchObject({
      kind: "struct",
      name: "point",
      byteSize: 12,
      members: [{ name: "x" }, { name: "bits", bitfieldSize: 3 }, { name: "" }],
    });
    expect(point.kind === "struct" && point.members[2]!.type).toMatchObject({ kind: "ptr", targetId: id });
    expect(built.get(again)).toMatchObject({ kind: "typedef", targetId: id });
    // before, point, int, ptr, point_t
    expect(built.size).toBe(6);
  });

  test("a split's, its base's types too", () => {
    const base = everyKind();
    const parsed = Btf.parse(base.bytes());
    const split = new Image({ base });
    split.composite(4, "outer", 8, [["inner", 4, 0]]);
    const from = parsed.split(split.bytes());
    const b = new BtfBuilder();
    b.copy(from.require("outer"));
    const built = b.build();
    expect([...built].map(({ name }) => name)).toEqual(["outer", "point", "int"]);
    const onBase = new BtfBuilder({ base: parsed });
    expect(onBase.copy(parsed.require("point"))).toBe(4);
    expect([onBase.append(from), onBase.build().size]).toEqual([0, 21]);
    expect([onBase.append(from), onBase.build().size]).toEqual([1, 22]);
  });

  test("all of them, ids shifted", () => {
    const source = everyKindBuilt().build();
    const b = new BtfBuilder();
    b.int("int", { byteSize: 4, isSigned: true });
    const shift = b.append(source);
    expect(shift).toBe(1);
    const built = b.build();
    expect(built.size).toBe(source.size + 1);
    expect(built.get(source.require("point").id + shift)).toMatchObject({
      name: "point",
      members: [{ typeId: 2 }, { typeId: 2 }, { typeId: 4 }],
    });
    expect(built.header.stringsLength).toBe(source.header.stringsLength);
    // It goes on behind a struct that came with the image.
    b.struct("last", { byteSize: 4 });
    b.append(b.build());
    b.member("added", b.id(1));
    expect(b.build().get(b.nextId - 1)).toMatchObject({ name: "last", members: [{ name: "added" }] });
  });

  test("of the other byte order", () => {
    const b = new BtfBuilder({ endian: "little" });
    b.append(Btf.parse(everyKind({ endian: "big" }).bytes()));
    expect(dumpRaw(b.build()).text()).toBe(dumpRaw(Btf.parse(everyKind().bytes())).text());
  });
});

const prepared = (): { b: BtfBuilder; int: TypeId } => {
  const b = new BtfBuilder();
  return { b, int: b.int("int", { byteSize: 4 }) };
};

describe("refuses, and is left as it was", () => {
  const cases: Record<string, [code: string, act: (b: BtfBuilder, int: TypeId) => unknown]> = {
    "an INT without a name": ["ERR_BUILD_NAME", (b) => b.int("", { byteSize: 4 })],
    "an INT of 3 bytes": ["ERR_BUILD_SIZE", (b) => b.int("i", { byteSize: 3 })],
    "an INT of 32 bytes": ["ERR_BUILD_SIZE", (b) => b.int("i", { byteSize: 32 })],
    "an INT with encoding 8": ["ERR_BUILD_ENCODING", (b) => b.int("i", { byteSize: 4, encoding: 8 })],
    "a FLOAT without a name": ["ERR_BUILD_NAME", (b) => b.float("", { byteSize: 4 })],
    "a FLOAT of 3 bytes": ["ERR_BUILD_SIZE", (b) => b.float("f", { byteSize: 3 })],
    "a TYPEDEF without a name": ["ERR_BUILD_NAME", (b, int) => b.typedef("", int)],
    "a TYPE_TAG without a value": ["ERR_BUILD_NAME", (b, int) => b.typeTag("", int)],
    "a FWD without a name": ["ERR_BUILD_NAME", (b) => b.fwd("")],
    "a FWD of a function": ["ERR_BUILD_FWD", (b) => b.fwd("f", "func" as never)],
    "a FUNC without a name": ["ERR_BUILD_NAME", (b) => b.func("", b.nextId)],
    "a FUNC with linkage 3": ["ERR_BUILD_LINKAGE", (b) => b.func("f", b.nextId, "unknown")],
    "a VAR without a name": ["ERR_BUILD_NAME", (b, int) => b.var("", int)],
    "a VAR with linkage 3": ["ERR_BUILD_LINKAGE", (b, int) => b.var("v", int, "unknown")],
    "a DATASEC without a name": ["ERR_BUILD_NAME", (b) => b.datasec("", { byteSize: 4 })],
    "a DECL_TAG without a value": ["ERR_BUILD_NAME", (b, int) => b.declTag("", int)],
    "a DECL_TAG on component -2": ["ERR_BUILD_COMPONENT", (b, int) => b.declTag("t", int, { componentIndex: -2 })],
    "an enum of 3 bytes": ["ERR_BUILD_SIZE", (b) => b.enum("e", { byteSize: 3 })],
    "an enum of 16 bytes": ["ERR_BUILD_SIZE", (b) => b.enum("e", { byteSize: 16 })],
    "an enumerator without a name": ["ERR_BUILD_NAME", (b) => b.enum("e", {}, [["", 1]])],
    "an enumerator of 2^32": ["ERR_BUILD_VALUE", (b) => b.enum("e", {}, [["A", 2 ** 32]])],
    "an enumerator of -2^31 - 1": ["ERR_BUILD_VALUE", (b) => b.enum("e", {}, [["A", -(2 ** 31) - 1]])],
    "an enumerator of 1.5": ["ERR_BUILD_VALUE", (b) => b.enum("e", {}, [["A", 1.5]])],
    "a 64-bit enumerator of 2^64": ["ERR_BUILD_VALUE", (b) => b.enum64("e", {}, [["A", 2n ** 64n]])],
    "a bitfield without a width": [
      "ERR_BUILD_BITFIELD",
      (b, int) => b.struct("s", { byteSize: 4 }, [["m", int, { bitOffset: 3 }]]),
    ],
    "a bitfield of 256 bits": [
      "ERR_BUILD_BITFIELD",
      (b, int) => b.struct("s", { byteSize: 4 }, [["m", int, { bitfieldSize: 256 }]]),
    ],
    "a bitfield at bit 2^24": [
      "ERR_BUILD_BITFIELD",
      (b, int) => b.struct("s", { byteSize: 4 }, [["m", int, { bitOffset: 2 ** 24, bitfieldSize: 1 }]]),
    ],
    "a member at bit 2^24 next to a bitfield": [
      "ERR_BUILD_BITFIELD",
      (b, int) =>
        b.struct("s", { byteSize: 4 }, [
          ["m", int, { bitfieldSize: 1 }],
          ["n", int, { bitOffset: 2 ** 24 }],
        ]),
    ],
    "a bitfield next to a member at bit 2^24": [
      "ERR_BUILD_BITFIELD",
      (b, int) =>
        b.struct("s", { byteSize: 4 }, [
          ["n", int, { bitOffset: 2 ** 24 }],
          ["m", int, { bitfieldSize: 1 }],
        ]),
    ],
    "a union's member at bit 8": [
      "ERR_BUILD_UNION_OFFSET",
      (b, int) => b.union("u", { byteSize: 4 }, [["m", int, { bitOffset: 8 }]]),
    ],
    "a member of an INT": ["ERR_BUILD_PARENT", (b, int) => b.member("m", int)],
    "a member of nothing": ["ERR_BUILD_PARENT", () => new BtfBuilder().member("m", 0)],
    "a value of an INT": ["ERR_BUILD_PARENT", (b) => b.enumerator("A", 1)],
    "a parameter of an INT": ["ERR_BUILD_PARENT", (b) => b.param("p", b.id(1))],
    "a variable of an INT": ["ERR_BUILD_PARENT", (b) => b.sectionVariable(b.id(1), { byteOffset: 0, byteSize: 1 })],
    "a negative id": ["ERR_BUILD_REFERENCE", (b) => b.ptr(-1 as TypeId)],
    "an id above the limit": ["ERR_BUILD_REFERENCE", (b) => b.ptr(b.id(2 ** 31))],
    "an id that is no integer": ["ERR_BUILD_REFERENCE", (b) => b.array(1.5 as TypeId, { length: 1, index: b.id(1) })],
    "a view of another Btf": ["ERR_BUILD_FOREIGN", (b) => b.ptr(Btf.parse(everyKind().bytes()).get(1)!)],
    "a name with a NUL": ["ERR_ARGUMENT", (b, int) => b.typedef("a\0b", int)],
    "a size of 2^32": ["ERR_ARGUMENT", (b) => b.struct("s", { byteSize: 2 ** 32 })],
    "the other byte order than the base's": ["ERR_ARGUMENT", (b) => new BtfBuilder({ base: b.build(), endian: "big" })],
    "a split of another base": [
      "ERR_BUILD_BASE",
      (b) => {
        const base = everyKind();
        b.append(Btf.parse(base.bytes()).split(new Image({ base }).bytes()));
      },
    ],
    "appending a kind it does not know": ["ERR_UNSUPPORTED", (b) => b.append(unknownKind())],
    "copying a kind it does not know": ["ERR_UNSUPPORTED", (b) => b.copy(unknownKind().get(1)!)],
    "copying what refers to nothing": [
      "ERR_BUILD_REFERENCE",
      (b) => {
        const image = new Image();
        image.ref(10, 2);
        image.proto(99);
        b.copy(Btf.parse(image.bytes()).get(1)!);
      },
    ],
  };

  function unknownKind(): Btf {
    const image = new Image({ layout: [...LAYOUT, [0, 0]] });
    image.type(20, "new", 0);
    return Btf.parse(image.bytes());
  }

  for (const [name, [code, act]] of Object.entries(cases)) {
    test(name, () => {
      const { b, int } = prepared();
      const before = b.encode();
      let thrown: unknown;
      try {
        act(b, int);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(BtfError);
      expect((thrown as BtfError).code).toBe(code);
      expect((thrown as BtfError).message).not.toMatch(/undefined|NaN|\n/);
      expect(b.encode()).toEqual(before);
    });
  }

  test("to build what refers to a type that was never added", () => {
    const b = new BtfBuilder();
    b.ptr(b.id(7));
    expect(() => b.build()).toThrow(expect.objectContaining({ code: "ERR_BTF_TYPE_ID", typeId: 1 }));
  });

  test("to build, and goes on from there", () => {
    for (const base of [undefined, everyKindBuilt().build()]) {
      const b = new BtfBuilder(base && { base });
      const ptr = b.ptr(b.id(b.nextId + 1));
      const before = b.encode();
      expect(() => b.build()).toThrow(expect.objectContaining({ code: "ERR_BTF_TYPE_ID" }));
      expect(b.encode()).toEqual(before);
      b.struct("late", {}, [["self", ptr]]);
      expect(b.build().require("late", "struct").members[0]!.type.id).toBe(ptr);
    }
  });

  test("what is beyond the format's limits: vlen, ids, string offsets", async () => {
    // Inside, for the numbers take hundreds of megabytes to reach.
    const load = (file: string): Promise<Record<string, new () => Inner>> =>
      import(new URL(`../../build/js/edit/build/${file}.js`, import.meta.url).href);
    interface Inner {
      nextId: number;
      start: number;
      add(...values: (number | string)[]): number;
      addElement(flag: boolean, ...words: number[]): void;
    }
    const { Draft } = await load("draft");
    const { StringTable } = await load("string-table");
    const draft = new Draft!();
    draft.add(0, 4 * 2 ** 24 + 0xfffffe, 0);
    draft.addElement(false, 0, 0, 0);
    const limit = expect.objectContaining({ code: "ERR_BUILD_LIMIT", name: "BtfLimitError" });
    expect(() => draft.addElement(false, 0, 0, 0)).toThrow(limit);
    draft.nextId = 2 ** 31 - 1;
    draft.add(0, 2 * 2 ** 24, 0);
    expect(() => draft.add(0, 2 * 2 ** 24, 0)).toThrow(limit);
    const strings = new StringTable!();
    strings.start = 2 ** 31 - 10;
    expect(strings.add("short")).toBe(2 ** 31 - 9);
    expect(() => strings.add("four")).toThrow(limit);
  });
});

describe("members without offsets", () => {
  test("lie as C lays them out, and the size follows", () => {
    const b = new BtfBuilder();
    const [char, int, long] = [1, 4, 8].map((byteSize) => b.int(`i${byteSize}`, { byteSize })) as [
      TypeId,
      TypeId,
      TypeId,
    ];
    const text = b.array(char, { length: 3, index: int });
    const inner = b.struct("inner", {}, [
      ["c", char],
      ["l", long],
    ]);
    b.struct("outer", {}, [
      ["text", b.typedef("text_t", text)],
      ["a", int, { bitfieldSize: 5 }],
      ["b", int, { bitfieldSize: 28 }],
      ["inner", b.const(inner)],
      ["end", char],
    ]);
    b.union("either", {}, [
      ["text", text],
      ["i", int],
    ]);
    const built = b.build();
    const shown = (name: string, kind: "struct" | "union"): unknown => {
      const { byteSize, members } = built.require(name, kind);
      return [byteSize, ...members.map(({ bitOffset }) => bitOffset)];
    };
    expect(shown("inner", "struct")).toEqual([16, 0, 64]);
    expect(shown("outer", "struct")).toEqual([32, 0, 24, 32, 64, 192]);
    expect(shown("either", "union")).toEqual([4, 0, 0]);
  });

  test("need types whose size is known", () => {
    const b = new BtfBuilder();
    const later = b.id(b.nextId + 1);
    const members = [
      ["a", later],
      ["b", later],
    ] as const;
    expect(() => b.struct("s", {}, members)).toThrow(/the size of member "a" is not known/);
    expect(() => b.struct("s", {}, [["a", later, { bitOffset: 0 }]])).toThrow(/"s" needs a byteSize/);
    expect(b.nextId).toBe(1);
  });

  // What is left has attributes on members, which BTF does not tell of.
  needing("the corpus in ../shared")("lie where compilers have put those of kernels", () => {
    for (const [name, most] of [
      ["6.12-amd64", 14],
      ["6.12-armhf-layout", 9],
    ] as const) {
      const kernel = openFile(corpusPath(`vmlinux/${name}.btf.gz`));
      const b = new BtfBuilder({ base: kernel });
      const types = [...kernel.ofKind("struct"), ...kernel.ofKind("union")].filter((type) => {
        const { isPacked, forcedAlignment, statistics } = layout(type);
        return !isPacked && !forcedAlignment && !statistics.forcedAlignments;
      });
      for (const { kind, name: own, members } of types) {
        const unplaced = members.map(
          ({ name: member, type, bitfieldSize }) => [member, type, { bitfieldSize }] as const,
        );
        b[kind](own, {}, unplaced);
      }
      const built = b.build();
      const placed = (type: BtfType | undefined): unknown =>
        type && "members" in type && [type.byteSize, ...type.members.map(({ bitOffset }) => bitOffset)];
      const wrong = types.filter(
        (type, i) => JSON.stringify(placed(type)) !== JSON.stringify(placed(built.get(kernel.size + i))),
      );
      expect(types.length).toBeGreaterThan(9000);
      expect(wrong.length).toBeLessThanOrEqual(most);
    }
  });
});

test("numbers are no ids, and lengths no types", () => {
  const b = new BtfBuilder();
  const [char, int] = [b.int("char", { byteSize: 1 }), b.int("int", { byteSize: 4 })];
  // @ts-expect-error: which is the length?
  expect(b.array(char, 16, int)).toBe(3);
  // @ts-expect-error: a size is no type
  b.ptr(4);
  b.ptr(0);
  expect(b.array(char, { length: 16, index: int })).toBe(6);
  const built = b.build();
  for (const id of [3, 6]) expect(built.get(id)).toMatchObject({ kind: "array", elementId: 1, length: 16, indexId: 2 });
});

test("a union that says its size may hold types still to come", () => {
  const b = new BtfBuilder();
  const later = b.id(b.nextId + 1);
  b.union("both", { byteSize: 4 }, [
    ["a", later],
    ["b", later],
  ]);
  b.int("int", { byteSize: 4 });
  expect(
    b
      .build()
      .require("both", "union")
      .members.map(({ bitOffset }) => bitOffset),
  ).toEqual([0, 0]);
});
