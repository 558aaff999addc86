// The facts that edit kernels and host share, besides those of abi.ts.
// scripts/abi.mjs copies the numbers of this file into src/wasm/edit-abi.ts.

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
//   92 class start, 96 class length, 100 class marks: u32[ids]
//   104 class count
//   108 alias      u32[ids]: the definition that a forward declaration stands for, or itself
//   112 parent start  u32[ids + 1]   116 parents  u32[edges]
//   120 touched    u32[ids], zeroed    124 touched count
//   128 seed (u64)   136 opaque  u8[ids], zeroed: bits of forward.ts          144
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
export const GRAPH_CLASS_START: u32 = 92;
export const GRAPH_CLASS_LENGTH: u32 = 96;
export const GRAPH_CLASS_MARKS: u32 = 100;
export const GRAPH_CLASS_COUNT: u32 = 104;
export const GRAPH_ALIAS: u32 = 108;
export const GRAPH_PARENT_START: u32 = 112;
export const GRAPH_PARENTS: u32 = 116;
export const GRAPH_TOUCHED: u32 = 120;
export const GRAPH_TOUCHED_COUNT: u32 = 124;
export const GRAPH_SEED: u32 = 128;
export const GRAPH_OPAQUE: u32 = 136;
export const GRAPH_SIZE: u32 = 144;

// A name that forward declarations declare.
//
//   ┌──────┬──────┬────────────┬───────┬────────┬───────────┬────────┬─────────────┐
//   │ name │ kind │ definition │ state │ chosen │ witness,  │ unlike │ declaration │
//   │      │      │            │       │        │ its other │        │ (first)     │
//   └──────┴──────┴────────────┴───────┴────────┴───────────┴────────┴─────────────┘
//   0      4      8            12      16       20          28       32            40
//
//   definition: the first one's id, 0 if there is none; state: 0 one definition
//   at most, 1 several, 2 several and no choice among them holds; chosen: the
//   one that the witness asks for, a type that is the same as its other but
//   that it refers to the declaration and the other to the definition; unlike:
//   1 if definitions have unequal shapes
export const FORWARD_SIZE: u32 = 40;

// Error codes of the edit kernels.
/** Names overlap so much that comparing them all would take too long. */
export const ERR_NAME_OVERLAP: i32 = 16;
/** Two different types have met in one class: hash again with another seed. */
export const ERR_COLLISION: i32 = 17;
/** References that go in a circle; type id: one on it. */
export const ERR_REFERENCE_LOOP: i32 = 18;
