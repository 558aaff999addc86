/** Raw deflate, by the host. */

import { readStream } from "../btf/source.js";
import { ERR_ARCHIVE_DAMAGED } from "../errors/archive.js";
import { BtfFormatError } from "../errors/error.js";

export async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const { deflateRaw } = await import("pako");
  return deflateRaw(bytes, { level: 9 });
}

/**
 * Unpacks to at most `limit` bytes.
 *
 * @throws BtfFormatError ERR_ARCHIVE_DAMAGED, also for more
 */
export async function inflate(bytes: Uint8Array, limit: number, name: string): Promise<Uint8Array> {
  try {
    const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
    return await readStream(stream.pipeThrough(new DecompressionStream("deflate-raw")), limit, name);
  } catch (cause) {
    throw new BtfFormatError(ERR_ARCHIVE_DAMAGED, { name, note: "its compressed data is damaged" }, { cause });
  }
}
