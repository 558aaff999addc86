/** A stream of bytes that is read in pieces of the reader's choice, and looked at before it is read. */
import { bytesOf } from "../../btf/source.js";
import { BtfFormatError } from "../../errors/error.js";
import { ERR_IMAGE_TRUNCATED } from "../../errors/image.js";

/** Bytes that come bit by bit. Each chunk stays valid until the next is asked for, and no longer. */
export type Chunks = AsyncIterable<Uint8Array>;

/** Whole bytes, or bytes that come bit by bit. */
export type BytesInput =
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | Response
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

export class Reader {
  /** What errors call it. */
  readonly name: string;
  /** All bytes of the source, where they are known. */
  readonly size: number | undefined;
  readonly #source: AsyncIterator<Uint8Array>;
  /** Read from the source and not yet handed out. */
  #ahead: Uint8Array[] = [];
  #position = 0;
  /** What the source has thrown: it ends there, and whoever reads on is told the same. */
  #failure: { readonly cause: unknown } | undefined;

  constructor(source: Chunks, name: string, size?: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.name = name;
    this.size = size;
  }

  static of(bytes: Uint8Array, name: string): Reader {
    const reader = new Reader(nothing(), name, bytes.length);
    reader.#ahead.push(bytesOf(bytes));
    return reader;
  }

  /** How many bytes have been handed out. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes, as many as are at hand; `undefined` at the end. */
  async chunk(): Promise<Uint8Array | undefined> {
    let chunk = this.#ahead.shift();
    while (!chunk?.length) {
      const { done, value } = await this.#next();
      if (done) return undefined;
      chunk = bytesOf(value);
    }
    this.#position += chunk.length;
    return chunk;
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#failure) throw this.#failure.cause;
    try {
      return await this.#source.next();
    } catch (cause) {
      this.#failure = { cause };
      throw cause;
    }
  }

  /** Takes back the end of what was handed out last. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#ahead.unshift(bytes);
    this.#position -= bytes.length;
  }

  /** The next bytes, which stay to be read: `count`, or fewer at the end. */
  async peek(count: number): Promise<Uint8Array> {
    let have = this.#ahead.reduce((sum, { length }) => sum + length, 0);
    // The source may reuse the memory when it is asked again. A Buffer's own slice() would be no copy.
    if (have < count) this.#ahead = this.#ahead.map((chunk) => chunk.slice());
    while (have < count) {
      const { done, value } = await this.#next();
      if (done) break;
      this.#ahead.push(bytesOf(value).slice());
      have += value.length;
    }
    if (this.#ahead.length > 1) this.#ahead = [concatenated(this.#ahead, have)];
    return this.#ahead[0]?.subarray(0, count) ?? new Uint8Array(0);
  }

  /** Exactly `count` bytes, a copy. @throws BtfFormatError ERR_IMAGE_TRUNCATED where they are not there */
  async read(count: number, what: string): Promise<Uint8Array> {
    const bytes = (await this.peek(count)).slice();
    await this.skip(bytes.length, what);
    if (bytes.length < count) throw this.truncated(what);
    return bytes;
  }

  async skip(count: number, what: string): Promise<void> {
    for await (const _ of this.take(count, what));
  }

  /** The next `count` bytes as they come. @throws BtfFormatError ERR_IMAGE_TRUNCATED where the stream ends before */
  async *take(count: number, what: string): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0; ) {
      const chunk = await this.chunk();
      if (!chunk) throw this.truncated(what);
      if (chunk.length > left) this.unread(chunk.subarray(left));
      const part = chunk.subarray(0, left);
      left -= part.length;
      yield part;
    }
  }

  /** All that is left, as it comes. */
  async *rest(): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.chunk(); chunk; chunk = await this.chunk()) yield chunk;
  }

  /** Ends the source early. */
  async close(): Promise<void> {
    this.#ahead = [];
    await this.#source.return?.();
  }

  /** That `what` breaks off here. */
  truncated(what: string): BtfFormatError {
    return new BtfFormatError(ERR_IMAGE_TRUNCATED, { name: this.name, note: what, offset: this.#position });
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** All chunks in one. */
export function concatenated(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** A reader of whatever holds bytes. */
export async function readerOf(input: BytesInput | Promise<BytesInput>, name: string): Promise<Reader> {
  const source = await input;
  if (typeof Response !== "undefined" && source instanceof Response) {
    return source.body ? new Reader(chunksOf(source.body), source.url || name) : Reader.of(new Uint8Array(0), name);
  }
  if (typeof Blob !== "undefined" && source instanceof Blob)
    return new Reader(chunksOf(source.stream()), name, source.size);
  if (source instanceof ReadableStream) return new Reader(chunksOf(source), name);
  if (typeof (source as Partial<Chunks>)?.[Symbol.asyncIterator] === "function") {
    const { size } = source as { size?: unknown };
    return new Reader(source as Chunks, name, typeof size === "number" ? size : undefined);
  }
  return Reader.of(bytesOf(source as ArrayBuffer | ArrayBufferView), name);
}

/** Not all browsers iterate over a stream. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
