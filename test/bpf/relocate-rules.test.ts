// Relocation rules one by one: byte order, malformed records, hostile types,
// modules, and what becomes of the file.
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Btf, BtfError } from "btfkit";
import { type RelocatedObject, type RelocationTarget, readObject, relocate } from "btfkit/bpf";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { type BpfOptions, bpfObject, type Insn, type Record } from "../support/bpf.js";
import { CONST, Image, PTR, STRUCT, TYPEDEF } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { corpusObject, objectNames } from "../support/objects.js";
import { seeded } from "../support/random.js";

const MOV: Insn = { opcode: 0xb7, to: 1 };
const LOAD: Insn = { opcode: 0x61, to: 1, from: 1 };
const EXIT: Insn = { opcode: 0x95 };
const KIND = {
  byteOffset: 0,
  byteSize: 1,
  exists: 2,
  signed: 3,
  lshift: 4,
  rshift: 5,
  typeExists: 8,
  enumExists: 10,
  enumValue: 11,
  matches: 12,
};

/** struct s { int a; int b; } with ids 1 and 2. */
function simple(options = {}): Image {
  const image = new Image(options);
  image.int("int", 4, 1);
  image.composite(STRUCT, "s", 8, [
    ["a", 1, 0],
    ["b", 1, 32],
  ]);
  return image;
}

function run(
  image: Image,
  insns: readonly Insn[],
  records: readonly Record[],
  target?: RelocationTarget,
  options?: BpfOptions,
): RelocatedObject {
  const object = readObject(bpfObject(image, insns, records, options));
  return relocate(object, target ?? object.btf);
}

describe("bitfields are read as they lie in memory", () => {
  for (const endian of ["little", "big"] as const) {
    test(endian, () => {
      const random = seeded(`bitfields ${endian}`);
      for (let round = 0; round < 200; round++) {
        const byteSize = [1, 2, 4, 8][random(4)]!;
        const bits = 1 + random(byteSize * 8);
        const bitOffset = random(64);
        const isSigned = random(2) === 1;
        const image = new Image({ endian });
        image.int("unit", byteSize, isSigned ? 1 : 0);
        image.composite(STRUCT, "s", 32, [["field", 1, bitOffset, bits]], true);
        const kinds = [KIND.byteOffset, KIND.byteSize, KIND.lshift, KIND.rshift, KIND.signed];
        // The compiler's values of what is checked: shift to the right, and sign.
        const immediates = [0, 0, 0, 64 - bits, isSigned ? 1 : 0];
        const { relocations } = run(
          image,
          [...immediates.map((immediate) => ({ ...MOV, immediate })), EXIT],
          kinds.map((kind, i) => [i * 8, 2, "0:0", kind] as const),
          undefined,
          { endian },
        );
        if (relocations.some(({ error }) => error)) {
          // No load of 8 bytes holds it.
          expect(relocations.map(({ errno }) => errno)).toEqual([7, 7, 7, 7, 7]);
          continue;
        }
        const [offset, size, left, right, sign] = relocations.map(({ resolution }) => resolution.outcome!.value) as [
          bigint,
          bigint,
          bigint,
          bigint,
          bigint,
        ];
        // Random memory, read as the program would.
        const memory = Uint8Array.from({ length: 64 }, () => random(256));
        let loaded = 0n;
        for (let i = 0; i < Number(size); i++) {
          const at = Number(offset) + (endian === "little" ? Number(size) - 1 - i : i);
          loaded = (loaded << 8n) | BigInt(memory[at]!);
        }
        const shifted = BigInt.asUintN(64, loaded << left);
        const value = sign ? BigInt.asIntN(64, shifted) >> right : shifted >> right;
        // Bits count from the lowest one of the first byte, or from its highest.
        let wanted = 0n;
        for (let i = 0; i < bits; i++) {
          const bit = bitOffset + i;
          const inByte = endian === "little" ? bit % 8 : 7 - (bit % 8);
          const one = BigInt((memory[bit >> 3]! >> inByte) & 1);
          wanted = endian === "little" ? wanted | (one << BigInt(i)) : (wanted << 1n) | one;
        }
        expect(value).toBe(isSigned ? BigInt.asIntN(bits, wanted) : wanted);
        expect(Number(offset) % Number(size)).toBe(0);
      }
    });
  }
});

