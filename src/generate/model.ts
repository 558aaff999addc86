/**
 * The types that are generated, as every language needs them: typedefs and
 * qualifiers resolved, sizes and offsets fixed, each definition after those it
 * holds by value. A language only spells this out.
 */

import type { Btf } from "../btf/btf.js";
import type { Endian } from "../btf/header.js";
import { resolve, sizeOf } from "../btf/query/resolve.js";
import type { BtfType, Enum64Type, EnumType, IntType, Member, StructType, UnionType } from "../btf/types.js";
import { BtfError } from "../errors/error.js";
import { Names } from "./names.js";

/** An integer that fills its bytes. */
export interface IntForm {
  readonly kind: "int";
  /** As the compiler called it: `"long unsigned int"`. */
  readonly name: string;
  readonly byteSize: number;
  readonly isSigned: boolean;
  readonly isBool: boolean;
  /** A `char`, whose arrays are text. */
  readonly isChar: boolean;
}

export interface FloatForm {
  readonly kind: "float";
  readonly name: string;
  readonly byteSize: number;
}

export interface PointerForm {
  readonly kind: "pointer";
  readonly byteSize: 4 | 8;
  readonly target: BtfType;
}

export interface EnumForm {
  readonly kind: "enum";
  readonly byteSize: number;
  readonly enumeration: Enumeration;
}

export interface ArrayForm {
  readonly kind: "array";
  readonly byteSize: number;
  readonly element: Form;
  /** 0 for a flexible array. */
  readonly length: number;
}

export interface CompositeForm {
  readonly kind: "composite";
  readonly byteSize: number;
  readonly composite: Composite;
}

/** Bytes that no language has a type for, with the reason. */
export interface OpaqueForm {
  readonly kind: "opaque";
  readonly byteSize: number;
  readonly reason: string;
}

/** A type by value. */
export type Form = IntForm | FloatForm | PointerForm | EnumForm | ArrayForm | CompositeForm | OpaqueForm;

/** A member that has its place. */
export interface Field {
  /** As in BTF; "" for an anonymous struct or union. */
  readonly name: string;
  /** The name, or `anonymous0` and so on. */
  readonly label: string;
  readonly form: Form;
  /** From the start of the struct or union. */
  readonly bitOffset: number;
  /** Width of a bitfield; 0 for an ordinary member. */
  readonly bitSize: number;
}

/** A member that no definition can have, with the reason. */
export interface Omission {
  readonly name: string;
  readonly bitOffset: number;
  readonly reason: string;
}

/** A struct or union. */
export interface Composite {
  readonly kind: "struct" | "union";
  /** An identifier, unique among all definitions. */
  readonly name: string;
  /** As in BTF: the name, that of a typedef of an anonymous one, or "". */
  readonly originalName: string;
  /** It has no tag, and at most a typedef. */
  readonly isAnonymous: boolean;
  readonly typeId: number;
  readonly byteSize: number;
  /** By their offsets; those of a struct do not overlap. */
  readonly fields: readonly Field[];
  readonly omissions: readonly Omission[];
}

export interface Constant {
  /** As in BTF. */
  readonly name: string;
  readonly value: bigint;
}

/** An enum with its enumerators. */
export interface Enumeration {
  /** An identifier, unique among all definitions. */
  readonly name: string;
  readonly originalName: string;
  readonly isAnonymous: boolean;
  readonly typeId: number;
  readonly byteSize: number;
  readonly isSigned: boolean;
  readonly constants: readonly Constant[];
}

/** A chosen type that is no struct, union or enum: a typedef of something else, or a name for a map's key. */
export interface Alias {
  readonly name: string;
  readonly originalName: string;
  readonly form: Form;
}

/** A chosen type that cannot be generated, with the reason. */
export interface Refusal {
  readonly name: string;
  readonly typeId: number;
  readonly reason: string;
}

/** All that a language writes. */
export interface Model {
  readonly endian: Endian;
  readonly pointerSize: 4 | 8;
  readonly enumerations: readonly Enumeration[];
  /** Each after those that it holds by value. */
  readonly composites: readonly Composite[];
  readonly aliases: readonly Alias[];
  readonly refusals: readonly Refusal[];
  /** The definition of a type, if it is among them. */
  readonly definitions: ReadonlyMap<number, Composite | Enumeration>;
  /** Ids of added types that are modifiers or typedefs of a definition, and its id. */
  readonly resolved: ReadonlyMap<number, number>;
}

