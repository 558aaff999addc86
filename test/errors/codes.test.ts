// Each error code, raised by what it is about, with the place it names.
import { readFileSync } from "node:fs";
import { deflateSync, gzipSync } from "node:zlib";
import { alignOf, Btf, BtfError, dumpC, dumpRaw, fieldOf, init, resolve, sizeOf } from "btfkit";
import { readExt, readObject, relocate } from "btfkit/bpf";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { bpfObject } from "../support/bpf.js";
import { elf } from "../support/elf.js";
import { CONST, DATASEC, everyKind, FUNC, Image, INT, LAYOUT, PTR, STRUCT, TYPEDEF } from "../support/image.js";

function small(): Image {
  const image = new Image();
  image.int("int");
  return image;
}

/** An image whose one type has the given raw words. */
function raw(...words: number[]): Uint8Array {
  const image = new Image();
  const [name, info, size, ...rest] = words as [number, number, number, ...number[]];
  image.type(0, "", size, rest);
  const bytes = image.bytes();
  new DataView(bytes.buffer).setUint32(24, name, true);
  new DataView(bytes.buffer).setUint32(28, info, true);
  return bytes;
}

/** An ELF file that says it is a relocatable object for BPF. */
function object(sections: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const bytes = elf(sections);
  bytes.set([1, 0, 247, 0], 16);
  return bytes;
}

const kind = (number: number, vlen = 0): number => number * 2 ** 24 + vlen;

interface Case {
  readonly class: string;
  readonly raise: () => unknown;
  readonly offset?: number;
  readonly typeId?: number;
  readonly text?: RegExp;
}

