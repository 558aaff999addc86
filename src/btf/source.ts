/** Sources of bytes: random access over memory or a file, and streams read to their end. */

import { ERR_ARGUMENT, ERR_FILE, ERR_OUTPUT_LIMIT } from "../errors/btf.js";
import { BtfEnvironmentError, BtfError, BtfLimitError } from "../errors/error.js";

/** Random access. */
export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /** The bytes at [offset, offset + length), which lie inside; valid until the next read. */
  read(offset: number, length: number): Uint8Array;
  /** Fills `target` with the bytes from `offset` on. */
  readInto(offset: number, target: Uint8Array): void;
}

/** The bytes of any buffer or view, without a copy. */
export function bytesOf(input: ArrayBuffer | ArrayBufferView | SharedArrayBuffer): Uint8Array {
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input?.byteLength !== undefined) return new Uint8Array(input);
  throw new BtfError(ERR_ARGUMENT, { note: "expected bytes: a Uint8Array, another view, or an ArrayBuffer" });
}

export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
    readInto: (offset, target) => target.set(bytes.subarray(offset, offset + target.length)),
  };
}

/** A source that `Btf.load` reads. */
export type BtfSource = ArrayBuffer | ArrayBufferView | Blob | Response | ReadableStream<Uint8Array>;

/** Reads a source to its end. */
export async function readSource(source: BtfSource): Promise<Uint8Array> {
  if (typeof Response !== "undefined" && source instanceof Response) {
    if (!source.ok) {
      throw new BtfEnvironmentError(ERR_FILE, { name: source.url || "response", note: `HTTP status ${source.status}` });
    }
    return new Uint8Array(await source.arrayBuffer());
  }
  if (typeof Blob !== "undefined" && source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  if (typeof ReadableStream !== "undefined" && source instanceof ReadableStream) {
    return readStream(source, Number.POSITIVE_INFINITY, "stream");
  }
  return bytesOf(source as ArrayBuffer | ArrayBufferView);
}

/** Reads a stream to its end, or to an error once it has passed `limit` bytes. */
export async function readStream(stream: ReadableStream<Uint8Array>, limit: number, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      throw new BtfLimitError(ERR_OUTPUT_LIMIT, { name, limit });
    }
  }
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
