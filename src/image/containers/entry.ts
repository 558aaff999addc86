/** A file inside an archive, and what the readers of archives share. */
import { BtfFormatError } from "../../errors/error.js";
import { ERR_IMAGE_HEADER } from "../../errors/image.js";
import { Reader } from "../codecs/reader.js";

export interface Entry {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** The contents, to be read before the next entry is asked for, or not at all. */
  readonly body: Reader;
}

/** The longest path, or pax record of a file, in bytes. */
export const NAME_LIMIT = 1 << 20;

const decoder = /* @__PURE__ */ new TextDecoder();
export const text = (bytes: Uint8Array): string => decoder.decode(bytes);
export const upToNul = (bytes: Uint8Array): string => text(bytes).split("\0", 1)[0]!;

export function startsWith(head: Uint8Array, ascii: string, at = 0): boolean {
  return head.length >= at + ascii.length && text(head.subarray(at, at + ascii.length)) === ascii;
}

export function malformed(input: Pick<Reader, "name" | "position">, note: string): BtfFormatError {
  return new BtfFormatError(ERR_IMAGE_HEADER, { name: input.name, note, offset: input.position });
}

/** Lets the caller read an entry, then goes to its end. */
export async function* entry(input: Reader, path: string, size: number, what: string): AsyncGenerator<Entry> {
  const end = input.position + size;
  yield { path, size, body: new Reader(input.take(size, what), path) };
  await input.skip(end - input.position, what);
}

/** All that is left, as a file. */
export function remainder(input: Reader): Entry {
  return { path: "payload", size: Number.POSITIVE_INFINITY, body: input };
}
