// formatData beside libbpf 1.8: its recorded output for random bytes with every option, and each difference by default.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Btf } from "btfkit";
import { BtfDataError, type FormatDataOptions, formatData } from "btfkit/data";
import { describe, expect, test } from "vitest";
import { Image, STRUCT, UNION } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";

interface Golden {
  readonly type_id: number;
  readonly hex: string;
  readonly indent_str: string | null;
  readonly indent_level: number;
  readonly compact: boolean;
  readonly skip_names: boolean;
  readonly emit_zeroes: boolean;
  readonly emit_strings: boolean;
  readonly ret: number;
  readonly text: string;
}

const E2BIG = -7;

/**
 * Types whose recorded data is short, and where libbpf looks for zeros behind its end: there lay other bytes than zeros
 * when these were recorded.
 */
const LOOKED_BEHIND: Readonly<Record<string, readonly number[]>> = {
  "6.12-amd64": [93453, 93332],
  "6.1-i386": [29391],
};

function printed(btf: Btf, golden: Golden): { text: string; ret: number } {
  const options: FormatDataOptions = {
    ...(golden.indent_str !== null && { indent: golden.indent_str }),
    indentLevel: golden.indent_level,
    compact: golden.compact,
    skipNames: golden.skip_names,
    emitZeroes: golden.emit_zeroes,
    emitStrings: golden.emit_strings,
    compat: "libbpf-1.8",
  };
  try {
    const { text, byteLength } = formatData(btf.get(golden.type_id)!, Buffer.from(golden.hex, "hex"), options);
    return { text, ret: byteLength };
  } catch (error) {
    if (!(error instanceof BtfDataError)) throw error;
    expect(error.code).toBe("ERR_DATA_SHORT");
    return { text: error.text, ret: E2BIG };
  }
}

for (const kernel of ["6.12-amd64", "6.1-i386"]) {
  needing("the corpus in ../shared")(`formatData with compat equals libbpf's recorded texts, ${kernel}`, () => {
    const btf = Btf.parse(gunzipSync(readFileSync(corpusPath(`vmlinux/${kernel}.btf.gz`))));
    const lines = gunzipSync(readFileSync(corpusPath(`golden/data/${kernel}.jsonl.gz`)))
      .toString()
      .trim()
      .split("\n");
    const different = new Set<number>();
    for (const line of lines) {
      const golden = JSON.parse(line) as Golden;
      const { text, ret } = printed(btf, golden);
      if (text !== golden.text || ret !== golden.ret) different.add(golden.type_id);
    }
    expect(lines.length).toBeGreaterThan(1000);
    expect([...different]).toEqual(LOOKED_BEHIND[kernel]);
  });
}

/** Types of a small image, and the text of a value of the last of them, on one line. */
function both(make: (image: Image) => number, bytes: readonly number[], options: FormatDataOptions = {}): string[] {
  const image = new Image();
  const id = make(image);
  const type = Btf.parse(image.bytes()).get(id)!;
  const text = (compat?: "libbpf-1.8"): string =>
    formatData(type, Uint8Array.from(bytes), { compact: true, ...options, ...(compat && { compat }) }).text;
  return [text("libbpf-1.8"), text()];
}

