/** Looking types up: by id, name, kind and part of the name, in a Btf and in a split of it. */
import { ok, same, throws } from "./assert.js";
import { specimen, splitOn } from "./specimen.js";

const ids = (types) => Array.from(types, ({ id }) => id);

export function lookup({ lib, test }) {
  const { Btf, BtfLimitError, BtfLookupError, KINDS } = lib;
  const base = specimen();
  const module = splitOn(base);
  const open = () => Btf.parse(base.bytes);
  const openSplit = () => open().split(module.bytes);

  test("get gives one view per id", () => {
    const btf = open();
    const node = btf.get(base.id.node);
    same(node, btf.get(base.id.node));
    same(node.members[1].type.target, node);
    same(node.btf, btf);
    same(btf.get(0).kind, "void");
  });

  test("get and has know which ids there are", () => {
    const btf = open();
    for (const id of [-1, 0.5, btf.size, 2 ** 32, Number.NaN]) {
      same(btf.get(id), undefined, `get(${id})`);
      same(btf.has(id), false, `has(${id})`);
    }
    ok(btf.has(0) && btf.has(1) && btf.has(btf.size - 1));
  });

  test("a split shares the base's views", () => {
    const split = openSplit();
    for (const id of [0, base.id.int, base.id.node]) same(split.get(id), split.base.get(id));
    same(split.get(base.id.node).btf, split.base);
    same(split.get(module.id.module).btf, split);
    same(split.base.get(module.id.module), undefined);
  });

  test("find takes the first of a name, or of a name and kind", () => {
    const btf = open();
    same(btf.find("node").id, base.id.node);
    same(btf.find("node", "typedef").id, base.id.namesake);
    same(btf.find("node", "union"), undefined);
    same(btf.find("nod"), undefined);
    same(btf.find(""), undefined);
    same(btf.find("no\0de"), undefined);
    same(btf.find("void").id, 0);
    same(btf.find("void", "void").id, 0);
    same(btf.find("void", "int"), undefined);
  });

  test("findAll takes all of them, in the order of ids", () => {
    const split = openSplit();
    same(ids(split.findAll("node")), [base.id.node, base.id.namesake, module.id.node]);
    same(ids(split.findAll("node", "typedef")), [base.id.namesake, module.id.node]);
    same(split.findAll("nowhere"), []);
    same(ids(split.base.findAll("node")), [base.id.node, base.id.namesake]);
  });

  test("find meets the base's types before its own", () => {
    const split = openSplit();
    same(split.find("node"), split.base.get(base.id.node));
    same(split.find("module").id, module.id.module);
    same(split.base.find("module"), undefined);
  });

  test("require throws with the nearest names", () => {
    const btf = open();
    same(btf.require("node", "struct").id, base.id.node);
    throws(() => btf.require("nodee"), {
      type: BtfLookupError,
      code: "ERR_NOT_FOUND",
      message: /"nodee"; did you mean "node"/,
      details: { name: "nodee" },
    });
    const error = throws(() => btf.require("pakced", "struct"), {
      code: "ERR_NOT_FOUND",
      message: /struct named "pakced"/,
    });
    same(error.details.nearest, ["packed"]);
    throws(() => btf.require("zzzzzzzz"), { code: "ERR_NOT_FOUND", details: { nearest: [] } });
  });

  test("iteration gives all types without void, the base's first", () => {
    const split = openSplit();
    const all = Array.from({ length: split.size - 1 }, (_, i) => i + 1);
    same(ids(split), all);
    same(ids(split.types()), all);
    same(ids(split.types({ own: true })), [module.id.module, module.id.ptr, module.id.node]);
    same(ids(split.base.types({ own: true })), ids(split.base));
  });

  test("ofKind and idsOfKind agree for every kind", () => {
    const split = openSplit();
    for (const kind of [...KINDS, "unknown"]) {
      const expected = ids(Array.from(split).filter((type) => type.kind === kind));
      same(ids(split.ofKind(kind)), expected, kind);
      same(Array.from(split.idsOfKind(kind)), expected, kind);
      const own = expected.filter((id) => id >= split.firstId);
      same(ids(split.ofKind(kind, { own: true })), own, kind);
      same(Array.from(split.idsOfKind(kind, { own: true })), own, kind);
    }
    ok(split.idsOfKind("int") instanceof Uint32Array);
  });

  test("kindAt and nameAt tell without a view", () => {
    const split = openSplit();
    same([split.kindAt(0), split.nameAt(0)], ["void", "void"]);
    for (const type of split) same([split.kindAt(type.id), split.nameAt(type.id)], [type.kind, type.name]);
    for (const id of [-1, split.size, 1.5]) {
      const expected = { type: BtfLookupError, code: "ERR_NO_SUCH_ID", details: { value: id, limit: split.size - 1 } };
      throws(() => split.kindAt(id), expected);
      throws(() => split.nameAt(id), expected);
    }
  });

  test("KINDS has each kind at its number", () => {
    same(KINDS.length, 20);
    same([KINDS[0], KINDS[1], KINDS[4], KINDS[19]], ["void", "int", "struct", "enum64"]);
  });

  test("search finds a part of the name, or its start", () => {
    const split = openSplit();
    const found = (pattern, options) => Array.from(split.searchIds(pattern, options));
    const expected = (matches) => ids(Array.from(split).filter((type) => type.name && matches(type)));
    same(
      found("od"),
      expected(({ name }) => name.includes("od")),
    );
    same(
      found("node", { match: "prefix" }),
      expected(({ name }) => name.startsWith("node")),
    );
    same(
      found("o", { kind: "struct" }),
      expected(({ kind, name }) => kind === "struct" && name.includes("o")),
    );
    same(found("mod", { own: true }), [module.id.module]);
    same(found("node", { own: true }), [module.id.node]);
    same(found("o", { limit: 2 }), found("o").slice(0, 2));
    same(found("o", { limit: 0 }), []);
    same(
      found(""),
      expected(() => true),
    );
    same(found("Node"), []);
    same(found("no\0de"), []);
    same(ids(split.search("od")), found("od"));
    ok(split.search("node").every((type) => split.get(type.id) === type));
  });

  test("search does not find names of members", () => {
    same(open().search("größe"), []);
  });

  test("search takes patterns up to 512 bytes", () => {
    const btf = open();
    same(btf.search("x".repeat(512)), []);
    throws(() => btf.search("x".repeat(513)), {
      type: BtfLimitError,
      code: "ERR_PATTERN_LENGTH",
      details: { value: 513, limit: 512 },
    });
    throws(() => btf.searchIds("ö".repeat(300)), { code: "ERR_PATTERN_LENGTH", details: { value: 600 } });
  });
}
