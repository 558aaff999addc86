// Advice for members that a kernel does not have: renames between real kernels,
// and reasons that lie outside of the relocation itself.
import { Btf, type StructType } from "btfkit";
import { readObject, relocate } from "btfkit/bpf";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { bpfObject, type Insn } from "../support/bpf.js";
import { Image, STRUCT } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";

const MOV: Insn = { opcode: 0xb7, to: 1 };
const EXIT: Insn = { opcode: 0x95 };

/** The suggestion for a member of a struct, from an object that declares the struct as one kernel has it. */
function suggestion(from: Btf, to: Btf, struct: string, member: string): string | undefined {
  const type = from.require(struct, "struct") as StructType;
  const image = new Image();
  const ids = new Map<string, number>();
  const idOf = (name: string, size: number): number => {
    const key = `${name} ${size}`;
    if (!ids.has(key)) ids.set(key, image.int(name, size, 0));
    return ids.get(key)!;
  };
  // Types are cut down to integers of their names: what counts here are names, order and places.
  const members = type.members.map(({ name, type: { kind, name: typeName }, bitOffset }): [string, number, number] => {
    const isInt = kind === "int";
    return [name, idOf(isInt ? typeName : "opaque", 8), bitOffset];
  });
  const id = image.composite(STRUCT, struct, type.byteSize, members);
  const index = type.members.findIndex(({ name }) => name === member);
  const object = readObject(bpfObject(image, [MOV, EXIT], [[0, id, `0:${index}`, 0]]));
  const [relocation] = relocate(object, to).relocations;
  return /; (renamed|moved) to ([\w.]+)/.exec(relocation!.reason ?? "")?.[2];
}

describe("renames between Linux 6.1 and 6.12", () => {
  const RENAMES: readonly (readonly [struct: string, member: string, now: string])[] = [
    ["inode", "i_atime", "i_atime_sec"],
    ["inode", "i_mtime", "i_mtime_sec"],
    ["inode", "i_ctime", "i_ctime_sec"],
    ["request_queue", "integrity", "limits.integrity"],
    ["cpuinfo_x86", "initial_apicid", "topo.initial_apicid"],
    ["io_tlb_mem", "nareas", "defpool.nareas"],
    ["rtable", "rt_uncached", "dst.rt_uncached"],
    ["ipv6_pinfo", "dontfrag", "cork.dontfrag"],
  ];
  needing("the corpus in ../shared")("are suggested first", () => {
    const from = openFile(corpusPath("series/6.1.0-56-cloud-amd64.btf.gz"));
    const to = openFile(corpusPath("series/6.12.117+deb12-cloud-amd64.btf.gz"));
    const found = RENAMES.map(([struct, member]) => [struct, member, suggestion(from, to, struct, member)]);
    expect(found).toEqual(RENAMES);
  });
});

describe("a member that is not there", () => {
  const reason = (local: Image, target: Image, id = 2, index = 1): string =>
    relocate(readObject(bpfObject(local, [MOV, EXIT], [[0, id, `0:${index}`, 0]])), Btf.parse(target.bytes()))
      .relocations[0]!.reason!;
  const struct = (members: readonly [string, number, number][], size = 16): Image => {
    const image = new Image();
    image.int("long", 8, 1);
    image.composite(STRUCT, "s", size, members);
    return image;
  };
  const local = (): Image =>
    struct([
      ["first", 1, 0],
      ["state", 1, 64],
    ]);
  test("has an affix now, before a nested one of the same name", () => {
    const target = new Image();
    target.int("long", 8, 1);
    target.composite(STRUCT, "s", 32, [
      ["inner", 3, 0],
      ["__state", 1, 128],
    ]);
    target.composite(STRUCT, "in", 16, [["state", 1, 0]]);
    expect(reason(local(), target)).toMatch(
      /no member state in the target; renamed to __state, which has the same type\?$/,
    );
  });
  test("stands between the same neighbours", () => {
    const target = struct([
      ["first", 1, 0],
      ["mood", 1, 128],
    ]);
    expect(reason(local(), target)).toMatch(/renamed to mood, which has the same type and neighbours\?$/);
  });
  test("is ruled out by an earlier relocation", () => {
    const object = readObject(
      bpfObject(
        local(),
        [MOV, { ...MOV, immediate: 8 }, EXIT],
        [
          [0, 2, "0:0", 0],
          [8, 2, "0:1", 0],
        ],
      ),
    );
    const target = new Image();
    target.int("long", 8, 1);
    target.composite(STRUCT, "s", 8, [["first", 1, 0]]);
    target.composite(STRUCT, "s", 8, [["state", 1, 0]]);
    const [, second] = relocate(object, Btf.parse(target.bytes())).relocations;
    expect(second!.reason).toMatch(/^struct s \[3\] of the target has it, but an earlier relocation, .* s\.first /);
  });
});

test("type_matches compares the names of integers", () => {
  const struct = (name: string): Image => {
    const image = new Image();
    image.int(name, 4, 1);
    image.composite(STRUCT, "s", 4, [["n", 1, 0]]);
    return image;
  };
  const object = readObject(bpfObject(struct("int"), [{ ...MOV, immediate: 1 }, EXIT], [[0, 2, "0", 12]]));
  const [relocation] = relocate(object, Btf.parse(struct("signed int").bytes())).relocations;
  expect(relocation!.reason).toBe(
    "struct s.n is int signed int in the target, int int in the program: type_matches compares the names and sizes of types, those of integers too",
  );
});
