/**
 * Errors. Each has a stable `code`; its text comes from the one table below.
 * `offset` (bytes) and `typeId` say where, as far as the rule has a place.
 */

/** The facts an error is about. Offsets are bytes from the start of the BTF data. */
export interface ErrorDetails {
  /** Where, in bytes from the start of the BTF data (or of the ELF file). */
  offset?: number;
  /** The type at fault. */
  typeId?: number;
  /** The number that broke the rule: a length, an id, a kind. */
  value?: number;
  /** The bound that it broke. */
  limit?: number;
  /** A name: of a type, a member, a section, a file. */
  name?: string;
  /** Names that look like `name`, nearest first. */
  nearest?: readonly string[];
  /** What else there is to say. */
  note?: string;
}

const hex = (value = 0): string => `0x${value.toString(16)}`;
const count = (value = 0, unit = "byte"): string => `${value} ${unit}${value === 1 ? "" : "s"}`;
const meant = ({ nearest }: ErrorDetails): string =>
  nearest?.length ? `; did you mean ${nearest.map((name) => `"${name}"`).join(", ")}?` : "";

/** One text per code. */
const texts = {
  // Header (libbpf's btf_parse_hdr)
  ERR_BTF_EMPTY: () => "empty input: BTF starts with a header of 24 bytes",
  ERR_BTF_MAGIC: (d) => `not BTF: the first two bytes are ${hex(d.value)}, neither BTF's magic 0xeb9f nor an ELF file's`,
  ERR_BTF_HEADER_TRUNCATED: (d) => `truncated header: ${count(d.limit)} are needed, the input has ${d.value}`,
  ERR_BTF_HEADER_LENGTH: (d) => `header length ${d.value} is below 24, the least in an image of the other byte order`,
  ERR_BTF_STRINGS_BOUNDS: (d) => `truncated: the string section ends at byte ${d.value}, the input at ${d.limit}`,
  ERR_BTF_TYPES_BOUNDS: (d) => `the type section ends at byte ${d.value}, behind the start of the strings at ${d.limit}`,
  ERR_BTF_TYPES_ALIGNMENT: (d) => `the type section's offset ${d.value} is not a multiple of 4`,
  ERR_BTF_LAYOUT_ALIGNMENT: (d) => `the layout section's offset ${d.value} is not a multiple of 4`,
  ERR_BTF_LAYOUT_BOUNDS: (d) => `the layout section at bytes ${d.value} to ${d.limit} overlaps the types or the strings`,
  ERR_BTF_LAYOUT_LENGTH: (d) => `the layout section's length ${d.value} is not a multiple of 4`,
  // Strings (btf_parse_str_sec)
  ERR_BTF_STRINGS_EMPTY: () => "the string section is empty, which only split BTF may have",
  ERR_BTF_STRINGS_LENGTH: (d) => `the string section has ${count(d.value)}, more than ${d.limit}`,
  ERR_BTF_STRINGS_END: () => "the string section does not end in a NUL byte",
  ERR_BTF_STRINGS_START: () => "the string section does not start with a NUL byte: split BTF, which needs its base?",
  // Types (btf_parse_type_sec, btf_validate_type)
  ERR_BTF_KIND: (d) => `type [${d.typeId}] has kind ${d.value}, ${d.note}`,
  ERR_BTF_TYPE_TRUNCATED: (d) => `type [${d.typeId}] is ${count(d.value)} long and passes the end of the type section`,
  ERR_BTF_TYPE_TRAILING: (d) => `${count(d.value)} left behind the last type, too few for one more`,
  ERR_BTF_NAME_OFFSET: (d) => `type [${d.typeId}] has a name at string offset ${d.value}, beyond the ${d.limit} bytes of strings`,
  ERR_BTF_TYPE_ID: (d) => `type [${d.typeId}] refers to type ${d.value}, the last one is ${d.limit}`,
  ERR_BTF_FUNC_PROTO: (d) => `FUNC type [${d.typeId}] refers to type ${d.value}, which is no FUNC_PROTO`,
  ERR_BTF_BASE_ENDIAN: (d) => `the image is ${d.name}-endian, its base is not`,
  // Type graph
  ERR_BTF_LOOP: (d) => `type [${d.typeId}] contains itself${d.note ? `: ${d.note}` : ""}`,
  ERR_BTF_DEPTH: (d) => `type [${d.typeId}] is nested deeper than ${d.limit} levels`,
  ERR_BTF_SIZE: (d) => `type [${d.typeId}] is larger than 4 GiB`,
  // ELF
  ERR_ELF_TRUNCATED: (d) => `truncated ELF file: ${d.name} ends at byte ${d.value}, the file at ${d.limit}`,
  ERR_ELF_HEADER: (d) => `malformed ELF header: ${d.note}`,
  ERR_ELF_NO_BTF: (d) => `ELF file without a .BTF section${d.note ? ` (${d.note})` : ""}`,
  ERR_ELF_SECTION: (d) => `ELF section ${d.name}: ${d.note}`,
  ERR_COMPRESSED: (d) => `${d.name}: ${d.note}`,
  // Lookup
  ERR_NOT_FOUND: (d) => `no ${d.note ?? "type"} named "${d.name}"${meant(d)}`,
  ERR_NO_SUCH_ID: (d) => `no type ${d.value}: ids go from 0 to ${d.limit}`,
  ERR_PATH: (d) => `"${d.name}": ${d.note}${meant(d)}`,
  ERR_ARGUMENT: (d) => `${d.note}`,
  ERR_DISPOSED: () => "this Btf has been disposed of",
  // Limits
  ERR_MEMORY: (d) => `${count(d.value)} of WebAssembly memory are not to be had`,
  ERR_TEXT_LENGTH: () => "the text is longer than a string can be: take it in chunks",
  ERR_PIECE: (d) => `one definition or line alone is longer than ${count(d.limit)}`,
  ERR_WORK: (d) => `type [${d.typeId}] leads to so many types, again and again, that no C text can be made of it`,
  ERR_PATTERN_LENGTH: (d) => `a pattern of ${count(d.value)}: the limit is ${d.limit}, the longest name the kernel takes`,
  ERR_OUTPUT_LIMIT: (d) => `${d.name} unpacks to more than ${count(d.limit)}`,
  // Environment
  ERR_WASM: (d) => `WebAssembly cannot run here: ${d.note}`,
  ERR_UNSUPPORTED: (d) => `${d.note}`,
  ERR_FILE: (d) => `${d.name}: ${d.note}`,
  // Ours
  ERR_INTERNAL: (d) => `bug in btfkit: ${d.note}`,
} satisfies Record<string, (details: ErrorDetails) => string>;

