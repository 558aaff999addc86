/**
 * Kinds by name: bpftool's names in lower case. The index is the kind's number.
 *
 * @example
 * console.log(KINDS[4]); // struct
 */
export const KINDS = [
  "void",
  "int",
  "ptr",
  "array",
  "struct",
  "union",
  "enum",
  "fwd",
  "typedef",
  "volatile",
  "const",
  "restrict",
  "func",
  "func_proto",
  "var",
  "datasec",
  "float",
  "decl_tag",
  "type_tag",
  "enum64",
] as const;

/** A kind's name. `"void"` is id 0 alone; `"unknown"` is a kind that only a layout section describes. */
export type Kind = (typeof KINDS)[number] | "unknown";

/** Number of a kind, or -1. */
export function kindNumber(kind: Kind): number {
  return (KINDS as readonly string[]).indexOf(kind);
}

/** Name of the kind of a type record (never of void). */
export function kindName(number: number): Kind {
  return number === 0 ? "unknown" : (KINDS[number] ?? "unknown");
}
