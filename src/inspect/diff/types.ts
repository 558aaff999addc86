/** What a comparison of two kernels says. */

/** Kinds of definitions that are compared; an ENUM and an ENUM64 of one name are the same thing. */
export type DefinitionKind = "struct" | "union" | "enum" | "typedef" | "func" | "var" | "int" | "float";

/**
 * The kinds in the order in which they are listed.
 *
 * @example
 * console.log(DEFINITION_KINDS[0]); // struct
 */
export const DEFINITION_KINDS = ["struct", "union", "enum", "typedef", "func", "var", "int", "float"] as const;

/** A definition by its kind and name. */
export interface Definition {
  readonly kind: DefinitionKind;
  readonly name: string;
}

/** What happened to a part of a definition. */
export type PartChange = "added" | "removed" | "renamed" | "moved" | "resized" | "retyped";

/** Where a member is, and what it is. */
export interface MemberPlace {
  /** Path through named and anonymous structs without a name of their own. */
  readonly name: string;
  /** As C writes it. */
  readonly type: string;
  /** From the start of the whole, in bits. */
  readonly bitOffset: number;
  /** In bits; `undefined` for what has no size, such as a flexible array's element without one. */
  readonly bitSize: number | undefined;
  /** Width of a bitfield in bits, 0 for an ordinary member. */
  readonly bitfieldSize: number;
}

/** A member that is not as it was. */
export interface MemberChange {
  /** Its name in the new definition, or in the old one if it is gone. */
  readonly name: string;
  readonly changes: readonly PartChange[];
  readonly old?: MemberPlace;
  readonly new?: MemberPlace;
  /** For a guessed rename: from 0 to 1. */
  readonly confidence?: number;
}

/** An enumerator that is not as it was. */
export interface EnumeratorChange {
  readonly name: string;
  readonly changes: readonly ("added" | "removed" | "renamed" | "revalued")[];
  readonly old?: { readonly name: string; readonly value: bigint };
  readonly new?: { readonly name: string; readonly value: bigint };
  readonly confidence?: number;
}

/** A parameter of a function that is not as it was. */
export interface ParameterChange {
  /** Counted from 0, in the new prototype, or in the old one for what is gone. */
  readonly index: number;
  readonly name: string;
  readonly changes: readonly ("added" | "removed" | "renamed" | "moved" | "retyped")[];
  readonly old?: { readonly name: string; readonly type: string; readonly index: number };
  readonly new?: { readonly name: string; readonly type: string; readonly index: number };
}

/** A definition that both kernels have, and that is not the same. */
export interface ChangedDefinition extends Definition {
  /** How many different definitions of the name there are, where there are several on one side. */
  readonly definitions?: { readonly old: number; readonly new: number };
  /** Size in bytes, of what has one. */
  readonly byteSize?: { readonly old: number; readonly new: number };
  /** Struct or union: members, those of anonymous structs and unions inside of it too. */
  readonly members?: readonly MemberChange[];
  /** Enum. */
  readonly enumerators?: readonly EnumeratorChange[];
  /** Function. */
  readonly parameters?: readonly ParameterChange[];
  /** What a typedef or variable is, or a function returns, as C writes it. */
  readonly type?: { readonly old: string; readonly new: string };
  /** With `impact`: who holds it. */
  readonly impact?: Impact;
}

/** Who feels a change: structs that hold what has changed, and functions that take it. */
export interface Impact {
  /** Structs and unions of the new kernel (of the old one, for what is gone) that embed it, at any depth; at most 1000. */
  readonly embeddedIn: readonly string[];
  /** How many structs and unions point to it. */
  readonly pointers: number;
  /** How many functions take or return it. */
  readonly functions: number;
}

/** A definition that is gone, and that may live on by another name. */
export interface RenamedDefinition extends Definition {
  /** The new name. */
  readonly to: string;
  /** From 0 to 1: how alike members and names are. */
  readonly confidence: number;
}

/** A definition that one kernel alone has. */
export interface LoneDefinition extends Definition {
  readonly impact?: Impact;
}

/** One side of a comparison. */
export interface Side {
  /** How many names of each kind it defines. */
  readonly definitions: Readonly<Record<DefinitionKind, number>>;
}

/** The difference of two kernels; each list by kind, then by name. */
export interface Difference {
  readonly old: Side;
  readonly new: Side;
  readonly added: readonly LoneDefinition[];
  readonly removed: readonly LoneDefinition[];
  readonly changed: readonly ChangedDefinition[];
  /** Guesses; both names are among `removed` and `added` too. */
  readonly renamed: readonly RenamedDefinition[];
}
