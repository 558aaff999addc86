/**
 * Makes views: objects that read their record when they are asked. Fields are
 * read in the image's bytes each time, lists are made once.
 */

import { type Kind, kindName } from "../format/kind.js";
import * as abi from "../memory/generated/abi.js";
import type { Image } from "./image.js";
import { referredType } from "./traverse.js";
import type { BtfType, Enumerator, Linkage, Member, Param, SectionVariable } from "./types.js";

const LINKAGES = ["static", "global", "extern"] as const;

function linkageOf(number: number): Linkage {
  return LINKAGES[number] ?? "unknown";
}

/** The word at an address. */
function word(image: Image, at: number): number {
  return image.view.getUint32(at, true);
}

/** The Btf that a type belongs to: types.ts names it, so that views do not import it. */
type Btf = BtfType["btf"];

class View {
  readonly kind: Kind;
  readonly id: number;
  /** Private, so that a structured clone of a view does not take the image along. */
  readonly #btf: Btf;
  readonly #image: Image;
  readonly #record: number;

  constructor(btf: Btf, image: Image, id: number, kind: Kind, record: number) {
    this.#btf = btf;
    this.id = id;
    this.kind = kind;
    this.#image = image;
    this.#record = record;
  }

  get btf(): Btf {
    return this.#btf;
  }

  get name(): string {
    return this.#image.string(this.word(abi.TYPE_NAME));
  }

  get kindFlag(): boolean {
    return this.word(abi.TYPE_INFO) > 0x7fffffff;
  }

  get vlen(): number {
    return this.word(abi.TYPE_INFO) & abi.VLEN_MASK;
  }

