/**
 * The rules by which a kernel takes or refuses BTF (kernel/bpf/btf.c): a name of
 * ours, what the kernel's log says, and the error number it returns.
 */

export interface VerifyRule {
  /** Stable name. */
  readonly rule: string;
  /** The kernel's words, `%` for the number. */
  readonly text: string;
  /** EINVAL 22 unless said: E2BIG 7, EEXIST 17, ELOOP 40, ENOTSUPP 524. */
  readonly errno: number;
}

const EINVAL = 22;

const make = (rule: string, text: string, errno = EINVAL): VerifyRule => ({ rule, text, errno });

/** Rules of the header and the sections (btf_parse_hdr, btf_check_sec_info, btf_parse_str_sec, btf_parse_type_sec). */
export const HEADER_RULES = {
  size: make("image-size", "image larger than 16 MiB", 7),
  length: make("header-length", "hdr_len not found"),
  truncated: make("header-truncated", "btf_header not found"),
  unknown: make("header-unknown-fields", "Unsupported btf_header", 7),
  magic: make("magic", "Invalid magic"),
  version: make("version", "Unsupported version", 524),
  flags: make("flags", "Unsupported flags", 524),
  empty: make("no-data", "No data"),
  offset: make("section-offset", "Invalid section offset"),
  gap: make("section-gap", "Unsupported section found"),
  overlap: make("section-overlap", "Section overlap found"),
  beyond: make("section-length", "Total section length too long"),
  stringsEnd: make("strings-last", "String section is not at the end"),
  strings: make("strings", "Invalid string section"),
  alignment: make("types-alignment", "Unaligned type_off"),
  noTypes: make("no-types", "No type found"),
  layout: make("layout-alignment", "Unaligned layout_off"),
} as const;

/** Rules of records and references, in the order of RULES in format/codes.mjs. */
export const TYPE_RULES: readonly VerifyRule[] = /* @__PURE__ */ [
  make("", ""),
  make("truncated", "meta_left, meta_needed:%"),
  make("info-bits", "Invalid btf_info:%"),
  make("kind", "Invalid kind:%"),
  make("name-offset", "Invalid name_offset:%"),
  make("vlen", "vlen != 0"),
  make("kind-flag", "Invalid btf_info kind_flag"),
  make("int-data", "Invalid int_data:%"),
  make("int-bits", "nr_bits exceeds 128"),
  make("int-size", "nr_bits exceeds type_size"),
  make("int-encoding", "Unsupported encoding", 524),
  make("type-id", "Invalid type_id"),
  make("name", "Invalid name"),
  make("fwd-type", "type != 0"),
  make("array-size-field", "size != 0"),
  make("array-element", "Invalid elem"),
  make("array-index", "Invalid index"),
  make("member-name-offset", "Invalid member name_offset:%"),
  make("member-name", "Invalid name"),
  make("member-type-id", "Invalid type_id"),
  make("member-offset", "Invalid member bits_offset"),
  make("member-beyond", "Member bits_offset exceeds its struct size"),
  make("enum-size", "Unexpected size"),
  make("enumerator-name-offset", "Invalid name_offset:%"),
  make("enumerator-name", "Invalid name"),
  make("func-linkage", "Invalid func linkage"),
  make("var-linkage", "Linkage not supported"),
  make("section-size", "size == 0"),
  make("variable-type-id", "Invalid type_id"),
  make("variable-offset", "Invalid offset"),
  make("variable-size", "Invalid size"),
  make("variable-end", "Invalid offset+size"),
  make("section-sum", "Invalid btf_info size"),
  make("float-size", "Invalid type_size"),
  make("tag-value", "Invalid value"),
  make("tag-component", "Invalid component_idx"),
  make("loop", "Loop detected", 17),
  make("depth", "Exceeded max resolving depth:32", 7),
  make("member-type", "Invalid member"),
  make("array-of-int", "Invalid array of int"),
  make("array-overflow", "Array size overflows U32_MAX"),
  make("member-bits-overflow", "bits_offset exceeds U32_MAX"),
  make("member-copy-bits", "nr_copy_bits exceeds 128"),
  make("member-exceeds", "Member exceeds struct_size"),
  make("member-base-type", "Invalid member base type"),
  make("member-start", "Invalid member offset"),
  make("bitfield-size", "Invalid member bitfield_size"),
  make("member-alignment", "Member is not byte aligned"),
  make("float-alignment", "Member is not properly aligned"),
  make("return-type", "Invalid return type"),
  make("argument", "Invalid arg#%"),
  make("not-a-var", "Not a VAR kind member"),
  make("variable-type", "Invalid type"),
  make("variable-small", "Invalid size"),
  make("modifier-chain", "Max chain length or cycle detected", 40),
  make("type-tag-order", "Type tags don't precede modifiers"),
  make("resolve-state", "Invalid resolve state"),
  make("type-count", "Too many BTF types", 7),
  make("section-empty", "vlen == 0"),
];

/** Rules of struct fields with a meaning to the verifier of programs. The kernel's log has no words for them; these are btfkit's. */
export const FIELD_RULES = {
  bits: make("field-bits", "member starts inside a byte, in a struct with special fields"),
  twice: make("field-twice", "second lock of its kind", 7),
  count: make("field-count", "more than 11 special fields", 7),
  depth: make("field-depth", "structs inside structs, or arrays, deeper than 32", 7),
  pointerTag: make("kptr-tag", "pointer's type tag is not one of kptr, kptr_untrusted, percpu_kptr, uptr"),
  pointerTarget: make("kptr-target", "kernel pointer to what is no struct"),
  array: make("field-array", "array of what may stand once"),
  contains: make("field-contains", 'needs one decl tag "contains:STRUCT:MEMBER"'),
  containsStruct: make("contains-struct", "no struct of that name", 2),
  containsMember: make("contains-member", "no member of that name", 2),
  containsNode: make("contains-node", "member is not one aligned node of the kind that fits"),
  overlap: make("field-overlap", "special fields overlap", 17),
  none: make("field-none", "special field has not the size or place that it should", 14),
  locks: make("field-locks", "bpf_spin_lock beside bpf_res_spin_lock"),
  lock: make("field-lock", "list head or tree without a lock"),
  refcount: make("field-refcount", "bpf_list_node and bpf_rb_node without bpf_refcount"),
  owned: make("contains-plain", "owned struct has no special field", 14),
  ownership: make("field-ownership", "owned struct owns others, and so does the owner that others own", 40),
} as const;
