// Images that try, one thing at a time, what a record or a header can be like:
// names of every class by kind, flags, sizes, widths and places of members,
// references from each kind to each, sections. Nothing here is random.
import * as image from "./image.js";
import { Image, type ImageOptions } from "./image.js";

const KINDS = Array.from({ length: 19 }, (_, i) => i + 1);
const NAMES = [
  "",
  "a",
  "_",
  ".",
  "$",
  "1a",
  "a1",
  "a.b",
  "a b",
  "a-b",
  "a/b",
  "a:b",
  "?a",
  "\x01",
  "a\x7f",
  "a\n",
  " ",
  "x".repeat(511),
  "x".repeat(512),
  "x".repeat(600),
  `${"x".repeat(511)}-`,
  ".data",
  "?.data",
  ".rodata.str 1",
  "<lambda>",
  "é",
]; // prettier-ignore

/** One of each kind, 1 to 19, in that order, as a kernel loads it. */
function eachKind(options: ImageOptions = {}): Image {
  const to = new Image(options);
  to.int("int", 4, 1);
  to.ref(image.PTR, 1);
  to.array(1, 1, 7);
  to.composite(image.STRUCT, "point", 8, [
    ["x", 1, 0],
    ["flags", 1, 32, 3],
  ]);
  to.composite(image.UNION, "either", 8, [
    ["a", 1, 0],
    ["", 4, 0],
  ]);
  to.enumeration(
    "color",
    [
      ["RED", 0],
      ["BLUE", -1],
    ],
    4,
    true,
  );
  to.ref(image.FWD, 0, "later", true);
  to.ref(image.TYPEDEF, 1, "int_t");
  to.ref(image.VOLATILE, 1);
  to.ref(image.CONST, 9);
  to.ref(image.RESTRICT, 2);
  to.func("run", 13, 1);
  to.proto(1, [
    ["count", 1],
    ["", 0],
  ]);
  to.variable("counter", 1, 1);
  to.datasec(".data", 8, [[14, 4, 4]]);
  to.type(image.FLOAT, "double", 8);
  to.declTag("tag", 4, 1, true);
  to.ref(image.TYPE_TAG, 1, "user", true);
  to.enumeration64(
    "big",
    [
      ["MIN", -(2n ** 63n)],
      ["TWO", 2n],
    ],
    true,
  );
  return to;
}

/** An image with one of each kind, of which `id` is `kind`'s, changed in one word of a record. */
function patched(kind: number, word: number, change: (value: number) => number): Uint8Array {
  const to = eachKind();
  const bytes = to.bytes();
  const view = new DataView(bytes.buffer);
  let at = to.typesStart;
  for (let id = 1; id < kind; id++) {
    const info = view.getUint32(at + 4, true);
    const [fixed, element] = image.LAYOUT[(info >>> 24) & 0x1f]!;
    at += 12 + fixed + (info & 0xffff) * element;
  }
  view.setUint32(at + word * 4, change(view.getUint32(at + word * 4, true)) >>> 0, true);
  return bytes;
}

