/**
 * The types of a BTF as a layout needs them: sizes, natural alignments, and for
 * structs and unions where members lie and what is free between them. Read in
 * the image once, kept in plain fields, so that a whole kernel takes
 * milliseconds.
 *
 * The rules are those of pahole's loader and of its search for holes.
 */

import type { Btf } from "../../btf/btf.js";
import type { Image } from "../../btf/image.js";
import { ERR_BTF_DEPTH, ERR_BTF_LOOP } from "../../errors/btf.js";
import { BtfFormatError, BtfLimitError } from "../../errors/error.js";
import { type Kind, kindName } from "../../format/kind.js";

/** Bytes in a cacheline unless something else is asked for. */
export const CACHELINE_BYTES = 64;
/** How far typedefs, arrays and structs are followed. */
const DEPTH_LIMIT = 512;
/** From so many names on, decoding the whole string section at once is cheaper. */
const MANY_NAMES = 512;

/** What a member's place can be changed to. */
export interface Place {
  readonly bitOffset: number;
  readonly byteOffset: number;
  readonly bitfieldOffset: number;
}

/** A member of a composite. */
export class Field {
  readonly index: number;
  readonly typeId: number;
  /** As in the record; reorganising moves it. */
  bitOffset: number;
  /** 0 for an ordinary member. */
  readonly bitfieldBits: number;
  byteOffset: number;
  readonly byteSize: number;
  readonly bitfieldOffset: number;
  readonly alignment: number;
  /** Free bytes and bits after the member. */
  hole = 0;
  bitHole = 0;
  readonly image: Image;
  /** Offset of the name among the strings, 0 if there is none. */
  readonly nameOffset: number;
  readonly #shapes: Shapes;

  constructor(
    shapes: Shapes,
    image: Image,
    nameOffset: number,
    index: number,
    typeId: number,
    bitOffset: number,
    bitfieldBits: number,
    byteOffset: number,
    byteSize: number,
    bitfieldOffset: number,
    alignment: number,
  ) {
    this.#shapes = shapes;
    this.image = image;
    this.nameOffset = nameOffset;
    this.index = index;
    this.typeId = typeId;
    this.bitOffset = bitOffset;
    this.bitfieldBits = bitfieldBits;
    this.byteOffset = byteOffset;
    this.byteSize = byteSize;
    this.bitfieldOffset = bitfieldOffset;
    this.alignment = alignment;
  }

  /** "" if anonymous. Made when it is asked for. */
  get name(): string {
    return this.#shapes.name(this.image, this.nameOffset);
  }

  /** A copy, in another place perhaps. */
  copy(place: Place = this): Field {
    const { nameOffset, index, typeId, bitfieldBits, byteSize, alignment } = this;
    const { bitOffset, byteOffset, bitfieldOffset } = place;
    const field = new Field(
      this.#shapes,
      this.image,
      nameOffset,
      index,
      typeId,
      bitOffset,
      bitfieldBits,
      byteOffset,
      byteSize,
      bitfieldOffset,
      alignment,
    );
    field.hole = this.hole;
    field.bitHole = this.bitHole;
    return field;
  }
}

/** A struct or union with its members. */
export interface Composite {
  readonly shape: Shape;
  size: number;
  /** Inferred alignment in bytes, 0 if none. */
  readonly alignment: number;
  fields: Field[];
  holesFound: boolean;
  holes: number;
  bitHoles: number;
  preHole: number;
  preBitHole: number;
  padding: number;
  bitPadding: number;
  packedKnown: boolean;
  packed: boolean;
}

/** One type. */
export class Shape {
  readonly id: number;
  readonly kind: Kind;
  readonly name: string;
  /** Third word of the record: a size or a type id, as the kind has it. */
  readonly word: number;
  readonly image: Image;
  readonly record: number;
  readonly kindFlag: 0 | 1;
  readonly vlen: number;
  /** A struct as pahole sees it: a forward declaration of one is one without members. */
  readonly isStruct: boolean;
  readonly isUnion: boolean;
  readonly isEnum: boolean;
  /** A composite or an enum, whose definition C may write in place. */
  readonly isDefinition: boolean;
  /** Size in bytes, -1 until it is asked for. */
  size = -1;
  natural = 0;
  stripped: Shape | undefined | null = null;
  composite: Composite | undefined;
  endsFlexible: boolean | undefined;
  embedsFlexible: boolean | undefined;

