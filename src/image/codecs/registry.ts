/** The compressions, recognised by their first bytes; each decoder is loaded when it is met. */
import { BtfFormatError } from "../../errors/error.js";
import { ERR_IMAGE_COMPRESSION } from "../../errors/image.js";
import type { Budget } from "./budget.js";
import type { Reader } from "./reader.js";

/** Compressions that btfkit unpacks. `lz4` is the legacy frame of `lz4 -l`, which kernels use, and today's. */
export type ImageCompression = "gzip" | "xz" | "zstd" | "lz4" | "lzma" | "bzip2";

/** Unpacks what the reader stands at, to the end of the compressed data. */
type Decoder = (input: Reader, budget: Budget) => AsyncGenerator<Uint8Array>;

interface Codec {
  /** Bytes that the data starts with, `undefined` for any byte; any of the alternatives. */
  readonly magics: readonly (readonly (number | undefined)[])[];
  /** Confirms what a short magic leaves open. */
  readonly confirm?: (bytes: Uint8Array, at: number) => boolean;
  /** A compression without it is recognised and refused. */
  readonly load?: () => Promise<Decoder>;
}

/** The longest head that recognition looks at, in bytes: lzma's header, and the first byte after it. */
export const MAGIC_LENGTH = 14;

/** To add a compression, write its decoder, name it above, and add it here; the first that fits counts. */
const CODECS: Readonly<Record<ImageCompression | "lzo", Codec>> = {
  gzip: { magics: [[0x1f, 0x8b, 8]], load: async () => (await import("./gzip.js")).gunzip },
  xz: { magics: [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]], load: async () => (await import("./xz.js")).unxz },
  zstd: { magics: [[0x28, 0xb5, 0x2f, 0xfd]], load: async () => (await import("./zstd.js")).unzstd },
  lz4: {
    magics: [
      [0x02, 0x21, 0x4c, 0x18],
      [0x04, 0x22, 0x4d, 0x18],
    ],
    load: async () => (await import("./lz4.js")).unlz4,
  },
  bzip2: {
    magics: [
      [0x42, 0x5a, 0x68, undefined, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59],
      [0x42, 0x5a, 0x68, undefined, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
    ],
    load: async () => (await import("./bzip2.js")).bunzip2,
  },
  // No decoder on npm is maintained and runs without a compiler.
  lzo: { magics: [[0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a]] },
  // It has no magic: this is the byte of the usual properties, and a dictionary of a multiple of 64 KiB.
  lzma: { magics: [[0x5d, 0, 0]], confirm: isLzma, load: async () => (await import("./lzma.js")).unlzma },
};

type Recognised = ImageCompression | "lzo";

const codecs = /* @__PURE__ */ Object.entries(CODECS) as [Recognised, Codec][];

/** Returns the compression that data starts as, or `undefined`. */
export function compressionAt(bytes: Uint8Array, at = 0): Recognised | undefined {
  for (const [name, { magics, confirm }] of codecs) {
    const fits = magics.some((magic) => magic.every((byte, i) => byte === undefined || bytes[at + i] === byte));
    if (fits && (!confirm || confirm(bytes, at))) return name;
  }
  return undefined;
}

/** Yields the places in `bytes` where compressed data may start, in order, as scripts/extract-vmlinux of Linux does. */
export function* compressedParts(bytes: Uint8Array): Generator<{ readonly kind: Recognised; readonly offset: number }> {
  const firstBytes = new Set(codecs.flatMap(([, { magics }]) => magics.map(([first]) => first!)));
  const places = Array.from(firstBytes, (byte) => ({ byte, at: bytes.indexOf(byte) }));
  for (;;) {
    let next: (typeof places)[number] | undefined;
    for (const place of places) if (place.at >= 0 && (next === undefined || place.at < next.at)) next = place;
    if (!next) return;
    const kind = compressionAt(bytes, next.at);
    if (kind) yield { kind, offset: next.at };
    next.at = bytes.indexOf(next.byte, next.at + 1);
  }
}

/**
 * Unpacks what the reader stands at, to the end of the compressed data; what
 * follows that is left unread.
 *
 * @throws BtfFormatError ERR_IMAGE_TRUNCATED, ERR_IMAGE_DAMAGED with the place in
 *   the compressed data, ERR_IMAGE_COMPRESSION for lzo; BtfLimitError ERR_IMAGE_LIMIT
 */
export async function* unpack(kind: Recognised, input: Reader, budget: Budget): AsyncGenerator<Uint8Array> {
  const { load } = CODECS[kind];
  if (!load) {
    const note = `compressed with ${kind}, which btfkit does not decompress (${kind}p -d does)`;
    throw new BtfFormatError(ERR_IMAGE_COMPRESSION, { name: input.name, note, offset: input.position });
  }
  const decode = await load();
  for await (const chunk of decode(input, budget)) {
    budget.spend(chunk.length, input, `${kind} data`);
    yield chunk;
  }
}

/**
 * The header of .lzma: dictionary of 2^n or 2^n + 2^(n-1) bytes, a length that
 * is unknown or below 256 GiB, and a zero, as every encoder starts.
 */
function isLzma(bytes: Uint8Array, at: number): boolean {
  const high = bytes.subarray(at + 9, at + 13);
  if (high.length < 4 || bytes[at + 13] !== 0) return false;
  const unknown = bytes.subarray(at + 5, at + 13).every((byte) => byte === 0xff);
  if (!unknown && (high[1] || high[2] || high[3] || high[0]! > 0x3f)) return false;
  const dictionary = bytes[at + 3]! + bytes[at + 4]! * 256;
  const odd = dictionary / (dictionary & -dictionary || 1);
  return odd === 1 || odd === 3;
}
