// Numbers that kernels and host exchange besides addresses: error codes, rules,
// flags, phases, answers. A kernel returns an error code negated. Rows are
// [name, value, meaning]; scripts/build/format.mjs makes constants of them.

/** Shared by the kernels that read. */
export const READ_CODES = [
  // Errors.
  ["ERR_UNKNOWN_KIND", 1, "The kind is beyond ours and no layout says its size; aux: the kind.", "i32"],
  ["ERR_TYPE_TRUNCATED", 2, "The body passes the end of the type section; aux: its length in bytes.", "i32"],
  ["ERR_TYPE_TRAILING", 3, "Fewer than 12 bytes follow the last type; aux: how many.", "i32"],
  ["ERR_NAME_OFFSET", 4, "A name offset lies beyond the strings; aux: the name offset.", "i32"],
  ["ERR_TYPE_ID", 5, "A record refers to a type that does not exist; aux: the id.", "i32"],
  ["ERR_FUNC_PROTO", 6, "A FUNC does not refer to a FUNC_PROTO; aux: the id it refers to.", "i32"],
  ["ERR_C_WINDOW", 7, "The window is too small for the definition; the host retries with a larger one.", "i32"],
  ["ERR_C_CYCLE", 8, "Types contain or refer to themselves in a form that C cannot express, or nest too deep.", "i32"],
  ["ERR_C_WORK", 9, "A graph of types takes more steps than any real one.", "i32"],
  // Phases of a text dump.
  ["PHASE_START", 0, "Nothing has been written."],
  ["PHASE_TYPES", 1, "The dump is among the types."],
  ["PHASE_END", 2, "All types are written, the closing text is not."],
  ["PHASE_DONE", 3, "The text is complete."],
  ["WINDOW_SLACK", 1024, "The least room that a text kernel needs: the fixed text of a line never passes it."],
  // C dumps.
  ["C_COUNTER_SIZE", 12, "Bytes of a name counter: { name offset + 1, uses as a tag, uses as an identifier }."],
  ["C_STACK_COUNT", 16384, "Ids that all declarators open at a time may hold."],
  ["C_DEPTH_LIMIT", 400, "Types nested in one another that a C dump follows.", "i32"],
  ["C_OPTION_ANNOTATE", 1, "Option: comments with offsets and sizes."],
  ["C_OPTION_COMPATIBLE", 2, "Option: bpftool's text where ours is another."],
  ["C_NEEDED", 0x80000000, "Bit of an id in a cursor: writes what a declaration of that type names, and not the type."],
  // Flags of a type in a C dump, a byte each.
  ["C_ORDERING", 1, "The type is being ordered.", "u8"],
  ["C_ORDERED", 2, "The type is ordered.", "u8"],
  ["C_EMITTING", 4, "The type is being written.", "u8"],
  ["C_EMITTED", 8, "The type's definition is written.", "u8"],
  ["C_FORWARD", 16, "A forward declaration of the type is written.", "u8"],
  ["C_NAMED", 32, "The type's name is chosen.", "u8"],
  ["C_REFERENCED", 64, "Another type refers to this one.", "u8"],
];

