// Wrong input of the commands that take BPF objects: one line that names the
// object, and the section and the record where it is about one; the right exit
// code; nothing written.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bpfObject, type Record as CoreRecord } from "../support/bpf.js";
import { CONST, Image, STRUCT, TYPEDEF } from "../support/image.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-"));

function file(name: string, bytes: Uint8Array | string): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

function run(...args: string[]): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/btfkit.cjs", ...args]);
  return { code: status, out: stdout.toString(), error: stderr.toString() };
}

function types(): Image {
  const image = new Image();
  image.int("int", 4, 1);
  image.composite(STRUCT, "s", 16, [
    ["a", 1, 0],
    ["b", 1, 64],
  ]);
  return image;
}

const LOAD = { opcode: 0x61, to: 1, from: 1, offset: 8 };
const object = (record: CoreRecord, options = {}): Uint8Array =>
  bpfObject(types(), [LOAD, { opcode: 0x95 }], [record], { section: "socket", ...options });

/** The object with another name of a section, so that it has none of that name. */
function without(section: string): Uint8Array {
  const bytes = object([0, 2, "0:1", 0]);
  const at = Buffer.from(bytes).indexOf(`\0${section}\0`);
  bytes[at + 1] = "x".charCodeAt(0);
  return bytes;
}

function patched(bytes: Uint8Array, at: number, value: number): Uint8Array {
  bytes[at] = value;
  return bytes;
}

const target = file("target.btf", types().bytes());
const deep = (levels: number): string => Array.from({ length: levels }, () => "0").join(":");

