/**
 * The error codes of the default entry, each with its text. Each code is a
 * constant of its own, so that a bundle holds only those that it can throw.
 */
import { type ErrorDetails, rule } from "./rule.js";

/** The two bytes of a magic. */
const word = (value = 0): string => `0x${value.toString(16).padStart(4, "0")}`;
const count = (value = 0, unit = "byte"): string => `${value} ${unit}${value === 1 ? "" : "s"}`;
const suggestion = ({ nearest }: ErrorDetails): string =>
  nearest?.length ? `; did you mean ${nearest.map((name) => `"${name}"`).join(", ")}?` : "";

// Header (libbpf's btf_parse_hdr)
export const ERR_BTF_EMPTY = /* @__PURE__ */ rule(
  "ERR_BTF_EMPTY",
  () => "empty input: BTF starts with a header of 24 bytes",
);
export const ERR_BTF_MAGIC = /* @__PURE__ */ rule("ERR_BTF_MAGIC", (d) =>
  d.note
    ? `not BTF but ${d.note}: openImage of btfkit/image opens kernel images and packages`
    : `not BTF: the first two bytes are ${word(d.value)}, neither BTF's magic 0xeb9f nor an ELF file's`,
);
export const ERR_BTF_HEADER_TRUNCATED = /* @__PURE__ */ rule(
  "ERR_BTF_HEADER_TRUNCATED",
  (d) => `truncated header: it needs ${count(d.limit)}, the input has ${d.value}`,
);
export const ERR_BTF_HEADER_LENGTH = /* @__PURE__ */ rule(
  "ERR_BTF_HEADER_LENGTH",
  (d) => `header length ${d.value} is below 24, the minimum for an image of the other byte order`,
);
export const ERR_BTF_STRINGS_BOUNDS = /* @__PURE__ */ rule(
  "ERR_BTF_STRINGS_BOUNDS",
  (d) => `truncated: the string section ends at byte ${d.value}, the input at ${d.limit}`,
);
export const ERR_BTF_TYPES_BOUNDS = /* @__PURE__ */ rule(
  "ERR_BTF_TYPES_BOUNDS",
  (d) => `the type section ends at byte ${d.value}, after the start of the strings at ${d.limit}`,
);
export const ERR_BTF_TYPES_ALIGNMENT = /* @__PURE__ */ rule(
  "ERR_BTF_TYPES_ALIGNMENT",
  (d) => `the type section's offset ${d.value} is not a multiple of 4`,
);
export const ERR_BTF_LAYOUT_ALIGNMENT = /* @__PURE__ */ rule(
  "ERR_BTF_LAYOUT_ALIGNMENT",
  (d) => `the layout section's offset ${d.value} is not a multiple of 4`,
);
export const ERR_BTF_LAYOUT_BOUNDS = /* @__PURE__ */ rule(
  "ERR_BTF_LAYOUT_BOUNDS",
  (d) => `the layout section at bytes ${d.value} to ${d.limit} overlaps the types or the strings`,
);
export const ERR_BTF_LAYOUT_LENGTH = /* @__PURE__ */ rule(
  "ERR_BTF_LAYOUT_LENGTH",
  (d) => `the layout section's length ${d.value} is not a multiple of 4`,
);

// Strings (btf_parse_str_sec)
export const ERR_BTF_STRINGS_EMPTY = /* @__PURE__ */ rule(
  "ERR_BTF_STRINGS_EMPTY",
  () => "empty string section: only split BTF may have one",
);
export const ERR_BTF_STRINGS_LENGTH = /* @__PURE__ */ rule(
  "ERR_BTF_STRINGS_LENGTH",
  (d) => `the string section has ${count(d.value)}, more than ${d.limit}`,
);
export const ERR_BTF_STRINGS_END = /* @__PURE__ */ rule(
  "ERR_BTF_STRINGS_END",
  () => "the strings do not end in a NUL byte",
);
export const ERR_BTF_STRINGS_START = /* @__PURE__ */ rule(
  "ERR_BTF_STRINGS_START",
  () => "the strings do not start with a NUL byte: if this is split BTF, open it on its base",
);

// Types (btf_parse_type_sec, btf_validate_type)
export const ERR_BTF_KIND = /* @__PURE__ */ rule(
  "ERR_BTF_KIND",
  (d) => `type [${d.typeId}] has kind ${d.value}, ${d.note}`,
);
export const ERR_BTF_TYPE_TRUNCATED = /* @__PURE__ */ rule(
  "ERR_BTF_TYPE_TRUNCATED",
  (d) => `type [${d.typeId}] is ${count(d.value)} long and passes the end of the type section`,
);
export const ERR_BTF_TYPE_TRAILING = /* @__PURE__ */ rule(
  "ERR_BTF_TYPE_TRAILING",
  (d) => `${count(d.value)} left after the last type`,
);
export const ERR_BTF_NAME_OFFSET = /* @__PURE__ */ rule(
  "ERR_BTF_NAME_OFFSET",
  (d) => `type [${d.typeId}] has a name at string offset ${d.value}, beyond the ${d.limit} bytes of strings`,
);
export const ERR_BTF_TYPE_ID = /* @__PURE__ */ rule(
  "ERR_BTF_TYPE_ID",
  (d) => `type [${d.typeId}] refers to type ${d.value}, but the last type is ${d.limit}`,
);
export const ERR_BTF_FUNC_PROTO = /* @__PURE__ */ rule(
  "ERR_BTF_FUNC_PROTO",
  (d) => `FUNC type [${d.typeId}] refers to type ${d.value}, which is not a FUNC_PROTO`,
);
export const ERR_BTF_BASE_ENDIAN = /* @__PURE__ */ rule(
  "ERR_BTF_BASE_ENDIAN",
  (d) => `the image is ${d.name}-endian, but its base is not`,
);

