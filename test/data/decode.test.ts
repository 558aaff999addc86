// Values of each kind, in both byte orders; hostile types and hostile bytes; the commands.
import { spawnSync } from "node:child_process";
import { Btf, BtfError, type BtfType } from "btfkit";
import { type DecodeOptions, decode, decoderOf, encode, formatData, formatJson } from "btfkit/data";
import { describe, expect, test } from "vitest";
import { everyKind, Image, STRUCT, TYPEDEF, UNION } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { corpusObject } from "../support/objects.js";
import { seeded } from "../support/random.js";

type Endian = "little" | "big";

/** The type that `make` adds last. */
function typeOf(make: (image: Image) => number, endian: Endian = "little"): BtfType {
  const image = new Image({ endian });
  const id = make(image);
  return Btf.parse(image.bytes()).get(id)!;
}

function decoded(make: (image: Image) => number, bytes: readonly number[], options?: DecodeOptions, endian?: Endian) {
  return decode(typeOf(make, endian), Uint8Array.from(bytes), options);
}

describe("decode", () => {
  test.each<[string, (image: Image) => number, number[], unknown, unknown]>([
    ["u8", (image) => image.int("u8", 1), [0xff], 255, 255],
    ["s16", (image) => image.int("s16", 2, 1), [0xfe, 0xff], -2, -257],
    ["u32", (image) => image.int("u32", 4), [1, 2, 3, 0x84], 0x84030201, 0x01020384],
    ["s64", (image) => image.int("s64", 8, 1), [1, 0, 0, 0, 0, 0, 0, 0x80], -(2n ** 63n) + 1n, 0x0100000000000080n],
    ["bool", (image) => image.int("bool", 1, 4), [1], true, true],
    ["a bool of 2", (image) => image.int("bool", 1, 4), [2], 2, 2],
    ["12 bits at bit 4 of an INT", (image) => image.int("odd", 2, 0, 12, 4), [0x21, 0x43], 0x432, 0x143],
    ["half", (image) => image.type(16, "_Float16", 2), [0, 0x3c], 1, 3.5762786865234375e-6],
  ])("%s", (_, make, bytes, little, big) => {
    expect(decoded(make, bytes)).toEqual(little);
    const value = decoded(make, bytes, {}, "big");
    if (typeof big === "number" && !Number.isInteger(big)) expect(value).toBeCloseTo(big, 12);
    else expect(value).toEqual(big);
  });

  test("floating-point numbers of every size", () => {
    const make = (byteSize: number) => (image: Image) => image.type(16, "", byteSize);
    expect(decoded(make(4), [0, 0, 0xc0, 0x3f])).toBe(1.5);
    expect(decoded(make(8), [0x3f, 0xf8, 0, 0, 0, 0, 0, 0], {}, "big")).toBe(1.5);
    expect(decoded(make(16), [0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0x3f, 0, 0, 0, 0, 0, 0])).toBe(1.5);
    expect(decoded(make(12), [0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xbf, 0, 0])).toBe(-1.5);
    const quad = [0x3f, 0xff, 0x80, ...Array.from({ length: 13 }, () => 0)];
    expect(decoded(make(16), quad, {}, "big")).toBe(1.5);
    expect(encode(typeOf(make(16), "big"), 1.5)).toEqual(Uint8Array.from(quad));
    for (const value of [0.1, -5e-324, 1.7976931348623157e308, Number.POSITIVE_INFINITY, -0]) {
      expect(decode(typeOf(make(16)), encode(typeOf(make(16)), value))).toBe(value);
    }
  });

  test("wide integers as numbers where those are exact", () => {
    const make = (image: Image): number => image.int("u64", 8);
    expect(decoded(make, [5, 0, 0, 0, 0, 0, 0, 0], { wide: "number" })).toBe(5);
    expect(decoded(make, [5, 0, 0, 0, 0, 0, 0x20, 0], { wide: "number" })).toBe(2n ** 53n + 5n);
  });

  test("enums by name, by number, and as flags", () => {
    const make = (image: Image): number =>
      image.enumeration("f", [
        ["A", 1],
        ["B", 2],
        ["BOTH", 3],
        ["C", 8],
      ]);
    const bytes = (value: number): number[] => [value, 0, 0, 0];
    expect(decoded(make, bytes(3))).toBe("BOTH");
    expect(decoded(make, bytes(9))).toBe(9);
    expect(decoded(make, bytes(9), { enums: "number" })).toBe(9);
    expect(decoded(make, bytes(0x19), { enums: "flags" })).toBe("A|C|0x10");
    expect(encode(typeOf(make), "A|C|0x10")).toEqual(Uint8Array.from(bytes(0x19)));
  });

  test("texts up to NUL, whole, and as bytes", () => {
    const make = (image: Image): number => {
      const char = image.int("char", 1, 1);
      return image.array(char, char, 6);
    };
    const bytes = [0xc3, 0xa9, 0x61, 0, 0x62, 0];
    expect(decoded(make, bytes)).toBe("éa");
    expect(decoded(make, bytes, { strings: "utf-8" })).toBe("éa\0b\0");
    expect(decoded(make, bytes, { strings: "raw" })).toEqual(Uint8Array.from(bytes));
  });

  test("typed arrays in the other byte order, on the bytes, and plain", () => {
    const make = (image: Image): number => {
      const half = image.int("u16", 2);
      return image.array(half, half, 40);
    };
    const bytes = Uint8Array.from({ length: 80 }, (_, i) => i);
    const big = decode(typeOf(make, "big"), bytes) as Uint16Array;
    expect(big).toBeInstanceOf(Uint16Array);
    expect(big[1]).toBe(0x0203);
    const view = decode(typeOf(make), bytes, { arrays: "view" }) as Uint16Array;
    bytes[2] = 9;
    expect(view[1]).toBe(0x0309);
    expect(Array.isArray(decode(typeOf(make), bytes, { arrays: "plain" }))).toBe(true);
  });

  test("large views of a union are decoded when they are read, from a copy", () => {
    const make = (image: Image): number => {
      const word = image.int("u32");
      const many = image.array(word, word, 100);
      return image.composite(UNION, "u", 400, [
        ["first", word, 0],
        ["all", many, 0],
      ]);
    };
    const bytes = new Uint8Array(400).fill(1);
    const value = decode<{ first: number; all: Uint32Array }>(typeOf(make), bytes);
    bytes.fill(2);
    expect(Object.keys(value)).toEqual(["first", "all"]);
    expect(value.all[99]).toBe(0x01010101);
  });

  test("flexible arrays take the rest, or a number of elements", () => {
    const make = (image: Image): number => {
      const half = image.int("u16", 2);
      const rest = image.array(half, half, 0);
      return image.composite(STRUCT, "s", 2, [
        ["n", half, 0],
        ["rest", rest, 16],
      ]);
    };
    expect(decoded(make, [1, 0, 2, 0, 3, 0, 9])).toEqual({ n: 1, rest: Uint16Array.of(2, 3) });
    expect(decoded(make, [1, 0, 2, 0, 3, 0], { flexibleCount: 1 })).toEqual({ n: 1, rest: Uint16Array.of(2) });
    expect(() => decoded(make, [1, 0, 2, 0], { flexibleCount: 3 })).toThrow(/"rest" of s ends at byte 8/);
    expect(encode(typeOf(make), { n: 1, rest: [2, 3] })).toEqual(Uint8Array.of(1, 0, 2, 0, 3, 0));
  });

  test("members called __proto__ are members", () => {
    const make = (image: Image): number => image.composite(STRUCT, "s", 4, [["__proto__", image.int("u32"), 0]]);
    const value = decoded(make, [7, 0, 0, 0]) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.entries(value)).toEqual([["__proto__", 7]]);
  });
});

