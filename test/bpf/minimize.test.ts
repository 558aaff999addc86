// Minimised BTF: bpftool's byte for byte, and as good as the whole to relocate on.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Btf, dumpRaw } from "btfkit";
import {
  type BpfObject,
  Minimizer,
  minimize,
  type Relocation,
  type RelocationTarget,
  readObject,
  relocate,
} from "btfkit/bpf";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { bpfObject, type Record } from "../support/bpf.js";
import { FWD, Image, PTR, STRUCT, TYPE_TAG, TYPEDEF, UNION } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { compileObject, corpusObject, objectNames, openObject } from "../support/objects.js";

const kernels = new Map<string, Btf>();

function kernel(name: string): Btf {
  const known = kernels.get(name) ?? openFile(corpusPath(`vmlinux/${name}.btf.gz`));
  kernels.set(name, known);
  return known;
}

describe("bpftool gen min_core_btf, byte for byte", () => {
  const folder = corpusPath("golden/min");
  for (const file of existsSync(folder) ? readdirSync(folder) : ["goldens"]) {
    needing("the corpus in ../shared")(file, () => {
      const [name] = file.split("__") as [string];
      const objects = file.startsWith("ALL-lt026")
        ? objectNames.filter((one) => one.startsWith("lt026"))
        : [`${name}.bpf.o`];
      const bytes = minimize(objects.map(corpusObject), kernel("6.12-amd64"));
      expect(Buffer.from(bytes).equals(readFileSync(`${folder}/${file}`))).toBe(true);
    });
  }

  needing("clang-19", "bpftool")("every kind of relocation, by the installed bpftool", () => {
    const object = compileObject("core");
    const target = compileObject("core", "bpfel", "-DTARGET");
    const out = join(mkdtempSync(join(tmpdir(), "btfkit-")), "min.btf");
    execFileSync("bpftool", ["gen", "min_core_btf", target, out, object]);
    const ours = Btf.parse(minimize([openObject(object)], openFile(target)));
    expect(dumpRaw(ours).text()).toBe(dumpRaw(openFile(out)).text());
  });
});

/** What a relocation comes to; ids are others, and so is what was looked at in vain. */
function result({ record, status, errno, resolution: { outcome }, before, after }: Relocation): unknown {
  const isId = record.kind === "target_type_id";
  const value = isId ? outcome!.value > 0n : outcome!.value;
  const code = isId ? "" : Buffer.from(after).toString("hex");
  return [
    record.kind,
    status === "same" && isId ? "changed" : status,
    errno,
    value,
    Buffer.from(before).toString("hex"),
    code,
  ];
}

function expectSame(object: BpfObject, whole: Btf): void {
  const relocated = relocate(object, whole);
  if (relocated.error) return;
  const small = Btf.parse(minimize([object], whole));
  expect(relocate(object, small).relocations.map(result)).toEqual(relocated.relocations.map(result));
}

describe("relocates as the whole does", () => {
  for (const name of objectNames) {
    needing("the corpus in ../shared")(name, () => {
      const object = corpusObject(name);
      if (!object.hasExt) return;
      for (const target of ["6.12-amd64", "6.1-cloud-amd64", "6.1-i386", "6.12-s390x", "6.12-armhf-layout"])
        expectSame(object, kernel(target));
      expectSame(object, object.btf);
    });
  }
  for (const target of ["bpfel", "bpfeb"] as const) {
    needing("clang-19")(`every kind of relocation, ${target}`, () => {
      expectSame(openObject(compileObject("core", target)), openFile(compileObject("core", target, "-DTARGET")));
    });
  }
});

describe("kinds that bpftool stops at", () => {
  /** The program's types, with relocations of the given kinds about the last one. */
  const made = (build: (image: Image) => number, kinds: readonly number[]): { small: Btf; whole: Btf } => {
    const image = new Image();
    image.int("int", 4, 1);
    const root = build(image);
    const records: Record[] = kinds.map((kind) => [0, root, kind < 6 ? "0:0" : "0", kind]);
    const object = readObject(bpfObject(image, [{ opcode: 0xb7 }, { opcode: 0x95 }], records));
    return { small: Btf.parse(minimize([object], object.btf)), whole: object.btf };
  };
  const raw = (btf: Btf): string[] => dumpRaw(btf).text().trim().split("\n");

  test("TYPE_TAG in front of a field's type", () => {
    const { small } = made(
      (image) => {
        image.ref(TYPE_TAG, 1, "user");
        return image.composite(STRUCT, "s", 8, [
          ["a", 2, 0],
          ["b", 1, 32],
        ]);
      },
      [2],
    );
    expect(raw(small)).toEqual([
      "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED",
      "[2] TYPE_TAG 'user' type_id=1",
      "[3] STRUCT 's' size=8 vlen=1",
      "\t'a' type_id=2 bits_offset=0",
    ]);
  });

  test("FWD behind a pointer", () => {
    const { small } = made(
      (image) => {
        image.ref(FWD, 0, "later", true);
        image.ref(PTR, 2);
        image.proto(1, [["at", 3]]);
        image.ref(PTR, 4);
        return image.ref(TYPEDEF, 5, "callback_t");
      },
      [8, 12],
    );
    expect(raw(small).slice(1)).toEqual([
      "[2] FWD 'later' fwd_kind=union",
      "[3] PTR '(anon)' type_id=2",
      "[4] FUNC_PROTO '(anon)' ret_type_id=1 vlen=1",
      "\t'at' type_id=3",
      "[5] PTR '(anon)' type_id=4",
      "[6] TYPEDEF 'callback_t' type_id=5",
    ]);
  });

  test("loops end", () => {
    const { small } = made(
      (image) => {
        image.ref(PTR, 3);
        image.ref(TYPEDEF, 4, "loop_t");
        image.proto(2, [["self", 3]]);
        image.ref(PTR, 4);
        return image.composite(UNION, "u", 8, [
          ["again", 6, 0],
          ["callback", 5, 0],
        ]);
      },
      [8],
    );
    expect(small.size).toBe(2);
  });
});

