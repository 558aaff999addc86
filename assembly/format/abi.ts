// The facts that kernels and host share. scripts/build/abi.mjs copies every
// `export const NAME: TYPE = NUMBER;` of this file into src/memory/generated/abi.ts.

// BTF kinds (include/uapi/linux/btf.h).
export const KIND_UNKN: u32 = 0;
export const KIND_INT: u32 = 1;
export const KIND_PTR: u32 = 2;
export const KIND_ARRAY: u32 = 3;
export const KIND_STRUCT: u32 = 4;
export const KIND_UNION: u32 = 5;
export const KIND_ENUM: u32 = 6;
export const KIND_FWD: u32 = 7;
export const KIND_TYPEDEF: u32 = 8;
export const KIND_VOLATILE: u32 = 9;
export const KIND_CONST: u32 = 10;
export const KIND_RESTRICT: u32 = 11;
export const KIND_FUNC: u32 = 12;
export const KIND_FUNC_PROTO: u32 = 13;
export const KIND_VAR: u32 = 14;
export const KIND_DATASEC: u32 = 15;
export const KIND_FLOAT: u32 = 16;
export const KIND_DECL_TAG: u32 = 17;
export const KIND_TYPE_TAG: u32 = 18;
export const KIND_ENUM64: u32 = 19;
/** The last kind whose record this toolkit knows by itself. */
export const KIND_MAX: u32 = 19;
/** How many kinds the 7 bits of `info` can tell apart. */
export const KIND_COUNT: u32 = 128;

// A type record: 12 bytes, then what its kind adds.
//
//   ┌──────────┬──────────┬──────────────┐
//   │ name_off │   info   │ size or type │
//   └──────────┴──────────┴──────────────┘
//   0          4          8              12
//
//   info: bit 31 kind_flag, bits 24..30 kind, bits 0..23 vlen
export const TYPE_SIZE: u32 = 12;
export const VLEN_MASK: u32 = 0xffffff;
export const KIND_SHIFT: u32 = 24;
export const KIND_MASK: u32 = 0x7f;

// The image descriptor, one per BTF of a family. The host writes all of it
// but what is marked: `scan` counts, `fill` and `buildNames` fill the arrays.
//
//   ┌──────┬───────┬─────────┬─────────┬────────────┬────────────┬──────┬───────┐
//   │ base │ types │ types # │ strings │ strings #  │ strings at │ first│ count │
//   │      │       │ (bytes) │         │ (bytes)    │ (logical)  │ id   │ (own) │
//   └──────┴───────┴─────────┴─────────┴────────────┴────────────┴──────┴───────┘
//   0      4       8         12        16           20           24     28      32
//   ┌─────────┬───────┬────────┬──────────┬─────────┬────────────┬───────┬───────┐
//   │ offsets │ kinds │ layout │ layout # │ swapped │ name heads │ heads │ name  │
//   │ (u32[]) │ (u8[])│        │ (bytes)  │ (0, 1)  │ (u32[])    │ - 1   │ chain │
//   └─────────┴───────┴────────┴──────────┴─────────┴────────────┴───────┴───────┘
//   32        36      40       44         48        52           56      60      64
//   64: hash seed (u64)                                                          72
export const IMAGE_BASE: u32 = 0;
export const IMAGE_TYPES: u32 = 4;
export const IMAGE_TYPES_LENGTH: u32 = 8;
export const IMAGE_STRINGS: u32 = 12;
export const IMAGE_STRINGS_LENGTH: u32 = 16;
export const IMAGE_STRINGS_START: u32 = 20;
export const IMAGE_FIRST_ID: u32 = 24;
export const IMAGE_COUNT: u32 = 28;
export const IMAGE_OFFSETS: u32 = 32;
export const IMAGE_KINDS: u32 = 36;
export const IMAGE_LAYOUT: u32 = 40;
export const IMAGE_LAYOUT_LENGTH: u32 = 44;
export const IMAGE_SWAPPED: u32 = 48;
export const IMAGE_NAME_HEADS: u32 = 52;
export const IMAGE_NAME_MASK: u32 = 56;
export const IMAGE_NAME_CHAIN: u32 = 60;
export const IMAGE_SEED: u32 = 64;
export const IMAGE_SIZE: u32 = 72;

