/** Files inside files: ar (a `.deb`), tar, cpio (newc), rpm. One after the other, as the stream brings them. */
import { BtfFormatError } from "../../errors/error.js";
import { ERR_IMAGE_HEADER } from "../../errors/image.js";
import { Reader } from "../codecs/reader.js";

/** Files that hold files. */
export type ArchiveKind = "deb" | "ar" | "tar" | "cpio" | "rpm";

export interface Entry {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** The contents, to be read before the next entry is asked for, or not at all. */
  readonly body: Reader;
}

const TAR_BLOCK = 512;
/** Bytes of a head in which `archiveAt` finds what it looks for. */
export const ARCHIVE_HEAD = TAR_BLOCK;
/** A path, or what pax says of a file, in bytes. */
const NAME_LIMIT = 1 << 20;

const decoder = /* @__PURE__ */ new TextDecoder();
const text = (bytes: Uint8Array): string => decoder.decode(bytes);
const upToNul = (bytes: Uint8Array): string => text(bytes).split("\0", 1)[0]!;

function startsWith(head: Uint8Array, ascii: string, at = 0): boolean {
  return head.length >= at + ascii.length && text(head.subarray(at, at + ascii.length)) === ascii;
}

/** Which archive data starts as. */
export function archiveAt(head: Uint8Array): ArchiveKind | undefined {
  if (startsWith(head, "!<arch>\n")) return startsWith(head, "debian-binary", 8) ? "deb" : "ar";
  if (startsWith(head, "070701") || startsWith(head, "070702")) return "cpio";
  if (head[0] === 0xed && head[1] === 0xab && head[2] === 0xee && head[3] === 0xdb) return "rpm";
  if (head.length >= TAR_BLOCK && startsWith(head, "ustar", 257)) return "tar";
  return undefined;
}

/** The regular files of an archive; of an rpm its payload, which is packed, as one. */
export function entriesOf(kind: ArchiveKind, input: Reader): AsyncGenerator<Entry> {
  if (kind === "tar") return tarEntries(input);
  if (kind === "cpio") return cpioEntries(input);
  return kind === "rpm" ? rpmPayload(input) : arEntries(input);
}

function malformed(input: Reader, note: string): BtfFormatError {
  return new BtfFormatError(ERR_IMAGE_HEADER, { name: input.name, note, offset: input.position });
}

/** Lets the caller read an entry, then goes to its end. */
async function* entry(input: Reader, path: string, size: number, what: string): AsyncGenerator<Entry> {
  const end = input.position + size;
  yield { path, size, body: new Reader(input.take(size, what), path) };
  await input.skip(end - input.position, what);
}

async function* arEntries(input: Reader): AsyncGenerator<Entry> {
  await input.skip(8, "ar archive");
  while ((await input.peek(1)).length > 0) {
    const head = text(await input.read(60, "ar archive"));
    const size = /^\d+ *$/.test(head.slice(48, 58)) ? Number(head.slice(48, 58)) : -1;
    if (size < 0 || !head.endsWith("`\n")) throw malformed(input, "ar archive: no header where a file should start");
    yield* entry(input, head.slice(0, 16).trimEnd().replace(/\/$/, ""), size, "ar archive");
    if (size % 2 && (await input.peek(1)).length > 0) await input.skip(1, "ar archive");
  }
}

