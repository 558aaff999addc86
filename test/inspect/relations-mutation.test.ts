// Hostile BTF through offsets, identities, relations, differences and histories: a result or a BtfError, and soon.
import { Btf, BtfError } from "btfkit";
import {
  diff,
  differenceMarkdown,
  differenceText,
  history,
  historySvg,
  historyText,
  identities,
  memberAt,
  relations,
} from "btfkit/inspect";
import { describe, expect, test } from "vitest";
import { built } from "../support/brief.js";
import { everyKind, Image, STRUCT, UNION } from "../support/image.js";
import { type Random, seeded } from "../support/random.js";

const EDGES = [0, 1, 4, 12, 0x7f, 0xffff, 0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

function mutate(bytes: Uint8Array<ArrayBuffer>, random: Random): void {
  const view = new DataView(bytes.buffer);
  for (let n = 1 + random(4); n > 0; n--) {
    const at = 24 + (random(bytes.length - 28) & ~3);
    switch (random(4)) {
      case 0:
        bytes[random(bytes.length)]! ^= 1 << random(8);
        break;
      case 1:
        view.setUint32(at, EDGES[random(EDGES.length)]!, true);
        break;
      case 2:
        view.setUint32(at, 1 + random(24), true);
        break;
      default:
        bytes.copyWithin(at, 24 + (random(bytes.length - 28) & ~3), at + 4);
    }
  }
}

/** Runs what may be refused, but in no other way than with a BtfError. */
function allowed(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
  }
}

function lookThrough(btf: Btf, other: Btf): void {
  for (const type of btf) {
    for (const bitOffset of [0, 1, 8, 63, 64, 1000, 0xffffffff]) allowed(() => memberAt(type, { bitOffset }));
  }
  allowed(() => identities(btf));
  const index = relations([btf, other]);
  for (const type of [...btf].slice(0, 12)) {
    for (const relation of ["embeds", "embeds-deep", "points-to"] as const) {
      allowed(() => index.holders(relation, type).map(({ members }) => members));
      if (type.name) allowed(() => index.holders(relation, type.name).map(({ members }) => members));
    }
    for (const relation of ["takes", "returns"] as const) allowed(() => index.functions(relation, type));
  }
  for (const list of ["kfuncs", "tracepoints", "structOps", "withHoles"] as const) allowed(() => index[list]());
  allowed(() => index.withMember((name) => name.length > 1));
  for (const [old, now] of [
    [btf, other],
    [other, btf],
  ] as const) {
    allowed(() => {
      const found = diff(old, now, { impact: true, ignore: (_, part) => part === "q" });
      for (const _ of [...differenceText(found), ...differenceMarkdown(found)]);
    });
  }
  const members = [...btf].flatMap((type) =>
    (type.kind === "struct" || type.kind === "union") && type.name && type.members[0]?.name
      ? [`${type.name}.${type.members[0].name}`]
      : [],
  );
  allowed(() => {
    const found = history(members, [
      { name: "a", btfs: [btf] },
      { name: "b", btfs: [other] },
    ]);
    historyText(found);
    historySvg(found);
  });
}

describe("mutations", () => {
  for (const endian of ["little", "big"] as const) {
    test(`of every kind, ${endian} endian, 1500 times`, () => {
      const random = seeded(`inspect ${endian}`);
      using other = Btf.parse(everyKind({ endian }).bytes());
      let accepted = 0;
      for (let i = 0; i < 1500; i++) {
        const bytes = everyKind({ endian }).bytes();
        mutate(bytes, random);
        let btf: Btf;
        try {
          btf = Btf.parse(bytes);
        } catch (error) {
          if (error instanceof BtfError && error.code !== "ERR_INTERNAL") continue;
          throw error;
        }
        accepted++;
        lookThrough(btf, other);
        btf[Symbol.dispose]();
      }
      expect(accepted).toBeGreaterThan(100);
    });
  }
});

describe("shapes that could take for ever", () => {
  test("unions of two of the same union, 60 deep", () => {
    const image = new Image();
    image.int("int", 4, 1);
    for (let i = 1; i <= 60; i++) {
      image.composite(UNION, "", 4, [
        ["", i, 0],
        ["", i, 0],
      ]);
    }
    image.composite(STRUCT, "top", 4, [["", 61, 0]]);
    const btf = Btf.parse(image.bytes());
    lookThrough(btf, built(["int int 4s"]));
  });

  test("100,000 definitions of one name, and as many references in a row", () => {
    const image = new Image();
    image.int("int", 4, 1);
    for (let i = 0; i < 100_000; i++) image.composite(STRUCT, "same", 4 + i, [["m", 1, 0]]);
    const many = Btf.parse(image.bytes());
    expect(diff(many, many).changed).toEqual([]);
    const [one] = diff(built(["int int 4s", "struct same 4: m 1@0"]), many).changed;
    expect(one).toMatchObject({ name: "same", definitions: { old: 1, new: 100_000 } });
    const chain = new Image();
    chain.int("int", 4, 1);
    for (let i = 0; i < 100_000; i++) chain.ref(2, i + 2);
    chain.ref(2, 1);
    allowed(() => identities(Btf.parse(chain.bytes())));
    allowed(() => relations(Btf.parse(chain.bytes())).holders("points-to", "int"));
  });
});