describe("formatData is right by default where libbpf is wrong", () => {
  test("a struct whose first member is zero is not zero", () => {
    const make = (image: Image): number => {
      const int = image.int("int", 4, 1);
      const inner = image.composite(STRUCT, "inner", 8, [
        ["a", int, 0],
        ["b", int, 32],
      ]);
      return image.composite(STRUCT, "outer", 8, [["in", inner, 0]]);
    };
    expect(both(make, [0, 0, 0, 0, 5, 0, 0, 0])).toEqual([
      "(struct outer){}",
      "(struct outer){.in = (struct inner){.b = (int)5,},}",
    ]);
  });

  test("a byte behind an array of bytes is a number", () => {
    const make = (image: Image): number => {
      const byte = image.int("u8", 1);
      const text = image.array(byte, byte, 2);
      return image.composite(STRUCT, "s", 3, [
        ["text", text, 0],
        ["number", byte, 16],
      ]);
    };
    expect(both(make, [0x61, 0x62, 0x63])).toEqual([
      "(struct s){.text = (u8[2])['a','b',],.number = (u8)'c',}",
      "(struct s){.text = (u8[2])['a','b',],.number = (u8)99,}",
    ]);
  });

  test("texts within structs end like other members", () => {
    const make = (image: Image): number => {
      const char = image.int("char", 1, 1);
      const text = image.array(char, char, 3);
      return image.composite(STRUCT, "s", 4, [
        ["text", text, 0],
        ["last", char, 24],
      ]);
    };
    expect(both(make, [0x61, 0x62, 0, 7], { emitStrings: true })).toEqual([
      '(struct s){.text = (char[3])"ab".last = (char)7,}',
      '(struct s){.text = (char[3])"ab",.last = (char)7,}',
    ]);
    expect(both(make, [0x61, 0x62, 0, 7], { emitStrings: true, compact: false, indent: " " })).toEqual([
      '(struct s){\n .text = (char[3]) "ab" .last = (char)7,\n}',
      '(struct s){\n .text = (char[3])"ab",\n .last = (char)7,\n}',
    ]);
  });

  test("a signed enum without a name has a comma", () => {
    const make = (image: Image): number => {
      const color = image.enumeration("color", [["RED", -1]], 4, true);
      return image.composite(STRUCT, "s", 4, [["c", color, 0]]);
    };
    expect(both(make, [9, 0, 0, 0])).toEqual(["(struct s){.c = (enum color)9}", "(struct s){.c = (enum color)9,}"]);
  });

  test("unsigned enumerators from 2^31 on have names", () => {
    const make = (image: Image): number => image.enumeration("flags", [["TOP", 0x80000000]]);
    expect(both(make, [0, 0, 0, 0x80])).toEqual(["(enum flags)2147483648", "(enum flags)TOP"]);
  });

  test("an enum that is not aligned is read", () => {
    const make = (image: Image): number => {
      const byte = image.int("u8", 1);
      const color = image.enumeration("color", [["RED", 3]]);
      return image.composite(STRUCT, "s", 5, [
        ["b", byte, 0],
        ["c", color, 8],
      ]);
    };
    expect(both(make, [1, 3, 0, 0, 0])).toEqual([
      "(struct s){.b = (u8)1,}",
      "(struct s){.b = (u8)1,.c = (enum color)RED,}",
    ]);
  });

  test("an anonymous enum has no space behind its name", () => {
    const make = (image: Image): number => image.enumeration("", [["RED", 3]]);
    expect(both(make, [3, 0, 0, 0])).toEqual(["(enum )RED", "(enum)RED"]);
  });

  test("a bitfield that needs a byte more than its type is whole", () => {
    const make = (image: Image): number => {
      const int = image.int("unsigned int");
      return image.composite(STRUCT, "s", 8, [["b", int, 7, 30]]);
    };
    expect(both(make, [0x80, 0, 0, 0, 0x1f, 0, 0, 0])).toEqual([
      "(struct s){.b = (unsigned int)0x1,}",
      "(struct s){.b = (unsigned int)0x3e000001,}",
    ]);
  });

  test("short data in an array is an error", () => {
    const image = new Image();
    const int = image.int("int", 4, 1);
    const list = image.array(int, int, 3);
    const type = Btf.parse(image.bytes()).get(list)!;
    const bytes = new Uint8Array([1, 0, 0, 0]);
    expect(formatData(type, bytes, { compact: true, compat: "libbpf-1.8" })).toEqual({
      text: "(int[3])[1,]",
      byteLength: 12,
    });
    expect(() => formatData(type, bytes)).toThrow(/"\[1\]" of type \[2\] ends at byte 8, the data at byte 4/);
  });
});

test("short data: the error holds the text up to there and names the member", () => {
  const image = new Image();
  const int = image.int("int", 4, 1);
  const pair = image.composite(UNION, "u", 4, [["x", int, 0]]);
  const id = image.composite(STRUCT, "s", 8, [
    ["a", int, 0],
    ["u", pair, 32],
  ]);
  const type = Btf.parse(image.bytes()).get(id)!;
  let thrown: unknown;
  try {
    formatData(type, Uint8Array.of(1, 0, 0, 0, 1), { compact: true, emitZeroes: true });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({
    code: "ERR_DATA_SHORT",
    path: "u.x",
    text: "(struct s){.a = (int)1,.u = (union u){",
  });
});
