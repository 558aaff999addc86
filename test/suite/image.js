/** Builds small BTF images, in both byte orders. */

const MAGIC = 0xeb9f;

export const KIND = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  func_proto: 13,
  var: 14,
  datasec: 15,
  float: 16,
  decl_tag: 17,
  type_tag: 18,
  enum64: 19,
};

/** Encodings of an INT. */
export const SIGNED = 1;
export const CHAR = 2;
export const BOOL = 4;

const encoder = new TextEncoder();

export class ImageBuilder {
  #little;
  #headerLength;
  #words = [];
  #strings;
  #stringsStart;
  #offsets = new Map();
  #layout = [];
  #nextId;

  /** @param base the builder of the image that this one is a split of */
  constructor({ endian = "little", headerLength = 24, base } = {}) {
    this.#little = endian === "little";
    this.#headerLength = headerLength;
    this.#strings = base ? [] : [0];
    this.#stringsStart = base ? base.stringsEnd : 0;
    this.#nextId = base ? base.nextId : 1;
    if (base) this.#offsets = new Map(base.#offsets);
  }

  get nextId() {
    return this.#nextId;
  }

  get stringsEnd() {
    return this.#stringsStart + this.#strings.length;
  }

  /** Offset of a string, the base's where it has it. */
  string(text) {
    if (text === "") return 0;
    let offset = this.#offsets.get(text);
    if (offset === undefined) {
      offset = this.stringsEnd;
      for (const byte of encoder.encode(text)) this.#strings.push(byte);
      this.#strings.push(0);
      this.#offsets.set(text, offset);
    }
    return offset;
  }

  /** Adds a type and returns its id. `body` holds the words behind the record. */
  add(kind, { name = "", vlen = 0, kindFlag = false, sizeOrType = 0 } = {}, body = []) {
    const number = typeof kind === "number" ? kind : KIND[kind];
    this.#words.push(
      this.string(name),
      ((kindFlag ? 2 ** 31 : 0) + number * 2 ** 24 + vlen) >>> 0,
      sizeOrType,
      ...body,
    );
    return this.#nextId++;
  }

  int(name, byteSize, encoding = 0, { bitOffset = 0, bitSize = byteSize * 8 } = {}) {
    return this.add("int", { name, sizeOrType: byteSize }, [encoding * 2 ** 24 + bitOffset * 2 ** 16 + bitSize]);
  }

  /** ptr, typedef, const, volatile, restrict, type_tag. */
  ref(kind, target, name = "", { kindFlag = false } = {}) {
    return this.add(kind, { name, sizeOrType: target, kindFlag });
  }

  array(element, index, length) {
    return this.add("array", {}, [element, index, length]);
  }

  /** struct or union; members are [name, typeId, bitOffset, bitfieldSize]. */
  composite(kind, name, byteSize, members, { kindFlag = false } = {}) {
    const body = members.flatMap(([member, typeId, bitOffset, bitfieldSize = 0]) => [
      this.string(member),
      typeId,
      kindFlag ? bitfieldSize * 2 ** 24 + bitOffset : bitOffset,
    ]);
    return this.add(kind, { name, vlen: members.length, sizeOrType: byteSize, kindFlag }, body);
  }

  enum(name, byteSize, values, { kindFlag = false } = {}) {
    const body = values.flatMap(([enumerator, value]) => [this.string(enumerator), value >>> 0]);
    return this.add("enum", { name, vlen: values.length, sizeOrType: byteSize, kindFlag }, body);
  }

  enum64(name, values, { kindFlag = false } = {}) {
    const body = values.flatMap(([enumerator, value]) => [
      this.string(enumerator),
      Number(BigInt.asUintN(32, value)),
      Number(BigInt.asUintN(32, value >> 32n)),
    ]);
    return this.add("enum64", { name, vlen: values.length, sizeOrType: 8, kindFlag }, body);
  }

  proto(returnType, params) {
    const body = params.flatMap(([param, typeId]) => [this.string(param), typeId]);
    return this.add("func_proto", { vlen: params.length, sizeOrType: returnType }, body);
  }

  func(name, proto, linkage) {
    return this.add("func", { name, vlen: linkage, sizeOrType: proto });
  }

  variable(name, typeId, linkage) {
    return this.add("var", { name, sizeOrType: typeId }, [linkage]);
  }

  datasec(name, byteSize, variables) {
    return this.add("datasec", { name, vlen: variables.length, sizeOrType: byteSize }, variables.flat());
  }

  declTag(name, target, componentIndex, { kindFlag = false } = {}) {
    return this.add("decl_tag", { name, sizeOrType: target, kindFlag }, [componentIndex >>> 0]);
  }

  /** Layout of the kinds from 0 on: [bytes after the record, bytes per element]. Needs a header of 32. */
  layout(entries) {
    this.#layout = entries;
    return this;
  }

  build() {
    const typesLength = this.#words.length * 4;
    const layoutLength = this.#layout.length * 4;
    const stringsOffset = typesLength + layoutLength;
    const bytes = new Uint8Array(this.#headerLength + stringsOffset + this.#strings.length);
    const view = new DataView(bytes.buffer);
    const little = this.#little;
    view.setUint16(0, MAGIC, little);
    bytes[2] = 1;
    const header = [
      this.#headerLength,
      0,
      typesLength,
      stringsOffset,
      this.#strings.length,
      layoutLength && typesLength,
      layoutLength,
    ];
    header.slice(0, this.#headerLength / 4 - 1).forEach((field, i) => view.setUint32(4 + i * 4, field, little));
    this.#words.forEach((word, i) => view.setUint32(this.#headerLength + i * 4, word, little));
    bytes.set(
      this.#layout.flatMap(([own, element]) => [own, element, 0, 0]),
      this.#headerLength + typesLength,
    );
    bytes.set(this.#strings, this.#headerLength + stringsOffset);
    return bytes;
  }
}