// Where a text dump stands, so that one window after the other can be filled.
//
//   ┌─────┬───────┬───────┬──────┬───────┐
//   │ ids │ count │ index │ part │ phase │
//   └─────┴───────┴───────┴──────┴───────┘
//   0     4       8       12     16      20
//
//   ids: u32[] of chosen types, or 0 for all own types; index: the next of
//   them; part: 0 its first line, else 1 + the next element; phase: 0 at the
//   start, 1 among the types, 2 at the end
export const CURSOR_IDS: u32 = 0;
export const CURSOR_COUNT: u32 = 4;
export const CURSOR_INDEX: u32 = 8;
export const CURSOR_PART: u32 = 12;
export const CURSOR_PHASE: u32 = 16;
export const CURSOR_SIZE: u32 = 20;
/** The least room that a text kernel wants: fixed text of one line never passes it. */
export const WINDOW_SLACK: u32 = 1024;

// What a C dump remembers; columns are indexed by id, from 0, bases included.
//
//   ┌───────┬───────┬────────────┬────────┬───────┬────────┬──────┬───────┬───────┐
//   │ flags │ uses  │ alignments │ hashes │ queue │ queued │ next │ names │ names │
//   │ (u8[])│(u32[])│ (u8[])     │(u64[2])│(u32[])│        │      │       │ - 1   │
//   └───────┴───────┴────────────┴────────┴───────┴────────┴──────┴───────┴───────┘
//   0       4       8            12       16      20       24     28      32      36
//   ┌───────┬──────────────┬─────────┬──────────────┐
//   │ stack │ pointer size │ options │ work (u64)   │
//   └───────┴──────────────┴─────────┴──────────────┘
//   36      40             44        48             56
//
//   uses: which use of its name a type is; names: { name offset + 1, uses as a
//   tag, uses as an identifier }; work: steps left before a dump is given up
export const C_FLAGS: u32 = 0;
export const C_USES: u32 = 4;
export const C_ALIGNMENTS: u32 = 8;
export const C_HASHES: u32 = 12;
export const C_QUEUE: u32 = 16;
export const C_NAMES: u32 = 28;
export const C_NAMES_MASK: u32 = 32;
export const C_STACK: u32 = 36;
export const C_POINTER_SIZE: u32 = 40;
export const C_OPTIONS: u32 = 44;
export const C_WORK: u32 = 48;
export const C_CONTEXT_SIZE: u32 = 56;
/** Bytes of one name counter. */
export const C_COUNTER_SIZE: u32 = 12;
/** Ids that all declarators open at a time may hold. */
export const C_STACK_COUNT: u32 = 16384;
/** Comments with offsets and sizes. */
export const C_OPTION_ANNOTATE: u32 = 1;

// What a refusing kernel leaves behind, at the address `status()` returns.
//
//   ┌────────┬─────────┬─────┐
//   │ offset │ type id │ aux │
//   └────────┴─────────┴─────┘
//   0        4         8     12
//
//   offset: bytes from the start of the type section
export const STATUS_OFFSET: u32 = 0;
export const STATUS_TYPE_ID: u32 = 4;
export const STATUS_AUX: u32 = 8;

// Error codes, returned negated.
/** Kind beyond ours and no layout says its size; aux: the kind. */
export const ERR_UNKNOWN_KIND: i32 = 1;
/** The body passes the end of the type section; aux: its length in bytes. */
export const ERR_TYPE_TRUNCATED: i32 = 2;
/** Fewer than 12 bytes behind the last type; aux: how many. */
export const ERR_TYPE_TRAILING: i32 = 3;
/** A name offset beyond the strings; aux: the name offset. */
export const ERR_NAME_OFFSET: i32 = 4;
/** A reference to a type that does not exist; aux: the id. */
export const ERR_TYPE_ID: i32 = 5;
/** FUNC that does not refer to FUNC_PROTO; aux: the id it refers to. */
export const ERR_FUNC_PROTO: i32 = 6;
/** The window is too small for the definition: for the host alone. */
export const ERR_C_WINDOW: i32 = 7;
/** Types that contain or refer to themselves in a way C cannot say, or nest too deep. */
export const ERR_C_CYCLE: i32 = 8;
/** A graph of types that takes more steps than any real one. */
export const ERR_C_WORK: i32 = 9;
