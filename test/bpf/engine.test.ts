// Engines: each documented difference between libbpf, cilium/ebpf and Aya.
import { Btf } from "btfkit";
import { check, disagreements, type EngineName, type RelocationTarget, readObject, relocate } from "btfkit/bpf";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { bpfObject, type Insn, type Record } from "../support/bpf.js";
import { CONST, FWD, Image, PTR, STRUCT, TYPEDEF, UNION } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { corpusObject, objectNames } from "../support/objects.js";

const KIND = {
  byteOffset: 0,
  byteSize: 1,
  exists: 2,
  signed: 3,
  lshift: 4,
  rshift: 5,
  localId: 6,
  targetId: 7,
  typeExists: 8,
  typeSize: 9,
  enumValue: 11,
  matches: 12,
};
const MOV: Insn = { opcode: 0xb7, to: 1 };
const EXIT: Insn = { opcode: 0x95 };

function image(build: (image: Image, int: number) => void, options = {}): Image {
  const made = new Image(options);
  build(made, made.int("int", 4, 1));
  return made;
}

/** One engine a loader: releases of libbpf differ in a test of their own. */
const LOADERS: readonly EngineName[] = ["libbpf", "cilium", "aya"];

/** The results of each engine for each record: "value", "poison" or "error". */
function results(
  local: Image,
  records: readonly Record[],
  target: RelocationTarget,
  insns: readonly Insn[] = [MOV, MOV, MOV, EXIT],
): { [engine: string]: string[] } {
  const object = readObject(bpfObject(local, insns, records));
  return Object.fromEntries(
    LOADERS.map((engine) => [
      engine,
      relocate(object, target, { engine }).relocations.map(({ status, resolution: { outcome } }) =>
        status === "poisoned" ? "poison" : status === "error" ? "error" : String(outcome!.value),
      ),
    ]),
  );
}

const parse = (made: Image): Btf => Btf.parse(made.bytes());
const named = (name: string): Image =>
  image((made, int) =>
    made.composite(STRUCT, name, 8, [
      ["a", int, 0],
      ["b", int, 32],
    ]),
  );
const EXISTS: Record = [0, 2, "0:1", KIND.exists];
/** Of a move that the compiler gave the value 1. */
const ONE: Insn = { ...MOV, immediate: 1 };

describe("essential names", () => {
  const cases: { [name: string]: [string, string, string] } = {
    // name in the target: is it a flavour of "s"?
    s___x: ["1", "1", "1"],
    s___x___y: ["0", "0", "1"],
    s____x: ["0", "0", "1"],
    s___: ["0", "1", "1"],
  };
  for (const [name, [libbpf, cilium, aya]] of Object.entries(cases)) {
    test(name, () => {
      expect(results(named("s"), [EXISTS], parse(named(name)), [ONE, EXIT])).toEqual({
        libbpf: [libbpf],
        cilium: [cilium],
        aya: [aya],
      });
    });
  }
});

test("candidates of another kind: cilium looks at them", () => {
  const target = image((made, int) =>
    made.composite(UNION, "s", 8, [
      ["a", int, 0],
      ["b", int, 0],
    ]),
  );
  expect(results(named("s"), [EXISTS], parse(target), [ONE, EXIT])).toEqual({
    libbpf: ["0"],
    cilium: ["1"],
    aya: ["0"],
  });
});

test("ENUM and ENUM64 are one kind, but not for Aya", () => {
  const local = image((made) => made.enumeration("e", [["A", 1]]));
  const target = image((made) => made.enumeration64("e", [["A", 5n]]));
  expect(results(local, [[0, 2, "0", KIND.enumValue]], parse(target), [ONE, EXIT])).toEqual({
    libbpf: ["5"],
    cilium: ["5"],
    aya: ["poison"],
  });
});

test("the choice between candidates: cilium takes the one with the most answers", () => {
  const target = image((made, int) => {
    made.composite(STRUCT, "s", 8, [["a", int, 0]]);
    made.composite(STRUCT, "s___more", 16, [
      ["a", int, 64],
      ["b", int, 96],
    ]);
  });
  const insns = [{ ...MOV, immediate: 0 }, { ...MOV, immediate: 4 }, EXIT];
  const records: Record[] = [
    [0, 2, "0:0", KIND.byteOffset],
    [8, 2, "0:1", KIND.byteOffset],
  ];
  expect(results(named("s"), records, parse(target), insns)).toEqual({
    libbpf: ["error", "12"],
    cilium: ["8", "12"],
    aya: ["error", "12"],
  });
});