  constructor(id: number, kind: Kind, name: string, info: number, word: number, image: Image, record: number) {
    this.id = id;
    this.kind = kind;
    this.name = name;
    this.word = word;
    this.image = image;
    this.record = record;
    this.kindFlag = info > 0x7fffffff ? 1 : 0;
    this.vlen = info & 0xffffff;
    this.isStruct = kind === "struct" || (kind === "fwd" && this.kindFlag === 0);
    this.isUnion = kind === "union" || (kind === "fwd" && this.kindFlag === 1);
    this.isEnum = kind === "enum" || kind === "enum64";
    this.isDefinition = this.isStruct || this.isUnion || this.isEnum;
  }

  /** Word `index` of what follows the record. */
  after(index: number): number {
    return this.image.view.getUint32(this.record + 12 + index * 4, true);
  }
}

interface Owner {
  readonly image: Image;
  readonly firstId: number;
  readonly kinds: Uint8Array;
  /** The whole string section, where it is ASCII. */
  strings: string | undefined;
}

/** What pahole 1.31 does that is not right is done where this is set. */
export interface ShapeOptions {
  readonly cachelineBytes: number;
  readonly compatible: boolean;
}

/** The shapes of one BTF and its bases. */
export class Shapes {
  readonly btf: Btf;
  readonly cachelineBytes: number;
  readonly compatible: boolean;
  readonly pointerSize: number;
  readonly #owners: Owner[] = [];
  readonly #shapes: (Shape | undefined)[] = [];
  #names = 0;
  #depth = 0;

  constructor(btf: Btf, { cachelineBytes, compatible }: ShapeOptions) {
    this.btf = btf;
    this.cachelineBytes = cachelineBytes;
    this.compatible = compatible;
    this.pointerSize = btf.pointerSize;
    for (let image: Image | undefined = btf.image; image; image = image.base) {
      this.#owners.push({ image, firstId: image.firstId, kinds: image.kinds.slice(), strings: undefined });
    }
  }

  /** One past the last id. */
  get limit(): number {
    return this.btf.size;
  }

  /** Kind of a type without a shape of it. */
  kindAt(id: number): Kind {
    const owner = this.#owner(id);
    return kindName(owner.kinds[id - owner.firstId]!);
  }

  #owner(id: number): Owner {
    for (const owner of this.#owners) if (id >= owner.firstId) return owner;
    throw new BtfFormatError(ERR_BTF_LOOP, { typeId: id });
  }

  /**
   * The type with an id; `undefined` for void and for what is no type: a
   * function, variable, section or tag of a declaration.
   */
  type(id: number): Shape | undefined {
    const known = this.#shapes[id];
    if (known) return known;
    if (id === 0 || id >= this.limit) return undefined;
    const owner = this.#owner(id);
    const { image } = owner;
    const kind = kindName(owner.kinds[id - owner.firstId]!);
    if (kind === "func" || kind === "var" || kind === "datasec" || kind === "decl_tag" || kind === "unknown") {
      return undefined;
    }
    const record = image.record(id);
    const { view } = image;
    const name = this.name(image, view.getUint32(record, true));
    const info = view.getUint32(record + 4, true);
    const shape = new Shape(id, kind, name, info, view.getUint32(record + 8, true), image, record);
    this.#shapes[id] = shape;
    return shape;
  }

