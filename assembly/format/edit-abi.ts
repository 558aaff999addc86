// The facts that edit kernels and host share, besides those of abi.ts.
// scripts/build/abi.mjs copies the numbers of this file into src/memory/generated/edit-abi.ts.

// What the edit kernels work on: the types of an image and its bases, one
// behind the other, with ids from 1 and name offsets that count through their
// joined strings. The host writes it; arrays are zeroed where it says so.
//
//   ┌───────┬─────────┬─────────┬───────────┬──────────┬──────────┬────────────┐
//   │ types │ types   │ strings │ strings   │ first    │ id limit │ own        │
//   │       │ (bytes) │         │ (bytes)   │ own id   │          │ strings at │
//   └───────┴─────────┴─────────┴───────────┴──────────┴──────────┴────────────┘
//   0       4         8         12          16         20         24           28
//   28 offsets     u32[ids]  of records from the start of the types
//   32 edge start  u32[ids + 1]   36 edges  u32[]: ids that a record refers to, in its order
//   40 name bits   u64[strings / 64 + 1], zeroed: offsets that are referred to
//   44 name ranks  u32[strings / 64 + 1]: set bits below each word
//   48 names       u32[2 × set bits]: the first equal name's rank; its new offset
//   52 slots       u32[slot mask + 1]   56 slot mask: a table that kernels use in turn
//   60 out strings, 64 their length: the strings that are referred to, each once
//   68 shape hash, 72 hash, 76 hash (other): u64[ids]
//   80 class of id, 84 members by class, 88 place of id among them: u32[ids]
//   92 groups  16 bytes a class: start, length, marks, frozen    96 class count
//   100 alias      u32[ids]: the definition that a forward declaration stands for, or itself
//   104 parent start  u32[ids + 1]   108 parents  u32[edges], may lie where hash and slots do
//   112 touched    u32[ids]   116 touched count
//   120 seed (u64)   128 opaque  u8[ids], zeroed: bits of forward.ts   132 kinds  u8[ids]
//   136 forward declarations, 140 mask: the names that are declared, see below
//   144 named count, 148 declared count   152 whether parents are listed       156 unused
//                                                                              160
export const GRAPH_TYPES: u32 = 0;
export const GRAPH_TYPES_LENGTH: u32 = 4;
export const GRAPH_STRINGS: u32 = 8;
export const GRAPH_STRINGS_LENGTH: u32 = 12;
export const GRAPH_FIRST_ID: u32 = 16;
export const GRAPH_ID_LIMIT: u32 = 20;
export const GRAPH_STRINGS_START: u32 = 24;
export const GRAPH_OFFSETS: u32 = 28;
export const GRAPH_EDGE_START: u32 = 32;
export const GRAPH_EDGES: u32 = 36;
export const GRAPH_NAME_BITS: u32 = 40;
export const GRAPH_NAME_RANKS: u32 = 44;
export const GRAPH_NAMES: u32 = 48;
export const GRAPH_SLOTS: u32 = 52;
export const GRAPH_SLOT_MASK: u32 = 56;
export const GRAPH_OUT_STRINGS: u32 = 60;
export const GRAPH_OUT_LENGTH: u32 = 64;
export const GRAPH_SHAPE: u32 = 68;
export const GRAPH_HASH: u32 = 72;
export const GRAPH_OTHER_HASH: u32 = 76;
export const GRAPH_CLASSES: u32 = 80;
export const GRAPH_MEMBERS: u32 = 84;
export const GRAPH_PLACES: u32 = 88;
export const GRAPH_GROUPS: u32 = 92;
export const GRAPH_CLASS_COUNT: u32 = 96;
export const GRAPH_ALIAS: u32 = 100;
export const GRAPH_PARENT_START: u32 = 104;
export const GRAPH_PARENTS: u32 = 108;
export const GRAPH_TOUCHED: u32 = 112;
export const GRAPH_SEED: u32 = 120;
export const GRAPH_OPAQUE: u32 = 128;
export const GRAPH_KINDS: u32 = 132;
export const GRAPH_FORWARDS: u32 = 136;
export const GRAPH_FORWARD_MASK: u32 = 140;
export const GRAPH_DECLARED_COUNT: u32 = 148;
export const GRAPH_SIZE: u32 = 160;
export const GROUP_SIZE: u32 = 16;