function* names(): Generator<Uint8Array> {
  for (const name of NAMES) {
    for (const kind of KINDS) {
      const to = new Image();
      to.int("int", 4, 1);
      const struct = to.composite(image.STRUCT, "s", 4, [["m", 1, 0]]);
      const proto = to.proto(0);
      const variable = to.variable("v", 1);
      if (kind === image.INT) to.int(name);
      else if (kind === image.ARRAY) to.type(kind, name, 0, [1, 1, 1]);
      else if (kind === image.STRUCT || kind === image.UNION) {
        to.composite(kind, name, 4, [["m", 1, 0]]);
        to.composite(kind, "m", 4, [[name, 1, 0]]);
      } else if (kind === image.ENUM) {
        to.enumeration(name, [["A", 0]]);
      } else if (kind === image.ENUM64) to.enumeration64(name, [["A", 0n]]);
      else if (kind === image.FUNC) to.func(name, proto);
      else if (kind === image.FUNC_PROTO) to.type(kind, name, 0);
      else if (kind === image.VAR) to.variable(name, 1);
      else if (kind === image.DATASEC) to.datasec(name, 4, [[variable, 0, 4]]);
      else if (kind === image.FLOAT) to.type(kind, name, 4);
      else if (kind === image.DECL_TAG) to.declTag(name, struct);
      else to.ref(kind, kind === image.FWD ? 0 : 1, name);
      yield to.bytes();
    }
    for (const add of [
      (to: Image) => to.enumeration("e", [[name, 0]]),
      (to: Image) => to.enumeration64("e", [[name, 0n]]),
      (to: Image) => to.proto(0, [[name, 1]]),
      (to: Image) => to.func("f", to.proto(0, [[name, 1]])),
      (to: Image) => to.func("f", to.proto(0, [[name, 0]])),
      (to: Image) =>
        to.func(
          "f",
          to.proto(0, [
            ["p", 1],
            [name, 0],
          ]),
        ),
      (to: Image) => to.composite(image.STRUCT, "", 4, [[name, 1, 0]]),
      (to: Image) => to.composite(image.UNION, "u", 4, [[name, 1, 0]]),
    ]) {
      const to = new Image();
      to.int("int", 4, 1);
      add(to);
      yield to.bytes();
    }
  }
}

/** Every bit of the words that each record starts with; sizes, types and what follows at their edges. */
function* words(): Generator<Uint8Array> {
  for (const kind of KINDS) {
    for (let bit = 0; bit < 32; bit++) yield patched(kind, 1, (info) => info ^ (1 << bit));
    for (let size = 0; size <= 20; size++) yield patched(kind, 2, () => size);
    for (const value of [0x7f, 0x80, 0xfffff, 0x100000, 0x7fffffff, 0xffffffff]) {
      for (const word of [0, 2, 3, 4, 5]) if (word < 3 || kind !== image.PTR) yield patched(kind, word, () => value);
    }
    for (let vlen = 0; vlen < 6; vlen++) yield patched(kind, 1, (info) => (info & 0xffff0000) | vlen);
  }
}

function* integers(): Generator<Uint8Array> {
  const edges = [0, 1, 7, 8, 9, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255];
  for (const size of [0, 1, 2, 3, 4, 8, 16, 17, 0xffffffff]) {
    for (const bits of edges)
      for (const offset of [0, 1, 8, 64, 127, 255]) {
        const to = new Image();
        to.int("i", size, 0, bits, offset);
        yield to.bytes();
      }
  }
  for (let encoding = 0; encoding < 256; encoding++) {
    const to = new Image();
    to.int("i", 4, encoding);
    yield to.bytes();
  }
}

/** Types that a member, an element or a parameter may have; `last` is the id of the one asked for. */
const MEMBER_TYPES: readonly ((to: Image) => number)[] = [
  (to) => to.int("i8", 1),
  (to) => to.int("i32", 4),
  (to) => to.int("i64", 8),
  (to) => to.int("i128", 16),
  (to) => to.int("bits", 4, 0, 3),
  (to) => to.int("moved", 4, 0, 8, 8),
  (to) => to.ref(image.PTR, 0),
  (to) => to.array(to.int("i8", 1), 1, 3),
  (to) => to.array(to.int("i8", 1), 1, 0),
  (to) => to.composite(image.STRUCT, "inner", 4, []),
  (to) => to.composite(image.UNION, "inner", 4, []),
  (to) => to.enumeration("e", [["A", 0]], 4),
  (to) => to.enumeration("e1", [["A", 0]], 1),
  (to) => to.enumeration("e8", [["A", 0]], 8),
  (to) => to.enumeration64("e64", [["A", 0n]]),
  (to) => to.type(image.FLOAT, "half", 2),
  (to) => to.type(image.FLOAT, "double", 8),
  (to) => to.type(image.FLOAT, "quad", 16),
  (to) => to.ref(image.FWD, 0, "later"),
  (to) => to.func("f", to.proto(0)),
  (to) => to.proto(0),
  (to) => to.variable("v", 1),
  (to) => to.datasec(".d", 4, [[to.variable("v", 1), 0, 4]]),
  (to) => to.declTag("t", to.composite(image.STRUCT, "tagged", 4, [])),
  () => 0,
  () => 999,
];
const WRAPPERS: readonly ((to: Image, id: number) => number)[] = [
  (_, id) => id,
  (to, id) => to.ref(image.CONST, id),
  (to, id) => to.ref(image.TYPEDEF, to.ref(image.VOLATILE, id), "t"),
  (to, id) => to.ref(image.TYPE_TAG, id, "tag"),
  (to, id) => to.ref(image.CONST, to.ref(image.TYPE_TAG, id, "tag")),
];

