// Verification against kernels: 18,000 recorded verdicts of Linux 6.18, and
// fresh images loaded into the running one. Verdict, error number and reason.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { gunzipSync } from "node:zlib";
import { Btf, BtfError } from "btfkit";
import { BtfBuilder, type VerifyResult, verify } from "btfkit/edit";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { nestedFields, withFields } from "../support/fields.js";
import * as image from "../support/image.js";
import { everyKind, Image } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { type Random, seeded } from "../support/random.js";
import { systematic } from "../support/systematic.js";

/** What the kernel's log says in the end, without its numbers. */
function reason({ findings }: VerifyResult): string {
  const text = findings[0]!.message.replace(/^.*?, [a-z-]+: /, "").replace(/ \(at byte \d+\)$/, "");
  return text.startsWith("meta_left") ? "meta_left" : text.replace(/[:\d].*$/, "").trim();
}

/** The kernel's log has no words for what is wrong with special fields. */
function isUnsaid({ findings }: VerifyResult): boolean {
  return /^(field|kptr|contains)-/.test(findings[0]!.rule);
}

/** Where we and a kernel disagree. */
function disagreements(images: readonly Uint8Array[], verdicts: readonly { errno: number; why: string }[]): string[] {
  return images.flatMap((bytes, i) => {
    const ours = verify(bytes);
    const { errno, why } = verdicts[i]!;
    if (ours.errno === errno && (errno === 0 || isUnsaid(ours) || why.includes(reason(ours)))) return [];
    return [
      `kernel ${errno} ${why}; ours ${ours.errno} ${ours.findings[0]?.message}: ${Buffer.from(bytes).toString("hex", 0, 4096)}`,
    ];
  });
}

needing("the corpus in ../shared")("verdict and reason of 18,004 images are Linux 6.18's", () => {
  interface Verdict {
    readonly hex: string;
    readonly kernel?: number;
    readonly why?: string;
  }
  const lines = gunzipSync(readFileSync(corpusPath("acceptance.jsonl.gz")))
    .toString()
    .trim()
    .split("\n");
  const judged = lines.map((line) => JSON.parse(line) as Verdict).filter(({ kernel }) => kernel !== undefined);
  expect(judged.length).toBe(18_004);
  const images = judged.map(({ hex }) => Buffer.from(hex, "hex"));
  expect(
    disagreements(
      images,
      judged.map(({ kernel, why = "" }) => ({ errno: kernel!, why })),
    ),
  ).toEqual([]);
});

/** Loads images into the running kernel. */
function load(images: readonly Uint8Array[]): { errno: number; why: string }[] {
  mkdirSync("build/native", { recursive: true });
  execFileSync("gcc", ["-O2", "-Wall", "-o", "build/native/load", "test/native/load.c"]);
  const input = Buffer.concat(images.flatMap((bytes) => [Buffer.from(Uint32Array.of(bytes.length).buffer), bytes]));
  const out = execFileSync("build/native/load", { input, maxBuffer: 1 << 28 }).toString("latin1");
  // A name in the log may hold a line feed: a verdict starts with digits and a tab.
  return out.split(/\n(?=\d+\t)/).map((line) => {
    const [errno = "", why = ""] = line.replace(/\n$/, "").split(/\t(.*)/s);
    return { errno: Number(errno), why };
  });
}