/** What is wrong with an object, what is said of it, and whether minimize minds: it looks at no instructions. */
const cases: Readonly<Record<string, [bytes: Uint8Array | string, error: RegExp, minimizes?: true]>> = {
  "no ELF file": ["text", /not a BPF object: it does not start with the ELF magic/],
  "an empty file": ["", /not a BPF object/],
  "an ELF file of another machine": [patched(object([0, 2, "0:1", 0]), 18, 62), /not a BPF object: .*machine 62/],
  "a linked one": [patched(object([0, 2, "0:1", 0]), 16, 2), /not a BPF object: .*type 2/],
  "no .BTF": [without(".BTF"), /BPF object has no \.BTF section: compile it with -g/],
  "no .BTF.ext": [without(".BTF.ext"), /BPF object has no \.BTF\.ext section/],
  "cut off": [object([0, 2, "0:1", 0]).slice(0, 300), /truncated|ends? at|cut off/],
  "records that are too short": [object([0, 2, "0:1", 0], { recordSize: 12 }), /malformed \.BTF\.ext: .*12 bytes each/],
  "an empty access string": [object([0, 2, "", 0]), /section socket, malformed CO-RE relocation #0: .*empty/],
  "no access string": [object([0, 2, 1 << 20, 0]), /section socket, malformed CO-RE relocation #0: .*does not exist/],
  "a colon in front": [object([0, 2, ":1", 0]), /section socket, malformed CO-RE relocation #0: .*colon/],
  "an access string of words": [object([0, 2, "0:b", 0]), /section socket, malformed CO-RE relocation #0: .*numbers/],
  "a negative index": [object([0, 2, "0:-1", 0]), /section socket, malformed CO-RE relocation #0: .*negative/],
  "a member out of range": [object([0, 2, "0:2", 0]), /section socket, malformed CO-RE relocation #0: no member 2/],
  "65 levels": [object([0, 2, deep(65), 0]), /section socket, malformed CO-RE relocation #0: .*more than 64/],
  "a type that does not exist": [object([0, 9, "0:1", 0]), /section socket, malformed CO-RE relocation #0: .*type 9/],
  "an unknown kind": [object([0, 2, "0:1", 99]), /section socket, malformed CO-RE relocation #0: kind 99/],
  "an instruction outside of its section": [
    object([800, 2, "0:1", 0]),
    /section socket, malformed CO-RE relocation #0: .*byte 800, the section ends at 16/,
    true,
  ],
  "half an instruction": [
    object([4, 2, "0:1", 0]),
    /section socket, malformed CO-RE relocation #0: byte 4 is inside an instruction/,
    true,
  ],
};

describe("objects", () => {
  for (const [name, [bytes, error, minimizes]] of Object.entries(cases)) {
    test(name, () => {
      const path = file("wrong.o", bytes);
      const one = new RegExp(`^btfkit: ${path}: [^\\n]*\\n$`);
      for (const command of ["relocate", "minimize", "ext"]) {
        const out = mkdtempSync(join(folder, "out-"));
        const args = command === "ext" ? [] : ["--target", target];
        const result = run(command, path, ...args, "-o", join(out, "x"));
        // ext shows records as they are.
        if ((command === "ext" && result.code === 0) || (command === "minimize" && minimizes)) continue;
        expect(result).toEqual({ code: 3, out: "", error: expect.stringMatching(error) });
        expect(result.error).toMatch(one);
        expect(readdirSync(out)).toEqual([]);
      }
      const checked = run("check", path, "--target", target);
      if (checked.code === 3) expect(checked.error).toMatch(one);
      // Without records there is nothing that could break.
      else if (!name.startsWith("no .BTF")) {
        // It names program and instruction in place of section and record.
        const said = new RegExp(error.source.replace(/.*relocation #0: /, ""));
        expect([checked.code, checked.out]).toEqual([1, expect.stringMatching(said)]);
      }
    });
  }

  test("longer records are read as far as they are known", () => {
    const path = file("longer.o", object([0, 2, "0:1", 0], { recordSize: 24 }));
    expect(run("check", path, "--target", target)).toMatchObject({ code: 0, error: "" });
  });
});

describe("targets", () => {
  const path = file("good.o", object([0, 2, "0:1", 0]));
  const loop = new Image();
  loop.int("int", 4, 1);
  loop.ref(TYPEDEF, 3, "loop");
  loop.ref(CONST, 2);
  loop.composite(STRUCT, "s", 16, [["b", 2, 64]]);
  const split = new Image({ base: types() });
  split.composite(STRUCT, "more", 4, [["a", 1, 0]]);
  const wrong: Readonly<Record<string, [Uint8Array | string, number, RegExp]>> = {
    "no BTF": ["text", 3, /wrong\.btf: not BTF/],
    "split, without its base": [
      split.bytes(),
      3,
      /wrong\.btf: .*name the kernel with --target, and this file with --module/,
    ],
    "a loop of modifiers": [loop.bytes(), 1, /good\.o: section socket, CO-RE relocation #0: .*loop of typedefs/],
  };
  for (const [name, [bytes, code, error]] of Object.entries(wrong)) {
    test(name, () => {
      const kernel = file("wrong.btf", bytes);
      for (const command of ["relocate", "minimize"]) {
        const out = mkdtempSync(join(folder, "out-"));
        const result = run(command, path, "--target", kernel, "-o", join(out, "x"));
        expect(result).toEqual({ code, out: "", error: expect.stringMatching(error) });
        expect(readdirSync(out)).toEqual([]);
      }
      const checked = run("check", path, "--target", kernel);
      expect(checked.code).toBe(code);
    });
  }

  test("split, with its base", () => {
    const module = file("module.btf", split.bytes());
    const args = ["--target", module, "--base", target];
    expect(run("check", path, ...args)).toMatchObject({ code: 0, error: "" });
    expect(run("relocate", path, ...args, "--explain").out).toMatch(/1 relocations, 1 same/);
    expect(run("minimize", path, ...args, "--json")).toMatchObject({ code: 0, error: "" });
  });

  test("of the other byte order, and with pointers of another size", () => {
    const other = new Image({ endian: "big" });
    other.int("int", 4, 1);
    other.int("long int", 4, 1);
    other.composite(STRUCT, "s", 16, [["b", 1, 96]]);
    const report = run("relocate", path, "--target", file("other.btf", other.bytes()), "--json", "-p");
    const { relocations } = JSON.parse(report.out) as { relocations: { status: string; value: number }[] };
    expect(relocations).toMatchObject([{ status: "changed", value: 12 }]);
  });
});