  /** Returns the word at an offset in bytes from the start of the record. */
  protected word(offset: number): number {
    return word(this.#image, this.#record + offset);
  }

  protected typeById(id: number): BtfType {
    return referredType(this.btf, this.id, id);
  }

  protected elements<T>(size: number, make: (image: Image, at: number) => T): readonly T[] {
    const first = this.#record + abi.TYPE_SIZE;
    return Object.freeze(Array.from({ length: this.vlen }, (_, i) => make(this.#image, first + i * size)));
  }

  /** Returns the fields for consoles and JSON, without following references. */
  toJSON(): Record<string, unknown> {
    const shown: Record<string, unknown> = { id: this.id, kind: this.kind, name: this.name };
    let prototype = Object.getPrototypeOf(this) as object;
    for (; prototype !== View.prototype; prototype = Object.getPrototypeOf(prototype) as object) {
      for (const [field, { get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        // A reference is shown by its id.
        if (get && !(`${field}Id` in this)) shown[field] = get.call(this) as unknown;
      }
    }
    return shown;
  }
}

class VoidView extends View {
  override get name(): string {
    return "void";
  }
  override get kindFlag(): boolean {
    return false;
  }
  override get vlen(): number {
    return 0;
  }
}

class SizedView extends View {
  get byteSize(): number {
    return this.word(abi.TYPE_SIZE_OR_ID);
  }
}

class ReferenceView extends View {
  get targetId(): number {
    return this.word(abi.TYPE_SIZE_OR_ID);
  }
  get target(): BtfType {
    return this.typeById(this.targetId);
  }
}

class TagView extends ReferenceView {
  get isAttribute(): boolean {
    return this.kindFlag;
  }
}

class DeclTagView extends TagView {
  get componentIndex(): number {
    return this.word(abi.DECL_TAG_COMPONENT) | 0;
  }
}

class IntView extends SizedView {
  get bitOffset(): number {
    return (this.word(abi.INT_DATA) >> abi.INT_OFFSET_SHIFT) & abi.INT_BITS_MASK;
  }
  get bitSize(): number {
    return this.word(abi.INT_DATA) & abi.INT_BITS_MASK;
  }
  get encoding(): number {
    return (this.word(abi.INT_DATA) >> abi.INT_ENCODING_SHIFT) & 0xf;
  }
  get isSigned(): boolean {
    return (this.encoding & 1) !== 0;
  }
  get isChar(): boolean {
    return (this.encoding & 2) !== 0;
  }
  get isBool(): boolean {
    return (this.encoding & 4) !== 0;
  }
}

class ArrayView extends View {
  get elementId(): number {
    return this.word(abi.ARRAY_ELEMENT);
  }
  get element(): BtfType {
    return this.typeById(this.elementId);
  }
  get indexId(): number {
    return this.word(abi.ARRAY_INDEX);
  }
  get index(): BtfType {
    return this.typeById(this.indexId);
  }
  get length(): number {
    return this.word(abi.ARRAY_LENGTH);
  }
}

/** A named element that refers to a type: a member, parameter or section entry. */
class ElementView {
  readonly name: string;
  readonly typeId: number;
  readonly #btf: Btf;

  constructor(btf: Btf, name: string, typeId: number) {
    this.name = name;
    this.typeId = typeId;
    this.#btf = btf;
  }

  get type(): BtfType {
    return this.#btf.get(this.typeId)!;
  }
}

class MemberView extends ElementView {
  readonly bitOffset: number;
  readonly bitfieldSize: number;

  constructor(btf: Btf, name: string, typeId: number, bitOffset: number, bitfieldSize: number) {
    super(btf, name, typeId);
    this.bitOffset = bitOffset;
    this.bitfieldSize = bitfieldSize;
  }
}

class CompositeView extends SizedView {
  #members: readonly Member[] | undefined;

  get members(): readonly Member[] {
    const flagged = this.kindFlag;
    this.#members ??= this.elements(abi.MEMBER_SIZE, (image, at) => {
      const offset = word(image, at + abi.MEMBER_OFFSET);
      const name = image.string(word(image, at + abi.MEMBER_NAME));
      const typeId = word(image, at + abi.MEMBER_TYPE);
      // If the composite has kind_flag, the upper 8 bits hold the width of a bitfield.
      return flagged
        ? new MemberView(this.btf, name, typeId, offset & abi.BIT_OFFSET_MASK, offset >>> abi.BITFIELD_SHIFT)
        : new MemberView(this.btf, name, typeId, offset, 0);
    });
    return this.#members;
  }
}

class EnumView extends SizedView {
  #values: readonly Enumerator<number>[] | undefined;

  get isSigned(): boolean {
    return this.kindFlag;
  }

  get values(): readonly Enumerator<number>[] {
    const signed = this.isSigned;
    this.#values ??= this.elements(abi.ENUMERATOR_SIZE, (image, at) => {
      const value = word(image, at + abi.ENUMERATOR_VALUE);
      return Object.freeze({
        name: image.string(word(image, at + abi.ENUMERATOR_NAME)),
        value: signed ? value | 0 : value,
      });
    });
    return this.#values;
  }
}

class Enum64View extends SizedView {
  #values: readonly Enumerator<bigint>[] | undefined;

  get isSigned(): boolean {
    return this.kindFlag;
  }

  get values(): readonly Enumerator<bigint>[] {
    const signed = this.isSigned;
    this.#values ??= this.elements(abi.ENUMERATOR64_SIZE, (image, at) => {
      // Low word first, whatever the byte order.
      const high = BigInt(word(image, at + abi.ENUMERATOR64_HIGH));
      const bits = (high << 32n) | BigInt(word(image, at + abi.ENUMERATOR64_LOW));
      const value = signed ? BigInt.asIntN(64, bits) : bits;
      return Object.freeze({ name: image.string(word(image, at + abi.ENUMERATOR64_NAME)), value });
    });
    return this.#values;
  }

  /** JSON has no integers of 64 bits: values are strings of decimal digits. */
  override toJSON(): Record<string, unknown> {
    const values = this.values.map(({ name, value }) => ({ name, value: value.toString() }));
    return { ...super.toJSON(), values };
  }
}

class FwdView extends View {
  get forwardKind(): "struct" | "union" {
    return this.kindFlag ? "union" : "struct";
  }
}

