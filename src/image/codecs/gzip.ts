/** gzip through pako, which tells where the data ends: kernels have more behind it, and DecompressionStream refuses that. */
import { Z_BUF_ERROR, Z_NO_FLUSH, Z_STREAM_END, ZStream, zlibInflate, zlibInflateInit2, zlibInflateReset } from "pako";
import { damaged } from "./damaged.js";
import type { Reader } from "./reader.js";

/** A window of 32 KiB, with gzip's header and checksum. */
const GZIP = 15 + 16;
/** The same with neither, as in zip archives. */
const BARE = -15;
const OUTPUT_SIZE = 1 << 17;

/** Members of gzip, one after the other. */
export function gunzip(input: Reader): AsyncGenerator<Uint8Array> {
  return unpacked(input, GZIP, "gzip data");
}

/** Deflated data alone. */
export function inflate(input: Reader): AsyncGenerator<Uint8Array> {
  return unpacked(input, BARE, "deflated data");
}

async function* unpacked(input: Reader, windowBits: number, what: string): AsyncGenerator<Uint8Array> {
  const stream = new ZStream();
  zlibInflateInit2(stream, windowBits);
  const output = new Uint8Array(OUTPUT_SIZE);
  for (;;) {
    const chunk = await input.chunk();
    if (!chunk) throw input.truncated(what);
    stream.input = chunk;
    stream.next_in = 0;
    stream.avail_in = chunk.length;
    for (;;) {
      stream.output = output;
      stream.next_out = 0;
      stream.avail_out = OUTPUT_SIZE;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      if (status < 0 && status !== Z_BUF_ERROR) {
        input.unread(chunk.subarray(stream.next_in));
        throw damaged(input, what, stream.msg);
      }
      if (stream.next_out > 0) yield output.subarray(0, stream.next_out);
      if (status === Z_STREAM_END) {
        input.unread(chunk.subarray(stream.next_in));
        const [first, second, method] = await input.peek(3);
        if (windowBits === BARE || first !== 0x1f || second !== 0x8b || method !== 8) return;
        zlibInflateReset(stream);
        break;
      }
      if (stream.avail_in === 0 && stream.avail_out > 0) break;
    }
  }
}
