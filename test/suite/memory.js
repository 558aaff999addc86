/** Memory: what a disposed Btf refuses, and that its memory is used again. */
import { ok, same, throws } from "./assert.js";
import { specimen, splitOn } from "./specimen.js";

export function memory({ lib, test }) {
  const { Btf, BtfError, dumpRaw, tally } = lib;
  const expected = { type: BtfError, code: "ERR_DISPOSED" };

  test("a disposed Btf refuses use", () => {
    const { bytes, id } = specimen();
    const btf = Btf.parse(bytes);
    const node = btf.get(id.node);
    const [member] = node.members;
    btf[Symbol.dispose]();
    const uses = {
      get: () => btf.get(id.node),
      void: () => btf.get(0),
      find: () => btf.find("node"),
      findAll: () => btf.findAll("node"),
      require: () => btf.require("node"),
      iterate: () => [...btf],
      ofKind: () => [...btf.ofKind("int")],
      idsOfKind: () => btf.idsOfKind("int"),
      search: () => btf.search("node"),
      kindAt: () => btf.kindAt(1),
      nameAt: () => btf.nameAt(1),
      dump: () => dumpRaw(btf).text(),
      tally: () => tally(btf),
      split: () => btf.split(bytes),
      name: () => node.name,
      byteSize: () => node.byteSize,
      member: () => member.type,
    };
    for (const [name, use] of Object.entries(uses)) {
      try {
        throws(use, expected);
      } catch (error) {
        throw new Error(`${name}: ${error.message}`);
      }
    }
    btf[Symbol.dispose]();
  });

  test("a disposed base takes its splits along, a disposed split leaves its base", () => {
    const base = specimen();
    const module = splitOn(base);
    const btf = Btf.parse(base.bytes);
    const first = btf.split(module.bytes);
    const second = btf.split(module.bytes);
    first[Symbol.dispose]();
    throws(() => first.find("module"), expected);
    throws(() => first.get(module.id.module), expected);
    same(second.find("module").id, module.id.module);
    same(btf.find("node").id, base.id.node);
    btf[Symbol.dispose]();
    throws(() => second.get(module.id.ptr), expected);
    throws(() => second.find("module"), expected);
  });

  test("memory that was handed back is used again", () => {
    const first = specimen();
    const second = specimen({ endian: "big", headerLength: 32 });
    const texts = new Set();
    for (let i = 0; i < 50; i++) {
      const btf = Btf.parse((i % 2 ? first : second).bytes);
      ok(btf.find("node", "struct"));
      texts.add(dumpRaw(btf).text());
      btf[Symbol.dispose]();
    }
    same(texts.size, 1);
  });

  test("refused input leaves nothing behind", () => {
    const { bytes, id } = specimen();
    const module = splitOn(specimen());
    const btf = Btf.parse(bytes);
    const text = dumpRaw(btf).text();
    for (let i = 0; i < 200; i++) {
      throws(() => Btf.parse(bytes.slice(0, 100 + i)), { code: "ERR_BTF_STRINGS_BOUNDS" });
      throws(() => btf.split(module.bytes.slice(0, -1)), { code: "ERR_BTF_STRINGS_BOUNDS" });
    }
    same(dumpRaw(btf).text(), text);
    same(btf.split(module.bytes).get(module.id.module).members[1].type, btf.get(id.node));
  });

  test("families do not share memory", () => {
    const { bytes, id } = specimen();
    const many = Array.from({ length: 20 }, () => Btf.parse(bytes));
    many[3][Symbol.dispose]();
    const later = Btf.parse(bytes);
    same(many[4].get(id.node).name, "node");
    same(later.get(id.node).name, "node");
    ok(many[4].get(id.node) !== later.get(id.node));
  });
}
