/**
 * Makes views: objects that read their record when they are asked. Fields are
 * read in the image's bytes each time, lists are made once.
 */

import { type Kind, kindName } from "../format/kind.js";
import { KIND_MASK, KIND_SHIFT, TYPE_SIZE, VLEN_MASK } from "../memory/generated/abi.js";
import type { Btf } from "./btf.js";
import type { Image } from "./image.js";
import { referredType } from "./traverse.js";
import type { BtfType, Enumerator, Linkage, Member, Param, SectionVariable } from "./types.js";

const MEMBER_SIZE = 12;
const ENUM_SIZE = 8;
const ENUM64_SIZE = 12;
const PARAM_SIZE = 8;
const SECTION_VARIABLE_SIZE = 12;

const LINKAGES = ["static", "global", "extern"] as const;

function linkageOf(number: number): Linkage {
  return LINKAGES[number] ?? "unknown";
}

/** The word at an address. */
function word(image: Image, at: number): number {
  return image.view.getUint32(at, true);
}

class View {
  readonly kind: Kind;
  readonly id: number;
  readonly btf: Btf;
  readonly #image: Image;
  readonly #record: number;

  constructor(btf: Btf, image: Image, id: number, kind: Kind, record: number) {
    this.btf = btf;
    this.id = id;
    this.kind = kind;
    this.#image = image;
    this.#record = record;
  }

  get name(): string {
    return this.#image.string(word(this.#image, this.#record));
  }

  get kindFlag(): boolean {
    return word(this.#image, this.#record + 4) > 0x7fffffff;
  }

  get vlen(): number {
    return word(this.#image, this.#record + 4) & VLEN_MASK;
  }

  /** Word `index` of the record and what follows it. */
  protected word(index: number): number {
    return word(this.#image, this.#record + index * 4);
  }

  protected typeById(id: number): BtfType {
    return referredType(this.btf, this.id, id);
  }

  protected elements<T>(size: number, make: (image: Image, at: number) => T): readonly T[] {
    const first = this.#record + TYPE_SIZE;
    return Object.freeze(Array.from({ length: this.vlen }, (_, i) => make(this.#image, first + i * size)));
  }

  /** What consoles and JSON show: the fields, without following references. */
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
    return this.word(2);
  }
}

class ReferenceView extends View {
  get targetId(): number {
    return this.word(2);
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
    return this.word(3) | 0;
  }
}

class IntView extends SizedView {
  get bitOffset(): number {
    return (this.word(3) >> 16) & 0xff;
  }
  get bitSize(): number {
    return this.word(3) & 0xff;
  }
  get encoding(): number {
    return (this.word(3) >> 24) & 0xf;
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
    return this.word(3);
  }
  get element(): BtfType {
    return this.typeById(this.elementId);
  }
  get indexId(): number {
    return this.word(4);
  }
  get index(): BtfType {
    return this.typeById(this.indexId);
  }
  get length(): number {
    return this.word(5);
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
    this.#members ??= this.elements(MEMBER_SIZE, (image, at) => {
      const offset = word(image, at + 8);
      const name = image.string(word(image, at));
      const typeId = word(image, at + 4);
      // With kind_flag the upper 8 bits hold the width of a bitfield.
      return flagged
        ? new MemberView(this.btf, name, typeId, offset & 0xffffff, offset >>> 24)
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
    this.#values ??= this.elements(ENUM_SIZE, (image, at) => {
      const value = word(image, at + 4);
      return Object.freeze({ name: image.string(word(image, at)), value: signed ? value | 0 : value });
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
    this.#values ??= this.elements(ENUM64_SIZE, (image, at) => {
      // Low word first, whatever the byte order.
      const bits = (BigInt(word(image, at + 8)) << 32n) | BigInt(word(image, at + 4));
      const value = signed ? BigInt.asIntN(64, bits) : bits;
      return Object.freeze({ name: image.string(word(image, at)), value });
    });
    return this.#values;
  }
}

class FwdView extends View {
  get forwardKind(): "struct" | "union" {
    return this.kindFlag ? "union" : "struct";
  }
}

class FuncView extends View {
  get protoId(): number {
    return this.word(2);
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
    return this.word(2);
  }
  get returnType(): BtfType {
    return this.typeById(this.returnTypeId);
  }
  get params(): readonly Param[] {
    this.#params ??= this.elements(
      PARAM_SIZE,
      (image, at) => new ElementView(this.btf, image.string(word(image, at)), word(image, at + 4)),
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
    return this.word(2);
  }
  get type(): BtfType {
    return this.typeById(this.typeId);
  }
  get linkage(): Linkage {
    return linkageOf(this.word(3));
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
      SECTION_VARIABLE_SIZE,
      (image, at) => new SectionVariableView(this.btf, word(image, at), word(image, at + 4), word(image, at + 8)),
    );
    return this.#variables;
  }
}

class UnknownView extends View {
  get kindNumber(): number {
    return (this.word(1) >>> KIND_SHIFT) & KIND_MASK;
  }
  get sizeOrType(): number {
    return this.word(2);
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

/** What Node, Deno and Bun show on the console. */
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
