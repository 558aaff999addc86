/** LZ4 frames, legacy (the Linux kernel's lib/decompress_unlz4.c) and today's; the blocks through lz4js. */
import { decompressBlock } from "lz4js";
import { damaged } from "./damaged.js";
import type { Reader } from "./reader.js";

const LEGACY_MAGIC = 0x184c2102;
/** What a block of a legacy frame unpacks to, in bytes. */
const LEGACY_BLOCK = 8 << 20;
/** What such a block may be packed in (LZ4_COMPRESSBOUND). */
const LEGACY_PACKED = LEGACY_BLOCK + Math.floor(LEGACY_BLOCK / 255) + 16;
/** How far back a block may refer, in bytes. */
const HISTORY = 1 << 16;

export async function* unlz4(input: Reader): AsyncGenerator<Uint8Array> {
  const magic = await number(input, 4);
  yield* magic === LEGACY_MAGIC ? legacyFrame(input) : frame(input);
}

async function number(input: Reader, length: number): Promise<number> {
  const bytes = await input.read(length, "lz4 data");
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

/** Blocks until the data ends, or something follows that is no block's length. */
async function* legacyFrame(input: Reader): AsyncGenerator<Uint8Array> {
  const output = new Uint8Array(LEGACY_BLOCK);
  for (;;) {
    const head = await input.peek(4);
    if (head.length === 0) return;
    if (head.length < 4) throw input.truncated("lz4 data");
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
    if (length !== LEGACY_MAGIC && (length === 0 || length > LEGACY_PACKED)) return;
    await input.skip(4, "lz4 data");
    if (length !== LEGACY_MAGIC)
      yield output.subarray(0, block(input, await input.read(length, "lz4 data"), output, 0));
  }
}

/** Unpacks a block to `output` from `start` on; returns where it ends. */
function block(input: Reader, packed: Uint8Array, output: Uint8Array, start: number): number {
  const end = decompressBlock(packed, output, 0, packed.length, start);
  if (end <= output.length) return end;
  throw damaged(input, "lz4 data", "a block longer than the frame allows");
}

async function* frame(input: Reader): AsyncGenerator<Uint8Array> {
  const [flags, size] = (await input.read(2, "lz4 data")) as unknown as [number, number];
  const blockSize = 1 << (8 + 2 * ((size >> 4) & 7));
  if (flags >> 6 !== 1 || blockSize < 1 << 16 || flags & 3) throw damaged(input, "lz4 data", "an unknown frame header");
  const [hasBlockChecksum, hasContentSize, hasChecksum] = [flags & 16, flags & 8, flags & 4];
  await input.skip((hasContentSize ? 8 : 0) + 1, "lz4 data");
  // Behind the last 64 KiB, to which blocks may refer, there is room for a block.
  const output = new Uint8Array(HISTORY + blockSize);
  let start = 0;
  for (let length = await number(input, 4); length !== 0; length = await number(input, 4)) {
    const packed = length % 2 ** 31;
    if (packed > blockSize) throw damaged(input, "lz4 data", "a block longer than the frame allows");
    const bytes = await input.read(packed, "lz4 data");
    if (length >= 2 ** 31) output.set(bytes, start);
    const end = length >= 2 ** 31 ? start + packed : block(input, bytes, output, start);
    yield output.subarray(start, end);
    const kept = Math.min(end, HISTORY);
    output.copyWithin(0, end - kept, end);
    start = kept;
    if (hasBlockChecksum) await input.skip(4, "lz4 data");
  }
  if (hasChecksum) await input.skip(4, "lz4 data");
}