/** Octal, or with the highest bit set a big-endian number. */
function tarNumber(field: Uint8Array): number {
  if (field[0]! & 0x80) return field.reduce((value, byte, i) => value * 256 + (i ? byte : byte & 0x7f), 0);
  const digits = upToNul(field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : digits === "" ? 0 : Number.NaN;
}

async function* tarEntries(input: Reader): AsyncGenerator<Entry> {
  let longPath: string | undefined;
  let longSize: number | undefined;
  for (;;) {
    if ((await input.peek(1)).length === 0) return;
    const head = await input.read(TAR_BLOCK, "tar archive");
    if (head.every((byte) => byte === 0)) return;
    const sum = head.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    let size = tarNumber(head.subarray(124, 136));
    if (tarNumber(head.subarray(148, 156)) !== sum || !Number.isSafeInteger(size)) {
      throw malformed(input, "tar archive: the checksum of a header is another");
    }
    const type = String.fromCharCode(head[156]!);
    const what = "tar archive";
    if (type === "L" || type === "x") {
      if (size > NAME_LIMIT) throw malformed(input, `tar archive: a name of ${size} bytes`);
      const told = await input.read(size, what);
      if (type === "L") longPath = upToNul(told);
      else {
        const fields = paxFields(text(told));
        longPath = fields.get("path") ?? longPath;
        longSize = fields.has("size") ? Number(fields.get("size")) : longSize;
      }
    } else {
      size = longSize ?? size;
      if (!Number.isSafeInteger(size) || size < 0) throw malformed(input, "tar archive: a size that is no number");
      const prefix = startsWith(head, "ustar\0", 257) ? upToNul(head.subarray(345, 500)) : "";
      const path = longPath ?? (prefix ? `${prefix}/` : "") + upToNul(head.subarray(0, 100));
      if (type === "0" || type === "\0" || type === "7") yield* entry(input, path, size, what);
      else await input.skip(size, what);
      longPath = undefined;
      longSize = undefined;
    }
    await input.skip(-size & (TAR_BLOCK - 1), what);
  }
}

/** Lines `LENGTH KEY=VALUE\n`. */
function paxFields(told: string): Map<string, string> {
  return new Map(Array.from(told.matchAll(/^\d+ ([^=\n]+)=(.*)$/gm), ([, key, value]) => [key!, value!]));
}

const CPIO_HEAD = 110;
const CPIO_END = "TRAILER!!!";
/** Of a mode: what kind of file. */
const TYPE_MASK = 0xf000;
const REGULAR = 0x8000;

/** Archives may follow each other, with zeros between them. */
async function* cpioEntries(input: Reader): AsyncGenerator<Entry> {
  const what = "cpio archive";
  for (;;) {
    const head = text(await input.read(CPIO_HEAD, what));
    const field = (number: number): number => Number.parseInt(head.slice(6 + number * 8, 14 + number * 8), 16);
    const [mode, size, nameLength] = [field(1), field(6), field(11)];
    if (!/^07070[12][0-9a-fA-F]{104}$/.test(head) || nameLength > NAME_LIMIT) {
      throw malformed(input, "cpio archive: no header where a file should start");
    }
    const path = upToNul(await input.read(nameLength, what));
    await input.skip(-(CPIO_HEAD + nameLength) & 3, what);
    if (path === CPIO_END) {
      if (await atNextCpio(input)) continue;
      // Early microcode comes before the initramfs proper, which is packed.
      if ((await input.peek(1)).length > 0) yield remainder(input);
      return;
    }
    if ((mode & TYPE_MASK) === REGULAR) yield* entry(input, path, size, what);
    else await input.skip(size, what);
    await input.skip(-size & 3, what);
  }
}

/** All that is left, as a file. */
function remainder(input: Reader): Entry {
  return { path: "payload", size: Number.POSITIVE_INFINITY, body: input };
}

/** Goes over zeros to what follows an archive; whether that is another one. */
async function atNextCpio(input: Reader): Promise<boolean> {
  for (;;) {
    const chunk = await input.chunk();
    if (!chunk) return false;
    const at = chunk.findIndex((byte) => byte !== 0);
    if (at < 0) continue;
    input.unread(chunk.subarray(at));
    return archiveAt(await input.peek(ARCHIVE_HEAD)) === "cpio";
  }
}

/** Lead, signature and header of a package; then its files, packed. */
async function* rpmPayload(input: Reader): AsyncGenerator<Entry> {
  await input.skip(96, "rpm package");
  for (const alignment of [8, 1]) {
    const head = await input.read(16, "rpm package");
    const view = new DataView(head.buffer);
    if (view.getUint32(0) !== 0x8eade801) throw malformed(input, "rpm package: no header where one should start");
    const size = view.getUint32(8) * 16 + view.getUint32(12);
    await input.skip(size + (-size & (alignment - 1)), "rpm package");
  }
  yield remainder(input);
}