test("candidates that are as good have to agree for cilium too", () => {
  const target = image((made, int) => {
    made.composite(STRUCT, "s", 8, [["b", int, 0]]);
    made.composite(STRUCT, "s___other", 8, [["b", int, 32]]);
  });
  const records: Record[] = [[0, 2, "0:1", KIND.byteOffset]];
  expect(results(named("s"), records, parse(target), [{ ...MOV, immediate: 4 }, EXIT])).toEqual({
    libbpf: ["error"],
    cilium: ["error"],
    aya: ["error"],
  });
});

describe("modules", () => {
  const base = named("s");
  const split = new Image({ base });
  split.composite(STRUCT, "s", 16, [["b", 1, 64]]);
  split.composite(STRUCT, "only", 16, [
    ["a", 1, 0],
    ["b", 1, 96],
  ]);
  const vmlinux = parse(base);
  const target = { vmlinux, modules: [vmlinux.split(split.bytes())] };
  const insns = [{ ...MOV, immediate: 4 }, EXIT];

  test("beside vmlinux, after it, never", () => {
    expect(results(named("s"), [[0, 2, "0:1", KIND.byteOffset]], target, insns)).toEqual({
      libbpf: ["4"],
      cilium: ["error"],
      aya: ["4"],
    });
    expect(results(named("only"), [[0, 2, "0:1", KIND.byteOffset]], target, insns)).toEqual({
      libbpf: ["12"],
      cilium: ["12"],
      aya: ["poison"],
    });
  });

  test("cilium has no ids of a module's types", () => {
    expect(results(named("only"), [[0, 2, "0", KIND.targetId]], target)).toEqual({
      libbpf: ["4"],
      cilium: ["poison"],
      aya: ["0"],
    });
  });
});

test("an anonymous root type: an error, or for Aya no candidate", () => {
  const local = named("");
  expect(results(local, [EXISTS, [8, 2, "0", KIND.localId]], parse(named("s")), [ONE, MOV, EXIT])).toEqual({
    libbpf: ["error", "2"],
    cilium: ["error", "2"],
    aya: ["0", "2"],
  });
});

test("members inside anonymous ones: depth first, or for cilium level by level", () => {
  const target = image((made, int) => {
    made.composite(STRUCT, "", 8, [["b", int, 32]]);
    made.composite(STRUCT, "s", 16, [
      ["", 2, 64],
      ["b", int, 0],
    ]);
  });
  const records: Record[] = [[0, 2, "0:1", KIND.byteOffset]];
  expect(results(named("s"), records, parse(target), [{ ...MOV, immediate: 4 }, EXIT])).toEqual({
    libbpf: ["12"],
    cilium: ["0"],
    aya: ["12"],
  });
});

test("a bitfield that crosses its unit: a larger load, but not for cilium", () => {
  const bits = (at: number): Image => {
    const made = new Image();
    made.int("unsigned int", 4);
    made.composite(STRUCT, "s", 16, [["field", 1, at, 12]], true);
    return made;
  };
  const kinds = [KIND.byteOffset, KIND.byteSize, KIND.lshift].map((kind, i): Record => [i * 8, 2, "0:0", kind]);
  // Bits 26 to 37: no unit of 4 bytes holds them.
  expect(results(bits(0), kinds, parse(bits(26)))).toEqual({
    libbpf: ["0", "8", "26"],
    cilium: ["0", "4", "26"],
    aya: ["0", "8", "26"],
  });
});

test("arrays: cilium compares elements when the path goes there", () => {
  const array = (element: (made: Image, int: number) => number): Image =>
    image((made, int) => {
      const of = element(made, int);
      const list = made.array(of, int, 4);
      made.composite(STRUCT, "s", 32, [["list", list, 0]]);
    });
  const local = array((_, int) => int);
  const target = parse(array((made, int) => made.ref(PTR, int)));
  const root = local.nextId - 1;
  const records: Record[] = [
    [0, root, "0:0", KIND.exists],
    [8, root, "0:0:1", KIND.exists],
  ];
  expect(results(local, records, target, [ONE, ONE, EXIT])).toEqual({
    libbpf: ["0", "0"],
    cilium: ["1", "0"],
    aya: ["0", "0"],
  });
});

test("an enum without a name fits any, but not for Aya", () => {
  const withEnum = (name: string): Image =>
    image((made) => {
      made.enumeration(name, [["A", 1]]);
      made.composite(STRUCT, "s", 4, [["e", 2, 0]]);
    });
  expect(results(withEnum(""), [[0, 3, "0:0", KIND.exists]], parse(withEnum("named")), [ONE, EXIT])).toEqual({
    libbpf: ["1"],
    cilium: ["1"],
    aya: ["0"],
  });
});

