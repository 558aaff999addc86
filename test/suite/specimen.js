/** Images that the suite works on: one with every kind, and a split on top of it. */
import { BOOL, CHAR, ImageBuilder, SIGNED } from "./image.js";

/** Ids of the types, by what they are. */
function everyKind(image) {
  const id = {};
  id.int = image.int("int", 4, SIGNED);
  id.long = image.int("long unsigned int", 8);
  id.char = image.int("char", 1, CHAR | SIGNED);
  id.bool = image.int("_Bool", 1, BOOL);
  id.bits = image.int("bits", 4, 0, { bitOffset: 3, bitSize: 7 });
  id.void = image.ref("ptr", 0);
  id.name = image.array(id.char, id.int, 16);
  id.matrix = image.array(id.name, id.int, 3);
  id.flexible = image.array(id.int, id.int, 0);
  // struct node: 80 bytes, with an anonymous union, nested arrays, and a pointer to itself.
  id.choice = image.composite("union", "", 8, [
    ["word", id.int, 0],
    ["wide", id.long, 0],
  ]);
  const self = image.nextId + 1;
  id.nodePtr = image.ref("ptr", self);
  id.node = image.composite("struct", "node", 80, [
    ["id", id.int, 0],
    ["next", id.nodePtr, 64],
    ["", id.choice, 128],
    ["names", id.matrix, 192],
    ["größe", id.int, 576],
    ["tail", id.flexible, 608],
  ]);
  id.flags = image.composite(
    "struct",
    "flags",
    4,
    [
      ["low", id.int, 0, 3],
      ["high", id.int, 3, 5],
      ["rest", id.char, 8],
    ],
    { kindFlag: true },
  );
  id.packed = image.composite("struct", "packed", 5, [
    ["tag", id.char, 0],
    ["value", id.int, 8],
  ]);
  id.color = image.enum("color", 4, [
    ["RED", 0],
    ["BLUE", 0xffffffff],
  ]);
  id.signedColor = image.enum("signed_color", 4, [["NONE", -1]], { kindFlag: true });
  id.mask = image.enum64("mask", [
    ["ALL", 0xffffffffffffffffn],
    ["TOP", 0x8000000000000001n],
  ]);
  id.signedMask = image.enum64("signed_mask", [["LEAST", -0x8000000000000000n]], { kindFlag: true });
  id.fwdStruct = image.add("fwd", { name: "opaque" });
  id.fwdUnion = image.add("fwd", { name: "opaque_union", kindFlag: true });
  id.typedef = image.ref("typedef", id.node, "node_t");
  id.const = image.ref("const", id.typedef);
  id.volatile = image.ref("volatile", id.const);
  id.restrict = image.ref("restrict", id.void);
  id.typeTag = image.ref("type_tag", id.int, "user");
  id.attribute = image.ref("type_tag", id.int, "aligned", { kindFlag: true });
  id.proto = image.proto(id.int, [
    ["node", id.nodePtr],
    ["", 0],
  ]);
  id.plainProto = image.proto(0, []);
  id.func = image.func("visit", id.proto, 1);
  id.externFunc = image.func("helper", id.plainProto, 2);
  id.variable = image.variable("counter", id.int, 0);
  id.oddVariable = image.variable("odd", id.int, 9);
  id.section = image.datasec(".data", 8, [
    [id.variable, 0, 4],
    [id.oddVariable, 4, 4],
  ]);
  id.float = image.add("float", { name: "double", sizeOrType: 8 });
  id.tag = image.declTag("rcu", id.node, -1);
  id.memberTag = image.declTag("noinline", id.node, 2, { kindFlag: true });
  id.namesake = image.ref("typedef", id.node, "node");
  return id;
}

/** An image with every kind of type: its builder, its bytes, and the ids by what they are. */
export function specimen(options) {
  const image = new ImageBuilder(options);
  const id = everyKind(image);
  return { image, id, bytes: image.build() };
}

/** A split on `base`: struct module, which uses the base's types and strings, and a namesake of a base's type. */
export function splitOn(base, options) {
  const image = new ImageBuilder({ ...options, base: base.image });
  const id = {};
  id.module = image.composite("struct", "module", 104, [
    ["id", base.id.int, 0],
    ["node", base.id.node, 64],
  ]);
  id.ptr = image.ref("ptr", id.module);
  id.node = image.ref("typedef", id.module, "node");
  return { image, id, bytes: image.build() };
}
