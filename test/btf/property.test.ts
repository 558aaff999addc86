// Every generated image opens and shows what it was made from, in both byte
// orders, with either header, alone and split on a base.
import { Btf, type BtfType } from "btfkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as image from "../support/image.js";

/** What a type was made from: its view must show the same. References are picked among all ids, forward ones too. */
interface Spec {
  readonly add: (to: image.Image, pick: (n: number) => number) => void;
  readonly shows: (pick: (n: number) => number) => Record<string, unknown>;
}

const text = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,40}$/),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter((s) => !s.includes("\0")),
);
const maybe = fc.oneof(fc.constant(""), text);
const u32 = fc.oneof(fc.nat(64), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const ref = fc.nat(1000);

const LINKAGE = ["static", "global", "extern"];

function reference(kind: number, name: string): fc.Arbitrary<Spec> {
  return fc.tuple(ref, maybe, fc.boolean()).map(([target, label, flag]) => ({
    add: (to, pick) => to.ref(kind, pick(target), label, flag),
    shows: (pick) => ({ kind: name, name: label, targetId: pick(target), kindFlag: flag }),
  }));
}

function composite(kind: number, name: string): fc.Arbitrary<Spec> {
  const member = fc.tuple(maybe, ref, fc.nat(0xffffff), fc.nat(255));
  return fc
    .tuple(maybe, u32, fc.array(member, { maxLength: 8 }), fc.boolean())
    .map(([label, byteSize, members, flag]) => ({
      add: (to, pick) =>
        to.composite(
          kind,
          label,
          byteSize,
          members.map(([n, t, o, b]) => [n, pick(t), o, flag ? b : 0]),
          flag,
        ),
      shows: (pick) => ({
        kind: name,
        name: label,
        byteSize,
        vlen: members.length,
        members: members.map(([n, t, o, b]) => ({
          name: n,
          typeId: pick(t),
          bitOffset: o,
          bitfieldSize: flag ? b : 0,
        })),
      }),
    }));
}

const spec: fc.Arbitrary<Spec> = fc.oneof(
  fc.tuple(text, u32, fc.nat(15), fc.nat(255), fc.nat(255)).map(([name, byteSize, encoding, bitSize, bitOffset]) => ({
    add: (to: image.Image) => to.int(name, byteSize, encoding, bitSize, bitOffset),
    shows: () => ({ kind: "int", name, byteSize, encoding, bitSize, bitOffset, isSigned: (encoding & 1) === 1 }),
  })),
  reference(image.PTR, "ptr"),
  reference(image.CONST, "const"),
  reference(image.VOLATILE, "volatile"),
  reference(image.RESTRICT, "restrict"),
  reference(image.TYPEDEF, "typedef"),
  reference(image.TYPE_TAG, "type_tag"),
  composite(image.STRUCT, "struct"),
  composite(image.UNION, "union"),
  fc.tuple(ref, ref, u32).map(
    ([element, index, length]) =>
      ({
        add: (to: image.Image, pick) => to.array(pick(element), pick(index), length),
        shows: (pick) => ({ kind: "array", elementId: pick(element), indexId: pick(index), length }),
      }) satisfies Spec,
  ),
  fc.tuple(maybe, fc.array(fc.tuple(text, u32), { maxLength: 6 }), fc.boolean()).map(([name, values, signed]) => ({
    add: (to: image.Image) => to.enumeration(name, values, 4, signed),
    shows: () => ({
      kind: "enum",
      name,
      isSigned: signed,
      values: values.map(([n, value]) => ({ name: n, value: signed ? value | 0 : value })),
    }),
  })),
  fc
    .tuple(maybe, fc.array(fc.tuple(text, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), { maxLength: 6 }), fc.boolean())
    .map(([name, values, signed]) => ({
      add: (to: image.Image) => to.enumeration64(name, values, signed),
      shows: () => ({
        kind: "enum64",
        name,
        values: values.map(([n, value]) => ({ name: n, value: signed ? BigInt.asIntN(64, value) : value })),
      }),
    })),
  fc.tuple(text, fc.boolean()).map(([name, union]) => ({
    add: (to: image.Image) => to.ref(image.FWD, 0, name, union),
    shows: () => ({ kind: "fwd", name, forwardKind: union ? "union" : "struct" }),
  })),
  fc.tuple(ref, fc.array(fc.tuple(maybe, ref), { maxLength: 6 })).map(
    ([returns, params]) =>
      ({
        add: (to: image.Image, pick) =>
          to.proto(
            pick(returns),
            params.map(([n, t]) => [n, pick(t)]),
          ),
        shows: (pick) => ({
          kind: "func_proto",
          returnTypeId: pick(returns),
          params: params.map(([n, t]) => ({ name: n, typeId: pick(t) })),
        }),
      }) satisfies Spec,
  ),
  fc.tuple(text, ref, fc.nat(3)).map(
    ([name, type, linkage]) =>
      ({
        add: (to: image.Image, pick) => to.variable(name, pick(type), linkage),
        shows: (pick) => ({ kind: "var", name, typeId: pick(type), linkage: LINKAGE[linkage] ?? "unknown" }),
      }) satisfies Spec,
  ),
  fc.tuple(text, u32, fc.array(fc.tuple(ref, u32, u32), { maxLength: 6 })).map(
    ([name, byteSize, entries]) =>
      ({
        add: (to: image.Image, pick) =>
          to.datasec(
            name,
            byteSize,
            entries.map(([t, o, s]) => [pick(t), o, s]),
          ),
        shows: (pick) => ({
          kind: "datasec",
          name,
          byteSize,
          variables: entries.map(([t, o, s]) => ({ typeId: pick(t), byteOffset: o, byteSize: s })),
        }),
      }) satisfies Spec,
  ),
  fc.tuple(text, u32).map(([name, byteSize]) => ({
    add: (to: image.Image) => to.type(image.FLOAT, name, byteSize),
    shows: () => ({ kind: "float", name, byteSize }),
  })),
  fc.tuple(text, ref, fc.integer({ min: -1, max: 40 }), fc.boolean()).map(
    ([name, target, component, flag]) =>
      ({
        add: (to: image.Image, pick) => to.declTag(name, pick(target), component, flag),
        shows: (pick) => ({
          kind: "decl_tag",
          name,
          targetId: pick(target),
          componentIndex: component,
          isAttribute: flag,
        }),
      }) satisfies Spec,
  ),
  fc.tuple(text, fc.nat(3)).map(([name, linkage]) => ({
    // Its prototype comes right before it.
    add: (to: image.Image) => to.func(name, to.proto(0), linkage),
    shows: () => ({ kind: "func", name, linkage: LINKAGE[linkage] ?? "unknown" }),
  })),
);

/** Only the fields that `wanted` names, lists of objects likewise. */
function only(type: object, wanted: Record<string, unknown>): Record<string, unknown> {
  const shown = type as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(wanted).map(([field, value]) => [
      field,
      Array.isArray(value)
        ? (shown[field] as object[]).map((element, i) => only(element, (value as Record<string, unknown>[])[i] ?? {}))
        : shown[field],
    ]),
  );
}

