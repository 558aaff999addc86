// The kinds of BTF and the layout of their records. This table is the only
// place where both stand: scripts/build/format.mjs makes constants, tables and
// types for kernels and host from it.
//
// To add a kind, append a row here; docs/changing.md lists the files that
// follow. Source: include/uapi/linux/btf.h.

/** Roles of a word: an offset into the strings, the id of a type, or any other number. */
const NAME = "name";
const ID = "id";
const WORD = "word";

/**
 * The record that every type starts with: three words.
 *
 *   ┌──────────┬──────────┬────────────┐
 *   │ name_off │   info   │ size or id │
 *   └──────────┴──────────┴────────────┘
 *   0          4          8            12
 *
 *   info: bit 31 kind_flag, bits 24..30 kind, bits 0..23 vlen
 */
export const RECORD = {
  prefix: "TYPE",
  words: [
    ["NAME", "Offset of the name among the strings."],
    ["INFO", "Kind, kind_flag and vlen."],
    ["SIZE_OR_ID", "Size in bytes, or the id of the type that the record refers to; the kind says which."],
  ],
};

/** Numbers that the word `info` and the records are limited by. */
export const LIMITS = [
  ["VLEN_MASK", 0xffffff, "Bits of `info` that hold vlen."],
  ["KIND_SHIFT", 24, "Position of the kind in `info`."],
  ["KIND_MASK", 0x7f, "Bits of the kind, after the shift."],
  ["KIND_COUNT", 128, "How many kinds `info` can tell apart."],
  ["BITFIELD_SHIFT", 24, "Position of a bitfield's width in a member's offset, if the composite has kind_flag."],
  ["BIT_OFFSET_MASK", 0xffffff, "Bits of a member's offset below that width."],
  ["INT_BITS_MASK", 0xff, "Bits of an INT's data that hold its width."],
  ["INT_OFFSET_SHIFT", 16, "Position of an INT's bit offset in its data."],
  ["INT_ENCODING_SHIFT", 24, "Position of an INT's encoding in its data."],
  ["LINUX_KIND_MASK", 0x1f, "Bits of the kind that kernels read: fewer than libbpf's."],
  ["LINUX_VLEN_MASK", 0xffff, "Bits of vlen that kernels read: fewer than libbpf's."],
  ["LAYOUT_ENTRY_SIZE", 4, "Bytes of a layout entry: u8 fixed bytes, u8 bytes of an element, u16 flags."],
];

/** What the elements that follow a record are made of. */
const MEMBER = {
  prefix: "MEMBER",
  words: [
    ["NAME", NAME],
    ["TYPE", ID],
    ["OFFSET", WORD],
  ],
};
const PARAM = {
  prefix: "PARAM",
  words: [
    ["NAME", NAME],
    ["TYPE", ID],
  ],
};
const ENUMERATOR = {
  prefix: "ENUMERATOR",
  words: [
    ["NAME", NAME],
    ["VALUE", WORD],
  ],
};
const ENUMERATOR64 = {
  prefix: "ENUMERATOR64",
  words: [
    ["NAME", NAME],
    ["LOW", WORD],
    ["HIGH", WORD],
  ],
};
const VARIABLE = {
  prefix: "SECTION_VARIABLE",
  words: [
    ["TYPE", ID],
    ["OFFSET", WORD],
    ["LENGTH", WORD],
  ],
};

export const ELEMENTS = [MEMBER, PARAM, ENUMERATOR, ENUMERATOR64, VARIABLE];

/**
 * A row a kind, in the order of their numbers:
 *
 * - `name` as bpftool prints it, in lower case; the constant is `KIND_` and the name in upper case;
 * - `third`: the role of the record's third word;
 * - `fixed`: words between the record and its elements;
 * - `element`: what `vlen` counts;
 * - `modifies`: values and layout are those of the target;
 * - `since`: the first Linux release that loads the kind.
 *
 * Row 0 stands for void, which has an id and no record.
 */
export const KINDS = [
  { name: "void", constant: "UNKN" },
  { name: "int", third: WORD, fixed: [["DATA", WORD]], since: "4.18" },
  { name: "ptr", third: ID, since: "4.18" },
  {
    name: "array",
    third: WORD,
    fixed: [
      ["ELEMENT", ID],
      ["INDEX", ID],
      ["LENGTH", WORD],
    ],
    since: "4.18",
  },
  { name: "struct", third: WORD, element: MEMBER, since: "4.18" },
  { name: "union", third: WORD, element: MEMBER, since: "4.18" },
  { name: "enum", third: WORD, element: ENUMERATOR, since: "4.18" },
  { name: "fwd", third: WORD, since: "4.18" },
  { name: "typedef", third: ID, modifies: true, since: "4.18" },
  { name: "volatile", third: ID, modifies: true, since: "4.18" },
  { name: "const", third: ID, modifies: true, since: "4.18" },
  { name: "restrict", third: ID, modifies: true, since: "4.18" },
  { name: "func", third: ID, since: "5.0" },
  { name: "func_proto", third: ID, element: PARAM, since: "5.0" },
  { name: "var", third: ID, fixed: [["LINKAGE", WORD]], since: "5.2" },
  { name: "datasec", third: WORD, element: VARIABLE, since: "5.2" },
  { name: "float", third: WORD, since: "5.13" },
  { name: "decl_tag", third: ID, fixed: [["COMPONENT", WORD]], since: "5.16" },
  { name: "type_tag", third: ID, modifies: true, since: "5.17" },
  { name: "enum64", third: WORD, element: ENUMERATOR64, since: "6.0" },
];

/** The name of a kind's constant, without `KIND_`. */
export const constantOf = ({ name, constant }) => constant ?? name.toUpperCase();
