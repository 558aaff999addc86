// Makes the facts of the format for both sides from the tables in format/:
//
//   in:  format/kinds.mjs, format/structs.mjs, format/codes.mjs
//   out: assembly/format/generated/{abi,edit-abi,inspect-abi}.ts, assembly/text/generated/kind-name.ts
//        src/memory/generated/{abi,edit-abi,inspect-abi}.ts
//        src/format/generated/{kinds,records}.ts
//
// Kernels and host have a file for what reads, one for what edits and one for
// what inspects. The host's edit-abi.ts repeats abi.ts, so that the editing
// chunk of the package imports nothing from the default one.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { EDIT_CODES, INSPECT_CODES, READ_CODES, RULES } from "../../format/codes.mjs";
import { constantOf, ELEMENTS, KINDS, LIMITS, RECORD } from "../../format/kinds.mjs";
import { EDIT_STRUCTS, INSPECT_STRUCTS, READ_STRUCTS } from "../../format/structs.mjs";

const WORD = 4;
const RECORD_SIZE = RECORD.words.length * WORD;
const KIND_MAX = KINDS.length - 1;

/** typesLength → TYPES_LENGTH */
const upper = (name) => name.replace(/[A-Z]/g, "_$&").toUpperCase();

/** Bytes of a field's type. */
const sizeOf = (type) => (type === "u64" ? 8 : 4);

/** Fields with their offsets, and the size of the struct. */
function laidOut({ fields, ...rest }) {
  let at = 0;
  let widest = 1;
  const placed = fields.map(([type, name, about]) => {
    const size = sizeOf(type);
    widest = Math.max(widest, size);
    at = Math.ceil(at / size) * size;
    const offset = at;
    at += size;
    return { type, name, about, offset };
  });
  return { ...rest, fields: placed, bytes: Math.ceil(at / widest) * widest };
}

const bitsOf = (test) => KINDS.reduce((bits, kind, number) => (test(kind) ? bits | (1 << number) : bits), 0);

/** [name, value, meaning, type] of all that both sides know of kinds and records. */
const kindConstants = [
  ...KINDS.map((kind, number) => [`KIND_${constantOf(kind)}`, number]),
  ["KIND_MAX", KIND_MAX, "The highest kind whose record btfkit knows by itself."],
  ...LIMITS,
  ["TYPE_SIZE", RECORD_SIZE, "Bytes of the record that every type starts with."],
  ...RECORD.words.map(([name, about], i) => [`TYPE_${name}`, i * WORD, about]),
  ...KINDS.flatMap((kind) =>
    (kind.fixed ?? []).map(([name], i) => [`${constantOf(kind)}_${name}`, RECORD_SIZE + i * WORD]),
  ),
  ...ELEMENTS.flatMap(({ prefix, words }) => [
    [`${prefix}_SIZE`, words.length * WORD],
    ...words.map(([name], i) => [`${prefix}_${name}`, i * WORD]),
  ]),
  ["REFERENCE_KINDS", bitsOf(({ third }) => third === "id"), "Kinds whose third word is a type id, a bit each."],
  [
    "MODIFIER_KINDS",
    bitsOf(({ modifies }) => modifies),
    "Kinds whose values and layout are those of their target, a bit each.",
  ],
];
const ruleConstants = RULES.map((name, i) => [`RULE_${name}`, i + 1]);

/** Bytes that follow a record, and bytes of an element. */
const sizesOf = ({ fixed = [], element }) => [fixed.length * WORD, (element?.words.length ?? 0) * WORD];

/** Where names and ids stand in a record; offsets in an element are + 1, so that 0 is none. */
function shapeOf(kind) {
  const [fixed, element] = sizesOf(kind);
  const roles = kind.element?.words.map(([, role]) => role) ?? [];
  const ids = (kind.fixed ?? []).filter(([, role]) => role === "id").length;
  const place = (role) => (roles.includes(role) ? roles.indexOf(role) * WORD + 1 : 0);
  return [+(kind.third === "id"), fixed, ids, element, place("name"), place("id"), 0, 0];
}

const doc = (about) => (about ? `/** ${about} */\n` : "");
const hex = (value) => (value > 0xffff ? `0x${(value >>> 0).toString(16)}` : String(value));
const from = (file) => `// Made by scripts/build/format.mjs from format/${file}.`;

// The kernels' side.

const kernelConstant = ([name, value, about, type = "u32"]) =>
  `${doc(about)}export const ${name}: ${type} = ${hex(value)};`;

const KERNEL_TYPES = { ptr: "usize", u32: "u32", u64: "u64" };

function kernelClass(struct) {
  const { name, about, fields, size, bytes } = laidOut(struct);
  const lines = fields.map(
    ({ type, name: field, about: of, offset }) =>
      `  /** ${offset}: ${of} */\n  ${field}: ${KERNEL_TYPES[type] ?? `${type} | null`};`,
  );
  return `/** ${about} */\n@unmanaged\nexport class ${name} {\n${lines.join("\n")}\n}\nexport const ${size}: u32 = ${bytes};`;
}

const table = (rows, about, name) =>
  `${about}\nexport const ${name} = memory.data<u8>([\n${rows
    .map((row, number) => `  ${row.join(", ")}, // ${KINDS[number].name}`)
    .join("\n")}\n]);`;

const typeClass = `/** The record that every type starts with. */
@unmanaged
export class Type {
  nameOff: u32;
  info: u32;
  /** In kinds that refer, the id of the type that is referred to. */
  size: u32;
}`;

const recordSizes = table(
  KINDS.map((kind, number) => (number === 0 ? [1, 0] : sizesOf(kind))),
  `// By kind: bytes that follow the record, bytes of an element. Sizes are multiples