class FuncView extends View {
  get protoId(): number {
    return this.word(abi.TYPE_SIZE_OR_ID);
  }
  get proto(): BtfType {
    return this.typeById(this.protoId);
  }
  get linkage(): Linkage {
    return linkageOf(this.vlen);
  }
}

class FuncProtoView extends View {
  #params: readonly Param[] | undefined;

  get returnTypeId(): number {
    return this.word(abi.TYPE_SIZE_OR_ID);
  }
  get returnType(): BtfType {
    return this.typeById(this.returnTypeId);
  }
  get params(): readonly Param[] {
    this.#params ??= this.elements(
      abi.PARAM_SIZE,
      (image, at) =>
        new ElementView(this.btf, image.string(word(image, at + abi.PARAM_NAME)), word(image, at + abi.PARAM_TYPE)),
    );
    return this.#params;
  }
  get isVariadic(): boolean {
    const last = this.params.at(-1);
    return last !== undefined && last.typeId === 0 && last.name === "";
  }
}

class VarView extends View {
  get typeId(): number {
    return this.word(abi.TYPE_SIZE_OR_ID);
  }
  get type(): BtfType {
    return this.typeById(this.typeId);
  }
  get linkage(): Linkage {
    return linkageOf(this.word(abi.VAR_LINKAGE));
  }
}

class SectionVariableView {
  readonly typeId: number;
  readonly byteOffset: number;
  readonly byteSize: number;
  readonly #btf: Btf;

  constructor(btf: Btf, typeId: number, byteOffset: number, byteSize: number) {
    this.#btf = btf;
    this.typeId = typeId;
    this.byteOffset = byteOffset;
    this.byteSize = byteSize;
  }

  get type(): BtfType {
    return this.#btf.get(this.typeId)!;
  }
}

class DatasecView extends SizedView {
  #variables: readonly SectionVariable[] | undefined;

  get variables(): readonly SectionVariable[] {
    this.#variables ??= this.elements(
      abi.SECTION_VARIABLE_SIZE,
      (image, at) =>
        new SectionVariableView(
          this.btf,
          word(image, at + abi.SECTION_VARIABLE_TYPE),
          word(image, at + abi.SECTION_VARIABLE_OFFSET),
          word(image, at + abi.SECTION_VARIABLE_LENGTH),
        ),
    );
    return this.#variables;
  }
}

class UnknownView extends View {
  get kindNumber(): number {
    return (this.word(abi.TYPE_INFO) >>> abi.KIND_SHIFT) & abi.KIND_MASK;
  }
  get sizeOrType(): number {
    return this.word(abi.TYPE_SIZE_OR_ID);
  }
}

const views = {
  void: VoidView,
  int: IntView,
  ptr: ReferenceView,
  array: ArrayView,
  struct: CompositeView,
  union: CompositeView,
  enum: EnumView,
  fwd: FwdView,
  typedef: ReferenceView,
  volatile: ReferenceView,
  const: ReferenceView,
  restrict: ReferenceView,
  func: FuncView,
  func_proto: FuncProtoView,
  var: VarView,
  datasec: DatasecView,
  float: SizedView,
  decl_tag: DeclTagView,
  type_tag: TagView,
  enum64: Enum64View,
  unknown: UnknownView,
} satisfies Record<Kind, typeof View>;

/** The key of the method whose result Node, Deno and Bun show on the console. */
const INSPECT = "nodejs.util.inspect.custom";

/** The view of own type `id`, or of void. */
export function makeView(btf: Btf, image: Image, id: number): BtfType {
  // Not a member of the class: esbuild keeps a class with such a key in every bundle.
  const prototype = View.prototype as View & { [key: symbol]: unknown };
  prototype[Symbol.for(INSPECT)] ??= View.prototype.toJSON;
  if (id === 0) return new VoidView(btf, image, 0, "void", 0) as unknown as BtfType;
  const kind = kindName(image.kinds[id - image.firstId]!);
  return new views[kind](btf, image, id, kind, image.record(id)) as unknown as BtfType;
}
