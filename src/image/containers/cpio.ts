/** cpio archives: newc, as an initramfs is, and the older formats, odc and binary in either byte order. */
import type { Reader } from "../codecs/reader.js";
import { type Entry, entry, malformed, NAME_LIMIT, remainder, startsWith, text, upToNul } from "./entry.js";

const MAGIC_LENGTH = 6;
/** More than the header and name of a file take that is looked at. */
const HEAD_LIMIT = 1024;

/** What a header tells, in bytes, and what sizes are padded to. */
interface Head {
  readonly mode: number;
  readonly size: number;
  readonly nameLength: number;
}

interface Format {
  readonly isHead: (head: Uint8Array) => boolean;
  readonly length: number;
  readonly alignment: 1 | 2 | 4;
  readonly parse: (head: Uint8Array) => Head;
}

/** The magic of the binary format, as a number of 16 bits. */
const BINARY = 0o070707;

function binary(little: boolean): Format {
  const word = (head: Uint8Array, i: number): number =>
    head[i * 2 + (little ? 0 : 1)]! + head[i * 2 + (little ? 1 : 0)]! * 256;
  return {
    isHead: (head) => head.length >= 2 && word(head, 0) === BINARY,
    length: 26,
    alignment: 2,
    // Numbers of 32 bits have their high half first.
    parse: (head) => ({
      mode: word(head, 3),
      nameLength: word(head, 10),
      size: word(head, 11) * 65536 + word(head, 12),
    }),
  };
}

const FORMATS: readonly Format[] = [
  {
    isHead: (head) => startsWith(head, "070701") || startsWith(head, "070702"),
    length: 110,
    alignment: 4,
    parse(head) {
      const fields = text(head);
      const field = (number: number): number => Number.parseInt(fields.slice(6 + number * 8, 14 + number * 8), 16);
      const isWhole = /^07070[12][0-9a-fA-F]{104}$/.test(fields);
      return { mode: field(1), size: isWhole ? field(6) : Number.NaN, nameLength: field(11) };
    },
  },
  {
    isHead: (head) => startsWith(head, "070707"),
    length: 76,
    alignment: 1,
    parse(head) {
      const fields = text(head);
      const field = (from: number, to: number): number => Number.parseInt(fields.slice(from, to), 8);
      const isWhole = /^070707[0-7]{70}$/.test(fields);
      return { mode: field(18, 24), size: isWhole ? field(65, 76) : Number.NaN, nameLength: field(59, 65) };
    },
  },
  /* @__PURE__ */ binary(true),
  /* @__PURE__ */ binary(false),
];

export function isCpio(head: Uint8Array): boolean {
  // The magic of the binary format is short: the header has to make sense too.
  const format = FORMATS.find(({ isHead }) => isHead(head));
  if (format?.alignment !== 2) return format !== undefined;
  const { mode, nameLength } = format.parse(head);
  return KINDS.includes(mode & TYPE_MASK) && nameLength > 1 && head[format.length + nameLength - 1] === 0;
}

const CPIO_END = "TRAILER!!!";
/** Of a mode: what kind of file. */
const TYPE_MASK = 0xf000;
const REGULAR = 0x8000;
/** Nothing (the trailer), pipes, devices, folders, files, links, sockets. */
const KINDS: readonly number[] = [0, 0x1000, 0x2000, 0x4000, 0x6000, REGULAR, 0xa000, 0xc000];

/** Archives may follow each other, with zeros between them. */
export async function* cpioEntries(input: Reader): AsyncGenerator<Entry> {
  const what = "cpio archive";
  for (;;) {
    const magic = await input.peek(MAGIC_LENGTH);
    const format = FORMATS.find(({ isHead }) => isHead(magic));
    const { mode, size, nameLength } = format?.parse(await input.read(format.length, what)) ?? {};
    if (!format || !(size! >= 0) || !(nameLength! <= NAME_LIMIT)) {
      throw malformed(input, "cpio archive: no header where a file should start");
    }
    const padding = (length: number): number => -length & (format.alignment - 1);
    const path = upToNul(await input.read(nameLength!, what));
    await input.skip(padding(format.length + nameLength!), what);
    if (path === CPIO_END) {
      if (await atNextCpio(input)) continue;
      // Early microcode comes before the initramfs proper, which is packed.
      if ((await input.peek(1)).length > 0) yield remainder(input);
      return;
    }
    if ((mode! & TYPE_MASK) === REGULAR) yield* entry(input, path, size!, what);
    else await input.skip(size!, what);
    await input.skip(padding(size!), what);
  }
}

/** Skips zeros to what follows an archive; returns whether that is another one. */
async function atNextCpio(input: Reader): Promise<boolean> {
  for (;;) {
    const chunk = await input.chunk();
    if (!chunk) return false;
    const at = chunk.findIndex((byte) => byte !== 0);
    if (at < 0) continue;
    input.unread(chunk.subarray(at));
    return isCpio(await input.peek(HEAD_LIMIT));
  }
}
