// Layouts agree with the compilers that made them, and hostile types are
// refused without a trap, a hang or a flood.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Btf } from "../../src/btf/btf.js";
import type { BtfType } from "../../src/btf/types.js";
import { BtfError } from "../../src/errors/error.js";
import { layout } from "../../src/inspect/layout/layout.js";
import { layoutText, layoutTexts } from "../../src/inspect/layout/text.js";
import { pack, packAll } from "../../src/inspect/pack/pack.js";
import { packedText } from "../../src/inspect/pack/text.js";
import { PaholeUsage, parsePaholeArguments } from "../../src/inspect/pahole/options.js";
import { reorganizedText } from "../../src/inspect/pahole/reorganized-text.js";
import { PaholeRun } from "../../src/inspect/pahole/run.js";
import { layoutSvg } from "../../src/inspect/svg/svg.js";
import { everyKind, Image, STRUCT } from "../support/image.js";
import { needing } from "../support/needs.js";
import { seeded } from "../support/random.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-layout-"));
const SCALARS = ["char", "short", "int", "long", "long long", "void *", "double", "struct inner"];

/** C with 60 structs: scalars, arrays, bitfields, packed and aligned ones. */
function randomSource(seed: string): string {
  const random = seeded(seed);
  const structs = Array.from({ length: 60 }, (_, s) => {
    const members = Array.from({ length: 1 + random(10) }, (_, i) => {
      const kind = random(5);
      if (kind === 0) return `int m${i} : ${1 + random(32)};`;
      if (kind === 1) return `unsigned char m${i} : ${1 + random(8)};`;
      const scalar = SCALARS[random(SCALARS.length)]!;
      const attribute = random(15) === 0 ? " __attribute__((aligned(32)))" : "";
      return kind === 2 ? `${scalar} m${i}[${1 + random(4)}]${attribute};` : `${scalar} m${i}${attribute};`;
    });
    return `struct ${random(8) === 0 ? "__attribute__((packed)) " : ""}s${s} { ${members.join(" ")} }; struct s${s} v${s};`;
  });
  return `struct inner { char a; long b; };\n${structs.join("\n")}\nint main(void) { return sizeof(v0); }\n`;
}

/** What clang says of the structs s0 to s59: offsets in bits by member, and sizes. */
function recordLayouts(source: string, target: string): Map<string, { size: number; offsets: number[] }> {
  const dump = execFileSync(
    "clang-19",
    [`--target=${target}`, "-fsyntax-only", "-Xclang", "-fdump-record-layouts-complete", source],
    { maxBuffer: 1 << 28 },
  ).toString();
  const found = new Map<string, { size: number; offsets: number[] }>();
  for (const record of dump.split("*** Dumping AST Record Layout").slice(1)) {
    const name = /^\s+0 \| struct (s\d+)$/m.exec(record)?.[1];
    if (!name) continue;
    const offsets = [...record.matchAll(/^\s+(\d+)(?::(\d+)-\d+)? \| {3}(?! ).* m\d+$/gm)].map(
      ([, byte, bit = "0"]) => Number(byte) * 8 + Number(bit),
    );
    found.set(name, { size: Number(/sizeof=(\d+)/.exec(record)![1]), offsets });
  }
  return found;
}

describe("compilers", () => {
  for (const target of ["x86_64-linux-gnu", "i386-linux-gnu", "s390x-linux-gnu"]) {
    needing("clang-19", "pahole")(`clang for ${target} lays random structs out the same`, () => {
      const source = join(folder, `${target}.c`);
      writeFileSync(source, randomSource(target));
      execFileSync("clang-19", [`--target=${target}`, "-g", "-c", "-o", `${source}.o`, source]);
      execFileSync("pahole", [`--btf_encode_detached=${source}.btf`, `${source}.o`]);
      const btf = Btf.parse(readFileSync(`${source}.btf`));
      const truth = recordLayouts(source, target);
      expect(truth.size).toBe(60);
      for (const [name, { size, offsets }] of truth) {
        const { byteSize, members, gaps, statistics } = layout(btf.require(name, "struct"));
        expect(byteSize).toBe(size);
        expect(members.map(({ bitOffset }) => bitOffset)).toEqual(offsets);
        const free = gaps.reduce((sum, { bitSize }) => sum + bitSize, 0);
        const used = members.reduce((sum, { bitSize }) => sum + bitSize, 0);
        expect(free + used, name).toBe(size * 8);
        const { holeBytes, holeBits, paddingBytes, paddingBits } = statistics;
        expect((holeBytes + paddingBytes) * 8 + holeBits + paddingBits, name).toBe(free);
      }
    });
  }

  needing(
    "clang-19",
    "gdb",
    "pahole",
  )("gdb's ptype/o shows the same offsets, holes and padding", () => {
    const source = join(folder, "gdb.c");
    writeFileSync(source, randomSource("gdb"));
    execFileSync("clang-19", ["-gdwarf-4", "-c", "-o", `${source}.o`, source]);
    execFileSync("pahole", [`--btf_encode_detached=${source}.btf`, `${source}.o`]);
    const btf = Btf.parse(readFileSync(`${source}.btf`));
    const commands = Array.from({ length: 60 }, (_, i) => ["-ex", `ptype /o struct s${i}`]).flat();
    const shown = execFileSync("gdb", ["-nx", "-batch", ...commands, `${source}.o`]).toString();
    const texts = shown.split(/^(?=\/\* offset)/m).filter((text) => text.startsWith("/*"));
    expect(texts.length).toBe(60);
    for (const [i, text] of texts.entries()) {
      const { members, gaps, byteSize } = layout(btf.require(`s${i}`, "struct"));
      const offsets = [
        ...text.matchAll(/^\/\*\s+(\d+)(?::\s*(\d+))?\s+\|\s+\d+ \*\/ {4}(?! |struct inner).*?\bm\d+/gm),
      ].map(([, byte, bit = "0"]) => Number(byte) * 8 + Number(bit));
      // gdb opens some structs: then the name is on another line than the offset.
      const closed = members.filter(({ typeText }) => !typeText.startsWith("struct inner"));
      expect(
        closed.map(({ bitOffset }) => bitOffset),
        text,
      ).toEqual(offsets);
      expect(byteSize).toBe(Number([...text.matchAll(/total size(?: \(bytes\))?:\s+(\d+)/g)].at(-1)![1]));
      const free = [...text.matchAll(/XXX\s+(\d+)-(bit|byte)/g)].reduce(
        (sum, [, count, unit]) => sum + Number(count) * (unit === "bit" ? 1 : 8),
        0,
      );
      // gdb opens `struct inner`, whose own hole it shows each time.
      const inner = text.split("struct inner {").length - 1;
      expect(gaps.reduce((sum, { bitSize }) => sum + bitSize, 0) + inner * 56, text).toBe(free);
    }
  });
});

