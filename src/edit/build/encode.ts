/** Bytes of an image: its own, or with another header, layout section or byte order (libbpf's btf__raw_data). */
import type { Btf } from "../../btf/btf.js";
import type { Endian } from "../../btf/header.js";
import type { Image } from "../../btf/image.js";
import { ERR_ARGUMENT, ERR_UNSUPPORTED } from "../../errors/btf.js";
import { BtfEnvironmentError, BtfError } from "../../errors/error.js";
import { RECORD_SHAPES } from "../../format/generated/records.js";
import { LAYOUT_ENTRY_SIZE } from "../../memory/generated/edit-abi.js";
import { isKnownKind } from "./record.js";

/** Options of `encode`. */
export interface EncodeOptions {
  /** Header length in bytes: 24, or 32 with fields for the layout section (default: the image's). */
  readonly header?: 24 | 32;
  /**
   * A layout section between types and strings that tells how long records of
   * each kind are: `true` writes that of kinds 0 to 19, `false` none (default:
   * the image's). Needs a header of 32 bytes.
   */
  readonly layout?: boolean;
  /** Byte order (default: the image's). */
  readonly endian?: Endian;
}

/** The magic of `.BTF` and `.BTF.ext`; the default entry has a copy, so that it exports nothing more. @internal */
export const MAGIC = 0xeb9f;

/** The parts of an image, little-endian. @internal */
export interface Sections {
  readonly types: Uint8Array;
  readonly strings: Uint8Array;
  /** Entries of the layout section, flags in `layoutEndian` order. */
  readonly layout?: Uint8Array | undefined;
  readonly layoutEndian?: Endian;
  readonly version?: number;
  readonly flags?: number;
}

/** Returns the layout section of all kinds that this toolkit knows. */
function knownLayout(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(RECORD_SHAPES.length * LAYOUT_ENTRY_SIZE);
  RECORD_SHAPES.forEach(([, fixed, , element], kind) => bytes.set([fixed * 4, element * 4], kind * LAYOUT_ENTRY_SIZE));
  return bytes;
}

/** Reverses the bytes of each whole u32; `bytes` starts at a multiple of 4 of its buffer. @internal */
export function swapWords(bytes: Uint8Array): void {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    words[i] = (word >>> 24) | ((word >>> 8) & 0xff00) | ((word & 0xff00) << 8) | (word << 24);
  }
}

/** Returns the parts of an image besides types and strings; the layout section is copied. @internal */
export function frameOf(image: Image): Omit<Sections, "types" | "strings"> {
  const { header } = image;
  const layoutAt = image.raw + header.headerLength + header.layoutOffset;
  return {
    layout: header.layoutLength ? image.memory.slice(layoutAt, layoutAt + header.layoutLength) : undefined,
    layoutEndian: header.endian,
    version: header.version,
    flags: header.flags,
  };
}

/** The sections of an open image, copied. @internal */
export function sectionsOf(image: Image): Sections {
  const { header, memory } = image;
  return {
    ...frameOf(image),
    types: memory.slice(image.types, image.types + header.typesLength),
    strings: memory.slice(image.strings, image.strings + header.stringsLength),
  };
}

/** An image of these sections: its header, its size in bytes, and what writes it. @internal */
export interface Assembled {
  readonly head: Uint8Array;
  readonly size: number;
  readonly readInto: (target: Uint8Array) => void;
}

