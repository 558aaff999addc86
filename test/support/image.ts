// Makes BTF images for tests, well-formed or not, in both byte orders. Nothing
// of the library is used: what the tests open comes from here.

export const INT = 1;
export const PTR = 2;
export const ARRAY = 3;
export const STRUCT = 4;
export const UNION = 5;
export const ENUM = 6;
export const FWD = 7;
export const TYPEDEF = 8;
export const VOLATILE = 9;
export const CONST = 10;
export const RESTRICT = 11;
export const FUNC = 12;
export const FUNC_PROTO = 13;
export const VAR = 14;
export const DATASEC = 15;
export const FLOAT = 16;
export const DECL_TAG = 17;
export const TYPE_TAG = 18;
export const ENUM64 = 19;

/** {fixed bytes, bytes per element} by kind, as a layout section tells them. */
export const LAYOUT: readonly (readonly [number, number])[] = [
  [0, 0],
  [4, 0],
  [0, 0],
  [12, 0],
  [0, 12],
  [0, 12],
  [0, 8],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 8],
  [4, 0],
  [0, 12],
  [0, 0],
  [4, 0],
  [0, 0],
  [0, 12],
]; // prettier-ignore

export interface ImageOptions {
  readonly endian?: "little" | "big";
  readonly headerLength?: number;
  /** Entries of a layout section. */
  readonly layout?: readonly (readonly [number, number])[];
  /** The image this one is split on. */
  readonly base?: Image;
}

export class Image {
  readonly #little: boolean;
  readonly #headerLength: number;
  readonly #layout: readonly (readonly [number, number])[];
  readonly #words: number[] = [];
  readonly #strings = new Map<string, number>();
  readonly #stringsStart: number;
  readonly #base: Image | undefined;
  readonly #text: number[] = [];
  /** Id that the next type gets. */
  nextId: number;

  constructor({ endian = "little", headerLength = 24, layout = [], base }: ImageOptions = {}) {
    this.#little = endian === "little";
    this.#headerLength = layout.length > 0 ? Math.max(32, headerLength) : headerLength;
    this.#layout = layout;
    this.#base = base;
    this.#stringsStart = base ? base.#stringsStart + base.#text.length : 0;
    this.nextId = base?.nextId ?? 1;
    if (!base) this.string("");
  }

  /** Offset of a string, which is added if it is new here and in the base. */
  string(text: string): number {
    const known = this.#strings.get(text) ?? this.#base?.knownString(text);
    if (known !== undefined) return known;
    const offset = this.#stringsStart + this.#text.length;
    for (const byte of new TextEncoder().encode(text)) this.#text.push(byte);
    this.#text.push(0);
    this.#strings.set(text, offset);
    return offset;
  }

  knownString(text: string): number | undefined {
    return this.#strings.get(text) ?? this.#base?.knownString(text);
  }

  /** Adds a type record and the words behind it; returns its id. */
  type(
    kind: number,
    name: string,
    sizeOrType: number,
    words: readonly number[] = [],
    vlen = 0,
    kindFlag = false,
  ): number {
    this.#words.push(this.string(name), (kindFlag ? 0x80000000 : 0) + kind * 2 ** 24 + vlen, sizeOrType);
    for (const word of words) this.#words.push(word);
    return this.nextId++;
  }

  int(name: string, byteSize = 4, encoding = 0, bits = byteSize * 8, offset = 0): number {
    return this.type(INT, name, byteSize, [(encoding << 24) | (offset << 16) | bits]);
  }

  ref(kind: number, target: number, name = "", kindFlag = false): number {
    return this.type(kind, name, target, [], 0, kindFlag);
  }

  array(element: number, index: number, length: number): number {
    return this.type(ARRAY, "", 0, [element, index, length]);
  }

  /** Members as [name, type, bit offset, bitfield size]. */
  composite(
    kind: number,
    name: string,
    byteSize: number,
    members: readonly (readonly [string, number, number, number?])[],
    kindFlag = members.some(([, , , bits]) => bits),
  ): number {
    const words = members.flatMap(([member, type, offset, bits = 0]) => [
      this.string(member),
      type,
      offset + bits * 2 ** 24,
    ]);
    return this.type(kind, name, byteSize, words, members.length, kindFlag);
  }