function* members(): Generator<Uint8Array> {
  for (const type of MEMBER_TYPES) {
    for (const wrap of WRAPPERS) {
      for (const flag of [false, true]) {
        for (const [offset, width] of [
          [0, 0],
          [0, 1],
          [0, 3],
          [0, 8],
          [0, 32],
          [0, 33],
          [0, 64],
          [0, 65],
          [0, 128],
          [0, 255],
          [1, 0],
          [4, 8],
          [7, 128],
          [8, 0],
          [24, 8],
          [32, 0],
          [32, 32],
          [56, 9],
          [64, 0],
          [65, 1],
          [128, 0],
        ] as const) {
          const to = new Image();
          to.int("int", 4, 1);
          const id = wrap(to, type(to));
          to.composite(offset % 3 ? image.STRUCT : image.UNION, "s", 8, [["m", id, offset, flag ? width : 0]], flag);
          yield to.bytes();
        }
      }
    }
  }
}

/** From each kind to each. */
function* references(): Generator<Uint8Array> {
  const users: readonly ((to: Image, id: number) => unknown)[] = [
    ...[image.PTR, image.CONST, image.VOLATILE, image.RESTRICT].map(
      (kind) => (to: Image, id: number) => to.ref(kind, id),
    ),
    (to, id) => to.ref(image.TYPEDEF, id, "t"),
    (to, id) => to.ref(image.TYPE_TAG, id, "t"),
    (to, id) => to.ref(image.FWD, id, "t"),
    (to, id) => to.array(id, 1, 2),
    (to, id) => to.array(1, id, 2),
    (to, id) => to.array(id, 1, 0xffffffff),
    (to, id) => to.func("f", id),
    (to, id) => to.proto(id),
    (to, id) => to.proto(0, [["p", id]]),
    (to, id) => to.func("f", to.proto(id, [["p", id]]), 1),
    (to, id) => to.variable("v", id),
    (to, id) => to.datasec(".d", 64, [[id, 0, 4]]),
    (to, id) => to.datasec(".d", 64, [[to.variable("v", id), 0, 4]]),
    (to, id) => to.datasec(".d", 64, [[to.variable("v", id), 8, 16]]),
    ...[-2, -1, 0, 1, 0x7fffffff].map((component) => (to: Image, id: number) => to.declTag("t", id, component)),
    (to, id) => to.declTag("t", to.variable("v", id), -1),
    (to, id) => to.declTag("t", to.func("f", to.proto(0, [["p", id]])), 0),
    (to, id) => to.declTag("t", to.func("f", to.proto(0, [["p", id]])), 1),
  ];
  for (const use of users) {
    for (const type of MEMBER_TYPES) {
      for (const wrap of WRAPPERS) {
        const to = new Image();
        to.int("int", 4, 1);
        use(to, wrap(to, type(to)));
        yield to.bytes();
        // A use whose target comes behind it has to be resolved first.
        const forward = new Image();
        forward.int("int", 4, 1);
        forward.ref(image.PTR, 3);
        wrap(forward, type(forward));
        use(forward, forward.nextId - 1);
        yield forward.bytes();
      }
    }
  }
}

function* sections(): Generator<Uint8Array> {
  const edges = [0, 1, 4, 8, 16, 17, 0xffffffff];
  for (const size of [0, 1, 8, 16]) {
    for (const offset of edges)
      for (const length of edges)
        for (const second of [0, 4, 8]) {
          const to = new Image();
          to.int("int", 4, 1);
          const variable = to.variable("v", 1);
          to.datasec(
            ".data",
            size,
            [
              [variable, offset, length],
              [variable, second, 4],
            ].slice(0, second ? 2 : 1) as [number, number, number][],
          );
          yield to.bytes();
        }
  }
  for (const linkage of [0, 1, 2, 3, 0xffffffff]) {
    const to = new Image();
    to.int("int", 4, 1);
    to.variable("v", 1, linkage);
    yield to.bytes();
    const func = new Image();
    func.func("f", func.proto(0) + 1, linkage & 0xffff);
    func.func("f", 1, linkage & 0xffff);
    yield func.bytes();
  }
}