describe("types without a layout", () => {
  const btf = Btf.parse(everyKind().bytes());
  for (const type of btf) {
    if (type.kind === "struct" || type.kind === "union") continue;
    test(`${type.kind} is refused`, () => {
      expect(() => layout(type)).toThrow(BtfError);
    });
  }
  test("a struct that contains itself is refused", () => {
    const image = new Image();
    const id = image.composite(STRUCT, "", 4, [["again", 1, 0]]);
    const type = Btf.parse(image.bytes()).get(id)!;
    expect(() => layout(type)).toThrow(expect.objectContaining({ code: "ERR_BTF_LOOP" }));
    expect(() => layoutText(type)).toThrow(BtfError);
  });
  test("a struct that doubles with each level ends", () => {
    const image = new Image();
    let inner = image.int("int", 4);
    for (let i = 0; i < 40; i++) {
      inner = image.composite(STRUCT, "", 4, [
        ["a", inner, 0],
        ["b", inner, 0],
      ]);
    }
    const type = Btf.parse(image.bytes()).get(inner)!;
    expect(() => layout(type)).toThrow(expect.objectContaining({ code: "ERR_WORK" }));
    expect(() => layoutText(type)).toThrow(expect.objectContaining({ code: "ERR_PIECE" }));
  });
  test("a cacheline that is no power of two is refused", () => {
    expect(() => layout(btf.require("point"), { cachelineBytes: 63 })).toThrow(/power of two/);
  });
});

/** Nothing but a BtfError, or a refusal of the drop-in, may be thrown. */
function survives(step: () => unknown): void {
  try {
    step();
  } catch (error) {
    if (error instanceof PaholeUsage) return;
    if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
  }
}

function listed(btf: Btf, args: readonly string[]): (string | Uint8Array)[] {
  const run = new PaholeRun(parsePaholeArguments(args), []);
  return [...run.file(btf, "x"), ...run.end()];
}

/** A text, or the code of what was thrown. */
function outcome(write: () => readonly (string | Uint8Array)[]): string {
  try {
    return Buffer.concat(write().map((chunk) => Buffer.from(chunk))).toString();
  } catch (error) {
    if (error instanceof BtfError) return error.code;
    throw error;
  }
}

test("mutated images are laid out, packed, drawn and listed, or refused", () => {
  const random = seeded("inspect");
  const calls = [
    [],
    ["-E"],
    ["-s", "-a"],
    ["-i", "point", "-d"],
    ["-f", "point"],
    ["-R", "-C", "point"],
    ["-l"],
    ["-m"],
  ];
  const edges = [0, 1, 4, 12, 0xffff, 0xffffff, 0x7fffffff, 0x80000000, 0xffffffff];
  let opened = 0;
  for (let round = 0; round < 500; round++) {
    const bytes = everyKind(random(2) ? { endian: "big" } : {}).bytes();
    const view = new DataView(bytes.buffer);
    for (let i = 0; i <= random(3); i++) {
      const at = (24 + random(bytes.length - 27)) & ~3;
      view.setUint32(at, random(3) ? random(24) : edges[random(edges.length)]!, random(8) > 0);
    }
    let btf: Btf;
    try {
      btf = Btf.parse(bytes);
    } catch {
      continue;
    }
    opened++;
    const look = (type: BtfType): void => {
      survives(() => layoutSvg(layout(type, { expand: true })));
      survives(() => layoutText(type, { expand: true, hex: true, compat: "pahole-1.31" }));
      survives(() => layoutText(type, { expand: round % 2 === 0 }));
      survives(() => packedText(pack(type)));
      survives(() => pack(type, { keepAligned: false }));
      survives(() => reorganizedText(type, { steps: true }));
    };
    for (const type of btf) look(type);
    survives(() => [...layoutTexts(btf)]);
    // The kernel in WebAssembly and the printer, which a filter calls for, write the same.
    const [whole, printed] = [
      () => [...layoutTexts(btf, { compat: "pahole-1.31" })],
      () => listed(btf, ["-x", "?"]),
    ].map(outcome);
    // Columns are counted in bytes there, in characters here.
    if (/^[\t\n -~]*$/.test(printed!)) expect(whole).toBe(printed);
    survives(() => packAll(btf));
    survives(() => {
      const args = parsePaholeArguments(calls[round % calls.length]!);
      const run = new PaholeRun(args, args.className ? [args.className] : []);
      return [...run.file(btf, "x"), ...run.end()];
    });
    btf[Symbol.dispose]();
  }
  expect(opened).toBeGreaterThan(100);
});
