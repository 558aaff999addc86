/** Images as an archive stores them, bit for bit: coded by the model, or compressed whole where that cannot be. */

import { Btf } from "../../btf/btf.js";
import { BtfError } from "../../errors/error.js";
import { deflate, inflate } from "../deflate.js";
import { counterparts } from "./align.js";
import { Coder } from "./coder.js";
import { codeImage } from "./model.js";
import { joinImage, type ParsedImage, parseImage } from "./parse.js";

/** How the bytes of an image are stored; the number is part of the format. */
export const DEFLATED = 0;
export const MODELLED = 1;

/** An image as others are coded against it. */
export interface CodedImage {
  readonly bytes: Uint8Array;
  /** `undefined` for one that only stands as a whole. */
  readonly parsed: ParsedImage | undefined;
}

/** The image that another is coded against, with the base of each. */
export interface ImageContext {
  readonly base?: CodedImage;
  readonly reference?: CodedImage;
}

export function asImage(bytes: Uint8Array, base?: CodedImage): CodedImage {
  return { bytes, parsed: base && !base.parsed ? undefined : parseImage(bytes, base?.parsed) };
}

/**
 * Encodes an image, and decodes it again to prove that it comes back.
 */
export async function encodeImage(
  image: CodedImage,
  { base, reference }: ImageContext,
): Promise<{ readonly codec: number; readonly bytes: Uint8Array }> {
  const { parsed } = image;
  if (parsed && (!base || base.parsed)) {
    const against = reference?.parsed && alignment(image, reference, base);
    const coder = new Coder();
    codeImage(coder, parsed, base?.parsed, against || undefined, Infinity);
    const bytes = coder.finish();
    const back = decodeModelled(bytes, image.bytes.length, {
      ...(base && { base }),
      ...(against && { reference: reference! }),
    });
    if (back && isEqual(back, image.bytes)) return { codec: MODELLED, bytes };
  }
  return { codec: DEFLATED, bytes: await deflate(image.bytes) };
}

/** Pairs the types of an image with the reference's; `undefined` where one of the two cannot be opened. */
function alignment(image: CodedImage, reference: CodedImage, base: CodedImage | undefined) {
  const opened: Btf[] = [];
  try {
    const under = base && Btf.parse(base.bytes);
    if (under) opened.push(under);
    const now = under ? under.split(image.bytes) : Btf.parse(image.bytes);
    const old = Btf.parse(reference.bytes);
    opened.push(now, old);
    return { image: reference.parsed!, counterparts: counterparts(now, old) };
  } catch (error) {
    if (error instanceof BtfError && error.code !== "ERR_INTERNAL") return undefined;
    throw error;
  } finally {
    for (const btf of opened) btf[Symbol.dispose]();
  }
}

/**
 * Decodes what `encodeImage` wrote.
 *
 * @param length of the image in bytes
 * @returns `undefined` for damaged bytes
 */
export async function decodeImage(
  codec: number,
  bytes: Uint8Array,
  length: number,
  context: ImageContext,
): Promise<Uint8Array | undefined> {
  if (codec === MODELLED) return decodeModelled(bytes, length, context);
  if (codec === DEFLATED) return await inflate(bytes, length, "image");
  return undefined;
}

function decodeModelled(bytes: Uint8Array, length: number, { base, reference }: ImageContext): Uint8Array | undefined {
  const against = reference?.parsed && { image: reference.parsed };
  const parts = codeImage(new Coder(bytes), undefined, base?.parsed, against || undefined, length * 2 + 1024);
  return parts && joinImage(parts);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