const cases: Record<string, Case | readonly Case[]> = {
  ERR_BTF_EMPTY: { class: "BtfFormatError", raise: () => Btf.parse(new Uint8Array(0)) },
  ERR_BTF_MAGIC: [
    {
      class: "BtfFormatError",
      raise: () => Btf.parse(new TextEncoder().encode("#!/bin/sh\n")),
      offset: 0,
      text: /0x2321/,
    },
    { class: "BtfFormatError", raise: () => Btf.parse(new Uint8Array([0x9f])), offset: 0 },
    { class: "BtfFormatError", raise: () => Btf.parse(new Uint8Array(1 << 20)), offset: 0 },
  ],
  ERR_BTF_HEADER_TRUNCATED: [
    {
      class: "BtfFormatError",
      raise: () => Btf.parse(small().bytes().subarray(0, 20)),
      offset: 0,
      text: /it needs 24 bytes, the input has 20/,
    },
    { class: "BtfFormatError", raise: () => Btf.parse(small().bytes({ 4: 4000 })), offset: 4 },
  ],
  ERR_BTF_HEADER_LENGTH: {
    class: "BtfFormatError",
    raise: () => Btf.parse(everyKind({ endian: "big" }).bytes({ 4: 20 })),
    offset: 4,
  },
  ERR_BTF_STRINGS_BOUNDS: [
    { class: "BtfFormatError", raise: () => Btf.parse(small().bytes().subarray(0, -1)), offset: 16 },
    {
      class: "BtfFormatError",
      raise: () => Btf.parse(small().bytes({ 20: 0xffffffff })),
      offset: 16,
      text: /4294967335/,
    },
  ],
  ERR_BTF_TYPES_BOUNDS: {
    class: "BtfFormatError",
    raise: () => Btf.parse(small().bytes({ 12: 0xfffffffc })),
    offset: 8,
  },
  ERR_BTF_TYPES_ALIGNMENT: {
    class: "BtfFormatError",
    raise: () => Btf.parse(small().bytes({ 8: 2, 12: 12 })),
    offset: 8,
  },
  ERR_BTF_LAYOUT_ALIGNMENT: {
    class: "BtfFormatError",
    raise: () => Btf.parse(new Image({ layout: LAYOUT }).bytes({ 24: 2 })),
    offset: 24,
  },
  ERR_BTF_LAYOUT_BOUNDS: {
    class: "BtfFormatError",
    raise: () => Btf.parse(new Image({ layout: LAYOUT }).bytes({ 28: 84 })),
    offset: 24,
  },
  ERR_BTF_LAYOUT_LENGTH: {
    class: "BtfFormatError",
    raise: () => Btf.parse(new Image({ layout: LAYOUT }).bytes({ 28: 78 })),
    offset: 28,
  },
  ERR_BTF_STRINGS_EMPTY: { class: "BtfFormatError", raise: () => Btf.parse(small().bytes({ 20: 0 })), offset: 20 },
  ERR_BTF_STRINGS_END: { class: "BtfFormatError", raise: () => Btf.parse(small().bytes({ 20: 4 })), offset: 43 },
  ERR_BTF_STRINGS_START: {
    class: "BtfFormatError",
    raise: () => Btf.parse(small().bytes({ 16: 17, 20: 4 })),
    offset: 41,
    text: /base/,
  },
  ERR_BTF_KIND: [
    {
      class: "BtfFormatError",
      raise: () => Btf.parse(raw(0, kind(20), 0)),
      offset: 24,
      typeId: 1,
      text: /kind 20.*no layout/,
    },
    { class: "BtfFormatError", raise: () => Btf.parse(raw(0, kind(0), 0)), offset: 24, typeId: 1 },
    {
      class: "BtfFormatError",
      raise: () => {
        const image = new Image({ layout: LAYOUT });
        image.type(20, "", 0);
        Btf.parse(image.bytes());
      },
      typeId: 1,
      text: /ends at kind 19/,
    },
    {
      class: "BtfFormatError",
      raise: () => {
        const image = new Image({ layout: [...LAYOUT, [2, 0]] });
        image.type(20, "", 0);
        Btf.parse(image.bytes());
      },
      typeId: 1,
      text: /not multiples of 4/,
    },
    {
      class: "BtfFormatError",
      raise: () => {
        const image = new Image({ endian: "big", layout: [...LAYOUT, [4, 0]] });
        image.type(20, "", 0, [0]);
        Btf.parse(image.bytes());
      },
      typeId: 1,
      text: /other byte order/,
    },
  ],
  ERR_BTF_TYPE_TRUNCATED: [
    {
      class: "BtfFormatError",
      raise: () => Btf.parse(raw(0, kind(STRUCT, 1), 0)),
      offset: 24,
      typeId: 1,
      text: /24 bytes long/,
    },
    { class: "BtfFormatError", raise: () => Btf.parse(raw(0, kind(DATASEC, 0xffffff), 0)), offset: 24, typeId: 1 },
  ],
  ERR_BTF_TYPE_TRAILING: {
    class: "BtfFormatError",
    raise: () => Btf.parse(raw(0, kind(PTR), 0, 0)),
    offset: 36,
    typeId: 2,
  },
  ERR_BTF_NAME_OFFSET: [
    {
      class: "BtfFormatError",
      raise: () => Btf.parse(raw(9, kind(INT), 4, 32)),
      offset: 24,
      typeId: 1,
      text: /offset 9/,
    },
    { class: "BtfFormatError", raise: () => Btf.parse(raw(0, kind(STRUCT, 1), 4, 9, 0, 0)), offset: 36, typeId: 1 },
  ],
  ERR_BTF_TYPE_ID: [
    {
      class: "BtfFormatError",
      raise: () => Btf.parse(raw(0, kind(CONST), 2)),
      offset: 32,
      typeId: 1,
      text: /type 2, but the last type is 1/,
    },
    { class: "BtfFormatError", raise: () => Btf.parse(raw(0, kind(STRUCT, 1), 4, 0, 2, 0)), offset: 40, typeId: 1 },
  ],
  ERR_BTF_FUNC_PROTO: { class: "BtfFormatError", raise: () => Btf.parse(raw(0, kind(FUNC), 1)), offset: 32, typeId: 1 },
  ERR_BTF_BASE_ENDIAN: {
    class: "BtfFormatError",
    raise: () => Btf.parse(small().bytes()).split(new Image({ endian: "big" }).bytes()),
    text: /big-endian/,
  },
  ERR_BTF_LOOP: [
    {
      class: "BtfFormatError",
      typeId: 1,
      raise: () => {
        const image = new Image();
        image.ref(TYPEDEF, 2, "a");
        image.array(1, 1, 3);
        dumpC(Btf.parse(image.bytes())).text();
      },
      text: /\[1\] typedef a -> \[2\] array -> \[1\]/,
    },
    {
      class: "BtfFormatError",
      typeId: 1,
      raise: () => {
        const image = new Image();
        image.composite(STRUCT, "self", 4, [["self", 1, 0]]);
        alignOf(Btf.parse(image.bytes()).get(1)!);
      },
    },
  ],
  ERR_WORK: {
    class: "BtfLimitError",
    raise: () => {
      // Prototypes that take two of the next one: 2^60 ways through.
      const image = new Image();
      for (let i = 1; i <= 60; i++) image.proto(i === 60 ? 0 : i + 1, i === 60 ? [] : [["a", i + 1]]);
      dumpC(Btf.parse(image.bytes())).text();
    },
  },
  ERR_PIECE: {
    class: "BtfLimitError",
    raise: () => {
      // Nothing but padding: 33 million lines.
      const image = new Image();
      image.composite(STRUCT, "vast", 2 ** 28 - 8, []);
      dumpC(Btf.parse(image.bytes())).text();
    },
  },
  ERR_BTF_DEPTH: [
    { class: "BtfLimitError", typeId: 1, raise: () => resolve(chain(40).get(1)!) },
    { class: "BtfLimitError", typeId: 1, raise: () => sizeOf(chain(40).get(1)!) },
    { class: "BtfLimitError", raise: () => alignOf(chain(2000).get(1)!) },
  ],
  ERR_BTF_SIZE: {
    class: "BtfLimitError",
    typeId: 2,
    raise: () => {
      const image = small();
      image.array(1, 1, 2 ** 31);
      sizeOf(Btf.parse(image.bytes()).get(2)!);
    },
  },
  ERR_ELF_TRUNCATED: {
    class: "BtfFormatError",
    raise: () => Btf.parse(elf({ ".BTF": small().bytes() }).subarray(0, 100)),
    text: /section table/,
  },
  ERR_ELF_HEADER: {
    class: "BtfFormatError",
    raise: () => Btf.parse(new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 9, ...new Uint8Array(60)])),
    offset: 4,
  },
  ERR_ELF_NO_BTF: { class: "BtfFormatError", raise: () => Btf.parse(elf({ ".text": new Uint8Array(8) })), text: /-g/ },
  ERR_ELF_SECTION: {
    class: "BtfFormatError",
    raise: () => Btf.parse(elf({ ".BTF": small().bytes() }, { type: 8 })),
    text: /PROGBITS/,
  },
  ERR_COMPRESSED: [
    { class: "BtfFormatError", raise: () => Btf.parse(gzipSync(small().bytes())), text: /Btf\.load/ },
    { class: "BtfFormatError", raise: () => Btf.load(gzipSync(small().bytes()).subarray(0, 30)), text: /damaged gzip/ },
    {
      class: "BtfFormatError",
      raise: () => Btf.parse(elf({ ".BTF": deflateSync(small().bytes()) }, { compression: 1, unpacked: 45 })),
      text: /zlib.*Btf\.load/,
    },
  ],
  ERR_OBJECT: [
    { class: "BtfFormatError", raise: () => readObject(small().bytes()), text: /not a BPF object/ },
    { class: "BtfFormatError", raise: () => readObject(elf({})), text: /type 0/ },
  ],
  ERR_OBJECT_SECTION: {
    class: "BtfFormatError",
    raise: () => readObject(object({})).ext,
    text: /has no \.BTF section.*-g/,
  },
  ERR_EXT: {
    class: "BtfFormatError",
    offset: 4,
    raise: () => readExt(new Uint8Array([0x9f, 0xeb, 1, 0, 8, 0, 0, 0, 0]), () => ""),
    text: /8 bytes, at least 24 are needed/,
  },
  ERR_CORE_RECORD: {
    class: "BtfFormatError",
    raise: () => relocated("0:9", 0),
    text: /section raw_tp\/x, malformed CO-RE relocation #0: no member 9/,
  },
  ERR_CORE_RELOCATION: {
    class: "BtfRelocationError",
    raise: () => relocated("0:0", 7),
    text: /section raw_tp\/x, CO-RE relocation #0: .* holds 7, expected 0/,
  },
  ERR_CORE_WORK: { class: "BtfLimitError", raise: doubling, text: /16777216 steps/ },
  ERR_NOT_FOUND: {
    class: "BtfLookupError",
    raise: () => Btf.parse(everyKind().bytes()).require("pont", "struct"),
    text: /"pont"; did you mean "point"/,
  },
  ERR_NO_SUCH_ID: [
    { class: "BtfLookupError", raise: () => Btf.parse(small().bytes()).nameAt(2), text: /0 to 1/ },
    { class: "BtfLookupError", raise: () => dumpRaw(Btf.parse(small().bytes()), { types: [7] }) },
  ],
  ERR_PATH: [
    {
      class: "BtfLookupError",
      raise: () => fieldOf(Btf.parse(everyKind().bytes()), "point", "flag"),
      text: /no member "flag"; did you mean "flags"/,
    },
    {
      class: "BtfLookupError",
      raise: () => fieldOf(Btf.parse(everyKind().bytes()), "point", "x[2]"),
      text: /no array/,
    },
    {
      class: "BtfLookupError",
      raise: () => fieldOf(Btf.parse(everyKind().bytes()), "point", "x+1"),
      text: /cannot read/,
    },
  ],
  ERR_ARGUMENT: [
    { class: "BtfError", raise: () => Btf.parse("BTF" as never) },
    { class: "BtfError", raise: () => Object.assign(Btf.parse(small().bytes()), { pointerSize: 6 }) },
  ],
  ERR_DISPOSED: {
    class: "BtfError",
    raise: () => {
      const btf = Btf.parse(small().bytes());
      const type = btf.get(1)!;
      btf[Symbol.dispose]();
      return type.name;
    },
  },
  ERR_PATTERN_LENGTH: { class: "BtfLimitError", raise: () => Btf.parse(small().bytes()).search("a".repeat(600)) },
  ERR_OUTPUT_LIMIT: {
    class: "BtfLimitError",
    // Says that it unpacks to fewer bytes than it does.
    raise: () => Btf.load(elf({ ".BTF": deflateSync(small().bytes()) }, { compression: 1, unpacked: 8 })),
  },
  ERR_WASM: { class: "BtfEnvironmentError", raise: () => init(new Uint8Array([0, 1, 2, 3])) },
  ERR_UNSUPPORTED: {
    class: "BtfEnvironmentError",
    raise: () => Btf.parse(small().bytes()).split(elf({ ".BTF": small().bytes(), ".BTF.base": small().bytes() })),
  },
  ERR_FILE: {
    class: "BtfEnvironmentError",
    raise: () => openFile("no/such/file"),
    text: /no\/such\/file: no such file/,
  },
};