test("the sign of what has none: 0, or for cilium an error", () => {
  const local = image((made) => {
    made.ref(PTR, 0);
    made.composite(STRUCT, "s", 8, [["p", 2, 0]]);
  });
  expect(results(local, [[0, 3, "0:0", KIND.signed]], parse(local))).toEqual({
    libbpf: ["0"],
    cilium: ["error"],
    aya: ["0"],
  });
});

describe("a load of another size", () => {
  const sized = (byteSize: number, encoding: number): Image => {
    const made = new Image();
    made.int("number", byteSize, encoding);
    made.composite(STRUCT, "s", 8, [["n", 1, 0]]);
    return made;
  };
  const load: Insn = { opcode: 0x61, to: 1, from: 1 };
  const opcodes = (encoding: number): { [engine: string]: string | number } => {
    const object = readObject(bpfObject(sized(4, encoding), [load, EXIT], [[0, 2, "0:0", KIND.byteOffset]]));
    return Object.fromEntries(
      LOADERS.map((engine) => {
        const [one] = relocate(object, parse(sized(2, encoding)), { engine }).relocations;
        return [engine, one!.status === "error" ? "error" : one!.after[0]!];
      }),
    );
  };

  test("is changed, or for cilium stays", () => expect(opcodes(0)).toEqual({ libbpf: 0x69, cilium: 0x61, aya: 0x69 }));
  test("that cannot be changed: poisoned, left, or for Aya an error", () => {
    expect(opcodes(1)).toEqual({ libbpf: 0x85, cilium: 0x61, aya: "error" });
  });
});

test("a poisoned ld_imm64: two calls, or for cilium a load into the frame pointer", () => {
  const wide = [{ opcode: 0x18, to: 1, immediate: 4 }, { opcode: 0 }, EXIT];
  const object = readObject(bpfObject(named("s"), wide, [[0, 2, "0:1", KIND.byteOffset]]));
  const target = parse(image((made, int) => made.composite(STRUCT, "s", 4, [["a", int, 0]])));
  const after = Object.fromEntries(
    LOADERS.map((engine) => [
      engine,
      Buffer.from(relocate(object, target, { engine }).relocations[0]!.after).toString("hex"),
    ]),
  );
  const calls = "850000001023ad0b".repeat(2);
  expect(after).toEqual({ libbpf: calls, cilium: "180a00001023ad0b0000000000000000", aya: calls });
});

test("the value that is there already: checked, but not by Aya, and shifts not by cilium", () => {
  const records: Record[] = [
    [0, 2, "0:1", KIND.byteOffset],
    [8, 2, "0:1", KIND.rshift],
  ];
  const insns = [{ ...MOV, immediate: 77 }, { ...MOV, immediate: 77 }, EXIT];
  expect(results(named("s"), records, parse(named("s")), insns)).toEqual({
    libbpf: ["error", "error"],
    cilium: ["error", "32"],
    aya: ["4", "32"],
  });
});

test("type_matches: not known to Aya", () => {
  expect(results(named("s"), [[0, 2, "0", KIND.matches]], parse(named("s")), [ONE, EXIT])).toEqual({
    libbpf: ["1"],
    cilium: ["1"],
    aya: ["error"],
  });
});

test("sizes of types that are not there: 0, or for cilium poison", () => {
  const records: Record[] = [
    [0, 2, "0", KIND.typeSize],
    [8, 2, "0", KIND.typeExists],
  ];
  const insns = [{ ...MOV, immediate: 8 }, ONE, EXIT];
  expect(results(named("s"), records, parse(named("t")), insns)).toEqual({
    libbpf: ["0", "0"],
    cilium: ["poison", "0"],
    aya: ["0", "0"],
  });
});

test("a target of the other byte order: an error for cilium", () => {
  const target = image((made, int) => made.composite(STRUCT, "s", 8, [["b", int, 0]]), { endian: "big" });
  expect(results(named("s"), [EXISTS], parse(target), [ONE, EXIT])).toEqual({
    libbpf: ["1"],
    cilium: ["error"],
    aya: ["1"],
  });
});

test("forward declarations and chains of modifiers are nothing to disagree about", () => {
  const local = image((made) => {
    made.ref(FWD, 0, "later");
    made.ref(CONST, made.ref(TYPEDEF, made.ref(PTR, 2), "later_p"));
    made.composite(STRUCT, "s", 8, [["p", 5, 0]]);
  });
  const { libbpf, ...others } = results(local, [[0, 6, "0:0", KIND.exists]], parse(local), [ONE, EXIT]);
  for (const other of Object.values(others)) expect(other).toEqual(libbpf);
});