// of 4, so that an odd number marks a kind of unknown size.`,
  "recordSizes",
);

const recordShapes = table(
  KINDS.map(shapeOf),
  `// Where names and ids stand in a record, by kind, 8 bytes each: 1 if the third
// word is an id; bytes after the record; ids among them; bytes of an element;
// offset of its name + 1; of its id + 1; two unused.`,
  "recordShapes",
);

// The host's side.

const hostConstant = ([name, value, about]) => `${doc(about)}export const ${name} = ${hex(value)};`;

function hostStruct(struct) {
  const { name, prefix, fields, size, bytes } = laidOut(struct);
  return [
    `export const ${size} = ${bytes};`,
    ...fields.map(
      ({ type, name: field, about, offset }) =>
        `/** ${about} */\nexport const ${prefix}_${upper(field)} = ${offset} as Field${type === "u64" ? "64" : ""}<"${name}">;`,
    ),
  ].join("\n");
}

const KINDS_DOC = `/**
 * Kinds by name: bpftool's names in lower case. The index is the kind's number.
 *
 * @example
 * console.log(KINDS[4]); // struct
 */`;

const releaseOf = (version) => version.split(".").reduce((sum, part) => sum * 1000 + Number(part), 0);

/** Kinds by the release that loads them: [release, highest kind]. */
const releases = [...new Map(KINDS.slice(1).map(({ since }, i) => [releaseOf(since), i + 1]))];

const hostShape = (kind) => {
  const [refers, fixed, fixedIds, element, name, id] = shapeOf(kind);
  return [refers, fixed / WORD, fixedIds, element / WORD, name ? (name - 1) / WORD : -1, id ? (id - 1) / WORD : -1];
};

/** Writes a file, unless it stands as it should: what is built from it is up to date then. */
function write(path, ...blocks) {
  mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
  const text = `${blocks.flat().join("\n")}\n`;
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

write(
  "assembly/format/generated/abi.ts",
  from("*.mjs: what the kernels that read share with the host"),
  kindConstants.map(kernelConstant),
  READ_CODES.map(kernelConstant),
  typeClass,
  READ_STRUCTS.map(kernelClass),
  recordSizes,
);
write(
  "assembly/format/generated/edit-abi.ts",
  from("*.mjs: what the kernels that edit share with the host, besides abi.ts"),
  EDIT_CODES.map(kernelConstant),
  ruleConstants.map(kernelConstant),
  EDIT_STRUCTS.map(kernelClass),
  recordShapes,
);
write(
  "assembly/format/generated/inspect-abi.ts",
  from("*.mjs: what the kernels that inspect share with the host, besides abi.ts"),
  'import { Image } from "./abi";',
  INSPECT_CODES.map(kernelConstant),
  INSPECT_STRUCTS.map(kernelClass),
);

write(
  "assembly/text/generated/kind-name.ts",
  from("kinds.mjs"),
  'import { phrase } from "../writer";',
  "/** Writes bpftool's upper-case name of a kind; the kinds that btfkit does not know are UNKNOWN. */",
  "export function kindName(p: usize, kind: u32): usize {",
  "  switch (kind) {",
  KINDS.slice(1).map(({ name }, i) => `    case ${i + 1}:\n      return phrase(p, "${name.toUpperCase()}");`),
  '    default:\n      return phrase(p, "UNKNOWN");',
  "  }",
  "}",
);

const readAbi = [
  'import type { Field, Field64 } from "../struct.js";',
  ...kindConstants.map(hostConstant),
  ...READ_CODES.map(hostConstant),
  ...READ_STRUCTS.map(hostStruct),
];
write("src/memory/generated/abi.ts", from("*.mjs"), readAbi);
write(
  "src/memory/generated/edit-abi.ts",
  from("*.mjs"),
  readAbi,
  EDIT_CODES.map(hostConstant),
  ruleConstants.map(hostConstant),
  EDIT_STRUCTS.map(hostStruct),
);
write(
  "src/memory/generated/inspect-abi.ts",
  from("*.mjs"),
  'import type { Field, Field64 } from "../struct.js";',
  INSPECT_CODES.map(hostConstant),
  INSPECT_STRUCTS.map(hostStruct),
);
write(
  "src/format/generated/kinds.ts",
  from("kinds.mjs"),
  `${KINDS_DOC}\nexport const KINDS = [\n${KINDS.map(({ name }) => `  "${name}",`).join("\n")}\n] as const;`,
);
write(
  "src/format/generated/records.ts",
  from("kinds.mjs"),
  "/** By kind: 1 if the third word is an id; words that follow the record; ids among them; words of an element; its name; its id (-1: none). */",
  "export const RECORD_SHAPES: readonly (readonly [number, number, number, number, number, number])[] = [",
  KINDS.map((kind) => `  [${hostShape(kind).join(", ")}], // ${kind.name}`),
  "];",
  "/** The highest kind that each Linux release loads, the release as major × 1000 + minor. */",
  `export const KIND_RELEASES: readonly (readonly [release: number, kind: number])[] = ${JSON.stringify(releases)};`,
);
