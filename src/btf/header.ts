/**
 * The BTF header and the bounds of its sections (libbpf's btf_parse_hdr,
 * btf_parse_str_sec, btf_parse_layout_sec).
 */

import {
  ERR_BTF_EMPTY,
  ERR_BTF_HEADER_LENGTH,
  ERR_BTF_HEADER_TRUNCATED,
  ERR_BTF_LAYOUT_ALIGNMENT,
  ERR_BTF_LAYOUT_BOUNDS,
  ERR_BTF_LAYOUT_LENGTH,
  ERR_BTF_MAGIC,
  ERR_BTF_STRINGS_BOUNDS,
  ERR_BTF_STRINGS_EMPTY,
  ERR_BTF_STRINGS_END,
  ERR_BTF_STRINGS_LENGTH,
  ERR_BTF_STRINGS_START,
  ERR_BTF_TYPES_ALIGNMENT,
  ERR_BTF_TYPES_BOUNDS,
} from "../errors/btf.js";
import { BtfFormatError, type Rule } from "../errors/error.js";
import { foreignFormat } from "./foreign-format.js";

/** Byte order of an image. */
export type Endian = "little" | "big";

/** The header's fields. Lengths in bytes; offsets in bytes from the header's end. */
export interface Header {
  readonly endian: Endian;
  readonly version: number;
  readonly flags: number;
  /** 24, 32, or more. */
  readonly headerLength: number;
  readonly typesOffset: number;
  readonly typesLength: number;
  readonly stringsOffset: number;
  readonly stringsLength: number;
  /** 0 where there is no layout section. */
  readonly layoutOffset: number;
  readonly layoutLength: number;
}

export const MAGIC = 0xeb9f;
const SWAPPED_MAGIC = 0x9feb;
/** The header through `str_len`, as kernels so far write it. */
const HEADER_MIN = 24;
/** The header through `layout_len`. */
const HEADER_MAX = 32;
/** libbpf's BTF_MAX_STR_OFFSET. */
const STRINGS_MAX = 0x7fffffff;

/** Refuses what breaks a rule. */
function demand(holds: boolean, rule: Rule, offset: number, value = 0, limit = 0): void {
  if (!holds) throw new BtfFormatError(rule, { offset, value, limit });
}

/** Reads and checks the header of the image at [at, at + length). */
export function readHeader(view: DataView, at: number, length: number, split: boolean): Header {
  demand(length > 0, ERR_BTF_EMPTY, 0);
  const magic = length < 2 ? view.getUint8(at) : view.getUint16(at);
  const little = magic === SWAPPED_MAGIC;
  if (!little && magic !== MAGIC) {
    const note = foreignFormat(new Uint8Array(view.buffer, view.byteOffset + at, length));
    throw new BtfFormatError(ERR_BTF_MAGIC, { offset: 0, value: magic, ...(note && { note }) });
  }
  demand(length >= HEADER_MIN, ERR_BTF_HEADER_TRUNCATED, 0, length, HEADER_MIN);
  const headerLength = view.getUint32(at + 4, little);
  demand(little || headerLength >= HEADER_MIN, ERR_BTF_HEADER_LENGTH, 4, headerLength);
  demand(length >= headerLength, ERR_BTF_HEADER_TRUNCATED, 4, length, headerLength);
  // A field that the header is too short for is 0.
  const known = Math.min(headerLength, HEADER_MAX);
  const field = (offset: number): number => (offset + 4 <= known ? view.getUint32(at + offset, little) : 0);
  const header: Header = {
    endian: little ? "little" : "big",
    version: view.getUint8(at + 2),
    flags: view.getUint8(at + 3),
    headerLength,
    typesOffset: field(8),
    typesLength: field(12),
    stringsOffset: field(16),
    stringsLength: field(20),
    layoutOffset: field(24),
    layoutLength: field(28),
  };
  checkSections(header, length);
  checkStrings(header, view, at, split);
  return header;
}

/** Ends and starts are told in bytes from the start of the image. */
function checkSections(header: Header, length: number): void {
  const { headerLength, typesOffset, typesLength, stringsOffset, stringsLength, layoutOffset, layoutLength } = header;
  const stringsStart = headerLength + stringsOffset;
  const stringsEnd = stringsStart + stringsLength;
  const typesEnd = headerLength + typesOffset + typesLength;
  const layoutStart = headerLength + layoutOffset;
  const layoutEnd = layoutStart + layoutLength;
  demand(stringsEnd <= length, ERR_BTF_STRINGS_BOUNDS, 16, stringsEnd, length);
  demand(typesEnd <= stringsStart, ERR_BTF_TYPES_BOUNDS, 8, typesEnd, stringsStart);
  demand(typesOffset % 4 === 0, ERR_BTF_TYPES_ALIGNMENT, 8, typesOffset);
  if (layoutLength === 0) return;
  demand(layoutOffset % 4 === 0, ERR_BTF_LAYOUT_ALIGNMENT, 24, layoutOffset);
  const fits = layoutStart >= typesEnd && layoutEnd <= stringsStart;
  demand(fits, ERR_BTF_LAYOUT_BOUNDS, 24, layoutStart, layoutEnd);
  demand(layoutLength % 4 === 0, ERR_BTF_LAYOUT_LENGTH, 28, layoutLength);
}

function checkStrings(header: Header, view: DataView, at: number, split: boolean): void {
  const { headerLength, stringsOffset, stringsLength } = header;
  if (stringsLength === 0 && split) return;
  demand(stringsLength > 0, ERR_BTF_STRINGS_EMPTY, 20);
  demand(stringsLength - 1 <= STRINGS_MAX, ERR_BTF_STRINGS_LENGTH, 20, stringsLength, STRINGS_MAX);
  const first = headerLength + stringsOffset;
  const last = first + stringsLength - 1;
  demand(view.getUint8(at + last) === 0, ERR_BTF_STRINGS_END, last);
  demand(split || view.getUint8(at + first) === 0, ERR_BTF_STRINGS_START, first);
}