// A name that forward declarations declare.
//
//   ┌──────┬──────┬────────────┬───────┬────────┬─────────────┬────────┬──────────────┬─────────┬────────┐
//   │ name │ kind │ definition │ state │ chosen │ declaration │ unlike │ declarations │ defini- │ latest │
//   │      │      │ (first)    │       │        │ (first)     │        │              │ tions   │        │
//   └──────┴──────┴────────────┴───────┴────────┴─────────────┴────────┴──────────────┴─────────┴────────┘
//   0      4      8            12      16       20            24       28             32        36       40
//
//   state: 0 one definition at most, 1 several, 2 several and no choice among
//   them holds; chosen: what declarations stand for; unlike: 1 if definitions
//   have unequal shapes; declarations, definitions: lists of these; latest: the
//   last definition unlike those before it, up to a declaration behind a definition
//
//   ┌──────┬──────┬─────────────┬─────────┬───────┬───────┬────────┐
//   │ id   │ next │ shape (u64) │ witness │ other │ votes │ unused │
//   └──────┴──────┴─────────────┴─────────┴───────┴───────┴────────┘
//   0      4      8             16        20      24      28       32
//
//   witness: a type that is the same as its other, but that it refers to the
//   declaration and the other to this definition; votes: how many are, in reach
export const FORWARD_SIZE: u32 = 40;
export const NAMED_SIZE: u32 = 32;

// Error codes of the edit kernels.
/** Names overlap so much that comparing them all would take too long. */
export const ERR_NAME_OVERLAP: i32 = 16;
/** Two different types have met in one class: hash again with another seed. */
export const ERR_COLLISION: i32 = 17;
/** References that go in a circle; type id: one on it. */
export const ERR_REFERENCE_LOOP: i32 = 18;
/** A circle of types in which none is unlike all others, however far one looks; aux: how many they are. */
export const ERR_FINGERPRINT: i32 = 19;

// What `verify` works on: types and strings of an image and its bases, joined
// as for the graph above. `offsets`, `states`, `ids` and `sizes` have room for
// an entry per 12 bytes of types and two more.
//
//   0 types        4 their length   8 strings     12 their length
//   16 first own id                 20 where own types start, in bytes
//   24 id limit (set by checkRecords)
//   28 offsets     u32[]            32 states     u8[], zeroed
//   36 ids         u32[]: what a type resolves to   40 sizes  u32[]: of arrays
//   44 findings    20 bytes each    48 room for them   52 how many there were
//   56 highest kind that is known   60 features: bits below
//   64 bytes of a pointer                                             68
export const VERIFY_TYPES: u32 = 0;
export const VERIFY_TYPES_LENGTH: u32 = 4;
export const VERIFY_STRINGS: u32 = 8;
export const VERIFY_STRINGS_LENGTH: u32 = 12;
export const VERIFY_FIRST_ID: u32 = 16;
export const VERIFY_OWN_START: u32 = 20;
export const VERIFY_ID_LIMIT: u32 = 24;
export const VERIFY_OFFSETS: u32 = 28;
export const VERIFY_STATES: u32 = 32;
export const VERIFY_IDS: u32 = 36;
export const VERIFY_SIZES: u32 = 40;
export const VERIFY_FINDINGS: u32 = 44;
export const VERIFY_ROOM: u32 = 48;
export const VERIFY_COUNT: u32 = 52;
export const VERIFY_MAX_KIND: u32 = 56;
export const VERIFY_FEATURES: u32 = 60;
export const VERIFY_POINTER: u32 = 64;
export const VERIFY_SIZE: u32 = 68;
/** kind_flag on TYPE_TAG and DECL_TAG (attributes). */
export const FEATURE_TAG_FLAG: u32 = 1;
/** kind_flag on ENUM (signed values). */
export const FEATURE_ENUM_FLAG: u32 = 2;
/** FUNC linkage in vlen. */
export const FEATURE_FUNC_LINKAGE: u32 = 4;
/** Fields with a meaning to the verifier of programs, by the rules of 6.15 and later. */
export const FEATURE_FIELDS: u32 = 8;
/** State of a type that such a field may have, set by the host. */
export const FIELD_TYPE: u32 = 4;