/** The stable name of what went wrong. */
export type ErrorCode = keyof typeof texts;

/** What all errors of this library have in common. */
export class BtfError extends Error {
  /** Stable: compare this, not the text. */
  readonly code: ErrorCode;
  /** Where, in bytes, if the rule has a place. */
  declare readonly offset?: number;
  /** The type at fault, if one is. */
  declare readonly typeId?: number;
  /** The facts behind the text. */
  declare readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    const at = details.offset === undefined ? "" : ` (at byte ${details.offset})`;
    super(texts[code](details) + at, options);
    this.code = code;
    if (details.offset !== undefined) this.offset = details.offset;
    if (details.typeId !== undefined) this.typeId = details.typeId;
    // Bulk stays out of what consoles print.
    Object.defineProperty(this, "details", { value: details });
  }

  // Spelled out: minifiers rename classes.
  override get name(): string {
    return "BtfError";
  }
}

/** The input is not what it should be: malformed BTF or ELF. */
export class BtfFormatError extends BtfError {
  override get name(): string {
    return "BtfFormatError";
  }
}

/** What was asked for is not there, or the question is malformed. */
export class BtfLookupError extends BtfError {
  override get name(): string {
    return "BtfLookupError";
  }
}

/** A bound of memory, length or depth was met. */
export class BtfLimitError extends BtfError {
  override get name(): string {
    return "BtfLimitError";
  }
}

/** The host lacks something: WebAssembly, a file, a decompressor. */
export class BtfEnvironmentError extends BtfError {
  override get name(): string {
    return "BtfEnvironmentError";
  }
}

/** A bug of this library. */
export class BtfInternalError extends BtfError {
  override get name(): string {
    return "BtfInternalError";
  }
}
