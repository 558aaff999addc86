/** LZMA alone (`.lzma`), through the decoder of lzma1. */
import { Decoder } from "lzma1/decoder";
import { BtfError } from "../../errors/error.js";
import { damaged } from "./damaged.js";
import type { Reader } from "./reader.js";

/** A dictionary above this is refused, in bytes: the kernel's build takes 64 MiB at most. */
const DICTIONARY_LIMIT = 128 << 20;
/** Symbols to decode between two looks at input and output. */
const STEPS = 1 << 12;
/** More input than so many symbols take, in bytes. */
const STEPS_INPUT = STEPS * 8;

export async function* unlzma(input: Reader): AsyncGenerator<Uint8Array> {
  const head = await input.peek(13);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (head.length < 13) throw input.truncated("lzma data");
  const dictionary = view.getUint32(1, true);
  if (dictionary > DICTIONARY_LIMIT) throw damaged(input, "lzma data", `a dictionary of ${dictionary} bytes`);
  const size = view.getBigUint64(5, true);
  const decoder = new Decoder();
  let bytes = new Uint8Array(0);
  let at = 0;
  let ended = false;
  /** Makes room: whole steps never run out of input unless the data does. */
  const fill = async (): Promise<void> => {
    if (ended || bytes.length - at >= STEPS_INPUT) return;
    const rest = bytes.subarray(at);
    const more = await input.peek(STEPS_INPUT * 16);
    ended = more.length < STEPS_INPUT * 16;
    const joined = new Uint8Array(rest.length + more.length);
    joined.set(rest);
    joined.set(more, rest.length);
    await input.skip(more.length, "lzma data");
    bytes = joined;
    at = 0;
  };
  const source = {
    readByte(): number {
      if (at < bytes.length) return bytes[at++]!;
      throw input.truncated("lzma data");
    },
  };
  let chunks: Uint8Array[] = [];
  const target = {
    writeBytes: (from: Uint8Array, offset: number, length: number): void => {
      chunks.push(from.slice(offset, offset + length));
    },
  };
  await fill();
  const known = size < 2n ** 32n ? size : -1n;
  try {
    decoder.initDecompression(source, target);
    for (let last = false; !last; ) {
      await fill();
      for (let step = 0; step < STEPS && !last; step++) {
        if (known >= 0n && decoder.nowPos64 >= known) last = true;
        else {
          const result = decoder.codeOneChunk();
          if (result < 0) throw damaged(input, "lzma data");
          last = result > 0;
        }
      }
      decoder.flush();
      for (const chunk of chunks) yield chunk;
      chunks = [];
    }
  } catch (cause) {
    throw cause instanceof BtfError ? cause : damaged(input, "lzma data", (cause as Error).message, { cause });
  }
  input.unread(bytes.subarray(at));
}