/** References that end in each other, over one to three types. */
function* circles(): Generator<Uint8Array> {
  const kinds = [
    image.PTR,
    image.CONST,
    image.TYPEDEF,
    image.TYPE_TAG,
    image.STRUCT,
    image.ARRAY,
    image.FUNC_PROTO,
    image.VAR,
  ];
  const add = (to: Image, kind: number, target: number): void => {
    if (kind === image.STRUCT) to.composite(kind, "s", 8, [["m", target, 0]]);
    else if (kind === image.ARRAY) to.array(target, target, 1);
    else if (kind === image.FUNC_PROTO) to.proto(target, [["p", target]]);
    else if (kind === image.VAR) to.variable("v", target);
    else to.ref(kind, target, kind === image.TYPEDEF || kind === image.TYPE_TAG ? "t" : "");
  };
  for (const a of kinds) {
    const alone = new Image();
    add(alone, a, 1);
    yield alone.bytes();
    for (const b of kinds) {
      const two = new Image();
      add(two, a, 2);
      add(two, b, 1);
      yield two.bytes();
      for (const c of kinds) {
        const three = new Image();
        add(three, a, 2);
        add(three, b, 3);
        add(three, c, 1);
        yield three.bytes();
      }
    }
  }
}

function* headers(): Generator<Uint8Array> {
  const plain = eachKind().bytes();
  for (let length = 0; length < 40; length++) yield plain.slice(0, length);
  for (let length = 0; length < 48; length++) {
    for (const fill of [0, 1]) {
      const bytes = new Uint8Array(Math.max(24, length) + plain.length - 24).fill(fill, 24, Math.max(24, length));
      bytes.set(plain.subarray(0, 24));
      bytes.set(plain.subarray(24), Math.max(24, length));
      new DataView(bytes.buffer).setUint32(4, length, true);
      yield bytes;
    }
  }
  const view = new DataView(plain.buffer);
  const typesLength = view.getUint32(12, true);
  const stringsLength = view.getUint32(20, true);
  for (const field of [4, 8, 12, 16, 20]) {
    const own = view.getUint32(field, true);
    for (const value of [
      0,
      1,
      2,
      4,
      own - 4,
      own - 1,
      own + 1,
      own + 4,
      typesLength,
      stringsLength,
      0x7fffffff,
      0x80000000,
      0xffffffff,
    ]) {
      yield eachKind().bytes({ [field]: value });
    }
  }
  for (let at = 0; at < 4; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bytes = plain.slice();
      bytes[at]! ^= 1 << bit;
      yield bytes;
    }
  }
  // Sections in the other order, apart, over each other; strings that do not start or end with 0.
  for (const [types, strings] of [
    [stringsLength, 0],
    [4, 0],
    [0, 0],
    [1, 0],
    [2, typesLength],
    [4, typesLength + 4],
  ] as const) {
    yield eachKind().bytes({ 8: types, 16: strings });
  }
  for (const at of [24 + typesLength, plain.length - 1]) {
    const bytes = plain.slice();
    bytes[at] = 65;
    yield bytes;
  }
  for (const extra of [1, 4]) {
    const bytes = new Uint8Array(plain.length + extra);
    bytes.set(plain);
    yield bytes;
  }
  yield eachKind({ headerLength: 32 }).bytes();
  yield eachKind({ headerLength: 32, layout: image.LAYOUT }).bytes();
  yield eachKind({ headerLength: 40 }).bytes();
  yield new Image().bytes();
}

/** All of them, by what they try. */
export const systematic: Readonly<Record<string, () => Iterable<Uint8Array>>> = {
  names,
  words,
  integers,
  members,
  references,
  sections,
  circles,
  headers,
};