describe("malformed records", () => {
  const deep = (count: number): string => Array.from({ length: count }, () => 0).join(":");
  const cases: { [name: string]: [Record, RegExp, string?] } = {
    "an offset that is no instruction's": [[4, 2, "0:0", 0], /byte 4 is inside an instruction/],
    "an offset behind the section": [[16, 2, "0:0", 0], /at byte 16, the section ends at 16/],
    "a type that does not exist": [[0, 9, "0:0", 0], /type 9 does not exist: the last id is 2/],
    void: [[0, 0, "0:0", 0], /has no name to look for/],
    "an access string that does not exist": [[0, 2, 0xffff, 0], /access string does not exist/],
    "an empty access string": [[0, 2, "", 0], /access string is empty/],
    "an access string of words": [[0, 2, "a:b", 0], /"a:b" does not consist of numbers/],
    "a leading colon": [[0, 2, ":0", 0], /starts with a colon/],
    "a trailing colon": [[0, 2, "0:", 0], /does not consist of numbers/],
    "two colons": [[0, 2, "0::1", 0], /does not consist of numbers/],
    "a negative index": [[0, 2, "0:-1", 0], /negative index/],
    "an index of 2^64": [[0, 2, "0:18446744073709551616", 0], /negative index/],
    "an index of 2^31": [[0, 2, "0:2147483648", 0], /negative index/],
    "65 indices": [[0, 2, deep(65), 0], /more than 64 indices/],
    "a member that does not exist": [[0, 2, "0:2", 0], /no member 2 in struct s, which has 2/],
    "a member of an int": [[0, 2, "0:0:0", 0], /index 0 into int int/],
    "an unknown kind": [[0, 2, "0:0", 13], /kind 13 is unknown/],
    "a type kind with a path": [[0, 2, "0:0", KIND.typeExists], /"0", not "0:0"/],
    "an enumerator of a struct": [[0, 2, "0", KIND.enumValue], /about enumerators, struct s has none/],
  };
  for (const [name, [record, text]] of Object.entries(cases)) {
    test(name, () => {
      const { error, relocations, toBytes } = run(simple(), [MOV, EXIT], [record]);
      expect(error).toBeInstanceOf(BtfError);
      expect([error!.code, error!.name]).toEqual(["ERR_CORE_RECORD", "BtfFormatError"]);
      expect(error!.message).toMatch(/^section raw_tp\/x, malformed CO-RE relocation #0: /);
      expect(error!.message).toMatch(text);
      expect(error!.message).not.toMatch(/undefined|NaN/);
      expect(relocations.map(({ status }) => status)).toEqual(["error"]);
      expect(relocations[0]!.after).toEqual(relocations[0]!.before);
      expect(() => toBytes()).toThrow(error!);
    });
  }

  test("what sscanf reads is read", () => {
    for (const access of ["0:1", " 0: 1", "0 1", "+0:+1", "00:01", "0:4294967297"]) {
      const { relocations } = run(simple(), [MOV, EXIT], [[0, 2, access, KIND.exists]]);
      expect([access, relocations[0]!.resolution.local?.bitOffset]).toEqual([access, 32]);
    }
  });

  test("records longer than known", () => {
    const { relocations } = run(simple(), [{ ...MOV, immediate: 4 }, EXIT], [[0, 2, "0:1", 0]], undefined, {
      recordSize: 24,
    });
    expect(relocations.map(({ status }) => status)).toEqual(["same"]);
  });

  test("records of code that belongs to no program are left out", () => {
    const { relocations } = run(simple(), [EXIT, MOV], [[8, 2, "0:1", 0]], undefined, { programSize: 8 });
    expect(relocations).toEqual([]);
  });
});

describe("instructions that cannot be patched", () => {
  const cases: { [name: string]: [readonly Insn[], RegExp, number?] } = {
    "another value": [[{ ...MOV, immediate: 3 }, EXIT], /holds 3, expected 4/],
    "another offset": [[{ ...LOAD, offset: 8 }, EXIT], /holds 8, expected 4/],
    "a register": [[{ opcode: 0xbf, to: 1, from: 2 }, EXIT], /a register where an immediate/],
    "a jump": [[{ opcode: 0x15, offset: 0 }, EXIT], /opcode 0x15 cannot be relocated/],
    "a load of an address": [
      [{ opcode: 0x18, to: 1, from: 1, immediate: 4 }, { opcode: 0 }, EXIT],
      /not an ld_imm64 of a number/,
    ],
    "the second half of a load": [[{ opcode: 0 }, EXIT], /not an ld_imm64/],
    "half a load": [[{ opcode: 0x18, immediate: 4 }], /ends inside an ld_imm64/],
  };
  for (const [name, [insns, text]] of Object.entries(cases)) {
    test(name, () => {
      const { error, relocations } = run(simple(), insns, [[0, 2, "0:1", 0]]);
      expect([error!.code, error!.name]).toEqual(["ERR_CORE_RELOCATION", "BtfRelocationError"]);
      expect(error!.message).toMatch(text);
      expect(relocations[0]!.errno).toBe(22);
    });
  }

  test("an offset that a load has no room for", () => {
    const target = new Image();
    target.int("int", 4, 1);
    target.composite(STRUCT, "s", 40004, [["b", 1, 320000]]);
    const { relocations } = run(
      simple(),
      [{ ...LOAD, offset: 4 }, EXIT],
      [[0, 2, "0:1", 0]],
      Btf.parse(target.bytes()),
    );
    expect([relocations[0]!.status, relocations[0]!.errno]).toEqual(["error", 34]);
  });

  test("a member whose size no load has", () => {
    const image = new Image();
    image.int("unsigned", 4);
    image.composite(STRUCT, "s", 8, [["a", 1, 0]]);
    const target = new Image();
    target.int("unsigned", 16);
    target.composite(STRUCT, "s", 16, [["a", 1, 0]]);
    const { error } = run(image, [LOAD, EXIT], [[0, 2, "0:0", 0]], Btf.parse(target.bytes()));
    expect(error!.message).toMatch(/no load or store moves the 16 bytes/);
  });
});

test("a missing field poisons both halves of an ld_imm64, in either byte order", () => {
  for (const endian of ["little", "big"] as const) {
    const target = new Image({ endian });
    target.int("int", 4, 1);
    target.composite(STRUCT, "s", 4, [["a", 1, 0]]);
    const insns = [{ opcode: 0x18, to: 1, immediate: 4 }, { opcode: 0 }, EXIT];
    const { relocations } = run(simple({ endian }), insns, [[0, 2, "0:1", 0]], Btf.parse(target.bytes()), { endian });
    expect(relocations[0]!.status).toBe("poisoned");
    const call = endian === "little" ? "850000001023ad0b" : "850000000bad2310";
    expect(Buffer.from(relocations[0]!.after).toString("hex")).toBe(call + call);
  }
});

describe("targets", () => {
  const field = (target: RelocationTarget, image = simple()): RelocatedObject =>
    run(image, [{ ...LOAD, offset: 4 }, EXIT], [[0, 2, "0:1", 0]], target);
  const other = (name: string, at: number, options = {}): Image => {
    const image = new Image(options);
    image.int("int", 4, 1);
    image.composite(STRUCT, name, at / 8 + 4, [["b", image.nextId - 1, at]]);
    return image;
  };

  test("of the other byte order and pointer size", () => {
    const target = Btf.parse(other("s", 96, { endian: "big" }).bytes());
    target.pointerSize = 4;
    expect(field(target).relocations[0]!.resolution.outcome!.value).toBe(12n);
  });

  test("modules are searched where vmlinux has no candidate, all of them", () => {
    const vmlinux = other("unrelated", 0);
    const split = (at: number): Image => {
      const image = new Image({ base: vmlinux });
      image.composite(STRUCT, "s", at / 8 + 4, [["b", 1, at]]);
      return image;
    };
    const base = Btf.parse(vmlinux.bytes());
    const [first, second, third] = [64, 64, 96].map((at) => base.split(split(at).bytes())) as [Btf, Btf, Btf];
    const agreed = field({ vmlinux: base, modules: [first, second] });
    expect(agreed.relocations[0]!.resolution.matches.map(({ candidate }) => candidate.btf)).toEqual([first, second]);
    expect(agreed.relocations[0]!.resolution.outcome!.value).toBe(8n);
    expect(field({ vmlinux: base, modules: [first, third] }).error!.message).toMatch(
      /ambiguous between .* byte 8 in the first, byte 12 in the second/,
    );
    expect(field({ vmlinux: base }).relocations[0]!.status).toBe("poisoned");
    const known = Btf.parse(other("s", 128).bytes());
    const own = new Image({ base: other("s", 128) });
    own.composite(STRUCT, "s", 4, [["b", 1, 0]]);
    expect(
      field({ vmlinux: known, modules: [known.split(own.bytes())] }).relocations[0]!.resolution.outcome!.value,
    ).toBe(16n);
  });

  test("a split as the target is searched with its base", () => {
    const base = other("s", 64);
    const split = new Image({ base });
    split.composite(STRUCT, "s___more", 12, [["b", 1, 64]]);
    const { relocations } = field(Btf.parse(base.bytes()).split(split.bytes()));
    expect(relocations[0]!.resolution.candidates.map(({ id }) => id)).toEqual([2, 3]);
  });

  test("flavours: the last ___ between characters that are no underscores", () => {
    const names: { [name: string]: boolean } = {
      s___x: true,
      s___x___y: false,
      s____x: false,
      s___: false,
      ___s: false,
      s__x: false,
      s___x_: true,
    };
    for (const [name, isCandidate] of Object.entries(names)) {
      const { relocations } = field(Btf.parse(other(name, 64).bytes()));
      expect([name, relocations[0]!.resolution.candidates.length]).toEqual([name, isCandidate ? 1 : 0]);
    }
  });
});

describe("hostile types end", () => {
  test("loops of modifiers, members and prototypes", () => {
    const image = new Image();
    image.int("int", 4, 1);
    image.composite(STRUCT, "s", 8, [
      ["", 2, 0],
      ["", 2, 0],
    ]);
    image.ref(TYPEDEF, 4, "t");
    image.ref(CONST, 3);
    image.ref(TYPEDEF, 6, "p");
    image.ref(PTR, 6);
    image.composite(STRUCT, "m", 8, [
      ["x", 7, 0],
      ["y", 7, 0],
    ]);
    const target = Btf.parse(image.bytes());
    const local = new Image();
    local.int("int", 4, 1);
    local.composite(STRUCT, "s", 8, [["deep", 1, 0]]);
    local.ref(TYPEDEF, 4, "t");
    local.ref(CONST, 3);
    local.ref(TYPEDEF, 6, "p");
    local.ref(PTR, 6);
    local.composite(STRUCT, "m", 8, [
      ["x", 7, 0],
      ["y", 7, 0],
    ]);
    const records: Record[] = [
      [0, 2, "0:0", KIND.exists],
      [0, 3, "0", KIND.typeExists],
      [0, 5, "0", KIND.typeExists],
      [0, 5, "0", KIND.matches],
      [0, 7, "0", KIND.matches],
    ];
    const { relocations } = run(local, [MOV, EXIT], records, target);
    expect(relocations.map(({ errno }) => errno)).toEqual([7, 22, 22, 22, 22]);
  });

  test("types that nest twice in each other, 40 deep", () => {
    const image = (): Image => {
      const made = new Image();
      made.int("int", 4, 1);
      for (let i = 0; i < 40; i++)
        made.composite(STRUCT, `s${i}`, 8, [
          ["x", Math.max(1, made.nextId - 1), 0],
          ["y", Math.max(1, made.nextId - 1), 0],
        ]);
      return made;
    };
    const local = image();
    const target = image();
    target.composite(STRUCT, "root", 8, [
      ["x", 31, 0],
      ["y", 31, 0],
      ["wrong", 1, 0],
    ]);
    local.composite(STRUCT, "root", 8, [
      ["x", 31, 0],
      ["y", 31, 0],
      ["missing", 1, 0],
    ]);
    expect(() => run(local, [MOV, EXIT], [[0, 42, "0", KIND.matches]], Btf.parse(target.bytes()))).toThrow(
      /matching these types takes more than/,
    );
    const anonymous = new Image();
    anonymous.int("int", 4, 1);
    for (let i = 0; i < 40; i++)
      anonymous.composite(STRUCT, i === 39 ? "s" : "", 8, [
        ["", anonymous.nextId - 1, 0],
        ["", anonymous.nextId - 1, 0],
      ]);
    expect(() => run(simple(), [MOV, EXIT], [[0, 2, "0:0", KIND.exists]], Btf.parse(anonymous.bytes()))).toThrow(
      /matching these types takes more than/,
    );
  });
});

describe("the file that comes out", () => {
  const header = (bytes: Uint8Array, at: number): number =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

  test("instructions are patched, the rest stays, records are gone or kept", () => {
    const bytes = bpfObject(simple(), [{ ...LOAD, offset: 4 }, EXIT], [[0, 2, "0:1", 0]]);
    const before = bytes.slice();
    const target = new Image();
    target.int("int", 4, 1);
    target.composite(STRUCT, "s", 12, [["b", 1, 64]]);
    const relocated = relocate(readObject(bytes), Btf.parse(target.bytes()));
    const kept = relocated.toBytes({ keepRecords: true });
    expect(Buffer.from(bytes)).toEqual(Buffer.from(before));
    const changed = [...kept.keys()].filter((i) => kept[i] !== bytes[i]);
    expect(changed).toEqual([64 + 2]);
    const stripped = readObject(relocated.toBytes());
    expect(stripped.ext.coreRelocations).toBeUndefined();
    expect(JSON.stringify(stripped.ext.funcInfo)).toBe(JSON.stringify(readObject(bytes).ext.funcInfo));
    expect(header(stripped.dataOf(stripped.section(".BTF.ext")!), 28)).toBe(0);
    expect(stripped.dataOf(stripped.section("raw_tp/x")!)).toEqual(kept.subarray(64, 80));
  });

  const folder = mkdtempSync(join(tmpdir(), "btfkit-"));
  for (const name of objectNames.filter((one) => !one.startsWith("s390x"))) {
    needing("the corpus in ../shared", "readelf")(`${name}: readelf finds nothing wrong`, () => {
      const object = corpusObject(name);
      if (!object.hasExt) return;
      const relocated = relocate(object, kernel());
      if (relocated.error) return;
      const path = join(folder, name);
      writeFileSync(path, relocated.toBytes());
      const { status, stderr } = spawnSync("readelf", ["-W", "-S", "-s", "-r", path], { maxBuffer: 1 << 26 });
      expect([status, stderr.toString()]).toEqual([0, ""]);
      const again = readObject(relocated.toBytes());
      expect(again.ext.coreRelocations).toBeUndefined();
      expect(JSON.stringify([again.ext.funcInfo, again.ext.lineInfo])).toBe(
        JSON.stringify([object.ext.funcInfo, object.ext.lineInfo]),
      );
      const ext = again.sections.findIndex((one) => one.name === ".BTF.ext");
      const size = again.sections[ext]!.byteSize;
      for (const one of again.relocations) if (one.sectionIndex === ext) expect(one.byteOffset).toBeLessThan(size);
    });
  }
});

let vmlinux: Btf | undefined;
function kernel(): Btf {
  vmlinux ??= openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"));
  return vmlinux;
}