function ids(specs: readonly Spec[], first: number): { own: number[]; limit: number } {
  const own: number[] = [];
  let next = first;
  for (const one of specs) {
    // A FUNC takes two ids, the second is its own.
    const isFunc = one.shows(() => 0)["kind"] === "func";
    next += isFunc ? 1 : 0;
    own.push(next++);
  }
  return { own, limit: next };
}

function check(btf: Btf, specs: readonly Spec[], own: readonly number[], pick: (n: number) => number): void {
  specs.forEach((one, i) => {
    const wanted = one.shows(pick);
    const type = btf.get(own[i]!) as BtfType;
    expect(only(type, wanted)).toEqual(wanted);
    expect(btf.kindAt(type.id)).toBe(type.kind);
    expect(btf.nameAt(type.id)).toBe(type.name);
    if (!type.name) return;
    expect(btf.findAll(type.name, type.kind)).toContain(type);
    expect(btf.searchIds([...type.name].slice(1, 4).join(""))).toContain(type.id);
    expect(btf.searchIds([...type.name].slice(0, 3).join(""), { match: "prefix" })).toContain(type.id);
  });
}

const specs = fc.array(spec, { maxLength: 30 });

test("an image shows what it was made from", () => {
  fc.assert(
    fc.property(
      specs,
      fc.constantFrom<"little" | "big">("little", "big"),
      fc.constantFrom(24, 32, 40),
      (all, endian, headerLength) => {
        const { own, limit } = ids(all, 1);
        const pick = (n: number): number => n % limit;
        const made = new image.Image({ endian, headerLength });
        for (const one of all) one.add(made, pick);
        using btf = Btf.parse(made.bytes());
        expect([btf.size, btf.endian, btf.header.headerLength]).toEqual([limit, endian, headerLength]);
        check(btf, all, own, pick);
      },
    ),
    { numRuns: 600, seed: 1 },
  );
});

test("a split shows what it was made from, and its base's types", () => {
  fc.assert(
    fc.property(specs, specs, fc.constantFrom<"little" | "big">("little", "big"), (below, above, endian) => {
      const lower = ids(below, 1);
      const upper = ids(above, lower.limit);
      const pickLower = (n: number): number => n % lower.limit;
      const pickUpper = (n: number): number => n % upper.limit;
      const base = new image.Image({ endian });
      for (const one of below) one.add(base, pickLower);
      const split = new image.Image({ endian, base });
      for (const one of above) one.add(split, pickUpper);
      using onBase = Btf.parse(base.bytes());
      const btf = onBase.split(split.bytes());
      expect([btf.size, btf.firstId]).toEqual([upper.limit, lower.limit]);
      check(btf, below, lower.own, pickLower);
      check(btf, above, upper.own, pickUpper);
      for (const id of lower.own) expect(btf.get(id)).toBe(onBase.get(id));
    }),
    { numRuns: 400, seed: 2 },
  );
});
