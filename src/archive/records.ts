/** Files that describe the images of some kernels: JSON, as raw deflate. */

import { ERR_ARCHIVE_DAMAGED } from "../errors/archive.js";
import { BtfFormatError } from "../errors/error.js";
import { deflate, inflate } from "./deflate.js";
import { isFileName } from "./root.js";

/** Kernels that one file describes, at most. */
export const KERNELS_OF_RECORD = 64;
const LIMIT = 256 << 20;

/** One image of a kernel. */
export interface ArchivedImage {
  /** `vmlinux`, or a module's name. */
  readonly name: string;
  /** Of the image, in bytes. */
  readonly byteLength: number;
  /** Of the image, as 64 hexadecimal digits. */
  readonly sha256: string;
  /** How it is coded. */
  readonly codec: number;
  /** Where its coded bytes lie in the kernel's file. */
  readonly offset: number;
  readonly length: number;
}

/** The images of one kernel. */
export interface KernelRecord {
  readonly id: string;
  /** The file with the coded images. */
  readonly file: string;
  /** The kernel whose image of the same name each image is coded against. */
  readonly reference?: string;
  /** vmlinux first. */
  readonly images: readonly ArchivedImage[];
}

export async function packRecords(records: readonly KernelRecord[]): Promise<Uint8Array> {
  return await deflate(new TextEncoder().encode(JSON.stringify(records)));
}

/** @throws BtfFormatError ERR_ARCHIVE_DAMAGED */
export async function unpackRecords(bytes: Uint8Array, name: string): Promise<readonly KernelRecord[]> {
  const text = await inflate(bytes, LIMIT, name);
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(text));
    if (Array.isArray(value) && value.every(isRecord)) return value;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new BtfFormatError(ERR_ARCHIVE_DAMAGED, { name, note: "it is no list of kernels" });
}

function isRecord(value: unknown): value is KernelRecord {
  if (typeof value !== "object" || value === null) return false;
  const { id, file, reference, images } = value as Record<string, unknown>;
  return (
    typeof id === "string" &&
    isFileName(file) &&
    (reference === undefined || typeof reference === "string") &&
    Array.isArray(images) &&
    images.length > 0 &&
    images.every(isImage)
  );
}

function isImage(value: unknown): value is ArchivedImage {
  if (typeof value !== "object" || value === null) return false;
  const { name, byteLength, sha256, codec, offset, length } = value as Record<string, unknown>;
  return (
    typeof name === "string" &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    [byteLength, codec, offset, length].every((one) => Number.isSafeInteger(one) && (one as number) >= 0) &&
    (byteLength as number) <= 2 ** 31
  );
}
