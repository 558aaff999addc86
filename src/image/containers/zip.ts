/** zip archives (APPNOTE.TXT of PKWARE): read whole, for what they hold is listed at the end. */
import { BtfFormatError } from "../../errors/error.js";
import { ERR_IMAGE_COMPRESSION } from "../../errors/image.js";
import type { Budget } from "../codecs/budget.js";
import { Reader } from "../codecs/reader.js";
import { type Entry, malformed, startsWith, text } from "./entry.js";
import { readWindow } from "./file-window.js";

export function isZip(head: Uint8Array): boolean {
  return startsWith(head, "PK\x03\x04") || startsWith(head, "PK\x05\x06");
}

const END = 0x06054b50;
const END_LENGTH = 22;
/** The end has a comment of at most that many bytes behind it. */
const COMMENT_LIMIT = 0xffff;
const LISTED = 0x02014b50;
const LISTED_LENGTH = 46;
const LOCAL = 0x04034b50;
const LOCAL_LENGTH = 30;
const STORED = 0;
const DEFLATED = 8;
const WIDE = 0xffffffff;
/** The extra field with numbers of 64 bits. */
const ZIP64 = 1;

/** Yields the files of the archive, in the order of its list. */
export async function* zipEntries(input: Reader, budget: Budget): AsyncGenerator<Entry> {
  const { start: bytes } = await readWindow(input, budget.held);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const refuse = (note: string, offset: number): BtfFormatError =>
    malformed({ name: input.name, position: offset }, `zip archive: ${note}`);
  const end = endOf(view);
  if (end === undefined) throw refuse("its list is not where it should be", bytes.length);
  let at = view.getUint32(end + 16, true);
  if (at === WIDE) at = wideListAt(view, end) ?? WIDE;
  for (;;) {
    if (at + LISTED_LENGTH > bytes.length || view.getUint32(at, true) !== LISTED) return;
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const [nameLength, extraLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    const nameAt = at + LISTED_LENGTH;
    const next = nameAt + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > bytes.length) throw refuse("a name ends behind the file", at);
    const path = text(bytes.subarray(nameAt, nameAt + nameLength));
    const [size, packed, offset] = numbersOf(view, at, nameAt + nameLength, extraLength);
    at = next;
    if (path.endsWith("/")) continue;
    if (offset + LOCAL_LENGTH > bytes.length || view.getUint32(offset, true) !== LOCAL) {
      throw refuse("no file where the list says so", offset);
    }
    const from = offset + LOCAL_LENGTH + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
    if (from + packed > bytes.length) throw refuse("a file ends behind the archive", offset);
    const data = Reader.of(bytes.subarray(from, from + packed), path);
    if (method === STORED && !(flags & 1)) yield { path, size, body: data };
    else if (method === DEFLATED && !(flags & 1)) {
      yield { path, size, body: new Reader(inflated(data, budget), path) };
    } else
      yield {
        path,
        size,
        body: new Reader(refused(path, flags & 1 ? "encrypted" : `packed by method ${method}`), path),
      };
  }
}

async function* inflated(data: Reader, budget: Budget): AsyncGenerator<Uint8Array> {
  const { inflate } = await import("../codecs/gzip.js");
  for await (const chunk of inflate(data)) {
    budget.spend(chunk.length, data, "deflated data");
    yield chunk;
  }
}

/** Refuses a file when it is looked at, and not the others. */
// biome-ignore lint/correctness/useYield: it has nothing to give
async function* refused(name: string, how: string): AsyncGenerator<Uint8Array> {
  throw new BtfFormatError(ERR_IMAGE_COMPRESSION, {
    name,
    note: `${how} in a zip archive, which btfkit does not unpack`,
  });
}

function endOf(view: DataView): number | undefined {
  const last = view.byteLength - END_LENGTH;
  for (let at = last; at >= 0 && at >= last - COMMENT_LIMIT; at--) if (view.getUint32(at, true) === END) return at;
  return undefined;
}

/** Of an archive of more than 4 GiB or 65,535 files. */
function wideListAt(view: DataView, end: number): number | undefined {
  const locator = end - 20;
  if (locator < 0 || view.getUint32(locator, true) !== 0x07064b50) return undefined;
  const record = Number(view.getBigUint64(locator + 8, true));
  if (record + 56 > view.byteLength || view.getUint32(record, true) !== 0x06064b50) return undefined;
  return Number(view.getBigUint64(record + 48, true));
}

/** A file's length, that of its packed data, and where it starts. */
function numbersOf(view: DataView, at: number, extra: number, length: number): [number, number, number] {
  const numbers = [24, 20, 42].map((field) => view.getUint32(at + field, true)) as [number, number, number];
  for (let field = extra; field + 4 <= extra + length; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== ZIP64) continue;
    const end = Math.min(field + 4 + view.getUint16(field + 2, true), extra + length);
    let wide = field + 4;
    numbers.forEach((number, i) => {
      if (number !== WIDE || wide + 8 > end) return;
      numbers[i] = Number(view.getBigUint64(wide, true));
      wide += 8;
    });
  }
  return numbers;
}