needing("the corpus in ../shared")("made code decodes as closures do", () => {
  const { btf } = corpusObject("lt026-tcptracer.bpf.o");
  const random = seeded("compile");
  let compared = 0;
  for (const type of btf.ofKind("struct")) {
    if (type.byteSize > 4096) continue;
    for (const options of [{}, { wide: "number", enums: "number", strings: "raw" }] as const) {
      let closures: ReturnType<typeof decoderOf> | undefined;
      allowed(() => (closures = decoderOf(type, options)));
      if (!closures) continue;
      const bytes = Uint8Array.from({ length: type.byteSize }, () => random(256));
      expect(decoderOf(type, { ...options, compile: true })(bytes)).toEqual(closures(bytes));
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(100);
});

test("names of members cannot leave the made code", () => {
  const name = '"]: globalThis.leaked = 1, ["x\\\u2028';
  const type = typeOf((image) => image.composite(STRUCT, "s", 4, [[name, image.int("u32"), 0]]));
  expect(decode(type, Uint8Array.of(7, 0, 0, 0), { compile: true })).toEqual({ [name]: 7 });
  expect("leaked" in globalThis).toBe(false);
});

describe("what does not fit is named", () => {
  const make = (image: Image): number => {
    const byte = image.int("u8", 1);
    const color = image.enumeration("color", [["RED", 1]]);
    const list = image.array(byte, byte, 2);
    const inner = image.composite(STRUCT, "inner", 8, [
      ["list", list, 0],
      ["color", color, 32],
    ]);
    return image.composite(STRUCT, "outer", 8, [["in", inner, 0]]);
  };
  test.each([
    [{ in: { list: [1, 256] } }, "in.list[1]", /256 is out of range: "u8" of 8 bits holds 0 to 255/],
    [{ in: { list: [1, 2, 3] } }, "in.list", /3 elements do not fit into 2/],
    [{ in: { color: "RAD" } }, "in.color", /"RAD" is no enumerator of enum color; did you mean "RED"\?/],
    [{ im: {} }, "", /struct outer has no member "im"; did you mean "in"\?/],
    [{ in: 5 }, "in", /5 is no object with the members of struct inner/],
    [{ in: { list: [1.5] } }, "in.list[0]", /1.5 is no integer/],
  ])("%j", (value, path, text) => {
    expect(() => encode(typeOf(make), value)).toThrow(text);
    expect(() => encode(typeOf(make), value)).toThrow(expect.objectContaining({ path, code: "ERR_DATA_VALUE" }));
  });
});

needing("the corpus in ../shared")("an event of libbpf-tools is decoded", () => {
  const object = corpusObject("lt026-capable.bpf.o");
  const bytes = new Uint8Array(44);
  new DataView(bytes.buffer).setUint32(0, 4711, true);
  new DataView(bytes.buffer).setInt32(24, -1, true);
  bytes.set(new TextEncoder().encode("sshd"), 28);
  expect(decode(object.btf.require("cap_event", "struct"), bytes)).toEqual({
    pid: 4711,
    cap: 0,
    tgid: 0,
    uid: 0,
    audit: 0,
    insetid: 0,
    ret: -1,
    task: "sshd",
  });
});

/** Runs what may be refused, but never in another way than with a BtfError that is no bug. */
function allowed(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
  }
}

const WAYS: readonly DecodeOptions[] = [
  {},
  { wide: "number", enums: "flags", arrays: "plain", strings: "utf-8" },
  { partial: true, arrays: "view", strings: "raw", enums: "number" },
  { flexibleCount: 3 },
  { compile: true },
];

function walk(type: BtfType, bytes: Uint8Array): void {
  for (const options of WAYS) {
    allowed(() => {
      const value = decoderOf(type, options)(bytes);
      allowed(() => encode(type, value));
    });
  }
  for (const compat of [true, false]) {
    allowed(() =>
      formatData(type, bytes, { compact: true, emitStrings: !compat, ...(compat && { compat: "libbpf-1.8" }) }),
    );
    allowed(() => formatJson(type, bytes, { plain: compat }));
  }
}

describe("hostile types and bytes", () => {
  test("images with a bit, a word or a reference changed", () => {
    const random = seeded("data");
    const images = (["little", "big"] as const).map((endian) => everyKind({ endian }).bytes());
    let opened = 0;
    for (let i = 0; i < 800; i++) {
      const bytes = images[i % 2]!.slice();
      for (let changes = 1 + random(3); changes > 0; changes--) {
        const at = 24 + random(bytes.length - 28);
        if (random(2)) bytes[at]! ^= 1 << random(8);
        else
          new DataView(bytes.buffer).setUint32(at & ~3, random(2) ? random(24) : 0xfffffff0 + random(16), i % 2 === 0);
      }
      let btf: Btf | undefined;
      allowed(() => (btf = Btf.parse(bytes)));
      if (!btf) continue;
      opened++;
      const data = Uint8Array.from({ length: random(64) }, () => random(256));
      for (const type of btf.types()) walk(type, data);
    }
    expect(opened).toBeGreaterThan(100);
  });

  test("types within types without end, and as many as leaves of a tree", () => {
    const deep = typeOf((image) => {
      let id = image.int("u8", 1);
      for (let i = 0; i < 3000; i++) id = image.composite(STRUCT, "", 1, [["m", id, 0]]);
      return id;
    });
    expect(() => decoderOf(deep)).toThrow(/nested deeper than 128/);
    for (const kind of [STRUCT, UNION]) {
      for (const name of ["m", ""]) {
        const wide = typeOf((image) => {
          let id = image.int("u8", 1);
          for (let i = 0; i < 60; i++) {
            id = image.composite(kind, "", 1, [
              [i ? name : "a", id, 0],
              [i ? name && "n" : "b", id, 0],
            ]);
          }
          return id;
        });
        expect(() => decoderOf(wide)).toThrow(expect.objectContaining({ code: "ERR_DATA_LIMIT" }));
        walk(wide, new Uint8Array(8));
      }
    }
    const loop = typeOf((image) => image.composite(STRUCT, "s", 8, [["self", image.nextId, 0]]));
    expect(() => decoderOf(loop)).toThrow(expect.objectContaining({ code: "ERR_BTF_LOOP" }));
  });

  test("arrays of nothing, and of more than there is memory", () => {
    const nothing = typeOf((image) => {
      const empty = image.composite(STRUCT, "empty", 0, []);
      return image.array(empty, empty, 0xffffffff);
    });
    expect(() => decoderOf(nothing)).toThrow(expect.objectContaining({ code: "ERR_DATA_LIMIT" }));
    const huge = typeOf((image) => {
      const byte = image.int("u8", 1);
      return image.ref(TYPEDEF, image.array(byte, byte, 0xfffffff0), "huge");
    });
    expect(() => decode(huge, new Uint8Array(8))).toThrow(expect.objectContaining({ code: "ERR_DATA_SHORT" }));
    expect(() => encode(huge, [1])).toThrow(expect.objectContaining({ code: "ERR_DATA_LIMIT" }));
    expect((decode(huge, new Uint8Array(8), { partial: true }) as Uint8Array).length).toBe(8);
  });
});

describe("the commands", () => {
  const btfkit = (...args: string[]): { code: number | null; out: string; error: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/btfkit.cjs", ...args], {
      encoding: "utf8",
    });
    return { code: status, out: stdout, error: stderr };
  };
  const EVENT = ["cap_event", "--kernel-of", corpusPath("objects/lt026-capable.bpf.o")];

  needing("the corpus in ../shared")("decode and encode records of an object's event", () => {
    const value = { pid: 1, cap: 2, tgid: 3, uid: 4, audit: 5, insetid: 6, ret: -1, task: "sshd" };
    const encoded = btfkit("encode", ...EVENT, "--hex", "--value", JSON.stringify([value, { ...value, pid: 7 }]));
    expect(encoded).toMatchObject({ code: 0, error: "" });
    const hex = encoded.out.replace(/\n/g, " ");
    const { out } = btfkit("decode", ...EVENT, "--hex", hex, "--json");
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { version: 1, value },
      { version: 1, value: { ...value, pid: 7 } },
    ]);
    expect(btfkit("decode", ...EVENT, "--hex", hex, "--count", "1").out).toContain(".ret = (int)-1,\n");
    expect(btfkit("decode", ...EVENT, "--hex", hex, "--count", "1", "--hexdump").out).toContain(
      '00000018  ff ff ff ff              ret = -1\n0000001c  73 73 68 64 00 00 00 00  task = "sshd"\n',
    );
  });

  needing("the corpus in ../shared")("say what is wrong with their input", () => {
    const failing = (code: number, text: RegExp, ...args: string[]): void => {
      const result = btfkit(...args);
      expect(result.error).toMatch(text);
      expect(result).toMatchObject({ code, out: "" });
    };
    failing(2, /an odd number of digits \(3\)/, "decode", ...EVENT, "--hex", "123");
    failing(2, /"x" at digit 2/, "decode", ...EVENT, "--hex", "1x");
    failing(2, /--hex HEX or --data FILE/, "decode", ...EVENT);
    failing(3, /"pid" of cap_event ends at byte 4/, "decode", ...EVENT, "--hex", "1234");
    failing(3, /pid: 4294967296 is out of range/, "encode", ...EVENT, "--hex", "--value", '{"pid":4294967296}');
    failing(2, /--value is no JSON/, "encode", ...EVENT, "--hex", "--value", "{");
    failing(
      1,
      /no type named "cap_evnt"; did you mean "cap_event"/,
      "decode",
      "cap_evnt",
      ...EVENT.slice(1),
      "--hex",
      "00",
    );
  });
});
