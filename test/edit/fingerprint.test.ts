// Fingerprints are equal exactly where types are, across images.
import { Btf, BtfError, type BtfType } from "btfkit";
import { encode, fingerprints, merge, sortByName } from "btfkit/edit";
import { openFile } from "btfkit/node";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as image from "../support/image.js";
import { everyKind, Image } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";

const { PTR, CONST, STRUCT, TYPEDEF, ARRAY, FUNC_PROTO, UNION } = image;

interface Node {
  readonly kind: number;
  readonly name: string;
  readonly refs: readonly number[];
}

const node: fc.Arbitrary<Node> = fc.record({
  kind: fc.constantFrom(PTR, CONST, STRUCT, STRUCT, UNION, TYPEDEF, ARRAY, FUNC_PROTO),
  name: fc.constantFrom("a", "a", "b"),
  refs: fc.array(fc.nat(1000), { maxLength: 2 }),
});

/** Adds nodes whose references are among themselves, or void. */
function addAll(to: Image, nodes: readonly Node[]): void {
  const first = to.nextId;
  for (const { kind, name, refs } of nodes) {
    const ids = refs.map((n) => (n % (nodes.length + 1) === 0 ? 0 : first + (n % (nodes.length + 1)) - 1));
    if (kind === ARRAY) to.array(ids[0] ?? 0, ids[1] ?? 0, 2);
    else if (kind === FUNC_PROTO)
      to.proto(
        0,
        ids.map((id) => ["p", id]),
      );
    else if (kind === STRUCT || kind === UNION)
      to.composite(
        kind,
        name,
        8,
        ids.map((id) => ["m", id, 0]),
      );
    else to.ref(kind, ids[0] ?? 0, kind === TYPEDEF ? name : "");
  }
}

/** Classes of equal types by definition. */
function plainClasses(btf: Btf): number[] {
  const all = Array.from({ length: btf.size }, (_, id) => id);
  const refs = (type: BtfType): number[] => {
    if (type.kind === "struct" || type.kind === "union") return type.members.map(({ typeId }) => typeId);
    if (type.kind === "func_proto") return [type.returnTypeId, ...type.params.map(({ typeId }) => typeId)];
    if (type.kind === "array") return [type.elementId, type.indexId];
    return "targetId" in type ? [type.targetId] : [];
  };
  const links = all.map((id) => refs(btf.get(id)!));
  let classes = all.map((id) => {
    const { kind, name, vlen } = btf.get(id)!;
    return all.findIndex(
      (to) => to <= id && btf.get(to)!.kind === kind && btf.get(to)!.name === name && btf.get(to)!.vlen === vlen,
    );
  });
  for (;;) {
    const keys = all.map((id) => `${classes[id]}:${links[id]!.map((to) => classes[to]).join()}`);
    const next = all.map((id) => keys.indexOf(keys[id]!));
    if (next.join() === classes.join()) return classes;
    classes = next;
  }
}

