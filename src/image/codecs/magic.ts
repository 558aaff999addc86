/** Compressed data told by its first bytes. */
export const COMPRESSIONS = ["gzip", "xz", "zstd", "lz4", "lzma", "bzip2"] as const;

/** What btfkit unpacks. `lz4` is the legacy frame of `lz4 -l`, which kernels use, and today's. */
export type ImageCompression = (typeof COMPRESSIONS)[number];

/** Bytes that compressed data starts with, `undefined` for any byte. */
const MAGICS: readonly (readonly [ImageCompression | "lzo", readonly (number | undefined)[]])[] = [
  ["gzip", [0x1f, 0x8b, 8]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["lz4", [0x02, 0x21, 0x4c, 0x18]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  ["bzip2", [0x42, 0x5a, 0x68, undefined, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59]],
  ["bzip2", [0x42, 0x5a, 0x68, undefined, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90]],
  ["lzo", [0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a]],
  // No magic of its own: usual properties, a dictionary of a multiple of 64 KiB.
  ["lzma", [0x5d, 0, 0]],
];

/** The longest of them: lzma's header, and the first byte behind it. */
export const MAGIC_LENGTH = 14;

/** Which compression data starts as, or `undefined`. */
export function compressionAt(bytes: Uint8Array, at = 0): ImageCompression | "lzo" | undefined {
  for (const [kind, magic] of MAGICS) {
    if (magic.some((byte, i) => byte !== undefined && bytes[at + i] !== byte)) continue;
    if (kind === "lzma" && !isLzma(bytes, at)) continue;
    return kind;
  }
  return undefined;
}

/**
 * The header of .lzma: dictionary of 2^n or 2^n + 2^(n-1) bytes, a length that
 * is unknown or below 256 GiB, and a zero, as every encoder starts.
 */
function isLzma(bytes: Uint8Array, at: number): boolean {
  const high = bytes.subarray(at + 9, at + 13);
  if (high.length < 4 || bytes[at + 13] !== 0) return false;
  const unknown = bytes.subarray(at + 5, at + 13).every((byte) => byte === 0xff);
  if (!unknown && (high[1] || high[2] || high[3] || high[0]! > 0x3f)) return false;
  const dictionary = bytes[at + 3]! + bytes[at + 4]! * 256;
  const odd = dictionary / (dictionary & -dictionary || 1);
  return odd === 1 || odd === 3;
}
