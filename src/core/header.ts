/**
 * The BTF header and the bounds of its sections (libbpf's btf_parse_hdr,
 * btf_parse_str_sec, btf_parse_layout_sec).
 */
import { BtfFormatError } from "../errors.js";
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
} from "../rules.js";

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
/** Through `str_len`: the header of kernels so far. */
const HEADER_MIN = 24;
/** Through `layout_len`. */
const HEADER_MAX = 32;
/** libbpf's BTF_MAX_STR_OFFSET. */
const STRINGS_MAX = 0x7fffffff;

/** Reads and checks the header of the image at [at, at + length). */
export function readHeader(view: DataView, at: number, length: number, split: boolean): Header {
  if (length === 0) throw new BtfFormatError(ERR_BTF_EMPTY);
  const magic = length < 2 ? -1 : view.getUint16(at, true);
  const little = magic === MAGIC;
  if (!little && magic !== ((MAGIC >> 8) | ((MAGIC & 0xff) << 8))) {
    throw new BtfFormatError(ERR_BTF_MAGIC, { offset: 0, value: length < 2 ? view.getUint8(at) : view.getUint16(at) });
  }
  if (length < HEADER_MIN) {
    throw new BtfFormatError(ERR_BTF_HEADER_TRUNCATED, { offset: 0, value: length, limit: HEADER_MIN });
  }
  const headerLength = view.getUint32(at + 4, little);
  if (!little && headerLength < HEADER_MIN) {
    throw new BtfFormatError(ERR_BTF_HEADER_LENGTH, { offset: 4, value: headerLength });
  }
  if (length < headerLength) {
    throw new BtfFormatError(ERR_BTF_HEADER_TRUNCATED, { offset: 4, value: length, limit: headerLength });
  }
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

function checkSections(header: Header, length: number): void {
  const { headerLength, typesOffset, typesLength, stringsOffset, stringsLength, layoutOffset, layoutLength } = header;
  const stringsEnd = stringsOffset + stringsLength;
  if (stringsEnd > length - headerLength) {
    throw new BtfFormatError(ERR_BTF_STRINGS_BOUNDS, { offset: 16, value: headerLength + stringsEnd, limit: length });
  }
  const typesEnd = typesOffset + typesLength;
  if (typesEnd > stringsOffset) {
    const value = headerLength + typesEnd;
    throw new BtfFormatError(ERR_BTF_TYPES_BOUNDS, { offset: 8, value, limit: headerLength + stringsOffset });
  }
  if (typesOffset % 4) throw new BtfFormatError(ERR_BTF_TYPES_ALIGNMENT, { offset: 8, value: typesOffset });
  if (layoutLength === 0) return;
  if (layoutOffset % 4) throw new BtfFormatError(ERR_BTF_LAYOUT_ALIGNMENT, { offset: 24, value: layoutOffset });
  const layoutEnd = layoutOffset + layoutLength;
  if (layoutOffset < typesEnd || layoutEnd > stringsOffset) {
    const value = headerLength + layoutOffset;
    throw new BtfFormatError(ERR_BTF_LAYOUT_BOUNDS, { offset: 24, value, limit: headerLength + layoutEnd });
  }
  if (layoutLength % 4) throw new BtfFormatError(ERR_BTF_LAYOUT_LENGTH, { offset: 28, value: layoutLength });
}

function checkStrings(header: Header, view: DataView, at: number, split: boolean): void {
  const { headerLength, stringsOffset, stringsLength } = header;
  const offset = headerLength + stringsOffset;
  if (stringsLength === 0) {
    if (split) return;
    throw new BtfFormatError(ERR_BTF_STRINGS_EMPTY, { offset: 20 });
  }
  if (stringsLength - 1 > STRINGS_MAX) {
    throw new BtfFormatError(ERR_BTF_STRINGS_LENGTH, { offset: 20, value: stringsLength, limit: STRINGS_MAX });
  }
  if (view.getUint8(at + offset + stringsLength - 1) !== 0) {
    throw new BtfFormatError(ERR_BTF_STRINGS_END, { offset: offset + stringsLength - 1 });
  }
  if (!split && view.getUint8(at + offset) !== 0) throw new BtfFormatError(ERR_BTF_STRINGS_START, { offset });
}
