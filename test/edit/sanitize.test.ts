// BTF for older kernels, byte for byte what libbpf loads into them. The kernel
// that lacks something is played by test/native/sanitize.c.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Btf, dumpRaw } from "btfkit";
import { readObject } from "btfkit/bpf";
import { BTF_FEATURES, type BtfFeature, encode, fixSections, sanitize, verify } from "btfkit/edit";
import { expect, test } from "vitest";
import { bpfObject } from "../support/bpf.js";
import * as image from "../support/image.js";
import { Image } from "../support/image.js";
import { nativeProgram } from "../support/native.js";
import { corpusPath, needing } from "../support/needs.js";
import { type Random, seeded } from "../support/random.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-sanitize-"));

/** What libbpf 1.1 knows of. Attributes it leaves as they are, and it knows no layout. */
const ASKED: readonly BtfFeature[] = ["func", "datasec", "func_global", "float", "decl_tag", "type_tag", "enum64"];
const UNASKED: readonly BtfFeature[] = ["qmark_datasec", "attributes", "empty_datasec"];

/** The BTF of an object as libbpf opened it, and as it loads it. */
function native(program: string, object: string, features: readonly BtfFeature[]): { before: Buffer; after: Buffer } {
  const [before, after] = [join(folder, "before.btf"), join(folder, "after.btf")];
  execFileSync(program, [features.join(), before, after, object]);
  return { before: readFileSync(before), after: readFileSync(after) };
}

/** Where we and libbpf differ, for an object and what a kernel knows. */
function difference(program: string, object: string, features: readonly BtfFeature[]): string | undefined {
  const { before, after } = native(program, object, features);
  const ours = encode(sanitize(Btf.parse(before), { features: [...features, ...UNASKED] }).btf);
  if (after.equals(ours) || textOf(after) === textOf(ours)) return undefined;
  return `${object} for ${features.join()}`;
}

/**
 * The types of an image, with the names that libbpf leaves as no kernel takes
 * them: parameters without a name that became enumerators, and dots in the names
 * of variables that became members.
 */
function textOf(bytes: Uint8Array): string {
  return dumpRaw(Btf.parse(bytes))
    .text()
    .replace(/^\t'(?:param\d+|\(anon\))' val=/gm, "\t'(anon)' val=")
    .replace(/^\t'([\w.]+)' type_id/gm, (member) => member.replaceAll(".", "_"));
}

/** All sets of features that a kernel may have. */
const sets: readonly BtfFeature[][] = Array.from({ length: 2 ** ASKED.length }, (_, bits) =>
  ASKED.filter((_, i) => (bits >> i) & 1),
);

/** One of each thing that is replaced, more or less of it. */
function object(random: Random): Uint8Array {
  const to = new Image();
  const int = to.int("int", 4, 1);
  // The program itself.
  to.func("program", to.proto(int, [["ctx", to.ref(image.PTR, 0)]]), 1);
  for (let i = 3 + random(12); i > 0; i--) {
    const name = `n${i}`;
    const any = 1 + random(to.nextId - 1);
    switch (random(9)) {
      case 0:
        to.func(
          name,
          to.proto(
            random(2) ? int : 0,
            random(2)
              ? [
                  [`p${i}`, int],
                  ["", 0],
                ]
              : [],
          ),
          random(3),
        );
        break;
      case 1: {
        const variables = Array.from(
          { length: random(4) },
          (_, n) => [to.variable(`v${i}_${n}`, int, 0), n * 4, 4] as const,
        );
        to.datasec(`.bss.${"x.y".slice(random(3))}${i}`, 64, variables);
        break;
      }
      case 2:
        to.type(image.FLOAT, name, 8);
        break;
      case 3:
        to.declTag(name, to.composite(image.STRUCT, `s${i}`, 4, [["m", int, 0]]), random(2) - 1);
        break;
      case 4:
        to.ref(image.PTR, to.ref(image.TYPE_TAG, any, name));
        break;
      case 5:
        to.enumeration(name, [[`E${i}`, -1]], 4, random(2) === 0);
        break;
      case 6:
        to.enumeration64(
          name,
          random(3)
            ? [
                [`W${i}`, -1n],
                [`X${i}`, 5n],
              ]
            : [],
          random(2) === 0,
        );
        break;
      case 7:
        to.int(random(3) ? name : "enum64_placeholder", 1);
        break;
      default:
        to.composite(image.UNION, name, 8, [["a", any, 0]]);
    }
  }
  return bpfObject(to, [{ opcode: 0xb7 }, { opcode: 0x95 }], []);
}

needing("gcc and libbpf-dev")("128 kernels that know one thing and not another", () => {
  const program = nativeProgram("sanitize");
  const random = seeded("sanitize");
  const path = join(folder, "random.bpf.o");
  const differences = sets.flatMap((features) => {
    writeFileSync(path, object(random));
    return difference(program, path, features) ?? [];
  });
  expect(differences).toEqual([]);
});

needing("gcc and libbpf-dev", "the corpus in ../shared")("the corpus's objects", () => {
  const program = nativeProgram("sanitize");
  const objects = readdirSync(corpusPath("objects")).filter((name) => !name.startsWith("s390x"));
  const releases = ASKED.map((_, i) => ASKED.slice(0, i));
  expect(
    objects.flatMap(
      (name, i) => difference(program, corpusPath(`objects/${name}`), releases[i % releases.length]!) ?? [],
    ),
  ).toEqual([]);
});

