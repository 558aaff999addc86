/** Header and sections as the kernel checks them, field by field in its order. */
import type { Endian } from "../../btf/header.js";
import { HEADER_RULES, type VerifyRule } from "./rules.js";

/** BTF_MAX_SIZE */
const IMAGE_MAX = 16 << 20;
/** `struct btf_header` of kernels before 7.0, and from then on: with the place of a layout section. */
const HEADER_LENGTH = 24;
const LAYOUT_HEADER_LENGTH = 32;
/** Bytes of an entry of the layout section. */
const LAYOUT_ENTRY = 4;
/** BTF_MAX_NAME_OFFSET */
const NAME_OFFSET_MAX = 0xffffff;
const MAGIC = 0xeb9f;

/** A rule of the header that is broken, and its place. */
export interface HeaderFinding {
  readonly rule: VerifyRule;
  readonly offset: number;
}

/** The sections, in bytes from the start of the image. */
export interface Layout {
  readonly endian: Endian;
  readonly types: number;
  readonly typesLength: number;
  readonly strings: number;
  readonly stringsLength: number;
}

/**
 * Checks what comes before the types. A kernel reads its own byte order: the one of the magic is taken for it.
 *
 * @param knowsLayout the kernel knows the layout section
 */
export function checkHeader(bytes: Uint8Array, isSplit: boolean, knowsLayout: boolean): HeaderFinding | Layout {
  const size = bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  const little = size < 2 || view.getUint16(0) !== MAGIC;
  const word = (at: number): number => view.getUint32(at, little);
  const broken = (rule: VerifyRule, offset: number): HeaderFinding => ({ rule, offset });
  if (size > IMAGE_MAX) return broken(HEADER_RULES.size, 0);
  if (size < 8) return broken(HEADER_RULES.length, 0);
  const headerLength = word(4);
  if (size < headerLength) return broken(HEADER_RULES.truncated, 4);
  const known = knowsLayout ? LAYOUT_HEADER_LENGTH : HEADER_LENGTH;
  for (let at = known; at < headerLength; at++) if (bytes[at] !== 0) return broken(HEADER_RULES.unknown, at);
  // A header that is too short has 0 in its place.
  const field = (at: number): number => {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const byte = at + i < headerLength && at + i < size ? bytes[at + i]! : 0;
      value += byte * 2 ** (8 * (little ? i : 3 - i));
    }
    return value;
  };
  if (headerLength < 2 || view.getUint16(0, little) !== MAGIC) return broken(HEADER_RULES.magic, 0);
  if (headerLength < 3 || bytes[2] !== 1) return broken(HEADER_RULES.version, 2);
  if (headerLength >= 4 && bytes[3] !== 0) return broken(HEADER_RULES.flags, 3);
  if (!isSplit && size === headerLength) return broken(HEADER_RULES.empty, 4);
  const types = { offset: field(8), length: field(12), at: 8 };
  const strings = { offset: field(16), length: field(20), at: 16 };
  const layout = knowsLayout ? { offset: field(24), length: field(28), at: 24 } : { offset: 0, length: 0, at: 24 };
  const sections = layout.length > 0 ? [types, layout, strings] : [types, strings];
  const found = checkSections(sections, size - headerLength);
  if (found) return found;
  if (headerLength + strings.offset + strings.length !== size) return broken(HEADER_RULES.stringsEnd, 16);
  const stringsAt = headerLength + strings.offset;
  if (!isSplit || strings.length > 0) {
    const isMalformed = strings.length === 0 || strings.length - 1 > NAME_OFFSET_MAX || bytes[size - 1] !== 0;
    if (isMalformed || (!isSplit && bytes[stringsAt] !== 0)) return broken(HEADER_RULES.strings, stringsAt);
  }
  if (types.offset % 4) return broken(HEADER_RULES.alignment, 8);
  if (layout.length > 0 && (layout.offset % LAYOUT_ENTRY || layout.length % LAYOUT_ENTRY))
    return broken(HEADER_RULES.layout, 24);
  if (!isSplit && types.length === 0) return broken(HEADER_RULES.noTypes, 12);
  return {
    endian: little ? "little" : "big",
    types: headerLength + types.offset,
    typesLength: types.length,
    strings: stringsAt,
    stringsLength: strings.length,
  };
}

interface Section {
  readonly offset: number;
  readonly length: number;
  /** Of its offset in the header. */
  readonly at: number;
}

/** Sections lie one behind the other and fill the image. */
function checkSections(sections: Section[], total: number): HeaderFinding | undefined {
  // The kernel's order: the difference as a signed number of 32 bits.
  sections.sort((a, b) => (a.offset - b.offset) | 0 || (a.length - b.length) | 0);
  let end = 0;
  for (const { offset, length, at } of sections) {
    if (total < offset) return { rule: HEADER_RULES.offset, offset: at };
    if (end < offset) return { rule: HEADER_RULES.gap, offset: at };
    if (end > offset) return { rule: HEADER_RULES.overlap, offset: at };
    if (total - end < length) return { rule: HEADER_RULES.beyond, offset: at + 4 };
    end += length;
  }
  return end === total ? undefined : { rule: HEADER_RULES.gap, offset: 8 };
}
