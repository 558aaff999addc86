/** Makes BTF: every kind, on a base or alone, with libbpf's rules (btf__add_*). */
import { Btf } from "../../btf/btf.js";
import type { Endian } from "../../btf/header.js";
import type { BtfType, Linkage } from "../../btf/types.js";
import { ERR_ARGUMENT } from "../../errors/btf.js";
import {
  ERR_BUILD_BITFIELD,
  ERR_BUILD_COMPONENT,
  ERR_BUILD_ENCODING,
  ERR_BUILD_FOREIGN,
  ERR_BUILD_FWD,
  ERR_BUILD_LINKAGE,
  ERR_BUILD_NAME,
  ERR_BUILD_PARENT,
  ERR_BUILD_SIZE,
  ERR_BUILD_UNION_OFFSET,
  ERR_BUILD_VALUE,
} from "../../errors/edit.js";
import { BtfError } from "../../errors/error.js";
import * as abi from "../../memory/generated/edit-abi.js";
import { deduplicate } from "../dedup/dedup.js";
import { appendAll, Copier, checkBase } from "../reshape/transfer.js";
import { Draft } from "./draft.js";
import { assemble, type EncodeOptions, encode } from "./encode.js";
import { Extents, layOut, unionSize } from "./extents.js";
import { kindOf } from "./record.js";
import type { TypeId } from "./type-id.js";

/** A type by its id, by its view, or 0 for void. */
export type TypeRef = TypeId | 0 | BtfType;

/** Size in bytes. */
export interface Sized {
  readonly byteSize: number;
}

/** Size in bytes, where C's is not meant. */
export interface MaybeSized {
  readonly byteSize?: number;
}

/** Length of an array, and the type of its subscripts. */
export interface ArraySpec {
  readonly length: number;
  readonly index: TypeRef;
}

/** The place of a member. */
export interface MemberPlace {
  /** Offset from the start of the struct, in bits (default: where C puts it if no member has one, else 0). */
  readonly bitOffset?: number;
  /** Width of a bitfield in bits (default 0: no bitfield). */
  readonly bitfieldSize?: number;
}

/** A member: name, type, and where it lies. */
export type MemberSpec = readonly [name: string, type: TypeRef, place?: MemberPlace];
/** A parameter: name, `""` for none, and type. */
export type ParamSpec = readonly [name: string, type: TypeRef];
/** An enumerator: its name and its value. */
export type EnumeratorSpec<V extends number | bigint> = readonly [name: string, value: V];
/** A variable of a section; offset and size in bytes. */
export type VariableSpec = readonly [
  variable: TypeRef,
  place: { readonly byteOffset: number; readonly byteSize: number },
];

/** Options of an INT: flags, or the raw encoding (signed 1, char 2, bool 4). */
export interface IntSpec extends Sized {
  readonly encoding?: number;
  readonly isSigned?: boolean;
  readonly isChar?: boolean;
  readonly isBool?: boolean;
}

/** Options of a tag. */
export interface TagOptions {
  /** An `__attribute__` instead of a `btf_type_tag` or `btf_decl_tag`: sets kind_flag. */
  readonly isAttribute?: boolean;
}

/** Options of a builder. */
export interface BuilderOptions {
  /** Makes a split Btf on it; ids go on where its end. */
  readonly base?: Btf;
  /** Byte order of what is built (default: the base's, else little). */
  readonly endian?: Endian;
  /** Size of a pointer in bytes (default: the base's, or as `Btf.pointerSize` finds it). */
  readonly pointerSize?: 4 | 8;
}

const LINKAGES: readonly Linkage[] = ["static", "global", "extern"];
/** A member's offset next to the width of a bitfield has 24 bits. */
const BITFIELD_OFFSET_MAX = abi.BIT_OFFSET_MASK;
const BITFIELD_SIZE_MAX = 255;
const U32_MAX = 0xffffffff;
const INT_BITS = 7;