// Type graph
export const ERR_BTF_LOOP = /* @__PURE__ */ rule(
  "ERR_BTF_LOOP",
  (d) => `type [${d.typeId}] contains itself${d.note ? `: ${d.note}` : ""}`,
);
export const ERR_BTF_DEPTH = /* @__PURE__ */ rule(
  "ERR_BTF_DEPTH",
  (d) => `type [${d.typeId}] is nested deeper than ${d.limit} levels`,
);
export const ERR_BTF_SIZE = /* @__PURE__ */ rule("ERR_BTF_SIZE", (d) => `type [${d.typeId}] is larger than 4 GiB`);

// ELF
export const ERR_ELF_TRUNCATED = /* @__PURE__ */ rule(
  "ERR_ELF_TRUNCATED",
  (d) => `truncated ELF file: ${d.name} ends at byte ${d.value}, the file at ${d.limit}`,
);
export const ERR_ELF_HEADER = /* @__PURE__ */ rule("ERR_ELF_HEADER", (d) => `malformed ELF header: ${d.note}`);
export const ERR_ELF_NO_BTF = /* @__PURE__ */ rule(
  "ERR_ELF_NO_BTF",
  (d) => `ELF file without a .BTF section${d.note ? ` (${d.note})` : ""}`,
);
export const ERR_ELF_SECTION = /* @__PURE__ */ rule("ERR_ELF_SECTION", (d) => `ELF section ${d.name}: ${d.note}`);
export const ERR_COMPRESSED = /* @__PURE__ */ rule("ERR_COMPRESSED", (d) => `${d.name}: ${d.note}`);

// Lookup
export const ERR_NOT_FOUND = /* @__PURE__ */ rule(
  "ERR_NOT_FOUND",
  (d) =>
    `no ${d.note ?? "type"} named "${d.name}"${d.otherKind ? `; the type of that name is a ${d.otherKind}` : suggestion(d)}`,
);
export const ERR_NO_SUCH_ID = /* @__PURE__ */ rule(
  "ERR_NO_SUCH_ID",
  (d) => `no type ${d.value}: ids go from 0 to ${d.limit}`,
);
export const ERR_PATH = /* @__PURE__ */ rule("ERR_PATH", (d) => `"${d.name}": ${d.note}${suggestion(d)}`);
export const ERR_ARGUMENT = /* @__PURE__ */ rule("ERR_ARGUMENT", (d) => `${d.note}`);
export const ERR_DISPOSED = /* @__PURE__ */ rule("ERR_DISPOSED", () => "this Btf has been disposed of");

// Limits
export const ERR_MEMORY = /* @__PURE__ */ rule(
  "ERR_MEMORY",
  (d) => `cannot allocate ${count(d.value)} of WebAssembly memory`,
);
export const ERR_TEXT_LENGTH = /* @__PURE__ */ rule(
  "ERR_TEXT_LENGTH",
  () => "the text is longer than a string can be: read it in chunks",
);
export const ERR_PIECE = /* @__PURE__ */ rule(
  "ERR_PIECE",
  (d) => `a single definition or line is longer than ${count(d.limit)}`,
);
export const ERR_WORK = /* @__PURE__ */ rule(
  "ERR_WORK",
  (d) => `type [${d.typeId}] ${d.note ?? "leads to too many types for one text"}`,
);
export const ERR_PATTERN_LENGTH = /* @__PURE__ */ rule(
  "ERR_PATTERN_LENGTH",
  (d) => `the pattern has ${count(d.value)}, more than the limit of ${d.limit}`,
);
export const ERR_OUTPUT_LIMIT = /* @__PURE__ */ rule(
  "ERR_OUTPUT_LIMIT",
  (d) => `${d.name} unpacks to more than ${count(d.limit)}`,
);

// Environment
export const ERR_WASM = /* @__PURE__ */ rule(
  "ERR_WASM",
  (d) => `WebAssembly cannot run here: ${d.note}; allow script-src 'wasm-unsafe-eval', or import btfkit/js`,
);
export const ERR_UNSUPPORTED = /* @__PURE__ */ rule("ERR_UNSUPPORTED", (d) => `${d.note}`);
export const ERR_FILE = /* @__PURE__ */ rule("ERR_FILE", (d) => `${d.name}: ${d.note}`);

// Bugs of this library
export const ERR_INTERNAL = /* @__PURE__ */ rule("ERR_INTERNAL", (d) => `bug in btfkit: ${d.note}`);