describe("the report says when engines disagree", () => {
  test("by engine, status and value", () => {
    const object = readObject(bpfObject(named("s"), [ONE, EXIT], [EXISTS]));
    const relocated = relocate(object, parse(named("s___x___y")));
    expect(disagreements(relocated)).toEqual([[{ engine: "aya", status: "same", value: 1n }]]);
    expect(check(object, parse(named("s___x___y")), { engine: "aya" }).relocations[0]!.verdict).toBe("ok");
  });

  needing("the corpus in ../shared")(
    "on a kernel of the width that they were compiled for, none does on the shared objects",
    () => {
      const vmlinux = openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"));
      for (const name of objectNames.filter((one) => one.startsWith("lt026"))) {
        expect([name, disagreements(relocate(corpusObject(name), vmlinux)).flat()]).toEqual([name, []]);
      }
    },
  );
});

describe("access strings", () => {
  const accepted = (access: string): string[] =>
    LOADERS.filter((engine) => {
      const object = readObject(bpfObject(named("s"), [MOV, EXIT], [[0, 2, access, KIND.byteOffset]]));
      return relocate(object, parse(named("s")), { engine }).relocations[0]!.resolution.local !== undefined;
    });
  const cases: { [access: string]: EngineName[] } = {
    "0:1": ["libbpf", "cilium", "aya"],
    "+0:1": ["libbpf", "aya"],
    "0: 1": ["libbpf"],
    // sscanf keeps 32 bits of it.
    "4294967296": ["libbpf", "aya"],
    "2147483648": ["aya"],
    "0:": [],
  };
  for (const [access, engines] of Object.entries(cases)) {
    test(JSON.stringify(access), () => expect(accepted(access)).toEqual(engines));
  }
});

test("enumerators from 2^31 on: sign-extended by libbpf, by their enum's sign elsewhere", () => {
  const made = (signed: boolean): Image => {
    const image_ = new Image();
    image_.enumeration("e", [["top", 0x80000000 | 0]], 4, signed);
    return image_;
  };
  const run = (signed: boolean): { [engine: string]: string[] } =>
    results(made(signed), [[0, 1, "0", KIND.enumValue]], parse(made(signed)), [
      { opcode: 0x18, to: 1, immediate: -(2 ** 31) },
      { opcode: 0, immediate: 0 },
      EXIT,
    ]);
  expect(run(false)).toEqual({ libbpf: ["error"], cilium: ["2147483648"], aya: ["2147483648"] });
  const extended = String(0xffffffff80000000n);
  expect(run(true)).toEqual({ libbpf: ["error"], cilium: ["error"], aya: [extended] });
});

describe("instructions to be poisoned that no loader can relocate", () => {
  const target = (): Btf => parse(image((made, int) => made.composite(STRUCT, "s", 4, [["a", int, 0]])));
  const status = (insn: Insn, engine: EngineName, second: Insn = EXIT): string => {
    const object = readObject(bpfObject(named("s"), [insn, second, EXIT], [[0, 2, "0:1", KIND.byteOffset]]));
    const [relocation] = relocate(object, target(), { engine }).relocations;
    return `${relocation!.status} ${relocation!.errno}`;
  };
  const cases: { [name: string]: Insn } = {
    "arithmetic on registers": { opcode: 0xbf, to: 1, from: 2 },
    "a call": { opcode: 0x85, immediate: 5 },
    "a jump": { opcode: 0x15, immediate: 5 },
    "a jump of 32 bits": { opcode: 0x16, immediate: 5 },
    "a packet load": { opcode: 0x20, immediate: 5 },
  };
  for (const [name, insn] of Object.entries(cases)) {
    test(name, () => {
      expect(status(insn, "libbpf")).toBe("error 22");
      for (const engine of ["libbpf-1.8", "cilium", "aya"] as const) expect(status(insn, engine)).toBe("poisoned 0");
    });
  }
  test("an ld_imm64 that is not of a number is left as it is", () => {
    const wide = { opcode: 0x18, to: 1, immediate: 4 };
    expect(status(wide, "libbpf", { opcode: 0, to: 1 })).toBe("absent 0");
    expect(status(wide, "libbpf-1.8", { opcode: 0, to: 1 })).toBe("poisoned 0");
    expect(status(wide, "libbpf", { opcode: 0 })).toBe("poisoned 0");
  });
});
