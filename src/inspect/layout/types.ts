/**
 * A layout as data: where each member of a struct or union lies, and what lies
 * between them. Offsets count from the start of the outermost type; the unit,
 * bits or bytes, is in every name.
 */

import type { BtfType, StructType, UnionType } from "../../btf/types.js";

/** What `layout` takes besides the type. */
export interface LayoutOptions {
  /** Bytes in a cacheline (default 64). */
  readonly cachelineBytes?: number;
  /**
   * Also opens members whose type is a named struct or union (default false).
   * Members of an anonymous type are always opened, as C writes them.
   */
  readonly expand?: boolean;
}

/** What a member holds, for whoever colours or filters by it. */
export type MemberCategory =
  | "pointer"
  | "integer"
  | "float"
  | "bool"
  | "enum"
  | "array"
  | "struct"
  | "union"
  | "bitfield"
  | "other";

/** One member. */
export interface LayoutMember {
  /** "" where the member is anonymous. */
  readonly name: string;
  /** Which of its struct's or union's members it is, from 0. */
  readonly index: number;
  /** The declared type. */
  readonly type: BtfType;
  /** The declared type as C writes it: `struct list_head *`, `char [16]`, `int (*)(void)`. */
  readonly typeText: string;
  /** The member as C declares it, without the semicolon: `char comm[16]`, `unsigned int ready:1`. */
  readonly declaration: string;
  /** What the member holds, typedefs and modifiers resolved. */
  readonly category: MemberCategory;
  /** First bit, from the start of the outermost type. */
  readonly bitOffset: number;
  /** How many bits are occupied: a bitfield's width, otherwise eight times the size of the type. */
  readonly bitSize: number;
  /** First byte of the member, or of a bitfield's storage unit, from the start of the outermost type. */
  readonly byteOffset: number;
  /** Bytes of the declared type: for a bitfield those of its storage unit. */
  readonly byteSize: number;
  /** Width of a bitfield in bits; 0 for an ordinary member. */
  readonly bitfieldBits: number;
  /** Where a bitfield starts within its storage unit, in bits; 0 for an ordinary member. */
  readonly bitfieldOffset: number;
  /** Natural alignment of the type in bytes; 1 where it has none. */
  readonly alignment: number;
  /** Alignment in bytes that only an `aligned` attribute explains; 0 if nothing asks for any. */
  readonly forcedAlignment: number;
  /** The member is an array without elements: a flexible array, or a marker. */
  readonly isEmptyArray: boolean;
  /** Cacheline of the first byte, from 0. */
  readonly cacheline: number;
  /** Layout of the member's type where it is opened; its offsets count from the outermost type too. */
  readonly nested: Layout | undefined;
  /** Free space within the member's struct type, opened or not; `undefined` if there is none. */
  readonly inner: InnerSpace | undefined;
}

/** Free space within the type of a member. */
export interface InnerSpace {
  readonly holes: number;
  readonly bitHoles: number;
  readonly paddingBytes: number;
  readonly paddingBits: number;
  /** The type ends in a flexible array. */
  readonly endsInFlexibleArray: boolean;
  /** A type within it ends in a flexible array. */
  readonly embedsFlexibleArray: boolean;
}

/** A run of bits that no member occupies. */
export interface LayoutGap {
  /** `hole`: between members, or before the first. `padding`: after the last. */
  readonly kind: "hole" | "padding";
  /** First free bit, from the start of the outermost type. */
  readonly bitOffset: number;
  readonly bitSize: number;
  /** `index` of the member before the gap; -1 before the first. */
  readonly after: number;
}

/** Sums over one struct, as pahole counts them; members of members are not counted. */
export interface LayoutStatistics {
  readonly members: number;
  /** How many cachelines the type spans when it starts at the start of one. */
  readonly cachelines: number;
  /** Bytes of the last cacheline that are used; 0 if the type fills it. */
  readonly lastCachelineBytes: number;
  /** Bytes of ordinary members, and bits of bitfields. */
  readonly memberBytes: number;
  readonly bitfieldBits: number;
  /** Holes of whole bytes, and the bytes in them. */
  readonly holes: number;
  readonly holeBytes: number;
  /** Holes within storage units of bitfields, and the bits in them. */
  readonly bitHoles: number;
  readonly holeBits: number;
  /** After the last member: whole bytes, and bits of its storage unit. */
  readonly paddingBytes: number;
  readonly paddingBits: number;
  /** Members that only an `aligned` attribute explains. */
  readonly forcedAlignments: number;
}

/** Layout of a struct or union. */
export interface Layout {
  readonly type: StructType | UnionType;
  readonly kind: "struct" | "union";
  /** "" if anonymous. */
  readonly name: string;
  /** First bit from the start of the outermost type: 0 but for a nested layout. */
  readonly bitOffset: number;
  readonly byteSize: number;
  /** Natural alignment in bytes: the widest scalar in it. */
  readonly alignment: number;
  /** Alignment in bytes that only an `aligned` attribute explains; 0 if nothing asks for any. */
  readonly forcedAlignment: number;
  /** Offsets or size break the natural alignment. */
  readonly isPacked: boolean;
  /** Bytes in a cacheline, as asked for. */
  readonly cachelineBytes: number;
  /** In the order of their declaration. */
  readonly members: readonly LayoutMember[];
  /** Free space, by offset; none in a union. */
  readonly gaps: readonly LayoutGap[];
  readonly statistics: LayoutStatistics;
}
