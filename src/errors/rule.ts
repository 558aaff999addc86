/** The form of an error code: its stable name and the text that is made of an error's details. */

import type { Kind } from "../format/kind.js";

/** The facts that an error is about. Offsets are in bytes from the start of the BTF data. */
export interface ErrorDetails {
  /** The place, in bytes from the start of the BTF data or of the ELF file. */
  offset?: number;
  /** The type at fault. */
  typeId?: number;
  /** The number that broke the rule: a length, an id, a kind. */
  value?: number;
  /** The bound that the number broke. */
  limit?: number;
  /** A name: of a type, a member, a section, a file. */
  name?: string;
  /** Names that resemble `name`, nearest first. */
  nearest?: readonly string[];
  /** The kind of the type that has the name, where another kind was asked for. */
  otherKind?: Kind;
  /** Further explanation. */
  note?: string;
}

/** An error code and its text. */
export interface Rule {
  /** Stable name. */
  readonly code: `ERR_${string}`;
  /** Returns the text of an error with these details. */
  readonly text: (details: ErrorDetails) => string;
}

/** Makes a rule. */
export function rule<C extends Rule["code"]>(
  code: C,
  text: Rule["text"],
): { readonly code: C; readonly text: Rule["text"] } {
  return { code, text };
}
