/** Compressed data: told by its first bytes, unpacked by the host or by a library loaded when it is met. */

import { ERR_COMPRESSED, ERR_OUTPUT_LIMIT } from "../errors/btf.js";
import { BtfFormatError, BtfLimitError } from "../errors/error.js";
import { readStream } from "./source.js";

export type Compression = "gzip" | "zlib" | "zstd";

/** The limit of unpacked data in bytes: well above the BTF of any kernel. */
export const UNPACKED_LIMIT = 512 << 20;

/** Tells whether the data starts with gzip's magic. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * Unpacks.
 *
 * @param limit the most it may unpack to, in bytes
 * @param name what to call it in errors
 * @throws BtfFormatError ERR_COMPRESSED if the data is damaged,
 *   BtfLimitError ERR_OUTPUT_LIMIT beyond the limit.
 */
export async function decompress(
  kind: Compression,
  bytes: Uint8Array,
  limit: number,
  name: string,
): Promise<Uint8Array> {
  checkUnpacked(limit, name);
  try {
    if (kind === "zstd") {
      const { decompress: unpack } = await import("fzstd");
      return unpack(bytes, new Uint8Array(limit));
    }
    const stream = new DecompressionStream(kind === "gzip" ? "gzip" : "deflate");
    const unpacked = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream);
    return await readStream(unpacked, limit, name);
  } catch (cause) {
    if (cause instanceof BtfLimitError) throw cause;
    throw new BtfFormatError(ERR_COMPRESSED, { name, note: `damaged ${kind} data` }, { cause });
  }
}

/** Refuses an announced length that no BTF has. @throws BtfLimitError ERR_OUTPUT_LIMIT */
export function checkUnpacked(byteSize: number, name: string): void {
  if (byteSize > UNPACKED_LIMIT) throw new BtfLimitError(ERR_OUTPUT_LIMIT, { name, limit: UNPACKED_LIMIT });
}