needing("gcc and libbpf-dev", "the corpus in ../shared")(
  "sizes, offsets and linkages of sections, as libbpf opens them",
  () => {
    const program = nativeProgram("sanitize");
    const objects = readdirSync(corpusPath("objects")).filter((name) => !name.startsWith("s390x"));
    let fixed = 0;
    const differing = objects.filter((name) => {
      const path = corpusPath(`objects/${name}`);
      const made = fixSections(readObject(readFileSync(path)));
      if (verify(made).ok) fixed++;
      // What the kernel has to provide, libbpf writes into these by other rules.
      if (made.find(".kconfig", "datasec") || made.find(".ksyms", "datasec")) return false;
      return !native(program, path, ASKED).before.equals(encode(made));
    });
    expect(differing).toEqual([]);
    expect(fixed).toBeGreaterThan(objects.length / 2);
  },
);

needing("clang-19", "gcc and libbpf-dev")("variables in any order, hidden ones too", () => {
  const path = join(folder, "sections.bpf.o");
  const source = `
    static int own; int shared = 1; __attribute__((visibility("hidden"))) long hidden = 2; int late[7] = {3};
    const volatile int setting; char _license[] __attribute__((section("license"))) = "GPL";
    __attribute__((section("raw_tp/x"))) int program(void *ctx) { return own++ + shared++ + hidden++ + late[0]++ + setting; }`;
  execFileSync("clang-19", ["-target", "bpf", "-g", "-O2", "-c", "-x", "c", "-o", path, "-"], { input: source });
  const object = readObject(readFileSync(path));
  expect(verify(object.btf).findings[0]?.rule).toBe("section-size");
  const fixed = fixSections(object);
  expect(verify(fixed).ok).toBe(true);
  expect(native(nativeProgram("sanitize"), path, ASKED).before.equals(encode(fixed))).toBe(true);
  const data = fixed.require(".data", "datasec").variables;
  expect(data.map(({ type }) => [type.name, (type as { linkage: string }).linkage])).toEqual(
    [
      ["hidden", "static"],
      ["shared", "global"],
      ["late", "global"],
    ].sort(
      (a, b) => data.findIndex(({ type }) => type.name === a[0]) - data.findIndex(({ type }) => type.name === b[0]),
    ),
  );
  // From the command line, for a kernel of its own.
  execFileSync(process.execPath, [
    "dist/cli/btfkit.cjs",
    "sanitize",
    path,
    "--kernel",
    "4.19",
    "-o",
    join(folder, "old.btf"),
  ]);
  expect(verify(readFileSync(join(folder, "old.btf")), { kernel: "4.19" }).findings).toEqual([]);
});

test("a section is renamed where its name stands, unless something else bears it too", () => {
  const to = new Image();
  to.int("int", 4, 1);
  const own = to.datasec("?own.x", 4, [[to.variable("a", 1), 0, 4]]);
  const shared = to.datasec("?shared", 4, [[to.variable("b", 1), 0, 4]]);
  to.declTag("?shared", 2);
  const before = Btf.parse(to.bytes());
  const known = BTF_FEATURES.filter((one) => one !== "qmark_datasec");
  const { btf, changed } = sanitize(before, { features: known });
  expect([btf.nameAt(own), btf.nameAt(shared), btf.nameAt(6)]).toEqual(["_own.x", "_shared", "?shared"]);
  expect(changed).toEqual([own, shared]);
  expect(btf.header.stringsLength - before.header.stringsLength).toBe("_shared\0".length);
  expect(before.nameAt(own)).toBe("?own.x");
  expect(sanitize(before, { kernel: "5.1" }).btf.nameAt(own)).toBe("_own_x");
  expect(verify(btf).ok).toBe(true);
});

for (const kernel of ["4.19", "5.0", "5.4", "6.1", "6.12"]) {
  test(`a kernel takes what is made for it: ${kernel}`, () => {
    const random = seeded(`sanitized for ${kernel}`);
    for (let round = 0; round < 60; round++) {
      const { btf } = readObject(object(random));
      if (!verify(btf).ok) continue;
      expect(verify(sanitize(btf, { kernel }).btf, { kernel }).findings).toEqual([]);
    }
  });
}

test("names of other languages", () => {
  const to = new Image();
  const int = to.int("u32", 4);
  to.composite(image.STRUCT, "Wrap<u64, [u8; 4]>", 8, [
    ["__0", int, 0],
    ["1st", int, 32],
  ]);
  to.enumeration("core::option::Option", [["Some{}", 1]]);
  const btf = Btf.parse(to.bytes());
  expect(verify(btf).ok).toBe(false);
  const { btf: plain } = sanitize(btf, { kernel: "6.1", names: true });
  expect(verify(plain).findings).toEqual([]);
  expect([...plain.types()].map(({ name }) => name)).toEqual(["u32", "Wrap_u64___u8__4__", "core__option__Option"]);
  expect(verify(sanitize(btf, { kernel: "6.1" }).btf).ok).toBe(false);
});