/** Relocates a move of a number against the object's own types. */
function relocated(access: string, immediate: number): unknown {
  const insns = [{ opcode: 0xb7, immediate }, { opcode: 0x95 }];
  const made = readObject(bpfObject(everyKind(), insns, [[0, 4, access, 0]]));
  return relocate(made, made.btf).toBytes();
}

/** Structs that each hold the one before twice. */
function doubling(): unknown {
  const made = (last: string): Image => {
    const image = small();
    for (let i = 0; i < 28; i++)
      image.composite(STRUCT, `s${i}`, 8, [
        ["x", i + 1, 0],
        ["y", i + 1, 0],
      ]);
    image.composite(STRUCT, "root", 8, [
      ["x", 29, 0],
      [last, 1, 0],
    ]);
    return image;
  };
  const insns = [{ opcode: 0xb7 }, { opcode: 0x95 }];
  return relocate(readObject(bpfObject(made("ours"), insns, [[0, 30, "0", 12]])), Btf.parse(made("theirs").bytes()));
}

/** A chain of n consts that ends in itself. */
function chain(length: number): Btf {
  const image = new Image();
  for (let i = 1; i <= length; i++) image.ref(CONST, i === length ? length : i + 1);
  return Btf.parse(image.bytes());
}

/** Codes that no small input raises, and where they are raised. */
const elsewhere: Record<string, string> = {
  ERR_BTF_STRINGS_LENGTH: "needs 2 GiB of strings",
  ERR_MEMORY: "memory.test.ts",
  ERR_TEXT_LENGTH: "memory.test.ts",
  ERR_INTERNAL: "memory.test.ts",
  ...Object.fromEntries(
    "NAME SIZE ENCODING PARENT UNION_OFFSET BITFIELD VALUE LINKAGE FWD COMPONENT REFERENCE FOREIGN BASE LIMIT"
      .split(" ")
      .map((rule) => [`ERR_BUILD_${rule}`, "builder.test.ts"]),
  ),
  ERR_DISTILL_BASE: "reshape.test.ts",
  ERR_DISTILL_KIND: "reshape.test.ts",
  ERR_REBASE_BASE: "reshape.test.ts",
  ERR_REBASE_MISSING: "reshape.test.ts",
  ERR_REBASE_AMBIGUOUS: "reshape.test.ts",
  ERR_REBASE_ENDIAN: "reshape.test.ts",
  ERR_LOAD: "load/plan.test.ts",
  ...Object.fromEntries(
    "PLATFORM FFI SYSCALL PERMISSION NOT_FOUND CLOSED KIND BPFFS SIZE MAP_TYPE VERIFIER PINNED_MAP ATTACH EVENTS"
      .split(" ")
      .map((rule) => [`ERR_LIVE_${rule}`, "live/"]),
  ),
  ...Object.fromEntries("SHORT TYPE FORMAT PLACE LIMIT VALUE".split(" ").map((rule) => [`ERR_DATA_${rule}`, "data/"])),
  ERR_FINGERPRINT: "fingerprint.test.ts",
  ERR_DEDUP_LOOP: "dedup.test.ts",
  ERR_DEDUP_NAMES: "dedup.test.ts",
  ERR_BTF_EXT: "dedup.test.ts",
  ...Object.fromEntries(
    "UNKNOWN COMPRESSION HEADER TRUNCATED DAMAGED LIMIT DEPTH NO_BTF NO_KERNEL KERNELS MEMBER"
      .split(" ")
      .map((rule) => [`ERR_IMAGE_${rule}`, "image/"]),
  ),
};