  /** The name at a logical offset of an image. */
  name(image: Image, offset: number): string {
    if (offset === 0) return "";
    if (++this.#names < MANY_NAMES) return image.string(offset);
    let at = this.#owners[0]!;
    if (at.image !== image || offset < image.stringsStart) {
      at = this.#owners.find((owner) => offset >= owner.image.stringsStart && owner.firstId <= image.firstId)!;
    }
    const { strings = this.#decode(at) } = at;
    if (strings === "") return image.string(offset);
    const start = offset - at.image.stringsStart;
    return strings.slice(start, strings.indexOf("\0", start));
  }

  #decode(owner: Owner): string {
    const { image } = owner;
    const { stringsLength } = image.header;
    const text = new TextDecoder().decode(image.memory.subarray(image.strings, image.strings + stringsLength));
    // As many characters as bytes: each character is a byte, and offsets agree.
    owner.strings = text.length === stringsLength ? text : "";
    return owner.strings;
  }

  /** The type that a reference or array refers to. */
  target(shape: Shape): Shape | undefined {
    return this.type(shape.kind === "array" ? shape.after(0) : shape.word);
  }

  /**
   * Through typedefs, `const`, `volatile` and `restrict`. Type tags stay where
   * pahole is followed.
   */
  strip(shape: Shape | undefined): Shape | undefined {
    if (!shape) return undefined;
    if (shape.stripped !== null) return shape.stripped;
    let at: Shape | undefined = shape;
    for (let depth = 0; at && this.#isModifier(at); depth++) {
      if (depth === DEPTH_LIMIT) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: shape.id, limit: DEPTH_LIMIT });
      at = this.type(at.word);
    }
    shape.stripped = at;
    return at;
  }

  #isModifier({ kind }: Shape): boolean {
    switch (kind) {
      case "typedef":
      case "const":
      case "volatile":
      case "restrict":
        return true;
      case "type_tag":
        return !this.compatible;
      default:
        return false;
    }
  }

  /** Size in bytes; 0 for what has none. */
  sizeOf(shape: Shape | undefined): number {
    if (!shape) return 0;
    if (shape.size >= 0) return shape.size;
    shape.size = this.#nested(shape, () => this.#measure(shape));
    return shape.size;
  }

  #measure(shape: Shape): number {
    switch (shape.kind) {
      case "ptr":
      case "func_proto":
        return this.pointerSize;
      case "int":
        return this.compatible ? (shape.after(0) & 0xff) >> 3 : shape.word;
      case "float":
        return shape.word;
      case "enum":
      case "enum64":
        return shape.word || 4;
      case "struct":
      case "union":
        // An empty class of C++ takes a byte.
        return shape.word === 1 && shape.vlen === 0 ? 0 : shape.word;
      case "array":
        return this.sizeOf(this.target(shape)) * shape.after(2);
      case "fwd":
        return 0;
      default:
        return this.sizeOf(this.target(shape));
    }
  }

  /** Runs a step of a recursion that a hostile image may make endless. */
  #nested<T>(shape: Shape, step: () => T): T {
    if (this.#depth === DEPTH_LIMIT) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: shape.id, limit: DEPTH_LIMIT });
    this.#depth++;
    try {
      return step();
    } finally {
      this.#depth--;
    }
  }

  /** Alignment in bytes that a stripped type has by itself, at least 1. */
  naturalAlignment(shape: Shape | undefined): number {
    if (!shape) return 1;
    if (shape.natural > 0) return shape.natural;
    if (shape.natural < 0) throw new BtfFormatError(ERR_BTF_LOOP, { typeId: shape.id });
    let natural = 1;
    switch (shape.kind) {
      case "ptr":
      case "int":
      case "float":
      case "enum":
      case "enum64":
        natural = this.sizeOf(shape);
        break;
      case "struct":
      case "union":
        shape.natural = -1;
        try {
          natural = this.#nested(shape, () => this.#widest(shape));
        } finally {
          shape.natural = 0;
        }
        break;
      case "array": {
        const element = this.strip(this.target(shape));
        natural = this.#nested(shape, () => this.naturalAlignment(element));
        break;
      }
    }
    shape.natural = natural || 1;
    return shape.natural;
  }

  #widest(shape: Shape): number {
    let widest = 0;
    const { image, record, vlen } = shape;
    const { view } = image;
    for (let i = 0; i < vlen; i++) {
      const member = this.strip(this.type(view.getUint32(record + 12 + i * 12 + 4, true)));
      if (member) widest = Math.max(widest, this.naturalAlignment(member));
    }
    return widest;
  }

  /** A struct or union with its members; a forward declaration is one without. */
  composite(shape: Shape): Composite {
    shape.composite ??= this.#compose(shape);
    return shape.composite;
  }

  #compose(shape: Shape): Composite {
    const { image, record } = shape;
    const isDefined = shape.kind !== "fwd";
    const count = isDefined ? shape.vlen : 0;
    const size = isDefined ? shape.word : 0;
    const flagged = isDefined && shape.kindFlag === 1;
    const fields: Field[] = [];
    // Where a member could begin at the earliest.
    let earliest = 0;
    const { view } = image;
    for (let i = 0; i < count; i++) {
      const at = record + 12 + i * 12;
      const typeId = view.getUint32(at + 4, true);
      const offset = view.getUint32(at + 8, true);
      const bitOffset = flagged ? offset & 0xffffff : offset;
      const bitfieldBits = flagged ? offset >>> 24 : 0;
      const type = this.strip(this.type(typeId));
      let byteOffset = Math.floor(bitOffset / 8);
      let bitfieldOffset = 0;
      let byteSize = 0;
      let alignment = 0;
      if (type) {
        byteSize = this.sizeOf(type);
        const isScalar = type.kind === "int" || type.kind === "float" || type.isEnum;
        if (bitfieldBits > 0 && byteSize > 0 && isScalar) {
          const unit = byteSize * 8;
          byteOffset = Math.floor(bitOffset / unit) * byteSize;
          bitfieldOffset = bitOffset - byteOffset * 8;
        }
        alignment = this.#inferAlignment(byteOffset, this.naturalAlignment(type), earliest);
        if (byteSize > 0) {
          earliest = byteOffset + (bitfieldBits ? (bitfieldOffset + bitfieldBits + 7) >> 3 : byteSize);
        }
      }
      fields.push(
        new Field(
          this,
          image,
          view.getUint32(at, true),
          i,
          typeId,
          bitOffset,
          bitfieldBits,
          byteOffset,
          byteSize,
          bitfieldOffset,
          alignment,
        ),
      );
    }
    return {
      shape,
      size,
      alignment: isDefined ? this.#inferAlignment(size, this.naturalAlignment(shape), earliest) : 0,
      fields,
      holesFound: false,
      holes: 0,
      bitHoles: 0,
      preHole: 0,
      preBitHole: 0,
      padding: 0,
      bitPadding: 0,
      packedKnown: false,
      packed: false,
    };
  }

  /**
   * The alignment that something at `offset` must have asked for, given where
   * it could have begun: 0 where its natural alignment explains the gap.
   */
  #inferAlignment(offset: number, natural: number, earliest: number): number {
    const gap = offset - earliest;
    if (gap <= 0 || gap > 0x7fffffff || offset % 2 !== 0) return 0;
    const alignment = 2 ** (32 - Math.clz32(gap));
    if (alignment <= natural || alignment === 1) return 0;
    const line = this.cachelineBytes;
    return alignment < line && line % alignment === 0 && offset % line === 0 ? line : alignment;
  }

  /** Finds the free bytes and bits of a struct. Does nothing for a union, or the second time. */
  findHoles(composite: Composite): void {
    if (composite.holesFound || !composite.shape.isStruct) return;
    // pahole keeps these in 8 and 16 bits.
    const byte = this.compatible ? 0xff : -1;
    const half = this.compatible ? 0xffff : -1;
    composite.holes = 0;
    composite.bitHoles = 0;
    let last: Field | undefined;
    let unitEnd = composite.size * 8;
    let unitBits = 0;
    let seen = 0;
    let inBitfield = false;
    for (const field of composite.fields) {
      field.hole = 0;
      field.bitHole = 0;
      const start = field.bitOffset;
      const end = start + (field.bitfieldBits || field.byteSize * 8);
      let bitHole = 0;
      let hole = 0;
      if (inBitfield) {
        const bitfieldEnd = Math.min(start, unitEnd);
        bitHole = bitfieldEnd - seen;
        seen = bitfieldEnd;
      }
      if (field.bitfieldBits) {
        const unitStart = field.byteOffset * 8;
        if (seen < unitStart && unitStart <= start) {
          hole = field.byteOffset - Math.floor(seen / 8);
          seen = unitStart;
        }
        bitHole += start - seen;
      } else {
        hole = Math.floor(start / 8) - Math.floor(seen / 8);
      }
      seen = end;
      if (field.bitfieldBits) {
        inBitfield = true;
        const bits = field.byteSize * 8;
        if (end > unitEnd || bits > unitBits) {
          unitBits = bits;
          unitEnd = field.byteOffset * 8 + unitBits;
          // The field borrowed bits of the unit before it.
          if (end > unitEnd) unitEnd += unitBits;
        }
      } else {
        inBitfield = false;
        unitBits = 0;
        unitEnd = end;
      }
      if (last) {
        last.hole = hole;
        last.bitHole = bitHole & byte;
      } else {
        composite.preHole = hole & half;
        composite.preBitHole = bitHole & byte;
      }
      if (bitHole !== 0) composite.bitHoles = (composite.bitHoles + 1) & byte;
      if (hole > 0) composite.holes = (composite.holes + 1) & byte;
      last = field;
    }
    if (inBitfield) {
      const bitfieldEnd = Math.min(composite.size * 8, unitEnd);
      composite.bitPadding = (bitfieldEnd - seen) & byte;
      seen = bitfieldEnd;
    } else {
      composite.bitPadding = 0;
    }
    composite.padding = (composite.size - Math.floor(seen / 8)) & half;
    composite.holesFound = true;
  }

  /**
   * Whether offsets or size break the natural alignment of the members.
   *
   * @param mark called for a member's struct that its place shows to be packed
   */
  inferPacked(composite: Composite, mark: (inner: Composite) => void): boolean {
    if (!composite.shape.isStruct) return false;
    if (composite.packedKnown) return composite.packed;
    this.findHoles(composite);
    composite.packed = false;
    if (composite.padding !== 0 || composite.holes !== 0) {
      for (const field of composite.fields) {
        const type = this.strip(this.type(field.typeId));
        if (type?.isStruct && field.byteOffset % this.naturalAlignment(type) !== 0) mark(this.composite(type));
      }
    } else {
      composite.packed = this.#breaksAlignment(composite);
    }
    composite.packedKnown = true;
    return composite.packed;
  }

  #breaksAlignment(composite: Composite): boolean {
    let widest = 1;
    for (const { typeId, byteOffset } of composite.fields) {
      const natural = this.naturalAlignment(this.strip(this.type(typeId)));
      if (natural === 1) continue;
      widest = Math.max(widest, natural);
      if (byteOffset % natural !== 0) return true;
    }
    return composite.size % widest !== 0;
  }

  /** Calls `mark` for the structs in a union that its size shows to be packed. */
  inferPackedInUnion(union: Composite, mark: (inner: Composite) => void): void {
    if (union.packedKnown) return;
    for (const { typeId } of union.fields) {
      const type = this.strip(this.type(typeId));
      if (type?.isStruct && union.size % this.naturalAlignment(type) !== 0) mark(this.composite(type));
    }
    union.packedKnown = true;
  }

  /** Whether a struct's last member is an array without elements. */
  endsInFlexibleArray(shape: Shape): boolean {
    if (shape.endsFlexible === undefined) {
      const last = shape.kind === "struct" && shape.vlen > 0 ? this.type(shape.after(shape.vlen * 3 - 2)) : undefined;
      shape.endsFlexible = last?.kind === "array" && last.after(2) === 0;
    }
    return shape.endsFlexible;
  }

  /** Whether a struct within a struct ends in a flexible array. */
  embedsFlexibleArray(shape: Shape): boolean {
    if (!shape.isStruct) return false;
    if (shape.embedsFlexible === undefined) {
      // Found again below itself, it holds nothing new.
      shape.embedsFlexible = false;
      shape.embedsFlexible = this.#nested(shape, () => this.#searchFlexible(shape));
    }
    return shape.embedsFlexible;
  }

  #searchFlexible(shape: Shape): boolean {
    for (const { typeId } of this.composite(shape).fields) {
      const type = this.strip(this.type(typeId));
      if (!type?.isStruct) continue;
      if (this.endsInFlexibleArray(type)) return true;
      if (type !== shape && this.embedsFlexibleArray(type)) return true;
    }
    return false;
  }
}
