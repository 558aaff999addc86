/** Unpacks compressed data, each kind through a library that is loaded when it is met. */
import { BtfFormatError } from "../../errors/error.js";
import { ERR_IMAGE_COMPRESSION } from "../../errors/image.js";
import type { Budget } from "./budget.js";
import type { ImageCompression } from "./magic.js";
import type { Reader } from "./reader.js";

type Decoder = (input: Reader) => AsyncGenerator<Uint8Array>;

const DECODERS: Readonly<Record<ImageCompression, () => Promise<Decoder>>> = {
  gzip: async () => (await import("./gzip.js")).gunzip,
  xz: async () => (await import("./xz.js")).unxz,
  zstd: async () => (await import("./zstd.js")).unzstd,
  lz4: async () => (await import("./lz4.js")).unlz4,
  lzma: async () => (await import("./lzma.js")).unlzma,
  bzip2: async () => (await import("./bzip2.js")).bunzip2,
};

/**
 * Unpacks what the reader stands at, to the end of the compressed data; what
 * follows that is left unread.
 *
 * @throws BtfFormatError ERR_IMAGE_TRUNCATED, ERR_IMAGE_DAMAGED with the place in
 *   the compressed data, ERR_IMAGE_COMPRESSION for lzo; BtfLimitError ERR_IMAGE_LIMIT
 */
export async function* unpack(
  kind: ImageCompression | "lzo",
  input: Reader,
  budget: Budget,
): AsyncGenerator<Uint8Array> {
  if (kind === "lzo") {
    const note = "packed with lzo (lzop), for which there is no decoder that is kept well";
    throw new BtfFormatError(ERR_IMAGE_COMPRESSION, { name: input.name, note, offset: input.position });
  }
  const decode = await DECODERS[kind]();
  for await (const chunk of decode(input)) {
    budget.spend(chunk.length, input, `${kind} data`);
    yield chunk;
  }
}
