// Hostile input: never a trap, never a hang, always a Btf that can be walked
// whole, or a BtfError. Seeded, so that a failure can be run again.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Btf, BtfError } from "btfkit";
import { describe, expect, test } from "vitest";
import { CONST, everyKind, Image, LAYOUT, PTR, STRUCT, TYPEDEF } from "../support/image.js";
import { type Random, seeded } from "../support/random.js";
import { walk } from "../support/walk.js";

type Mutation = (bytes: Uint8Array<ArrayBuffer>, random: Random) => Uint8Array<ArrayBuffer>;

/** Lengths, ids and counts that sit on an edge. */
const EDGES = [0, 1, 4, 12, 24, 0x7f, 0xffff, 0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

const mutations: Record<string, Mutation> = {
  "flips a bit": (bytes, random) => {
    bytes[random(bytes.length)]! ^= 1 << random(8);
    return bytes;
  },
  truncates: (bytes, random) => bytes.slice(0, random(bytes.length)),
  "puts a hostile number": (bytes, random) => {
    new DataView(bytes.buffer).setUint32(random(bytes.length - 3) & ~3, EDGES[random(EDGES.length)]!, random(8) > 0);
    return bytes;
  },
  "puts a hostile length into the header": (bytes, random) => {
    new DataView(bytes.buffer).setUint32(4 + random(7) * 4, EDGES[random(EDGES.length)]!, true);
    return bytes;
  },
  "splices words": (bytes, random) => {
    const length = 4 * (1 + random(8));
    const [from, to] = [random(bytes.length - length) & ~3, random(bytes.length - length) & ~3];
    bytes.copyWithin(to, from, from + length);
    return bytes;
  },
  "makes a reference a loop": (bytes, random) => {
    const view = new DataView(bytes.buffer);
    const at = 24 + (random(Math.max(1, bytes.length - 40)) & ~3);
    view.setUint32(at, 1 + random(20), true);
    return bytes;
  },
  "duplicates a stretch": (bytes, random) => {
    const at = random(bytes.length) & ~3;
    const length = random(64) & ~3;
    return new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at, at + length), ...bytes.subarray(at)]);
  },
};

let walked = 0;
/** Every so many accepted images are written as C too. */
const C_EVERY = 5;

/** Opens; walks what was accepted. Returns whether it was. */
function judge(
  bytes: Uint8Array,
  open: (bytes: Uint8Array) => Btf = Btf.parse,
  look = (btf: Btf): void => walk(btf, walked++ % C_EVERY === 0),
): boolean {
  let btf: Btf;
  try {
    btf = open(bytes);
  } catch (error) {
    if (error instanceof BtfError && error.code !== "ERR_INTERNAL") return false;
    throw error;
  }
  look(btf);
  btf[Symbol.dispose]();
  return true;
}

const PER_SEED = 2400;

describe("mutations of small images", () => {
  const seeds: Record<string, () => Image> = {
    "every kind": () => everyKind(),
    "every kind, big endian": () => everyKind({ endian: "big" }),
    "every kind, header of 32 bytes with a layout": () => everyKind({ layout: [...LAYOUT, [4, 8]] }),
    "cyclic types": () => {
      const image = new Image();
      image.ref(CONST, 2);
      image.ref(TYPEDEF, 1, "loop_t");
      image.composite(STRUCT, "node", 16, [
        ["next", 4, 0],
        ["self", 3, 64],
      ]);
      image.ref(PTR, 3);
      image.array(5, 1, 3);
      return image;
    },
  };
  for (const [name, make] of Object.entries(seeds)) {
    for (const [mutation, mutate] of Object.entries(mutations)) {
      test(`${name}: ${mutation}, ${PER_SEED} times`, () => {
        const random = seeded(`${name} ${mutation}`);
        let accepted = 0;
        for (let i = 0; i < PER_SEED; i++) {
          let bytes = make().bytes();
          for (let n = 1 + random(3); n > 0 && bytes.length > 40; n--) bytes = mutate(bytes, random);
          if (judge(bytes)) accepted++;
        }
        // Some are refused; most truncations are.
        expect(accepted).toBeLessThan(PER_SEED);
      });
    }
  }

  for (const [mutation, mutate] of Object.entries(mutations)) {
    test(`a split on its base: ${mutation}, ${PER_SEED * 2} times`, () => {
      const random = seeded(`split ${mutation}`);
      const base = everyKind();
      let accepted = 0;
      for (let i = 0; i < PER_SEED * 2; i++) {
        using on = Btf.parse(base.bytes());
        let bytes = everyKind({ base }).bytes();
        for (let n = 1 + random(3); n > 0 && bytes.length > 40; n--) bytes = mutate(bytes, random);
        if (judge(bytes, (split) => on.split(split))) accepted++;
      }
      expect(accepted).toBeLessThan(PER_SEED * 2);
    });
  }
});

describe("mutations of a whole kernel", () => {
  const kernel = new Uint8Array(gunzipSync(readFileSync("test/data/vmlinux-6.1-cloud-amd64.btf.gz")));
  // Looks at a part of the 95,000 types; every byte goes through check and dump.
  const glance = (btf: Btf): void => {
    for (let id = 1; id < btf.size; id += 997)
      JSON.stringify(btf.get(id), (_, v: unknown) => (typeof v === "bigint" ? 0 : v));
    btf.find("task_struct", "struct");
  };
  for (const [mutation, mutate] of Object.entries(mutations)) {
    if (mutation === "duplicates a stretch") continue;
    test(`${mutation}, 60 times`, () => {
      const random = seeded(`kernel ${mutation}`);
      for (let i = 0; i < 60; i++) judge(mutate(kernel.slice(), random), Btf.parse, glance);
    });
  }

  test("walks whole what was accepted after ten flipped bits", () => {
    const random = seeded("kernel whole");
    let accepted = 0;
    for (let i = 0; i < 12 && accepted < 2; i++) {
      const bytes = kernel.slice();
      for (let n = 0; n < 10; n++)
        mutations["flips a bit"]!(bytes.subarray(kernel.length >> 1) as Uint8Array<ArrayBuffer>, random);
      if (judge(bytes)) accepted++;
    }
    expect(accepted).toBeGreaterThan(0);
  });
});