describe("error", () => {
  for (const [code, list] of Object.entries(cases)) {
    for (const [i, one] of [list].flat().entries()) {
      test(`${code}${i ? ` (${i + 1})` : ""}`, async () => {
        let thrown: unknown;
        try {
          await one.raise();
        } catch (error) {
          thrown = error;
        }
        expect(thrown).toBeInstanceOf(BtfError);
        const error = thrown as BtfError;
        expect({ code: error.code, class: error.name }).toEqual({ code, class: one.class });
        if (one.offset !== undefined) expect(error.offset).toBe(one.offset);
        if (one.typeId !== undefined) expect(error.typeId).toBe(one.typeId);
        if (one.text) expect(error.message).toMatch(one.text);
        expect(error.message).not.toMatch(/undefined|NaN|\n/);
      });
    }
  }

  test("every code of the table has a test", () => {
    const codes = ["btf", "bpf", "edit", "image", "load", "live", "data"].flatMap((file) =>
      Array.from(
        readFileSync(`src/errors/${file}.ts`, "utf8").matchAll(/^export const (ERR_\w+)/gm),
        ([, code]) => code,
      ),
    );
    expect(codes.filter((code) => !cases[code!] && !elsewhere[code!])).toEqual([]);
    expect(codes.length).toBeGreaterThan(30);
  });

  test("a refused image leaves the base as it was", () => {
    const base = Btf.parse(everyKind().bytes());
    const before = dumpRaw(base).text();
    for (let cut = 0; cut < 60; cut++) {
      const bytes = new Image({ base: everyKind() }).bytes().subarray(0, cut);
      try {
        base.split(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(BtfError);
      }
    }
    expect(dumpRaw(base).text()).toBe(before);
  });
});