/** What a kernel has no objection to, more or less. */
function plausible(random: Random): Image {
  const to = new Image();
  const int = to.int("int", 4, 1);
  to.int("long", 8, 1);
  to.int("char", 1, 2);
  const any = (): number => random(to.nextId + (random(20) ? 0 : 3));
  const sized = (): number => 1 + random(to.nextId - 1);
  const count = 4 + random(24);
  for (let i = 0; i < count; i++) {
    const name = random(40) ? `n${i}` : ["", "a b", "1x", "\u00e9", "x.y", "."][random(6)]!;
    switch (random(19)) {
      case 0:
        to.ref(image.PTR, any());
        break;
      case 1:
        to.array(sized(), random(12) ? int : any(), random(9) ? random(5) : 0xffffffff);
        break;
      case 2:
      case 3:
      case 4: {
        const flag = random(3) === 0;
        let offset = 0;
        const members = Array.from({ length: random(5) }, (_, n) => {
          const width = flag && random(2) ? 1 + random(random(9) ? 8 : 70) : 0;
          const at = offset;
          offset += width || 64;
          if (!random(8)) offset -= random(40);
          if (!width) offset = (offset + 7) & ~7;
          return [random(30) ? `m${n}` : "", sized(), at, width] as const;
        });
        to.composite(image.STRUCT, name, random(9) ? offset / 8 + 64 : 8, members, flag);
        break;
      }
      case 5:
        to.composite(
          image.UNION,
          name,
          64,
          [
            ["a", sized(), 0],
            ["b", sized(), random(12) ? 0 : 8],
          ],
          random(2) === 0,
        );
        break;
      case 6:
        to.enumeration(
          name,
          [
            [`A${i}`, 1],
            [random(15) ? `B${i}` : "", 2],
          ],
          random(9) ? 4 : 3,
        );
        break;
      case 7:
        to.ref(image.FWD, random(20) ? 0 : 1, name, random(2) === 0);
        break;
      case 8:
        to.ref(image.TYPEDEF, any(), name);
        break;
      case 9:
        to.ref([image.CONST, image.VOLATILE, image.RESTRICT][random(3)]!, any(), random(20) ? "" : name);
        break;
      case 10: {
        const params = Array.from({ length: random(4) }, (_, n) => [random(9) ? `p${n}` : "", sized()] as const);
        const variadic: (readonly [string, number])[] = random(4) ? [] : [[random(6) ? "" : "v", 0]];
        to.func(name, to.proto(any(), [...params, ...variadic]), random(12) ? random(2) : 2);
        break;
      }
      case 11:
        to.proto(any(), [["p", any()]]);
        break;
      case 12: {
        const variable = to.variable(name, sized(), random(20) ? 1 : 2);
        to.datasec(random(9) ? ".data" : "?x y\u0001", 64, [
          [random(15) ? variable : any(), random(9) * 8, random(9) ? 8 : 0],
        ]);
        break;
      }
      case 13:
        to.type(image.FLOAT, name, [2, 4, 8, 12, 16, 3][random(6)]!);
        break;
      case 14:
        to.declTag(name, sized(), random(3) ? -1 : random(4), random(4) === 0);
        break;
      case 15:
        to.ref(image.TYPE_TAG, any(), name, random(4) === 0);
        break;
      case 16:
        to.enumeration64(name, [[`W${i}`, -1n]], random(2) === 0);
        break;
      default:
        to.int(name, [1, 2, 4, 8, 16][random(5)], [0, 1, 2, 4, 3][random(5)], random(9) ? 8 : 33, random(20) ? 0 : 3);
    }
  }
  return to;
}

/** A whole family of references that go as deep as a kernel follows them, and one step further. */
function deep(length: number, kinds: readonly number[]): Uint8Array {
  const to = new Image();
  to.int("int");
  for (let i = 0; i < length; i++) {
    const kind = kinds[i % kinds.length]!;
    const next = i === length - 1 ? 1 : to.nextId + 1;
    if (kind === image.STRUCT) to.composite(kind, `s${i}`, 4, [["m", next, 0]]);
    else if (kind === image.ARRAY) to.array(next, 1, 1);
    else to.ref(kind, next, kind === image.TYPEDEF || kind === image.TYPE_TAG ? `t${i}` : "");
  }
  return to.bytes();
}

// Rules differ between kernels: ours are 6.18's.
const isSameKernel = release().startsWith("6.18.");

