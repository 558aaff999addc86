/** Views: each kind's fields, read the same in both byte orders. */
import { fields, ok, same, throws } from "./assert.js";
import { specimen } from "./specimen.js";

export function views({ lib, test }) {
  for (const endian of ["little", "big"]) {
    const { bytes, id } = specimen({ endian });

    /** Tests the view of what the specimen calls `name`. */
    const view = (name, check) => {
      test(`${endian}-endian view of ${name}`, () => {
        const btf = lib.Btf.parse(bytes);
        const type = btf.get(id[name]);
        same(type.id, id[name]);
        same(type.btf, btf);
        check(type, (other) => btf.get(id[other]), btf);
      });
    };

    view("int", (type) => {
      fields(type, {
        kind: "int",
        name: "int",
        byteSize: 4,
        bitOffset: 0,
        bitSize: 32,
        encoding: 1,
        kindFlag: false,
        vlen: 0,
      });
      fields(type, { isSigned: true, isChar: false, isBool: false });
    });
    view("char", (type) => fields(type, { byteSize: 1, encoding: 3, isSigned: true, isChar: true, isBool: false }));
    view("bool", (type) => fields(type, { encoding: 4, isSigned: false, isChar: false, isBool: true }));
    view("bits", (type) => fields(type, { byteSize: 4, bitOffset: 3, bitSize: 7 }));
    view("void", (type, _at, btf) => {
      fields(type, { kind: "ptr", name: "", targetId: 0 });
      same(type.target, btf.get(0));
      fields(type.target, { kind: "void", name: "void", id: 0, kindFlag: false, vlen: 0 });
    });
    view("matrix", (type, at) => {
      fields(type, {
        kind: "array",
        elementId: id.name,
        element: at("name"),
        indexId: id.int,
        index: at("int"),
        length: 3,
      });
    });
    view("flexible", (type) => same(type.length, 0));
    view("node", (type, at) => {
      fields(type, { kind: "struct", name: "node", byteSize: 80, vlen: 6, kindFlag: false });
      same(
        type.members.map(({ name, bitOffset, bitfieldSize }) => [name, bitOffset, bitfieldSize]),
        [
          ["id", 0, 0],
          ["next", 64, 0],
          ["", 128, 0],
          ["names", 192, 0],
          ["größe", 576, 0],
          ["tail", 608, 0],
        ],
      );
      same(type.members[1].typeId, id.nodePtr);
      same(type.members[1].type, at("nodePtr"));
      same(type.members, type.members);
      ok(Object.isFrozen(type.members), "members to be frozen");
    });
    view("choice", (type) => {
      fields(type, { kind: "union", name: "", byteSize: 8 });
      same(
        type.members.map(({ name }) => name),
        ["word", "wide"],
      );
    });
    view("flags", (type) => {
      same(type.kindFlag, true);
      same(
        type.members.map(({ bitOffset, bitfieldSize }) => [bitOffset, bitfieldSize]),
        [
          [0, 3],
          [3, 5],
          [8, 0],
        ],
      );
    });
    view("color", (type) => {
      fields(type, { kind: "enum", byteSize: 4, isSigned: false });
      same(
        type.values.map(({ ...value }) => value),
        [
          { name: "RED", value: 0 },
          { name: "BLUE", value: 0xffffffff },
        ],
      );
      ok(Object.isFrozen(type.values) && Object.isFrozen(type.values[0]), "values to be frozen");
    });
    view("signedColor", (type) => {
      same(type.isSigned, true);
      same(type.values[0].value, -1);
    });
    view("mask", (type) => {
      fields(type, { kind: "enum64", byteSize: 8, isSigned: false });
      same(
        type.values.map(({ value }) => value),
        [0xffffffffffffffffn, 0x8000000000000001n],
      );
    });
    view("signedMask", (type) => {
      same(type.isSigned, true);
      same(type.values[0].value, -0x8000000000000000n);
    });
    view("fwdStruct", (type) => fields(type, { kind: "fwd", name: "opaque", forwardKind: "struct" }));
    view("fwdUnion", (type) => same(type.forwardKind, "union"));
    view("typedef", (type, at) =>
      fields(type, { kind: "typedef", name: "node_t", targetId: id.node, target: at("node") }),
    );
    view("const", (type, at) => fields(type, { kind: "const", name: "", target: at("typedef") }));
    view("volatile", (type, at) => fields(type, { kind: "volatile", target: at("const") }));
    view("restrict", (type, at) => fields(type, { kind: "restrict", target: at("void") }));
    view("typeTag", (type, at) =>
      fields(type, { kind: "type_tag", name: "user", target: at("int"), isAttribute: false }),
    );
    view("attribute", (type) => same(type.isAttribute, true));
    view("proto", (type, at, btf) => {
      fields(type, {
        kind: "func_proto",
        name: "",
        returnTypeId: id.int,
        returnType: at("int"),
        vlen: 2,
        isVariadic: true,
      });
      same(
        type.params.map(({ name, typeId }) => [name, typeId]),
        [
          ["node", id.nodePtr],
          ["", 0],
        ],
      );
      same(type.params[0].type, at("nodePtr"));
      same(type.params[1].type, btf.get(0));
    });
    view("plainProto", (type, _at, btf) => {
      fields(type, { returnType: btf.get(0), isVariadic: false });
      same(type.params, Object.freeze([]));
    });
    view("func", (type, at) =>
      fields(type, { kind: "func", name: "visit", protoId: id.proto, proto: at("proto"), linkage: "global" }),
    );
    view("externFunc", (type) => same(type.linkage, "extern"));
    view("variable", (type, at) =>
      fields(type, { kind: "var", name: "counter", typeId: id.int, type: at("int"), linkage: "static" }),
    );
    view("oddVariable", (type) => same(type.linkage, "unknown"));
    view("section", (type, at) => {
      fields(type, { kind: "datasec", name: ".data", byteSize: 8 });
      const [first, second] = type.variables;
      fields(first, { typeId: id.variable, type: at("variable"), byteOffset: 0, byteSize: 4 });
      fields(second, { type: at("oddVariable"), byteOffset: 4, byteSize: 4 });
    });
    view("float", (type) => fields(type, { kind: "float", name: "double", byteSize: 8 }));
    view("tag", (type, at) => {
      fields(type, { kind: "decl_tag", name: "rcu", target: at("node"), componentIndex: -1, isAttribute: false });
    });
    view("memberTag", (type) => fields(type, { componentIndex: 2, isAttribute: true }));
  }

  test("views are not to be written", () => {
    const { bytes, id } = specimen();
    const node = lib.Btf.parse(bytes).get(id.node);
    throws(() => Object.assign(node, { byteSize: 1 }), { type: TypeError });
    throws(() => node.members.push(1), { type: TypeError });
  });

  test("views become plain JSON without the types they refer to", () => {
    const { bytes, id } = specimen();
    const btf = lib.Btf.parse(bytes);
    const shown = (name) => JSON.parse(JSON.stringify(btf.get(id[name])));
    fields(shown("int"), { id: id.int, kind: "int", name: "int", byteSize: 4, isSigned: true });
    same(shown("typedef"), { id: id.typedef, kind: "typedef", name: "node_t", targetId: id.node });
    same(shown("color").values[1].value, 0xffffffff);
    same(shown("node").members.length, 6);
  });
}