test("equal exactly for equal types, of one image or of two, in circles too", () => {
  const nodes = fc.array(node, { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(nodes, nodes, (some, others) => {
      const [one, two, both] = [new Image(), new Image({ endian: "big" }), new Image()];
      addAll(one, some);
      addAll(two, others);
      addAll(both, some);
      addAll(both, others);
      const joined = Btf.parse(both.bytes());
      const classes = plainClasses(joined);
      const [first, second] = [fingerprints(Btf.parse(one.bytes())), fingerprints(Btf.parse(two.bytes()))];
      const all = [
        ...Array.from({ length: some.length + 1 }, (_, id) => first.of(id)),
        ...others.map((_, i) => second.of(i + 1)),
      ];
      expect(all.map((value) => all.indexOf(value))).toEqual(classes);
      const whole = fingerprints(joined);
      expect(all).toEqual(Array.from({ length: joined.size }, (_, id) => whole.of(id)));
    }),
    { numRuns: 3000, seed: 5 },
  );
});

test("every detail of every kind counts", () => {
  const bytes = everyKind().bytes();
  const btf = Btf.parse(bytes);
  const known = fingerprints(btf);
  const before = Array.from({ length: btf.size }, (_, id) => known.of(id));
  expect(new Set(before).size).toBe(btf.size);
  let differing = 0;
  // Each word of the types, changed a little: where it is still BTF, some fingerprint changes.
  for (let at = 24; at < 24 + btf.header.typesLength; at += 4) {
    const changed = bytes.slice();
    changed[at]! ^= 1;
    try {
      const other = Btf.parse(changed);
      if (other.size !== btf.size) continue;
      const values = fingerprints(other);
      expect(before.some((value, id) => values.of(id) !== value)).toBe(true);
      differing++;
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
    }
  }
  expect(differing).toBeGreaterThan(60);
});

test("stay the same between versions", () => {
  const btf = Btf.parse(everyKind().bytes());
  const values = fingerprints(btf);
  expect([values.of(0), values.of(1), values.of(btf.find("point", "struct")!)]).toMatchInlineSnapshot(`
    [
      "13198a2e03707344243f6a8885a308d3",
      "74f9ae0700e07fbc80f78181d9247553",
      "cbbb252505338599cf67dbfe61b4d1c2",
    ]
  `);
  expect(values.values.length).toBe(40);
  expect(() => values.of(20)).toThrow(expect.objectContaining({ code: "ERR_NO_SUCH_ID" }));
});

test("a split's are its own and its base's", () => {
  const base = everyKind();
  const split = Btf.parse(base.bytes()).split(everyKind({ base }).bytes());
  const values = fingerprints(split);
  for (let id = 1; id < 20; id++) expect(values.of(id + 19)).toBe(values.of(id));
});

describe("kernels", () => {
  needing("the corpus in ../shared")("two kernels: what dedup merges has one fingerprint, all else has two", () => {
    const [one, two] = ["6.12-amd64", "6.1-cloud-amd64"].map((name) =>
      openFile(corpusPath(`vmlinux/${name}.btf.gz`)),
    ) as [Btf, Btf];
    const [a, b] = [fingerprints(one), fingerprints(two)];
    const { maps } = merge([one, two]);
    const here = new Map(Array.from(maps[0]!, (to, id) => [to, id]));
    const known = new Set(Array.from({ length: one.size }, (_, id) => a.of(id)));
    let equal = 0;
    // Where declarations stand for definitions, dedup goes further; variables it never merges.
    let exceptions = 0;
    for (let id = 1; id < two.size; id++) {
      const other = here.get(maps[1]![id]!);
      const same = other === undefined ? !known.has(b.of(id)) : a.of(other) === b.of(id);
      if (same) equal++;
      else exceptions++;
    }
    expect(equal).toBeGreaterThan(94_000);
    expect(exceptions).toBeLessThan(400);
  });

  test("do not depend on order, byte order or header", () => {
    const kernel = openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz");
    const { btf: sorted, map } = sortByName(kernel);
    const turned = Btf.parse(encode(sorted, { endian: "big", header: 32 }));
    const [before, after] = [fingerprints(kernel), fingerprints(turned)];
    let different = 0;
    for (let id = 0; id < kernel.size; id++) if (before.of(id) !== after.of(map[id]!)) different++;
    expect(different).toBe(0);
  });
});

test("a long circle of types that look alike is hashed, or refused, in time", () => {
  const ring = new Image();
  const length = 40_000;
  for (let i = 0; i < length; i++) ring.ref(PTR, i === length - 1 ? length + 1 : i + 2);
  ring.composite(STRUCT, "s", 8, [["m", 1, 0]]);
  expect(fingerprints(Btf.parse(ring.bytes())).values.length).toBe((length + 2) * 2);
  // A ring of blocks of 80 structs that start with another name: aababb. From 64 references away each looks like another.
  const hostile = new Image();
  const names = [..."aababb"].flatMap((head) => [head, ...Array<string>(79).fill("c")]);
  names.forEach((name, i) => hostile.composite(STRUCT, name, 8, [["m", ((i + 1) % names.length) + 1, 0]]));
  expect(() => fingerprints(Btf.parse(hostile.bytes()))).toThrow(
    expect.objectContaining({
      code: "ERR_FINGERPRINT",
      name: "BtfLimitError",
      message: expect.stringMatching(/480 types/),
    }),
  );
});