/** Puts an image together: header, types, layout, strings, without gaps. @internal */
export function assembled(
  sections: Sections,
  headerLength: 24 | 32,
  layout: Uint8Array | undefined,
  endian: Endian,
): Assembled {
  const { types, strings, layoutEndian = endian, version = 1, flags = 0 } = sections;
  const layoutLength = layout?.length ?? 0;
  const stringsOffset = types.length + layoutLength;
  const head = new Uint8Array(headerLength);
  const view = new DataView(head.buffer);
  const little = endian === "little";
  view.setUint16(0, MAGIC, little);
  head[2] = version;
  head[3] = flags;
  const fields = [headerLength, 0, types.length, stringsOffset, strings.length];
  if (headerLength === 32) fields.push(layoutLength ? types.length : 0, layoutLength);
  fields.forEach((value, i) => view.setUint32(4 + i * 4, value, little));
  const readInto = (bytes: Uint8Array): void => {
    bytes.set(head);
    bytes.set(types, headerLength);
    if (!little) swapWords(bytes.subarray(headerLength, headerLength + types.length));
    if (layout) {
      const at = headerLength + types.length;
      bytes.set(layout, at);
      if (layoutEndian !== endian) {
        for (let i = at; i < at + layoutLength; i += LAYOUT_ENTRY_SIZE) bytes.subarray(i + 2, i + 4).reverse();
      }
    }
    bytes.set(strings, headerLength + stringsOffset);
  };
  return { head, size: headerLength + stringsOffset + strings.length, readInto };
}

/** The image of these sections. @internal */
export function assemble(...parts: Parameters<typeof assembled>): Uint8Array<ArrayBuffer> {
  const { size, readInto } = assembled(...parts);
  const bytes = new Uint8Array(size);
  readInto(bytes);
  return bytes;
}

/** The image's own bytes, as they came in. */
function ownBytes(image: Image): Uint8Array<ArrayBuffer> {
  const bytes = image.memory.slice(image.raw, image.raw + image.rawLength);
  if (image.header.endian === "big") {
    // The header may have any length, the copy starts at a word.
    const at = image.types - image.raw;
    const types = bytes.slice(at, at + image.header.typesLength);
    swapWords(types);
    bytes.set(types, at);
  }
  return bytes;
}

/**
 * The bytes of a Btf. Without options, or with options that change nothing,
 * they are the bytes it was opened from; else header, types, layout and strings
 * are written anew, one behind the other.
 *
 * @throws BtfError ERR_ARGUMENT for a layout section in a header of 24 bytes;
 *   BtfEnvironmentError ERR_UNSUPPORTED for the other byte order with kinds
 *   above 19, whose fields nothing describes.
 * @example
 * const swapped = encode(btf, { endian: "big" });
 * console.log(Btf.parse(swapped).endian, swapped.length === bytes.length); // big true
 */
export function encode(btf: Btf, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  const { image } = btf;
  const header = image.header;
  const endian = options.endian ?? header.endian;
  const hasLayout = header.layoutLength > 0;
  const headerLength = options.header ?? (options.layout ? 32 : header.headerLength < 32 ? 24 : 32);
  const wantsLayout = options.layout ?? (hasLayout && options.header !== 24);
  if (headerLength !== 24 && headerLength !== 32) {
    throw new BtfError(ERR_ARGUMENT, { note: `a header has 24 or 32 bytes, not ${String(headerLength)}` });
  }
  if (endian !== "little" && endian !== "big") {
    throw new BtfError(ERR_ARGUMENT, { note: `a byte order is "little" or "big", not ${JSON.stringify(endian)}` });
  }
  if (wantsLayout && headerLength === 24) {
    throw new BtfError(ERR_ARGUMENT, { note: "a layout section needs a header of 32 bytes" });
  }
  const sameHeader = options.header === undefined || options.header === header.headerLength;
  if (endian === header.endian && wantsLayout === hasLayout && sameHeader) return ownBytes(image);
  if (endian !== header.endian) {
    for (const kind of image.kinds) {
      if (isKnownKind(kind)) continue;
      throw new BtfEnvironmentError(ERR_UNSUPPORTED, {
        note: `kind ${kind} is unknown: nothing says how its fields are turned to the other byte order`,
      });
    }
  }
  const sections = sectionsOf(image);
  const layout = wantsLayout ? (sections.layout ?? knownLayout()) : undefined;
  return assemble(
    layout === sections.layout ? sections : { ...sections, layoutEndian: "little" },
    headerLength,
    layout,
    endian,
  );
}