describe("targets", () => {
  const object = (): BpfObject => {
    const image = new Image();
    image.int("long int", 8, 1);
    image.ref(PTR, 0);
    image.composite(STRUCT, "s", 8, [["at", 2, 0]]);
    return readObject(bpfObject(image, [{ opcode: 0x79 }, { opcode: 0x95 }], [[0, 3, "0:0", 0]]));
  };

  test("pointers of 4 bytes stay known, byte order too", () => {
    for (const endian of ["little", "big"] as const) {
      const image = new Image({ endian });
      image.int("unused", 2);
      image.int("long unsigned int", 4);
      image.ref(PTR, 0);
      image.composite(STRUCT, "s", 8, [
        ["before", 2, 0],
        ["at", 3, 32],
      ]);
      const small = Btf.parse(minimize([object()], Btf.parse(image.bytes())));
      expect([small.endian, small.pointerSize]).toEqual([endian, 4]);
      expect(relocate(object(), small).relocations[0]!.resolution.outcome).toMatchObject({ value: 4n, newSize: 4 });
    }
  });

  test("types of modules stand behind those of vmlinux, in one BTF", () => {
    const vmlinux = new Image();
    vmlinux.int("int", 4, 1);
    vmlinux.ref(PTR, 1);
    const split = new Image({ base: vmlinux });
    split.composite(STRUCT, "s", 16, [
      ["before", 1, 0],
      ["at", 2, 64],
    ]);
    const base = Btf.parse(vmlinux.bytes());
    const target = { vmlinux: base, modules: [base.split(split.bytes())] };
    const small = Btf.parse(minimize([object()], target));
    expect(dumpRaw(small).text().split("\n")).toEqual([
      "[1] PTR '(anon)' type_id=0",
      "[2] STRUCT 's' size=16 vlen=1",
      "\t'at' type_id=1 bits_offset=64",
      "",
    ]);
    expect(relocate(object(), small).relocations[0]!.resolution.outcome!.value).toBe(8n);
  });

  test("an ambiguity is an error", () => {
    const image = new Image();
    image.ref(PTR, 0);
    image.composite(STRUCT, "s", 8, [["at", 1, 0]]);
    image.composite(STRUCT, "s", 16, [["at", 1, 64]]);
    expect(() => minimize([object()], Btf.parse(image.bytes()))).toThrow(/ambiguous/);
  });
});

describe("btfkit minimize", () => {
  const run = (...args: string[]): { code: number | null; out: string; error: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/btfkit.cjs", "minimize", ...args]);
    return { code: status, out: stdout.toString("latin1"), error: stderr.toString() };
  };

  needing("clang-19")("writes BTF to -o and to standard output, and tells of it as JSON", () => {
    const object = compileObject("core");
    const target = compileObject("core", "bpfel", "-DTARGET");
    const wanted = Buffer.from(minimize([openObject(object)], openFile(target)));
    const out = join(mkdtempSync(join(tmpdir(), "btfkit-")), "min.btf");
    expect(run(object, object, "--target", target, "-o", out, "--json")).toEqual({
      code: 0,
      error: "",
      out: `${JSON.stringify({ version: 1, objects: [object, object], target, types: Btf.parse(wanted).size - 1, bytes: wanted.length })}\n`,
    });
    expect(readFileSync(out).equals(wanted)).toBe(true);
    expect(Buffer.from(run(object, "--target", target).out, "latin1").equals(wanted)).toBe(true);
  });

  test("wrong input is named", () => {
    const path = join(mkdtempSync(join(tmpdir(), "btfkit-")), "x.o");
    writeFileSync(path, "no object");
    expect(run(path, "--target", "test/data/vmlinux-6.1-cloud-amd64.btf.gz")).toEqual({
      code: 3,
      out: "",
      error: `btfkit: ${path}: not a BPF object: it does not start with the ELF magic\n`,
    });
    expect(run("--target", path).code).toBe(2);
  });
});

describe("several kernels, and modules apart", () => {
  needing("the corpus in ../shared")("a module's types are split on the kernel's", () => {
    const vmlinux = openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"));
    const module = openFile(corpusPath("modules/6.12-amd64-nf_conntrack.btf.gz"), { base: vmlinux });
    const local = new Image();
    local.int("unsigned int", 4, 0);
    local.composite(STRUCT, "nf_conntrack_net", 4, [["users4", 1, 0]]);
    local.composite(STRUCT, "task_struct", 4, [["pid", 1, 0]]);
    const object = readObject(
      bpfObject(
        local,
        [{ opcode: 0xb7, to: 1 }, { opcode: 0xb7, to: 1 }, { opcode: 0x95 }],
        [
          [0, 2, "0:0", 0],
          [8, 3, "0:0", 0],
        ],
      ),
    );
    const target = { vmlinux, modules: [module] };
    const minimizer = new Minimizer(target);
    minimizer.add(object);
    const { base, modules } = minimizer.toSplitBytes();
    const small = Btf.parse(base);
    const split = small.split(modules[0]!);
    expect(small.find("nf_conntrack_net")).toBeUndefined();
    const values = (on: RelocationTarget): (bigint | undefined)[] =>
      relocate(object, on).relocations.map(({ resolution }) => resolution.outcome?.value);
    expect(values({ vmlinux: small, modules: [split] })).toEqual(values(target));
  });
});
