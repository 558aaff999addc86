/** bzip2, a block at a time, through the decoder of unbzip2-stream. */
import bzip2 from "unbzip2-stream/lib/bzip2.js";
import { BtfError } from "../../errors/error.js";
import { damaged } from "./damaged.js";
import type { Reader } from "./reader.js";
import { compressionAt, MAGIC_LENGTH } from "./registry.js";

/** What a level adds to a block, in bytes unpacked. */
const LEVEL_SIZE = 100_000;
/** "BZh" */
const BZH = 0x425a68;
/** More than a block's tables and the worst of packing take, in bytes. */
const BLOCK_SLACK = 25_000;

/** One stream, and those right behind it, as parallel packers write them. */
export async function* bunzip2(input: Reader): AsyncGenerator<Uint8Array> {
  do yield* stream(input);
  while (compressionAt(await input.peek(MAGIC_LENGTH)) === "bzip2");
}

async function* stream(input: Reader): AsyncGenerator<Uint8Array> {
  const head = await input.peek(4);
  const level = (head[3] ?? 0) - 0x30;
  if (head.length < 4) throw input.truncated("bzip2 data");
  if (level < 1 || level > 9) throw damaged(input, "bzip2 data", "an unknown block size");
  const blockSize = level * LEVEL_SIZE;
  const block = new Int32Array(blockSize);
  let bytes = new Uint8Array(0);
  let at = 0;
  let bit = 0;
  /** The decoder asks for bits, highest first; for `null` it wants to go on at the next whole byte. */
  const bits = (count: number | null): number => {
    if (count === null) {
      if (bit > 0) at++;
      bit = 0;
      return 0;
    }
    let value = 0;
    for (let left = count; left > 0; ) {
      if (at >= bytes.length) throw input.truncated("bzip2 data");
      const taken = Math.min(left, 8 - bit);
      value = (value << taken) | ((bytes[at]! >> (8 - bit - taken)) & ((1 << taken) - 1));
      bit += taken;
      left -= taken;
      if (bit === 8) {
        bit = 0;
        at++;
      }
    }
    return value;
  };
  let output = new Uint8Array(blockSize);
  let length = 0;
  // A block starts with a run-length code: it may grow beyond its size.
  const put = (byte: number): void => {
    if (length === output.length) {
      const longer = new Uint8Array(2 * length);
      longer.set(output);
      output = longer;
    }
    output[length++] = byte;
  };
  let checksum: number | null = 0;
  await input.skip(4, "bzip2 data");
  do {
    const rest = bytes.subarray(at);
    const more = (await input.peek(blockSize + BLOCK_SLACK - rest.length)).slice();
    await input.skip(more.length, "bzip2 data");
    bytes = new Uint8Array(rest.length + more.length);
    bytes.set(rest);
    bytes.set(more, rest.length);
    at = 0;
    length = 0;
    try {
      // The decoder keeps its tables in itself, and another stream may have used them.
      bzip2.header((count) => (count === 24 ? BZH : 0x30 + level));
      checksum = bzip2.decompress(bits, put, block, blockSize, checksum);
    } catch (cause) {
      throw cause instanceof BtfError ? cause : damaged(input, "bzip2 data", (cause as Error).message, { cause });
    }
    if (length > 0) yield output.subarray(0, length);
  } while (checksum !== null);
  input.unread(bytes.subarray(at));
}
