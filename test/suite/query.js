/** Sizes, alignments, fields, and what an image is made of. */
import { ok, same, throws } from "./assert.js";
import { ImageBuilder, SIGNED } from "./image.js";
import { specimen, splitOn } from "./specimen.js";

export function query({ lib, test }) {
  const { alignOf, Btf, BtfError, BtfFormatError, BtfLimitError, BtfLookupError, fieldOf, resolve, sizeOf, tally } =
    lib;
  const { bytes, id } = specimen();
  const open = () => Btf.parse(bytes);

  test("resolve goes through modifiers and typedefs", () => {
    const btf = open();
    for (const name of ["node", "typedef", "const", "volatile"]) same(resolve(btf.get(id[name])), btf.get(id.node));
    same(resolve(btf.get(id.typeTag)), btf.get(id.int));
    same(resolve(btf.get(id.void)).kind, "ptr");
    same(resolve(btf.get(0)).kind, "void");
  });

  /** `steps` modifiers on an int, each on the one before. */
  const chain = (steps) => {
    const image = new ImageBuilder();
    let at = image.int("int", 4, SIGNED);
    for (let i = 0; i < steps; i++) at = image.ref("const", at);
    return Btf.parse(image.build()).get(at);
  };

  test("resolve and sizeOf follow libbpf's 32 steps, no more", () => {
    same(resolve(chain(32)).kind, "int");
    const expected = { type: BtfLimitError, code: "ERR_BTF_DEPTH", typeId: 34 };
    throws(() => resolve(chain(33)), expected);
    same(sizeOf(chain(31)), 4);
    throws(() => sizeOf(chain(33)), expected);
  });

  test("sizeOf of each kind", () => {
    const btf = open();
    const sizes = {
      int: 4,
      bool: 1,
      void: 8,
      name: 16,
      matrix: 48,
      flexible: 0,
      node: 80,
      choice: 8,
      color: 4,
      mask: 8,
    };
    Object.assign(sizes, {
      typedef: 80,
      const: 80,
      restrict: 8,
      typeTag: 4,
      variable: 4,
      section: 8,
      float: 8,
      tag: 80,
    });
    for (const [name, size] of Object.entries(sizes)) same(sizeOf(btf.get(id[name])), size, name);
    for (const name of ["fwdStruct", "proto", "func"]) same(sizeOf(btf.get(id[name])), undefined, name);
    same(sizeOf(btf.get(0)), undefined);
  });

  test("sizeOf refuses 4 GiB and more", () => {
    const image = new ImageBuilder();
    const int = image.int("int", 4, SIGNED);
    const fits = image.array(int, int, 2 ** 30 - 1);
    const large = image.array(int, int, 2 ** 30);
    const huge = image.array(large, int, 2 ** 31);
    const btf = Btf.parse(image.build());
    same(sizeOf(btf.get(fits)), 2 ** 32 - 4);
    throws(() => sizeOf(btf.get(large)), { type: BtfLimitError, code: "ERR_BTF_SIZE", typeId: large });
    throws(() => sizeOf(btf.get(huge)), { code: "ERR_BTF_SIZE", typeId: huge });
  });

  test("alignOf of each kind", () => {
    const btf = open();
    const alignments = {
      int: 4,
      char: 1,
      long: 8,
      void: 8,
      matrix: 1,
      flexible: 4,
      choice: 8,
      node: 8,
      flags: 4,
      packed: 1,
    };
    Object.assign(alignments, { color: 4, mask: 8, float: 8, typedef: 8, volatile: 8, typeTag: 4 });
    for (const [name, alignment] of Object.entries(alignments)) same(alignOf(btf.get(id[name])), alignment, name);
    for (const name of ["fwdStruct", "proto", "func", "section", "tag"])
      same(alignOf(btf.get(id[name])), undefined, name);
  });

  test("alignOf meets a struct that contains itself", () => {
    const image = new ImageBuilder();
    const loop = image.composite("struct", "loop", 4, [["self", image.nextId, 0]]);
    const btf = Btf.parse(image.build());
    throws(() => alignOf(btf.get(loop)), { type: BtfFormatError, code: "ERR_BTF_LOOP", typeId: loop });
  });

  test("pointerSize: the first long's, the base's, or what is set", () => {
    const image = new ImageBuilder();
    image.int("int", 4, SIGNED);
    const ptr = image.ref("ptr", 1);
    const unknown = Btf.parse(image.build());
    same([unknown.pointerSize, unknown.knownPointerSize], [8, undefined]);

    const narrow = new ImageBuilder();
    narrow.int("unsigned long", 4);
    const split = new ImageBuilder({ base: narrow });
    const splitPtr = split.ref("ptr", 1);
    const btf = Btf.parse(narrow.build()).split(split.build());
    same([btf.base.pointerSize, btf.pointerSize, btf.knownPointerSize], [4, 4, 4]);
    same(sizeOf(btf.get(splitPtr)), 4);

    unknown.pointerSize = 4;
    same([unknown.pointerSize, unknown.knownPointerSize], [4, 4]);
    same([sizeOf(unknown.get(ptr)), alignOf(unknown.get(ptr))], [4, 4]);
    for (const wrong of [0, 2, 16, "8"]) {
      throws(() => Object.assign(unknown, { pointerSize: wrong }), { type: BtfError, code: "ERR_ARGUMENT" });
    }
    same(unknown.pointerSize, 4);
  });

  test("fieldOf finds members, nested, indexed and inside anonymous unions", () => {
    const btf = open();
    const places = {
      id: [0, 32],
      word: [128, 32],
      wide: [128, 64],
      names: [192, 384],
      "names[2]": [192 + 256, 128],
      "names[1][3]": [192 + 128 + 24, 8],
      größe: [576, 32],
      tail: [608, 0],
      "tail[5]": [608 + 160, 32],
    };
    for (const [path, [bitOffset, bitSize]] of Object.entries(places)) {
      const field = fieldOf(btf, "node", path);
      same([field.path, field.bitOffset, field.bitSize, field.byteSize], [path, bitOffset, bitSize, bitSize / 8], path);
      same(field.pointers, [], path);
    }
    same(fieldOf(btf, "node", "next").type, btf.get(id.nodePtr));
    same(fieldOf(btf, btf.get(id.volatile), "wide").bitOffset, 128);
    same(fieldOf(btf, "node_t", "id").bitOffset, 0);
  });

  test("fieldOf tells bitfields", () => {
    const btf = open();
    const shown = (path) => {
      const { bitOffset, bitSize, bitfieldSize, byteSize } = fieldOf(btf, "flags", path);
      return [bitOffset, bitSize, bitfieldSize, byteSize];
    };
    same(shown("high"), [3, 5, 5, 4]);
    same(shown("rest"), [8, 8, 0, 1]);
  });

  test("fieldOf follows pointers", () => {
    const btf = open();
    for (const path of ["next.next.wide", "next->next->wide"]) {
      const field = fieldOf(btf, "node", path);
      same([field.bitOffset, field.pointers], [128, [64, 64]], path);
    }
  });

  test("fieldOf says what is wrong with a path", () => {
    const btf = open();
    const wrong = {
      nmes: /did you mean "names"/,
      "id.x": /int int has no member "x"/,
      "id[0]": /no array/,
      "names[3]": /index 3 of an array of 3/,
      "names[": /cannot read/,
    };
    for (const [path, message] of Object.entries(wrong)) {
      throws(() => fieldOf(btf, "node", path), { type: BtfLookupError, code: "ERR_PATH", message });
    }
    throws(() => fieldOf(btf, "nodee", "id"), {
      type: BtfLookupError,
      code: "ERR_NOT_FOUND",
      message: /did you mean "node"/,
    });
  });

  test("tally counts own types and their bytes by kind", () => {
    const base = specimen();
    const module = splitOn(base);
    const btf = Btf.parse(base.bytes);
    const split = btf.split(module.bytes);
    for (const one of [btf, split]) {
      const kinds = tally(one);
      const order = kinds.map(({ kind }) => lib.KINDS.indexOf(kind));
      same(order, order.toSorted?.((a, b) => a - b) ?? order.slice().sort((a, b) => a - b));
      for (const { kind, count } of kinds) same(count, one.idsOfKind(kind, { own: true }).length, kind);
      same(
        kinds.reduce((sum, { count }) => sum + count, 0),
        one.size - one.firstId,
      );
      same(
        kinds.reduce((sum, { bytes: length }) => sum + length, 0),
        one.header.typesLength,
      );
    }
    same(tally(split), [
      { kind: "ptr", count: 1, bytes: 12 },
      { kind: "struct", count: 1, bytes: 36 },
      { kind: "typedef", count: 1, bytes: 12 },
    ]);
    ok(tally(Btf.parse(new ImageBuilder().build())).length === 0);
  });
}