/** Shared by the kernels that edit, besides those above. */
export const EDIT_CODES = [
  // Errors.
  ["ERR_NAME_OVERLAP", 16, "Names overlap so much that comparing all of them would take too long.", "i32"],
  ["ERR_COLLISION", 17, "Two different types have met in one class: hash again with another seed.", "i32"],
  ["ERR_REFERENCE_LOOP", 18, "References form a cycle; type id: a type on it.", "i32"],
  [
    "ERR_FINGERPRINT",
    19,
    "A cycle of types in which every type looks like another at any depth; aux: how many there are.",
    "i32",
  ],
  // What `judgeForwards` is asked to do with choices that do not hold, and its answer.
  ["JUDGE_CHOOSE", 0, "Mode: choose other definitions."],
  ["JUDGE_RETRACT", 1, "Mode: retract the choices that do not hold."],
  ["JUDGE_RETRACT_ALL", 2, "Mode: retract all choices."],
  ["JUDGED_HOLDS", 0, "Answer: all choices hold."],
  ["JUDGED_REFINE", 1, "Answer: choices were retracted; refine the classes."],
  ["JUDGED_SETTLE", 2, "Answer: choices were changed; restore the classes and settle again."],
  ["FINGERPRINT_SCRATCH", 48, "Bytes of scratch that fingerprints need for each class: eight words and two hashes."],
  // Verification.
  ["FEATURE_TAG_FLAG", 1, "kind_flag on TYPE_TAG and DECL_TAG (attributes)."],
  ["FEATURE_ENUM_FLAG", 2, "kind_flag on ENUM (signed values)."],
  ["FEATURE_FUNC_LINKAGE", 4, "FUNC linkage in vlen."],
  ["FEATURE_FIELDS", 8, "Fields with a meaning to the verifier of programs, by the rules of 6.15 and later."],
  ["FEATURE_EMPTY_SECTION", 16, "DATASEC without variables."],
  ["FEATURE_LATE_TAGS", 32, "TYPE_TAG behind modifiers."],
  ["FIELD_TYPE", 4, "State of a type that such a field may have, set by the host.", "u8"],
  ["NO_ELEMENT", 0xffffffff, "Element of a finding that is about a whole record."],
];

/** Shared by the kernels that inspect, besides those that read. */
export const INSPECT_CODES = [
  // Errors.
  ["ERR_IDENTITY_DEPTH", 1, "Types without names lead through too many others; type id: the last of them.", "i32"],
  ["ERR_IDENTITY_WORK", 2, "Names overlap so much that hashing all of them would take too long.", "i32"],
  ["IDENTITY_DEPTH", 512, "Anonymous types and references to references that are followed; compilers stay far below."],
];

/** Rules of `verify`, numbered from 1, in the order of src/edit/verify/rules.ts. */
export const RULES = [
  "TRUNCATED",
  "INFO",
  "KIND",
  "NAME_OFFSET",
  "VLEN",
  "KIND_FLAG",
  "INT_DATA",
  "INT_BITS",
  "INT_SIZE",
  "INT_ENCODING",
  "TYPE_ID",
  "NAME",
  "FWD_TYPE",
  "ARRAY_SIZE",
  "ELEMENT",
  "INDEX",
  "MEMBER_NAME_OFFSET",
  "MEMBER_NAME",
  "MEMBER_TYPE_ID",
  "MEMBER_OFFSET",
  "MEMBER_BEYOND",
  "ENUM_SIZE",
  "VALUE_NAME_OFFSET",
  "VALUE_NAME",
  "FUNC_LINKAGE",
  "VAR_LINKAGE",
  "SECTION_SIZE",
  "VARIABLE_TYPE_ID",
  "VARIABLE_OFFSET",
  "VARIABLE_SIZE",
  "VARIABLE_END",
  "SECTION_SUM",
  "FLOAT_SIZE",
  "TAG_VALUE",
  "COMPONENT",
  "LOOP",
  "DEPTH",
  "MEMBER",
  "INT_ARRAY",
  "ARRAY_OVERFLOW",
  "BITS_OVERFLOW",
  "COPY_BITS",
  "MEMBER_EXCEEDS",
  "MEMBER_BASE",
  "MEMBER_START",
  "BITFIELD_SIZE",
  "BYTE_ALIGNED",
  "FLOAT_ALIGNED",
  "RETURN_TYPE",
  "ARGUMENT",
  "NOT_VAR",
  "VARIABLE_TYPE",
  "VARIABLE_SMALL",
  "CHAIN",
  "TAG_ORDER",
  "RESOLVE_STATE",
  "TYPE_COUNT",
  "SECTION_EMPTY",
];
