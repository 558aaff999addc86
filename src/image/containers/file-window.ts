/**
 * The part of a file that is kept in memory while the file is read from a stream.
 * Of a kernel's ELF file that is the loaded part, which holds the BTF, and the
 * last 32 MiB, which hold the section table; gigabytes of debug information
 * between them are read and dropped.
 */

import { isElf } from "../../bpf/elf/file.js";
import type { ByteSource } from "../../btf/source.js";
import { memorySource } from "../../btf/source.js";
import { BtfFormatError } from "../../errors/error.js";
import { ERR_IMAGE_HEADER } from "../../errors/image.js";
import { exceeded } from "../codecs/budget.js";
import { concatenated, type Reader } from "../codecs/reader.js";

export interface FileWindow {
  /** The file's first bytes: all of them, or the loaded part of a kernel. */
  readonly start: Uint8Array;
  readonly source: ByteSource;
}

const PT_LOAD = 1;
/** More than the section table, symbols, and BTF that was added to a finished kernel take, in bytes. */
const TAIL = 32 << 20;

/** Returns where the last loaded byte of a kernel's ELF file is, if its head says so. */
function loadedEnd(head: Uint8Array): number | undefined {
  if (!isElf(head) || head.length < 64) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const is64 = head[4] === 2;
  const little = head[5] === 1;
  // Relocatable files have no program headers.
  const type = view.getUint16(16, little);
  if (type !== 2 && type !== 3) return undefined;
  const word = (at: number): number => (is64 ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
  const table = word(is64 ? 32 : 28);
  const size = view.getUint16(is64 ? 54 : 42, little);
  const count = view.getUint16(is64 ? 56 : 44, little);
  if (count === 0 || size < (is64 ? 56 : 32) || table + size * count > head.length) return undefined;
  let end = 0;
  for (let at = table; at < table + size * count; at += size) {
    if (view.getUint32(at, little) !== PT_LOAD) continue;
    end = Math.max(end, is64 ? word(at + 8) + word(at + 32) : word(at + 4) + word(at + 16));
  }
  return end;
}

/**
 * Reads a file to its end and returns the part that is kept.
 *
 * @param limit the most bytes to keep
 * @throws BtfLimitError ERR_IMAGE_LIMIT
 */
export async function readWindow(input: Reader, limit: number): Promise<FileWindow> {
  const loaded = loadedEnd(await input.peek(4096));
  const keep = loaded ?? Number.POSITIVE_INFINITY;
  const { size: whole = 0 } = input;
  if (loaded === undefined && whole > limit) throw exceeded(input, "the file", whole, limit);
  const chunks: Uint8Array[] = [];
  let length = 0;
  /** The last bytes of what follows `keep`, at least `TAIL` of them if there are as many. */
  let tail: Uint8Array[] = [];
  let tailLength = 0;
  let size = 0;
  for await (const chunk of input.rest()) {
    const first = chunk.slice(0, Math.max(0, keep - size));
    size += chunk.length;
    if (first.length > 0) chunks.push(first);
    length += first.length;
    if (length > limit) throw exceeded(input, "the file", length, limit);
    if (first.length === chunk.length) continue;
    tail.push(chunk.slice(first.length));
    tailLength += chunk.length - first.length;
    if (tailLength <= 2 * TAIL) continue;
    const joined = concatenated(tail, tailLength).slice(-TAIL);
    tail = [joined];
    tailLength = joined.length;
  }
  const start = concatenated(chunks, length);
  const end = concatenated(tail, tailLength);
  const endOffset = size - tailLength;
  if (tailLength === 0) return { start, source: memorySource(start) };
  if (endOffset === length) {
    const all = concatenated([start, end], size);
    return { start: all, source: memorySource(all) };
  }
  const read = (offset: number, count: number): Uint8Array => {
    if (offset + count <= length) return start.subarray(offset, offset + count);
    if (offset >= endOffset) return end.subarray(offset - endOffset, offset - endOffset + count);
    const note = "ELF file: the section lies neither in the loaded part nor in the last 32 MiB";
    throw new BtfFormatError(ERR_IMAGE_HEADER, { name: input.name, note, offset });
  };
  return { start, source: { size, read, readInto: (offset, target) => target.set(read(offset, target.length)) } };
}
