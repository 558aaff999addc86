/**
 * The types of BTF as a discriminated union on `kind`. Views are immutable and
 * read lazily; there is one per id and Btf, so that `===` is identity. Names
 * are "" where a type or member is anonymous. Whatever is measured says its
 * unit in its name.
 *
 * Source: include/uapi/linux/btf.h and the kernel's Documentation/bpf/btf.rst.
 */

import type { Kind } from "../format/kind.js";
import type { Btf } from "./btf.js";

interface TypeBase<K extends Kind> {
  readonly kind: K;
  /** Unique in its Btf and the bases of it. */
  readonly id: number;
  /** "" if anonymous. */
  readonly name: string;
  /** The Btf that holds the record: for a type of the base, the base. */
  readonly btf: Btf;
  /** The record's `kind_flag` bit. */
  readonly kindFlag: boolean;
  /** The record's `vlen`: how many elements follow, or a FUNC's linkage. */
  readonly vlen: number;
}

/** Id 0: no type, or `void`. */
export interface VoidType extends TypeBase<"void"> {}

/** BTF_KIND_INT */
export interface IntType extends TypeBase<"int"> {
  readonly byteSize: number;
  /** Start of the value in its storage, in bits. */
  readonly bitOffset: number;
  readonly bitSize: number;
  /** The raw encoding: BTF_INT_SIGNED 1, BTF_INT_CHAR 2, BTF_INT_BOOL 4. */
  readonly encoding: number;
  readonly isSigned: boolean;
  readonly isChar: boolean;
  readonly isBool: boolean;
}

interface Reference<K extends Kind> extends TypeBase<K> {
  readonly targetId: number;
  readonly target: BtfType;
}

/** BTF_KIND_PTR; its size is the Btf's `pointerSize`. */
export interface PtrType extends Reference<"ptr"> {}
/** BTF_KIND_TYPEDEF */
export interface TypedefType extends Reference<"typedef"> {}
/** BTF_KIND_VOLATILE */
export interface VolatileType extends Reference<"volatile"> {}
/** BTF_KIND_CONST */
export interface ConstType extends Reference<"const"> {}
/** BTF_KIND_RESTRICT */
export interface RestrictType extends Reference<"restrict"> {}

/** BTF_KIND_TYPE_TAG */
export interface TypeTagType extends Reference<"type_tag"> {
  /** An `__attribute__((name))` rather than a `btf_type_tag` (kind_flag). */
  readonly isAttribute: boolean;
}

/** BTF_KIND_DECL_TAG */
export interface DeclTagType extends Reference<"decl_tag"> {
  /** Index of the tagged member or parameter; -1 for the whole type. */
  readonly componentIndex: number;
  /** An `__attribute__((name))` rather than a `btf_decl_tag` (kind_flag). */
  readonly isAttribute: boolean;
}

/** BTF_KIND_ARRAY, one dimension. */
export interface ArrayType extends TypeBase<"array"> {
  readonly elementId: number;
  readonly element: BtfType;
  readonly indexId: number;
  readonly index: BtfType;
  /** Number of elements; 0 for a flexible array. */
  readonly length: number;
}

/** One field of a struct or union. */
export interface Member {
  readonly name: string;
  readonly typeId: number;
  readonly type: BtfType;
  /** Offset from the start of the struct or union, in bits. */
  readonly bitOffset: number;
  /** Width of a bitfield in bits; 0 for an ordinary member, and for all of them if the struct lacks kind_flag. */
  readonly bitfieldSize: number;
}

/** BTF_KIND_STRUCT */
export interface StructType extends TypeBase<"struct"> {
  readonly byteSize: number;
  readonly members: readonly Member[];
}

/** BTF_KIND_UNION */
export interface UnionType extends TypeBase<"union"> {
  readonly byteSize: number;
  readonly members: readonly Member[];
}

/** One enumerator. */
export interface Enumerator<V extends number | bigint> {
  readonly name: string;
  readonly value: V;
}

/** BTF_KIND_ENUM: values of 32 bits. */
export interface EnumType extends TypeBase<"enum"> {
  readonly byteSize: number;
  /** kind_flag */
  readonly isSigned: boolean;
  readonly values: readonly Enumerator<number>[];
}

/** BTF_KIND_ENUM64: values of 64 bits. */
export interface Enum64Type extends TypeBase<"enum64"> {
  readonly byteSize: number;
  /** kind_flag */
  readonly isSigned: boolean;
  readonly values: readonly Enumerator<bigint>[];
}

/** BTF_KIND_FWD: declared, not defined. */
export interface FwdType extends TypeBase<"fwd"> {
  readonly forwardKind: "struct" | "union";
}

/** `unknown`: a number that btf.h does not name. */
export type Linkage = "static" | "global" | "extern" | "unknown";

/** BTF_KIND_FUNC */
export interface FuncType extends TypeBase<"func"> {
  readonly protoId: number;
  readonly proto: BtfType;
  readonly linkage: Linkage;
}

/** One parameter. An unnamed last one of type void stands for `...`. */
export interface Param {
  readonly name: string;
  readonly typeId: number;
  readonly type: BtfType;
}

/** BTF_KIND_FUNC_PROTO */
export interface FuncProtoType extends TypeBase<"func_proto"> {
  readonly returnTypeId: number;
  /** @throws BtfFormatError ERR_BTF_TYPE_ID if there is no such type: libbpf does not check it, nor do we on opening. */
  readonly returnType: BtfType;
  readonly params: readonly Param[];
  /** Ends in `...`. */
  readonly isVariadic: boolean;
}

/** BTF_KIND_VAR */
export interface VarType extends TypeBase<"var"> {
  readonly typeId: number;
  readonly type: BtfType;
  readonly linkage: Linkage;
}

/** One variable of a section. */
export interface SectionVariable {
  readonly typeId: number;
  /** Commonly a VAR. */
  readonly type: BtfType;
  /** Offset from the start of the section, in bytes. */
  readonly byteOffset: number;
  readonly byteSize: number;
}

/** BTF_KIND_DATASEC */
export interface DatasecType extends TypeBase<"datasec"> {
  readonly byteSize: number;
  readonly variables: readonly SectionVariable[];
}

/** BTF_KIND_FLOAT */
export interface FloatType extends TypeBase<"float"> {
  readonly byteSize: number;
}

/** A kind that this toolkit does not know; the layout section tells how long it is. */
export interface UnknownType extends TypeBase<"unknown"> {
  /** The kind's number. */
  readonly kindNumber: number;
  /** The record's third word: a size or a type id, as the kind has it. */
  readonly sizeOrType: number;
}

/** Any type. Narrow it by `kind`. */
export type BtfType =
  | VoidType
  | IntType
  | PtrType
  | ArrayType
  | StructType
  | UnionType
  | EnumType
  | FwdType
  | TypedefType
  | VolatileType
  | ConstType
  | RestrictType
  | FuncType
  | FuncProtoType
  | VarType
  | DatasecType
  | FloatType
  | DeclTagType
  | TypeTagType
  | Enum64Type
  | UnknownType;

/** The type of one kind. */
export type TypeOf<K extends Kind> = Extract<BtfType, { kind: K }>;