/** Number of types from which on an append to an empty builder runs in the kernels: it takes half the time. */
const WORTH_A_KERNEL = 1000;
const NOT_FOR_DEDUP: readonly string[] = ["ERR_BTF_TYPE_ID", "ERR_DEDUP_NAMES"];

/** `info` word of a record. */
function infoOf(kind: number, vlen = 0, kindFlag = false): number {
  return ((kindFlag ? 0x80000000 : 0) | (kind << abi.KIND_SHIFT) | vlen) >>> 0;
}

function isPowerOfTwo(value: number, limit: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= limit && (value & (value - 1)) === 0;
}

/**
 * Builds a Btf type by type. Methods return the new type's id; where a type is
 * wanted, an id (that of a later type too) or a view of the base is taken. A
 * refused call adds nothing.
 *
 * Errors, besides those named at the methods: ERR_BUILD_REFERENCE for what is
 * no id, ERR_BUILD_FOREIGN for a view of another Btf, ERR_BUILD_LIMIT for ids,
 * vlen or strings beyond the format's limits.
 *
 * @example
 * const builder = new BtfBuilder();
 * const int = builder.int("int", { byteSize: 4, isSigned: true });
 * builder.struct("point", {}, [["x", int], ["y", int]]);
 * console.log(builder.build().require("point", "struct").members[1]?.bitOffset); // 32
 */
export class BtfBuilder {
  readonly #draft: Draft;
  readonly #endian: Endian;
  readonly #pointerSize: 4 | 8 | undefined;
  readonly #extents: Extents;
  readonly #copiers = new Map<Btf, Copier>();

  /** @throws BtfError ERR_ARGUMENT for a byte order that is not the base's */
  constructor({ base, endian, pointerSize }: BuilderOptions = {}) {
    if (base && endian && endian !== base.endian) {
      throw new BtfError(ERR_ARGUMENT, { note: `the base is ${base.endian}-endian: a split Btf has its byte order` });
    }
    this.#draft = new Draft(base);
    this.#endian = endian ?? base?.endian ?? "little";
    this.#pointerSize = pointerSize;
    this.#extents = new Extents(this.#draft, pointerSize ?? base?.pointerSize ?? 8);
  }

  /** Id that the next type gets; `id(nextId + 1)` is that of the one after it. */
  get nextId(): TypeId {
    return this.#draft.nextId as TypeId;
  }

  /** Returns a number as an id: that of a type still to come, or one that was kept as a number. @throws BtfError ERR_BUILD_REFERENCE */
  id(value: number): TypeId {
    return this.#draft.checkId(value) as TypeId;
  }

  #id(type: TypeRef): number {
    if (typeof type === "number") return this.#draft.checkId(type);
    for (let at = this.#draft.base; at; at = at.base) if (at === type.btf) return type.id;
    if (type.kind === "void") return 0;
    throw new BtfError(ERR_BUILD_FOREIGN, { typeId: type.id, name: type.name });
  }