/** Structs inside structs, by value, that are followed. */
const DEPTH_LIMIT = 200;
/** Bits of the largest integer that a bitfield has in C. */
const WIDEST_BITFIELD = 128;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Collects types and makes the model of them. */
export class ModelBuilder {
  readonly #btf: Btf;
  readonly #composites: Mutable<Composite>[] = [];
  readonly #enumerations: Mutable<Enumeration>[] = [];
  readonly #aliases: Mutable<Alias>[] = [];
  /** Forms by type, made once: members share them. */
  readonly #forms = new Map<number, Form>();
  readonly #resolved = new Map<number, number>();
  readonly #aliased = new Set<string>();
  readonly #refusals: Refusal[] = [];
  readonly #definitions = new Map<number, Mutable<Composite> | Mutable<Enumeration>>();
  /** Composites that are being made: what refers to them by value refers to itself. */
  readonly #open = new Set<number>();
  /** Names for what has none, from where it was met first. */
  readonly #places = new Map<object, string>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /**
   * Adds a type with all that it holds by value.
   *
   * @param name what to call it where it is neither struct, union nor enum, or has no name
   */
  add(type: BtfType, name?: string): void {
    const called = name ?? (type.kind === "typedef" ? type.name : undefined);
    const form = isType(type)
      ? this.form(type, called ?? type.name)
      : opaque(0, `a ${type.kind.toUpperCase()} is no type`);
    const definition = form.kind === "composite" ? form.composite : form.kind === "enum" ? form.enumeration : undefined;
    if (form.kind === "opaque")
      this.#refusals.push({ name: called ?? type.name, typeId: type.id, reason: form.reason });
    else if (definition) this.#resolved.set(type.id, definition.typeId);
    if (form.kind === "opaque" || called === undefined) return;
    // A typedef of a struct is another name of it; a map's key needs none.
    if (definition && (name !== undefined || definition.originalName === called)) return;
    if (this.#aliased.has(called)) return;
    this.#aliased.add(called);
    this.#aliases.push({ name: called, originalName: called, form });
  }

  /** The model of what was added. */
  build(): Model {
    this.#nameAll();
    return {
      endian: this.#btf.endian,
      pointerSize: this.#btf.pointerSize,
      enumerations: this.#enumerations,
      composites: this.#composites,
      aliases: this.#aliases,
      refusals: this.#refusals,
      definitions: this.#definitions,
      resolved: this.#resolved,
    };
  }

  /** Gives names: first to what has one in BTF, so that those stay as they are. */
  #nameAll(): void {
    const names = new Names();
    const all = [...this.#composites, ...this.#enumerations, ...this.#aliases];
    for (const one of all) if (one.originalName) one.name = names.take(one.originalName);
    // Definitions come after what they hold: from the last to the first, an outer name is known before an inner one.
    for (const composite of [...this.#composites].reverse()) {
      if (!composite.originalName) composite.name = names.take(this.#placeName(composite));
      for (const { label, form } of composite.fields) {
        const inner = innermost(form);
        const definition =
          inner.kind === "composite" ? inner.composite : inner.kind === "enum" ? inner.enumeration : undefined;
        if (definition && !definition.originalName && !this.#places.has(definition)) {
          this.#places.set(definition, `${composite.name}_${label}`);
        }
      }
    }
    for (const one of this.#enumerations) if (!one.originalName) one.name = names.take(this.#placeName(one));
  }

  #placeName(definition: Composite | Enumeration): string {
    return this.#places.get(definition) ?? `anonymous_${definition.typeId}`;
  }

  /** The form of a type by value. `name`: a typedef's, for an anonymous type behind it. */
  form(type: BtfType, name = "", depth = 0): Form {
    const known = name === "" ? this.#forms.get(type.id) : undefined;
    if (known) return known;
    const form = this.#makeForm(type, name, depth);
    // What is opaque may be so only inside of itself, or at this depth.
    if (name === "" && form.kind !== "opaque" && innermost(form).kind !== "opaque") this.#forms.set(type.id, form);
    return form;
  }

  #makeForm(type: BtfType, typedef: string, depth: number): Form {
    let name = typedef;
    let at: BtfType;
    try {
      for (at = type; at.kind === "typedef" && !name; at = at.target) name = at.name;
      at = resolve(type);
      switch (at.kind) {
        case "int":
          return intForm(at);
        case "float":
          return { kind: "float", name: at.name, byteSize: at.byteSize };
        case "ptr":
          return { kind: "pointer", byteSize: this.#btf.pointerSize, target: at.target };
        case "enum":
        case "enum64":
          return this.#enumForm(at, name);
        case "array": {
          const byteSize = sizeOf(at);
          if (byteSize === undefined) return opaque(0, "an array of what has no size");
          const element = this.form(at.element, "", depth);
          if (element.kind === "opaque") return opaque(byteSize, element.reason);
          return { kind: "array", byteSize, element, length: at.length };
        }
        case "struct":
        case "union":
          return this.#compositeForm(at, name, depth);
        case "fwd":
          return opaque(0, `${at.forwardKind} ${at.name} is declared, not defined`);
        case "void":
          return opaque(0, "void has no values");
        case "func_proto":
          return opaque(0, "a function has no values");
        case "unknown":
          return opaque(0, `kind ${at.kindNumber} is not known`);
        default:
          return opaque(0, `a ${at.kind.toUpperCase()} has no values`);
      }
    } catch (error) {
      if (error instanceof BtfError && error.code !== "ERR_INTERNAL" && error.code !== "ERR_DISPOSED") {
        return opaque(0, error.message);
      }
      throw error;
    }
  }

  #enumForm(type: EnumType | Enum64Type, typedef: string): Form {
    const { byteSize, isSigned } = type;
    if (byteSize !== 1 && byteSize !== 2 && byteSize !== 4 && byteSize !== 8) {
      return opaque(byteSize, `an enum of ${byteSize} bytes`);
    }
    if (type.values.length === 0) {
      return { kind: "int", name: "enum", byteSize, isSigned, isBool: false, isChar: false };
    }
    let enumeration = this.#definitions.get(type.id) as Mutable<Enumeration> | undefined;
    if (!enumeration) {
      enumeration = {
        name: "",
        originalName: type.name || typedef,
        isAnonymous: !type.name,
        typeId: type.id,
        byteSize,
        isSigned,
        constants: type.values.map(({ name, value }) => ({ name, value: held(BigInt(value), type) })),
      };
      this.#definitions.set(type.id, enumeration);
      this.#enumerations.push(enumeration);
    }
    return { kind: "enum", byteSize, enumeration };
  }

  #compositeForm(type: StructType | UnionType, typedef: string, depth: number): Form {
    const { byteSize } = type;
    const known = this.#definitions.get(type.id) as Mutable<Composite> | undefined;
    if (known && !this.#open.has(type.id)) {
      known.originalName ||= typedef;
      return { kind: "composite", byteSize, composite: known };
    }
    if (known) return opaque(byteSize, `${type.kind} ${type.name} contains itself`);
    if (depth > DEPTH_LIMIT) return opaque(byteSize, `nested deeper than ${DEPTH_LIMIT} levels`);
    const composite: Mutable<Composite> = {
      kind: type.kind,
      name: "",
      originalName: type.name || typedef,
      isAnonymous: !type.name,
      typeId: type.id,
      byteSize,
      fields: [],
      omissions: [],
    };
    this.#definitions.set(type.id, composite);
    this.#open.add(type.id);
    Object.assign(composite, this.#fields(type, depth));
    this.#open.delete(type.id);
    this.#composites.push(composite);
    return { kind: "composite", byteSize, composite };
  }

  /** The members that have a place, by offset, and the others. */
  #fields(type: StructType | UnionType, depth: number): Pick<Composite, "fields" | "omissions"> {
    const fields: Field[] = [];
    const omissions: Omission[] = [];
    // A member without a name that is neither struct nor union is padding, as in `int : 4`.
    const found = type.members
      .map((member) => this.#field(member, depth))
      .filter(({ name, form }) => name !== "" || form.kind === "composite");
    // Compilers of some languages reorder members and leave the records in the order of the source.
    const ordered = type.kind === "struct" ? found.sort((a, b) => a.bitOffset - b.bitOffset) : found;
    let end = 0;
    let unnamed = 0;
    for (const found of ordered) {
      const { name, form, bitOffset, bitSize } = found;
      const field: Field = { name, label: name || `anonymous${unnamed++}`, form, bitOffset, bitSize };
      const reason = obstacle(field, type, end);
      if (reason) omissions.push({ name: field.name, bitOffset: field.bitOffset, reason });
      else {
        fields.push(field);
        if (type.kind === "struct") end = Math.max(end, endOf(field));
      }
    }
    return { fields, omissions };
  }

  #field(member: Member, depth: number): Omit<Field, "label"> {
    const { name, bitOffset, bitfieldSize } = member;
    const form = this.form(member.type, "", depth + 1);
    if (bitfieldSize > 0) {
      const fillsItsType = bitfieldSize === form.byteSize * 8 && bitOffset % bitfieldSize === 0;
      return { name, form, bitOffset, bitSize: fillsItsType ? 0 : bitfieldSize };
    }
    // Before kind_flag, a bitfield was an INT with fewer bits than its bytes have.
    const int = form.kind === "int" ? resolvedInt(member.type) : undefined;
    if (int && (int.bitOffset > 0 || int.bitSize < int.byteSize * 8)) {
      return { name, form, bitOffset: bitOffset + int.bitOffset, bitSize: int.bitSize };
    }
    return { name, form, bitOffset, bitSize: 0 };
  }
}

/** A value as its enum holds it: of -1 in an enum of one byte, whose sign BTF does not tell, BTF has 32 bits. */
function held(value: bigint, { kind, byteSize, isSigned }: EnumType | Enum64Type): bigint {
  const bits = byteSize * 8;
  const recordBits = kind === "enum" ? 32 : 64;
  const cut = isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  const isSame = BigInt.asUintN(recordBits, BigInt.asIntN(bits, value)) === BigInt.asUintN(recordBits, value);
  return isSame ? cut : value;
}

function isType({ kind }: BtfType): boolean {
  return kind !== "var" && kind !== "func" && kind !== "datasec" && kind !== "decl_tag";
}

function resolvedInt(type: BtfType): IntType | undefined {
  try {
    const at = resolve(type);
    return at.kind === "int" ? at : undefined;
  } catch {
    return undefined;
  }
}

function intForm({ name, byteSize, isSigned, isBool, isChar }: IntType): Form {
  if (byteSize === 0) return opaque(0, "an integer without bytes");
  return { kind: "int", name, byteSize, isSigned, isBool, isChar: byteSize === 1 && (isChar || name === "char") };
}

function opaque(byteSize: number, reason: string): OpaqueForm {
  return { kind: "opaque", byteSize, reason };
}

/** What an array consists of in the end; anything else is that itself. */
export function innermost(form: Form): Exclude<Form, ArrayForm> {
  let at = form;
  while (at.kind === "array") at = at.element;
  return at;
}

/** Where a field ends, in bits. */
export function endOf({ form, bitOffset, bitSize }: Field): number {
  return bitOffset + (bitSize || form.byteSize * 8);
}

/** Why a field can be no member of a definition, if so. */
function obstacle(field: Field, type: StructType | UnionType, end: number): string {
  const { form, bitOffset, bitSize } = field;
  if (form.kind === "opaque") return form.reason;
  if (bitSize > 0) {
    if (form.kind !== "int" && form.kind !== "enum") return "a bitfield of what is no integer";
    if (bitSize > form.byteSize * 8 || bitSize > WIDEST_BITFIELD) return "a bitfield wider than its type";
  } else if (bitOffset % 8 !== 0) return "it does not start on a byte";
  if (endOf(field) > type.byteSize * 8) return `it ends beyond the ${type.byteSize} bytes of the ${type.kind}`;
  if (type.kind === "union" && bitOffset !== 0) return "it does not start where the union does";
  if (bitOffset < end) return "it overlaps the member before it";
  return "";
}