// A finding.
//
//   ┌──────┬─────────┬────────┬─────────┬───────┐
//   │ rule │ type id │ offset │ element │ value │
//   └──────┴─────────┴────────┴─────────┴───────┘
//   0      4         8        12        16      20
//
//   offset: bytes from the start of the own types; element: of a member,
//   value, parameter or variable, 0xffffffff for none
export const FINDING_SIZE: u32 = 20;

// Rules, in the order in which src/edit/verify/rules.ts tells them.
export const RULE_TRUNCATED: u32 = 1;
export const RULE_INFO: u32 = 2;
export const RULE_KIND: u32 = 3;
export const RULE_NAME_OFFSET: u32 = 4;
export const RULE_VLEN: u32 = 5;
export const RULE_KIND_FLAG: u32 = 6;
export const RULE_INT_DATA: u32 = 7;
export const RULE_INT_BITS: u32 = 8;
export const RULE_INT_SIZE: u32 = 9;
export const RULE_INT_ENCODING: u32 = 10;
export const RULE_TYPE_ID: u32 = 11;
export const RULE_NAME: u32 = 12;
export const RULE_FWD_TYPE: u32 = 13;
export const RULE_ARRAY_SIZE: u32 = 14;
export const RULE_ELEMENT: u32 = 15;
export const RULE_INDEX: u32 = 16;
export const RULE_MEMBER_NAME_OFFSET: u32 = 17;
export const RULE_MEMBER_NAME: u32 = 18;
export const RULE_MEMBER_TYPE_ID: u32 = 19;
export const RULE_MEMBER_OFFSET: u32 = 20;
export const RULE_MEMBER_BEYOND: u32 = 21;
export const RULE_ENUM_SIZE: u32 = 22;
export const RULE_VALUE_NAME_OFFSET: u32 = 23;
export const RULE_VALUE_NAME: u32 = 24;
export const RULE_FUNC_LINKAGE: u32 = 25;
export const RULE_VAR_LINKAGE: u32 = 26;
export const RULE_SECTION_SIZE: u32 = 27;
export const RULE_VARIABLE_TYPE_ID: u32 = 28;
export const RULE_VARIABLE_OFFSET: u32 = 29;
export const RULE_VARIABLE_SIZE: u32 = 30;
export const RULE_VARIABLE_END: u32 = 31;
export const RULE_SECTION_SUM: u32 = 32;
export const RULE_FLOAT_SIZE: u32 = 33;
export const RULE_TAG_VALUE: u32 = 34;
export const RULE_COMPONENT: u32 = 35;
export const RULE_LOOP: u32 = 36;
export const RULE_DEPTH: u32 = 37;
export const RULE_MEMBER: u32 = 38;
export const RULE_INT_ARRAY: u32 = 39;
export const RULE_ARRAY_OVERFLOW: u32 = 40;
export const RULE_BITS_OVERFLOW: u32 = 41;
export const RULE_COPY_BITS: u32 = 42;
export const RULE_MEMBER_EXCEEDS: u32 = 43;
export const RULE_MEMBER_BASE: u32 = 44;
export const RULE_MEMBER_START: u32 = 45;
export const RULE_BITFIELD_SIZE: u32 = 46;
export const RULE_BYTE_ALIGNED: u32 = 47;
export const RULE_FLOAT_ALIGNED: u32 = 48;
export const RULE_RETURN_TYPE: u32 = 49;
export const RULE_ARGUMENT: u32 = 50;
export const RULE_NOT_VAR: u32 = 51;
export const RULE_VARIABLE_TYPE: u32 = 52;
export const RULE_VARIABLE_SMALL: u32 = 53;
export const RULE_CHAIN: u32 = 54;
export const RULE_TAG_ORDER: u32 = 55;
export const RULE_RESOLVE_STATE: u32 = 56;
export const RULE_TYPE_COUNT: u32 = 57;