  #required(name: string, what: string): number {
    if (name === "") throw new BtfError(ERR_BUILD_NAME, { note: what });
    return this.#draft.strings.add(name);
  }

  #word(value: number, note: string): number {
    if (Number.isInteger(value) && value >= 0 && value <= U32_MAX) return value;
    throw new BtfError(ERR_ARGUMENT, { note: `${note} has to be an integer from 0 to ${U32_MAX}, not ${value}` });
  }

  #linkage(name: string, linkage: Linkage): number {
    const number = LINKAGES.indexOf(linkage);
    if (number < 0) throw new BtfError(ERR_BUILD_LINKAGE, { name, note: JSON.stringify(linkage) });
    return number;
  }

  /** The last type's `info`. @throws BtfError ERR_BUILD_PARENT if it is of none of the kinds */
  #parent(element: string, note: string, ...kinds: number[]): number {
    const info = this.#draft.lastInfo;
    if (!kinds.includes(kindOf(info))) throw new BtfError(ERR_BUILD_PARENT, { name: element, note });
    return info;
  }

  /** Offset of a string, which is added if it is new. */
  string(text: string): number {
    return this.#draft.strings.add(text);
  }

  /** Offset of a string in the base or here, `undefined` if there is none. Source: btf__find_str. */
  findString(text: string): number | undefined {
    const offset = this.#draft.strings.find(text);
    return offset < 0 ? undefined : offset;
  }

  /**
   * @throws BtfError ERR_BUILD_NAME; ERR_BUILD_SIZE if `byteSize` is not 1, 2,
   *   4, 8 or 16; ERR_BUILD_ENCODING. Source: btf__add_int.
   */
  int(name: string, { byteSize, encoding, isSigned, isChar, isBool }: IntSpec): TypeId {
    const bits = encoding ?? (isSigned ? 1 : 0) | (isChar ? 2 : 0) | (isBool ? 4 : 0);
    if (name === "") throw new BtfError(ERR_BUILD_NAME, { note: "an INT" });
    if (!isPowerOfTwo(byteSize, 16)) throw new BtfError(ERR_BUILD_SIZE, { note: `INT "${name}"`, value: byteSize });
    if ((bits & INT_BITS) !== bits) throw new BtfError(ERR_BUILD_ENCODING, { name, value: bits });
    return this.#draft.attempt(() =>
      this.#draft.add(
        this.string(name),
        infoOf(abi.KIND_INT),
        byteSize,
        (bits << abi.INT_ENCODING_SHIFT) | (byteSize * 8),
      ),
    );
  }

  /** @throws BtfError ERR_BUILD_NAME; ERR_BUILD_SIZE if not of 2, 4, 8, 12 or 16 bytes. Source: btf__add_float. */
  float(name: string, { byteSize }: Sized): TypeId {
    if (name === "") throw new BtfError(ERR_BUILD_NAME, { note: "a FLOAT" });
    if (![2, 4, 8, 12, 16].includes(byteSize))
      throw new BtfError(ERR_BUILD_SIZE, { note: `FLOAT "${name}"`, value: byteSize });
    return this.#draft.attempt(() => this.#draft.add(this.string(name), infoOf(abi.KIND_FLOAT), byteSize));
  }

  #reference(kind: number, target: TypeRef): TypeId {
    return this.#draft.add(0, infoOf(kind), this.#id(target));
  }

  #named(kind: number, what: string, name: string, target: TypeRef, kindFlag = false): TypeId {
    const id = this.#id(target);
    return this.#draft.attempt(() => this.#draft.add(this.#required(name, what), infoOf(kind, 0, kindFlag), id));
  }

  /** A pointer; `0` for the target is void. */
  ptr(target: TypeRef): TypeId {
    return this.#reference(abi.KIND_PTR, target);
  }

  /** `const`. */
  const(target: TypeRef): TypeId {
    return this.#reference(abi.KIND_CONST, target);
  }

  /** `volatile`. */
  volatile(target: TypeRef): TypeId {
    return this.#reference(abi.KIND_VOLATILE, target);
  }

  /** `restrict`, of a pointer. */
  restrict(target: TypeRef): TypeId {
    return this.#reference(abi.KIND_RESTRICT, target);
  }

  /** @throws BtfError ERR_BUILD_NAME */
  typedef(name: string, target: TypeRef): TypeId {
    return this.#named(abi.KIND_TYPEDEF, "a TYPEDEF", name, target);
  }

  /** @throws BtfError ERR_BUILD_NAME. Source: btf__add_type_tag, btf__add_type_attr. */
  typeTag(value: string, target: TypeRef, { isAttribute = false }: TagOptions = {}): TypeId {
    return this.#named(abi.KIND_TYPE_TAG, "a TYPE_TAG", value, target, isAttribute);
  }

  /** An array of `length` elements; `index` is the type of its subscripts. */
  array(element: TypeRef, spec: ArraySpec): TypeId;
  /** As it was called before ids had a type of their own: compiled code still does, new code shall not. */
  array(element: TypeRef, spec: ArraySpec | number, subscript?: TypeRef): TypeId {
    const { length, index } = typeof spec === "number" ? { length: spec, index: subscript! } : spec;
    const words = [this.#id(element), this.#id(index), this.#word(length, "an array's length")];
    return this.#draft.add(0, infoOf(abi.KIND_ARRAY), 0, ...words);
  }

  #composite(kind: number, name: string, { byteSize }: MaybeSized, members: readonly MemberSpec[]): TypeId {
    const isPlaced = members.some(([, , place]) => place?.bitOffset !== undefined);
    const isAtStart = isPlaced || (byteSize !== undefined && (kind === abi.KIND_UNION || members.length < 2));
    const { bitOffsets, byteSize: size } = isAtStart ? { bitOffsets: [], byteSize } : this.#laidOut(kind, members);
    const whole = byteSize ?? size;
    if (whole === undefined) {
      throw new BtfError(ERR_ARGUMENT, { note: `"${name}" needs a byteSize: its members have offsets` });
    }
    return this.#draft.attempt(() => {
      const id = this.#draft.add(this.string(name), infoOf(kind), this.#word(whole, "byteSize"));
      for (const [i, [member, type, place]] of members.entries()) {
        this.member(member, type, { ...place, bitOffset: place?.bitOffset ?? bitOffsets[i] ?? 0 });
      }
      return id;
    });
  }

  /** Where C puts the members, and what the whole takes. */
  #laidOut(kind: number, members: readonly MemberSpec[]): { bitOffsets: number[]; byteSize: number } {
    const unplaced = members.map(([name, type, place]) => {
      const extent = this.#extents.of(this.#id(type));
      if (extent) return { ...extent, bitfieldSize: place?.bitfieldSize ?? 0 };
      const note = `the size of member "${name}" is not known: add its type first, or give its bitOffset`;
      throw new BtfError(ERR_ARGUMENT, { note });
    });
    return kind === abi.KIND_UNION ? { bitOffsets: [], byteSize: unionSize(unplaced) } : layOut(unplaced);
  }

  /**
   * A struct, "" for an anonymous one. Where no member has a `bitOffset`, they
   * lie as C lays them out, one after the other at their natural alignment (two
   * pointers at most; i386 aligns numbers of 8 bytes at 4), and `byteSize` may be
   * left out. Errors as `member`.
   *
   * @throws BtfError ERR_ARGUMENT for a member whose size is not known, and where offsets come without `byteSize`
   */
  struct(name: string, size: MaybeSized, members: readonly MemberSpec[] = []): TypeId {
    return this.#composite(abi.KIND_STRUCT, name, size, members);
  }

  /** A union, "" for an anonymous one; without `byteSize` of C's size. Errors as `struct`. */
  union(name: string, size: MaybeSized, members: readonly MemberSpec[] = []): TypeId {
    return this.#composite(abi.KIND_UNION, name, size, members);
  }

  /**
   * Adds a member to the struct or union that was added last. Its first
   * bitfield sets kind_flag.
   *
   * @throws BtfError ERR_BUILD_PARENT; ERR_BUILD_UNION_OFFSET; ERR_BUILD_BITFIELD
   *   for a bitfield without a width or wider than 255 bits, or an offset above
   *   0xffffff in a struct with bitfields. Source: btf__add_field.
   */
  member(name: string, type: TypeRef, { bitOffset = 0, bitfieldSize = 0 }: MemberPlace = {}): void {
    const info = this.#parent("member", "STRUCT or UNION", abi.KIND_STRUCT, abi.KIND_UNION);
    const id = this.#id(type);
    this.#word(bitOffset, "bitOffset");
    this.#word(bitfieldSize, "bitfieldSize");
    const isBitfield = bitfieldSize !== 0 || bitOffset % 8 !== 0;
    const refuse = (note: string): never => {
      throw new BtfError(ERR_BUILD_BITFIELD, { name, note });
    };
    if (kindOf(info) === abi.KIND_UNION && bitOffset !== 0) {
      throw new BtfError(ERR_BUILD_UNION_OFFSET, { name, value: bitOffset });
    }
    if (isBitfield && bitfieldSize === 0)
      refuse(`starts at bit ${bitOffset}, which is no whole byte, but has no width`);
    if (bitfieldSize > BITFIELD_SIZE_MAX) refuse(`${bitfieldSize} bits wide, more than ${BITFIELD_SIZE_MAX}`);
    // libbpf checks the bitfield alone; with kind_flag every offset has 24 bits.
    if ((isBitfield || info > 0x7fffffff) && bitOffset > BITFIELD_OFFSET_MAX)
      refuse(`bit offset ${bitOffset} is above ${BITFIELD_OFFSET_MAX}`);
    if (isBitfield && info <= 0x7fffffff) {
      const words = this.#draft.lastWords();
      for (let i = 5; i < words.length; i += 3) {
        if (words[i]! > BITFIELD_OFFSET_MAX)
          refuse(`an earlier member's bit offset ${words[i]} is above ${BITFIELD_OFFSET_MAX}`);
      }
    }
    this.#draft.attempt(() =>
      this.#draft.addElement(isBitfield, this.string(name), id, (bitfieldSize << abi.BITFIELD_SHIFT) | bitOffset),
    );
  }

  #enumeration(
    kind: number,
    name: string,
    { byteSize, isSigned }: Sized & { isSigned: boolean },
    fill: () => void,
  ): TypeId {
    if (!isPowerOfTwo(byteSize, 8))
      throw new BtfError(ERR_BUILD_SIZE, { note: `an enum ("${name}")`, value: byteSize });
    return this.#draft.attempt(() => {
      const id = this.#draft.add(this.string(name), infoOf(kind, 0, isSigned), byteSize);
      fill();
      return id;
    });
  }

  /**
   * An enum of 32-bit values; a negative one makes it signed. Without values it
   * is a forward declaration. @throws BtfError ERR_BUILD_SIZE if not of 1, 2, 4
   * or 8 bytes, and as `enumerator`. Source: btf__add_enum.
   */
  enum(
    name: string,
    { byteSize = 4, isSigned = false }: Partial<Sized> & { isSigned?: boolean },
    values: readonly EnumeratorSpec<number>[] = [],
  ): TypeId {
    return this.#enumeration(abi.KIND_ENUM, name, { byteSize, isSigned }, () => {
      for (const [label, value] of values) this.enumerator(label, value);
    });
  }

  /** An enum of 64-bit values. Errors as `enum`. Source: btf__add_enum64. */
  enum64(
    name: string,
    { byteSize = 8, isSigned = false }: Partial<Sized> & { isSigned?: boolean },
    values: readonly EnumeratorSpec<number | bigint>[] = [],
  ): TypeId {
    return this.#enumeration(abi.KIND_ENUM64, name, { byteSize, isSigned }, () => {
      for (const [label, value] of values) this.enumerator(label, value);
    });
  }

  /**
   * Adds a value to the enum that was added last.
   *
   * @throws BtfError ERR_BUILD_PARENT; ERR_BUILD_NAME; ERR_BUILD_VALUE outside
   *   -2^31 to 2^32 - 1 (64 bits in an `enum64`). Source: btf__add_enum_value.
   */
  enumerator(name: string, value: number | bigint): void {
    const info = this.#parent("value", "ENUM or ENUM64", abi.KIND_ENUM, abi.KIND_ENUM64);
    const wide = kindOf(info) === abi.KIND_ENUM64;
    const fits = typeof value === "bigint" || Number.isSafeInteger(value);
    const exact = fits ? BigInt(value) : 0n;
    const [low, high] = wide ? [-(2n ** 63n), 2n ** 64n - 1n] : [-(2n ** 31n), 2n ** 32n - 1n];
    if (!fits || exact < low || exact > high) throw new BtfError(ERR_BUILD_VALUE, { name, note: String(value) });
    const words = [Number(exact & 0xffffffffn)];
    if (wide) words.push(Number((exact >> 32n) & 0xffffffffn));
    // An ENUM64 has the sign that it was made with.
    const signed = !wide && exact < 0n;
    this.#draft.attempt(() => this.#draft.addElement(signed, this.#required(name, "an enumerator"), ...words));
  }

  /** A forward declaration. @throws BtfError ERR_BUILD_NAME, ERR_BUILD_FWD. Source: btf__add_fwd. */
  fwd(name: string, of: "struct" | "union" | "enum" = "struct"): TypeId {
    if (name === "") throw new BtfError(ERR_BUILD_NAME, { note: "a FWD" });
    if (of === "enum") return this.enum(name, {});
    if (of !== "struct" && of !== "union") throw new BtfError(ERR_BUILD_FWD, { name, note: JSON.stringify(of) });
    return this.#draft.attempt(() => this.#draft.add(this.string(name), infoOf(abi.KIND_FWD, 0, of === "union"), 0));
  }

  /** A function of a prototype. @throws BtfError ERR_BUILD_NAME, ERR_BUILD_LINKAGE. Source: btf__add_func. */
  func(name: string, proto: TypeRef, linkage: Linkage = "static"): TypeId {
    const id = this.#id(proto);
    const vlen = this.#linkage(name, linkage);
    return this.#draft.attempt(() => this.#draft.add(this.#required(name, "a FUNC"), infoOf(abi.KIND_FUNC, vlen), id));
  }

  /** A prototype; a last parameter `["", 0]` stands for `...`. */
  funcProto(returns: TypeRef, params: readonly ParamSpec[] = []): TypeId {
    return this.#draft.attempt(() => {
      const id = this.#draft.add(0, infoOf(abi.KIND_FUNC_PROTO), this.#id(returns));
      for (const [name, type] of params) this.param(name, type);
      return id;
    });
  }

  /** Adds a parameter to the FUNC_PROTO that was added last. @throws BtfError ERR_BUILD_PARENT */
  param(name: string, type: TypeRef): void {
    this.#parent("parameter", "FUNC_PROTO", abi.KIND_FUNC_PROTO);
    const id = this.#id(type);
    this.#draft.attempt(() => this.#draft.addElement(false, this.string(name), id));
  }

  /** @throws BtfError ERR_BUILD_NAME, ERR_BUILD_LINKAGE. Source: btf__add_var. */
  var(name: string, type: TypeRef, linkage: Linkage = "static"): TypeId {
    const id = this.#id(type);
    const number = this.#linkage(name, linkage);
    return this.#draft.attempt(() => this.#draft.add(this.#required(name, "a VAR"), infoOf(abi.KIND_VAR), id, number));
  }

  /** A section with its variables. @throws BtfError ERR_BUILD_NAME. Source: btf__add_datasec. */
  datasec(name: string, { byteSize }: Sized, variables: readonly VariableSpec[] = []): TypeId {
    return this.#draft.attempt(() => {
      const id = this.#draft.add(
        this.#required(name, "a DATASEC"),
        infoOf(abi.KIND_DATASEC),
        this.#word(byteSize, "byteSize"),
      );
      for (const [variable, place] of variables) this.sectionVariable(variable, place);
      return id;
    });
  }

  /** Adds a variable to the DATASEC that was added last. @throws BtfError ERR_BUILD_PARENT */
  sectionVariable(
    variable: TypeRef,
    { byteOffset, byteSize }: { readonly byteOffset: number; readonly byteSize: number },
  ): void {
    this.#parent("variable", "DATASEC", abi.KIND_DATASEC);
    const words = [this.#id(variable), this.#word(byteOffset, "byteOffset"), this.#word(byteSize, "byteSize")];
    this.#draft.addElement(false, ...words);
  }

  /**
   * A tag on a type, or on the member or parameter with an index.
   * @throws BtfError ERR_BUILD_NAME, ERR_BUILD_COMPONENT. Source: btf__add_decl_tag, btf__add_decl_attr.
   */
  declTag(
    value: string,
    target: TypeRef,
    { componentIndex = -1, isAttribute = false }: TagOptions & { readonly componentIndex?: number } = {},
  ): TypeId {
    const id = this.#id(target);
    if (!Number.isInteger(componentIndex) || componentIndex < -1 || componentIndex > 0x7fffffff) {
      throw new BtfError(ERR_BUILD_COMPONENT, { name: value, value: componentIndex });
    }
    return this.#draft.attempt(() =>
      this.#draft.add(
        this.#required(value, "a DECL_TAG"),
        infoOf(abi.KIND_DECL_TAG, 0, isAttribute),
        id,
        componentIndex,
      ),
    );
  }

  /**
   * Copies a type of another Btf with everything it refers to; what was copied
   * before is not copied again. Types of the base are the base's.
   *
   * @throws BtfEnvironmentError ERR_UNSUPPORTED for a kind unknown to us;
   *   BtfError ERR_BUILD_REFERENCE for one that refers to nothing
   */
  copy(type: BtfType): TypeId {
    for (let at = this.#draft.base; at; at = at.base) if (at === type.btf) return type.id as TypeId;
    const copier = this.#copiers.get(type.btf) ?? new Copier(this.#draft, type.btf);
    this.#copiers.set(type.btf, copier);
    return copier.copy(type.id) as TypeId;
  }

  /**
   * Appends all own types of a Btf, in their order; strings are added once.
   * Returns what was added to their ids: type `id` of it is `id + shift` here.
   *
   * @throws BtfError ERR_BUILD_BASE if it is split on a base that this builder
   *   is not on; BtfEnvironmentError ERR_UNSUPPORTED for a kind unknown to us.
   *   Source: btf__add_btf.
   */
  append(btf: Btf): number {
    const { base } = this.#draft;
    const { image } = btf;
    if (this.#draft.isEmpty && image.count >= WORTH_A_KERNEL) {
      checkBase(this.#draft, btf);
      try {
        return deduplicate([image], base?.image, [], { dedup: false }, ({ parts: [part] }, { sections }) => {
          this.#draft.fill(sections, image.count, image.record(btf.size - 1) - image.types);
          return part!.idShift;
        });
      } catch (cause) {
        // Appending accepts what dedup refuses: a reference may be satisfied later.
        if (!(cause instanceof BtfError) || !NOT_FOR_DEDUP.includes(cause.code)) throw cause;
      }
    }
    return appendAll(this.#draft, btf);
  }

  /** The image's bytes. @throws BtfError as `encode` */
  encode(options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
    const bytes = assemble(this.#draft.sections, options.header ?? (options.layout ? 32 : 24), undefined, this.#endian);
    if (options.layout === undefined && options.endian === undefined) return bytes;
    return encode(this.#open(bytes), options);
  }

  /**
   * Returns what was built so far, as an open Btf. The builder remains usable.
   *
   * @throws BtfFormatError as `Btf.parse`, such as ERR_BTF_TYPE_ID for a
   *   reference to a type that was never added
   */
  build(): Btf {
    return this.#open(this.encode());
  }

  #open(bytes: Uint8Array<ArrayBuffer>): Btf {
    const { base } = this.#draft;
    const btf = base ? base.split(bytes) : Btf.parse(bytes);
    if (this.#pointerSize !== undefined) btf.pointerSize = this.#pointerSize;
    return btf;
  }
}
