/**
 * Kinds of CO-RE relocations by name, as libbpf's messages spell them. The index is the kind's number.
 *
 * @example
 * console.log(RELOCATION_KINDS[0], RELOCATION_KINDS.length); // byte_off 13
 */
export const RELOCATION_KINDS = [
  "byte_off",
  "byte_sz",
  "field_exists",
  "signed",
  "lshift_u64",
  "rshift_u64",
  "local_type_id",
  "target_type_id",
  "type_exists",
  "type_size",
  "enumval_exists",
  "enumval_value",
  "type_matches",
] as const;

/** The question that a relocation asks about the target. Source: `enum bpf_core_relo_kind`. */
export type RelocationKind = (typeof RELOCATION_KINDS)[number];