describe.runIf(isSameKernel || process.env["CI"])("fresh images, loaded into the running kernel", () => {
  const loading = needing("BPF_BTF_LOAD", "gcc and libbpf-dev");

  loading("6,000 built from a seed", () => {
    const random = seeded("plausible");
    const images = Array.from({ length: 6000 }, () => plausible(random).bytes());
    const verdicts = load(images);
    expect(verdicts.filter(({ errno }) => errno === 0).length).toBeGreaterThan(300);
    expect(new Set(verdicts.map(({ why }) => why.replace(/[\d"'].*?(?=\b[A-Z])/g, ""))).size).toBeGreaterThan(25);
    expect(disagreements(images, verdicts)).toEqual([]);
  });

  loading("3,000 mutations of well-formed ones", () => {
    const random = seeded("mutated");
    const images = Array.from({ length: 3000 }, () => {
      const bytes = random(3) ? plausible(random).bytes() : everyKind().bytes();
      for (let n = 1 + random(2); n > 0; n--) {
        if (random(4)) bytes[random(bytes.length)]! ^= 1 << random(8);
        else
          new DataView(bytes.buffer).setUint32(
            24 + (random(bytes.length - 28) & ~3),
            [0, 1, 7, 0xfffff, 0x100000, 0xffffffff][random(6)]!,
            true,
          );
      }
      return bytes;
    });
    expect(disagreements(images, load(images))).toEqual([]);
  });

  loading("6,000 with locks, lists, trees and kernel pointers", () => {
    const random = seeded("fields");
    const images = Array.from({ length: 6000 }, () => withFields(random).bytes());
    for (const levels of [1, 2, 29, 30, 31, 32, 33]) {
      for (const isArray of [false, true]) {
        for (const isPlain of [false, true]) images.push(nestedFields(levels, isArray, isPlain).bytes());
      }
    }
    const verdicts = load(images);
    const errors = new Set(verdicts.map(({ errno }) => errno));
    expect([...errors].sort((a, b) => a - b)).toEqual([0, 2, 7, 14, 17, 22, 40]);
    expect(verdicts.filter(({ errno }) => errno === 0).length).toBeGreaterThan(500);
    expect(disagreements(images, verdicts)).toEqual([]);
    const rules = new Set(images.map((bytes) => verify(bytes).findings[0]?.rule));
    expect(
      "bits twice count depth array overlap none locks lock refcount ownership contains"
        .split(" ")
        .map((name) => `field-${name}`)
        .concat("kptr-tag", "kptr-target", "contains-struct", "contains-member", "contains-node", "contains-plain")
        .filter((rule) => !rules.has(rule)),
    ).toEqual([]);
  });

  for (const [name, make] of Object.entries(systematic)) {
    loading(`one thing at a time: ${name}`, () => {
      const images = [...make()];
      const verdicts = load(images);
      expect(new Set(verdicts.map(({ errno }) => errno)).has(0)).toBe(true);
      expect(disagreements(images, verdicts)).toEqual([]);
    });
  }

  loading("references of all depths", () => {
    const chains = [
      [image.PTR],
      [image.CONST],
      [image.STRUCT],
      [image.ARRAY],
      [image.TYPEDEF],
      [image.TYPE_TAG],
      [image.PTR, image.CONST],
      [image.STRUCT, image.ARRAY],
      [image.STRUCT, image.PTR],
      [image.CONST, image.ARRAY, image.PTR],
      [image.TYPEDEF, image.STRUCT],
      [image.TYPE_TAG, image.CONST],
      [image.PTR, image.TYPE_TAG],
    ]; // prettier-ignore
    const images = chains.flatMap((kinds) => [1, 2, 30, 31, 32, 33, 34, 64, 65].map((length) => deep(length, kinds)));
    expect(disagreements(images, load(images))).toEqual([]);
  });

  needing(
    "BPF_BTF_LOAD",
    "gcc and libbpf-dev",
    "the corpus in ../shared",
  )("kernels and objects of the corpus", () => {
    const names = [
      ...["6.12-amd64", "6.1-cloud-amd64", "6.1-i386", "6.12-armhf-layout"].map((name) => `vmlinux/${name}.btf.gz`),
      ...readdirSync(corpusPath("objects"))
        .filter((name) => !name.startsWith("s390x"))
        .map((name) => `objects/${name}`),
    ];
    const images = names.map((name) => {
      if (name.startsWith("vmlinux")) return gunzipSync(readFileSync(corpusPath(name)));
      const builder = new BtfBuilder();
      builder.append(openFile(corpusPath(name)));
      return builder.encode();
    });
    expect(disagreements(images, load(images))).toEqual([]);
  });
});

describe("findings", () => {
  const struct = (): Image => {
    const to = new Image();
    to.int("int", 4, 1);
    to.composite(image.STRUCT, "point", 4, [
      ["x", 1, 0],
      ["y", 1, 32],
    ]);
    return to;
  };

  test("name rule, type, member and byte", () => {
    const { ok, errno, findings } = verify(struct().bytes());
    expect([ok, errno]).toEqual([false, 22]);
    expect(findings).toEqual([
      {
        rule: "member-exceeds",
        typeId: 2,
        name: "point",
        message: 'type [2] STRUCT "point", member 1 "y", member-exceeds: Member exceeds struct_size (at byte 72)',
        offset: 72,
      },
    ]);
  });

  test("a record whose kind nobody knows ends them, and is named", () => {
    const to = new Image();
    to.variable("counter", 1, 1);
    expect(verify(to.bytes(), { kernel: "5.1" }).findings).toMatchObject([
      { rule: "kind", typeId: 1, name: "counter", message: expect.stringMatching(/^type \[1\] VAR "counter", kind: /) },
    ]);
  });

  test("all records that are wrong, then all references; at most as many as asked for", () => {
    const to = new Image();
    for (let i = 0; i < 5; i++) to.ref(image.CONST, 0, "named");
    expect(verify(to.bytes()).findings.map(({ typeId, rule }) => `${typeId} ${rule}`)).toEqual(
      [1, 2, 3, 4, 5].map((id) => `${id} name`),
    );
    expect(verify(to.bytes(), { limit: 2 }).findings.length).toBe(2);
  });

  test("a type that fails is told once, not for all that refer to it", () => {
    const to = new Image();
    to.ref(image.CONST, 2);
    to.ref(image.CONST, 1);
    for (let i = 0; i < 4; i++) to.ref(image.PTR, 1);
    expect(verify(to.bytes()).findings.map(({ typeId, rule }) => `${typeId} ${rule}`)).toEqual(["1 loop"]);
  });

  test("of a big-endian image are those of a big-endian kernel", () => {
    for (const endian of ["little", "big"] as const) {
      const to = new Image({ endian });
      to.ref(image.CONST, 0, "named");
      expect(verify(to.bytes()).findings[0]).toMatchObject({ rule: "name", offset: 24 });
    }
  });

  test("of special fields: struct, member and byte", () => {
    const to = nestedFields(1, false, false);
    to.composite(image.STRUCT, "list", 24, [
      ["first", 1, 0],
      ["lock", 2, 32],
      ["again", 2, 64],
    ]);
    const at = to.bytes().length;
    expect(verify(to.bytes())).toMatchObject({
      errno: 7,
      findings: [{ rule: "field-twice", typeId: to.nextId - 1, name: "list" }],
    });
    const { message, offset } = verify(to.bytes()).findings[0]!;
    expect(message).toBe(
      `type [${to.nextId - 1}] STRUCT "list", member 2 "again", field-twice: second lock of its kind (at byte ${offset})`,
    );
    expect(offset).toBeLessThan(at);
    // Kernels before read other fields, or none; a module's are not looked through.
    expect(verify(to.bytes(), { kernel: "6.14" }).ok).toBe(true);
    expect(verify(to.bytes(), { kernel: "6.15" }).ok).toBe(false);
  });

  test("structs that hold each other twice over take no time", () => {
    const to = new Image();
    const lock = to.composite(image.STRUCT, "bpf_spin_lock", 4, []);
    let inner = to.composite(image.STRUCT, "s", 4, []);
    for (let i = 0; i < 29; i++) {
      inner = to.composite(image.STRUCT, `s${i}`, 4, Array(9).fill(["", inner, 0]));
    }
    to.composite(image.STRUCT, "outer", 8, [
      ["l", lock, 0],
      ["m", inner, 32],
    ]);
    expect(verify(to.bytes()).ok).toBe(true);
  });

  test("of a split on its base", () => {
    const base = struct();
    const fine = new Image();
    fine.int("int", 4, 1);
    const parsed = Btf.parse(fine.bytes());
    const split = new Image({ base: fine });
    split.ref(image.PTR, 1);
    split.composite(image.STRUCT, "s", 2, [["m", 1, 0]]);
    expect(verify(split.bytes(), { base: parsed }).findings).toMatchObject([
      { rule: "member-exceeds", typeId: 3, offset: 56 },
    ]);
    expect(verify(parsed.split(split.bytes())).ok).toBe(false);
    expect(verify(parsed.split(new Image({ base: fine }).bytes())).ok).toBe(true);
    expect(verify(Btf.parse(base.bytes())).ok).toBe(false);
  });

  test("pointers of 4 bytes", () => {
    const to = new Image();
    to.int("long", 4, 1);
    to.ref(image.PTR, 1);
    to.composite(image.STRUCT, "s", 4, [["p", 2, 0]]);
    expect([
      verify(to.bytes()).ok,
      verify(to.bytes(), { pointerSize: 4 }).ok,
      verify(Btf.parse(to.bytes())).ok,
    ]).toEqual([false, true, true]);
  });
});

describe("kernels by version", () => {
  const first = (make: (to: Image) => void, kernel: string): string => {
    const to = new Image();
    to.int("int", 4, 1);
    make(to);
    return verify(to.bytes(), { kernel }).findings[0]?.rule ?? "ok";
  };
  const since: Record<string, [before: string, from: string, rule: string, make: (to: Image) => void]> = {
    FUNC: ["4.20", "5.0", "kind", (to) => to.func("f", 3) && to.proto(0)],
    VAR: ["5.1", "5.2", "kind", (to) => to.variable("v", 1)],
    "global FUNC": ["5.5", "5.6.3", "func-linkage", (to) => to.func("f", 3, 1) && to.proto(0)],
    FLOAT: ["5.12", "5.13-rc1", "kind", (to) => to.type(image.FLOAT, "f", 4)],
    DECL_TAG: ["5.15.200", "5.16", "kind", (to) => to.ref(image.TYPEDEF, 1, "t") && to.declTag("x", 2)],
    "pointer to a FUNC": ["5.16", "5.17", "type-id", (to) => to.ref(image.PTR, to.func("f", to.proto(0), 1))],
    TYPE_TAG: ["5.16", "v5.17", "kind", (to) => to.ref(image.TYPE_TAG, 1, "t")],
    ENUM64: ["5.19", "6.0", "kind", (to) => to.enumeration64("e", [["A", 1n]])],
    "signed ENUM": ["5.19", "6.0", "kind-flag", (to) => to.enumeration("e", [["A", 1]], 4, true)],
    "empty DATASEC": ["5.11", "5.12", "section-empty", (to) => to.datasec(".data", 4, [])],
    "TYPE_TAG behind CONST": [
      "6.18",
      "7.0",
      "type-tag-order",
      (to) => to.ref(image.CONST, to.ref(image.TYPE_TAG, 1, "t")),
    ],
    attributes: ["6.14", "6.15", "kind-flag", (to) => to.ref(image.TYPE_TAG, 1, "t", true)],
  };
  for (const [name, [before, from, rule, make]] of Object.entries(since)) {
    test(`${name}: refused by ${before}, loaded by ${from}`, () => {
      expect([first(make, before), first(make, from)]).toEqual([rule, "ok"]);
    });
  }

  const recorded = ["5.10", "6.1", "6.12", "7.3"] as const;
  for (const kernel of recorded) {
    needing("the corpus in ../shared")(`verdicts of 18,004 images are Linux ${kernel}'s`, () => {
      const lines = gunzipSync(readFileSync(corpusPath("acceptance.jsonl.gz")))
        .toString()
        .trim()
        .split("\n");
      const differing = lines.flatMap((line) => {
        const { hex, kernels } = JSON.parse(line) as { hex: string; kernels?: Record<string, number> };
        if (!kernels) return [];
        const { errno } = verify(Buffer.from(hex, "hex"), { kernel });
        return errno === kernels[kernel] ? [] : [`kernel ${kernels[kernel]}, ours ${errno}: ${hex}`];
      });
      expect(differing).toEqual([]);
    });
  }

  test("refuses what is no version", () => {
    for (const kernel of ["new", "6", "4.17", ""]) {
      expect(() => verify(new Image().bytes(), { kernel })).toThrow(BtfError);
    }
  });
});

test("hostile input: a verdict, never a trap", () => {
  const random = seeded("hostile");
  for (let i = 0; i < 20_000; i++) {
    const seed = i % 2 ? everyKind().bytes() : withFields(random).bytes();
    const bytes = seed.slice(0, random(4) ? seed.length : random(seed.length));
    for (let n = random(6); n > 0; n--) if (bytes.length) bytes[random(bytes.length)] = random(256);
    const { ok, findings } = verify(bytes);
    expect(ok).toBe(findings.length === 0);
  }
});