  enumeration(name: string, values: readonly (readonly [string, number])[], byteSize = 4, signed = false): number {
    return this.type(
      ENUM,
      name,
      byteSize,
      values.flatMap(([n, v]) => [this.string(n), v]),
      values.length,
      signed,
    );
  }

  enumeration64(name: string, values: readonly (readonly [string, bigint])[], signed = false): number {
    const words = values.flatMap(([n, v]) => {
      const bits = BigInt.asUintN(64, v);
      return [this.string(n), Number(bits & 0xffffffffn), Number(bits >> 32n)];
    });
    return this.type(ENUM64, name, 8, words, values.length, signed);
  }

  proto(returns: number, params: readonly (readonly [string, number])[] = []): number {
    return this.type(
      FUNC_PROTO,
      "",
      returns,
      params.flatMap(([n, t]) => [this.string(n), t]),
      params.length,
    );
  }

  func(name: string, proto: number, linkage = 0): number {
    return this.type(FUNC, name, proto, [], linkage);
  }

  variable(name: string, type: number, linkage = 0): number {
    return this.type(VAR, name, type, [linkage]);
  }

  /** Entries as [type, byte offset, byte size]. */
  datasec(name: string, byteSize: number, entries: readonly (readonly [number, number, number])[]): number {
    return this.type(DATASEC, name, byteSize, entries.flat(), entries.length);
  }

  declTag(name: string, target: number, component = -1, kindFlag = false): number {
    return this.type(DECL_TAG, name, target, [component], 0, kindFlag);
  }

  /** Bytes from the image's start to its type section, to point errors at. */
  get typesStart(): number {
    return this.#headerLength;
  }

  /** The image, with fields of the header replaced as asked: byte offset → value. */
  bytes(header: Readonly<Record<number, number>> = {}): Uint8Array<ArrayBuffer> {
    const typesLength = this.#words.length * 4;
    const layoutLength = this.#layout.length * 4;
    const stringsOffset = typesLength + layoutLength;
    const bytes = new Uint8Array(this.#headerLength + stringsOffset + this.#text.length);
    const view = new DataView(bytes.buffer);
    const put = (at: number, value: number): void => view.setUint32(at, value >>> 0, this.#little);
    view.setUint16(0, 0xeb9f, this.#little);
    bytes[2] = 1;
    const fields: Record<number, number> = {
      4: this.#headerLength,
      8: 0,
      12: typesLength,
      16: stringsOffset,
      20: this.#text.length,
    };
    if (this.#headerLength >= 32) Object.assign(fields, { 24: layoutLength ? typesLength : 0, 28: layoutLength });
    for (const [at, value] of Object.entries({ ...fields, ...header })) put(Number(at), value);
    this.#words.forEach((word, i) => put(this.#headerLength + i * 4, word));
    this.#layout.forEach(([info, element], i) => bytes.set([info, element], this.#headerLength + typesLength + i * 4));
    bytes.set(this.#text, this.#headerLength + stringsOffset);
    return bytes;
  }
}

/** One of each kind, 1 to 19, in that order: the id is the kind's number. */
export function everyKind(options: ImageOptions = {}): Image {
  const image = new Image(options);
  const first = image.nextId;
  image.int("int", 4, 1);
  image.ref(PTR, first);
  image.array(first, first, 7);
  image.composite(STRUCT, "point", 8, [
    ["x", first, 0],
    ["flags", first, 32, 3],
  ]);
  image.composite(UNION, "either", 4, [
    ["a", first, 0],
    ["", first + 3, 0],
  ]);
  image.enumeration(
    "color",
    [
      ["RED", 0],
      ["BLUE", -1],
    ],
    4,
    true,
  );
  image.ref(FWD, 0, "later", true);
  image.ref(TYPEDEF, first, "int_t");
  image.ref(VOLATILE, first);
  image.ref(CONST, first + 8);
  image.ref(RESTRICT, first + 1);
  image.func("run", first + 12, 1);
  image.proto(first, [
    ["count", first],
    ["", 0],
  ]);
  image.variable("counter", first, 1);
  image.datasec(".data", 8, [[first + 13, 4, 4]]);
  image.type(FLOAT, "double", 8);
  image.declTag("tag", first + 3, 1, true);
  image.ref(TYPE_TAG, first, "user", true);
  image.enumeration64(
    "big",
    [
      ["MIN", -(2n ** 63n)],
      ["TWO", 2n],
    ],
    true,
  );
  return image;
}
