/**
 * xz: xz-embedded as WebAssembly, out of the package xz-decompress. It knows
 * LZMA2 and CRCs alone, and kernels are packed with a filter for machine code
 * in front, packages (rpm) with SHA-256 behind. Of such streams the blocks go to
 * the decoder as streams without either, and what comes out is filtered here.
 * The package's own wrapper runs one stream at a time in all the program.
 */
import { type Budget, exceeded } from "./budget.js";
import { crc32 } from "./crc32.js";
import { damaged } from "./damaged.js";
import { XZ } from "./generated/inline-xz.js";
import { FILTER_NAMES, filterOf } from "./machine-code.js";
import { instantiate } from "./module.js";
import { Reader } from "./reader.js";

interface Exports {
  readonly memory: WebAssembly.Memory;
  /** Address of: buffer size, input's address, position and length, output's address, position and length. */
  create_context(): number;
  supply_input(context: number, length: number): void;
  /** One of xz-embedded's `enum xz_ret`. */
  get_next_output(context: number): number;
}

// enum xz_ret
const OK = 0;
const STREAM_END = 1;
const UNSUPPORTED_CHECK = 2;
const MEMORY_LIMIT = 4;
const FORMAT_ERROR = 5;
const OPTIONS_ERROR = 6;
const BUFFER_ERROR = 8;

const REASONS: Readonly<Record<number, string>> = {
  [MEMORY_LIMIT]: "a dictionary that is too large",
  [OPTIONS_ERROR]: "unsupported options",
};

const WHAT = "xz data";

/**
 * One stream, and those right behind it; what else follows is left.
 *
 * @throws BtfLimitError ERR_IMAGE_LIMIT for a dictionary of more than may be held
 */
export async function* unxz(input: Reader, { held }: Budget): AsyncGenerator<Uint8Array> {
  // Stream header, and the first block's up to its flags.
  const head = await input.peek(14);
  const isKnown = KNOWN_CHECKS.includes(head[7]! & 15) && (head[12] === 0 || (head[13]! & 3) === 0);
  const dictionary = dictionaryOf(await input.peek(HEADER_LENGTH + LONGEST_BLOCK_HEADER));
  const limit = Math.max(held, USUAL_DICTIONARY);
  if (dictionary > limit) throw exceeded(input, "the dictionary of xz data", dictionary, limit);
  if (head.length < 14 || isKnown) yield* plain(input);
  else yield* inBlocks(input);
}

/** Bytes of the first block's dictionary, as its header tells; 0 where there is no such header. */
function dictionaryOf(head: Uint8Array): number {
  const length = (head[HEADER_LENGTH]! + 1) * 4;
  const header = head.subarray(HEADER_LENGTH, HEADER_LENGTH + length);
  if (length === 4 || header.length < length) return 0;
  // The last filter is LZMA2, with one byte of properties; zeros fill the header up.
  const at = header.subarray(0, -4).findLastIndex((byte, i) => byte === 1 && header[i - 1] === LZMA2);
  const bits = at < 0 ? 0 : header[at + 1]!;
  return bits === 0 ? 0 : (2 | (bits & 1)) * 2 ** (Math.floor(bits / 2) + 11);
}

/** As the decoder takes it. */
async function* plain(input: Reader): AsyncGenerator<Uint8Array> {
  const xz = instantiate<Exports>("xz", XZ);
  const context = xz.create_context();
  const fields = (): Uint32Array => new Uint32Array(xz.memory.buffer, context, 7);
  const [size, source] = fields() as unknown as [number, number];
  for (let ended = false; ; ) {
    let chunk = await input.chunk();
    if (chunk && chunk.length > size) {
      input.unread(chunk.subarray(size));
      chunk = chunk.subarray(0, size);
    }
    ended = !chunk;
    if (chunk) new Uint8Array(xz.memory.buffer).set(chunk, source);
    xz.supply_input(context, chunk?.length ?? 0);
    for (;;) {
      fields()[5] = 0;
      const status = xz.get_next_output(context);
      const [, , taken, given, target, made] = fields() as unknown as number[] as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      if (made > 0) yield new Uint8Array(xz.memory.buffer, target, made);
      if (status === STREAM_END) return;
      if (status === FORMAT_ERROR) {
        // The magic of another stream is not there: this one has ended.
        if (chunk) input.unread(chunk.subarray(Math.max(0, taken - HEADER_LENGTH)));
        return;
      }
      if (status === BUFFER_ERROR || (ended && status === OK && made < size)) throw input.truncated(WHAT);
      if (status !== OK && status !== UNSUPPORTED_CHECK) {
        if (chunk) input.unread(chunk.subarray(taken));
        throw damaged(input, WHAT, REASONS[status]);
      }
      if (taken === given && made < size) break;
    }
  }
}

const HEADER_LENGTH = 12;
const LONGEST_BLOCK_HEADER = 1024;
/** `xz -9` has no larger one: it takes as much memory as the data has bytes. */
const USUAL_DICTIONARY = 64 << 20;
const CRC32 = 1;
/** None, CRC32, CRC64: what the decoder checks by itself. */
const KNOWN_CHECKS = [0, CRC32, 4];
const LZMA2 = 0x21;
/** Bytes of each kind of check (`.xz` file format 2.1.1.2). */
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/** Stream header without a check. */
const BARE_HEADER = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0, 0xff, 0x12, 0xd9, 0x41];

/** A block header that names LZMA2 and nothing else. */
function bareBlockHeader(dictionary: number): Uint8Array {
  const bytes = new Uint8Array(12);
  bytes.set([2, 0, 0x21, 1, dictionary]);
  new DataView(bytes.buffer).setUint32(8, crc32(bytes.subarray(0, 8)), true);
  return bytes;
}

/** A stream of which the decoder knows the data alone. Of its checks CRC32 is looked at, as kernels have it. */
async function* inBlocks(input: Reader): AsyncGenerator<Uint8Array> {
  const header = await input.read(HEADER_LENGTH, WHAT);
  const check = header[7]! & 15;
  for (;;) {
    const [length] = await input.peek(1);
    if (length === undefined) throw input.truncated(WHAT);
    if (length === 0) break;
    yield* block(input, await input.read((length + 1) * 4, WHAT), check);
  }
  await skipIndex(input);
}

/** Reads a block header's fields from byte 2 on. */
class Fields {
  readonly #bytes: Uint8Array;
  #at = 2;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** A number of variable length. */
  number(): number {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
}

async function* block(input: Reader, header: Uint8Array, check: number): AsyncGenerator<Uint8Array> {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const end = header.length - 4;
  if (view.getUint32(end, true) !== crc32(header.subarray(0, end))) throw damaged(input, WHAT, "a block header");
  const flags = header[1]!;
  const fields = new Fields(header);
  // Lengths, packed and unpacked, which the data tells too.
  if (flags & 0x40) fields.number();
  if (flags & 0x80) fields.number();
  let filter: ReturnType<typeof filterOf> = (chunks) => chunks;
  let last = fields.number();
  if (last !== LZMA2) {
    // Four bytes of start offset, or none.
    const length = fields.number();
    let start = 0;
    for (let i = 0; i < length && i < 4; i++) start = (start >>> 8) + fields.byte() * 2 ** 24;
    filter = length > 4 ? undefined : filterOf(last, start);
    last = fields.number();
  }
  fields.number();
  const dictionary = fields.byte();
  if ((flags & 3) > 1 || last !== LZMA2 || !filter) {
    throw damaged(input, WHAT, `unsupported filters (supported: ${FILTER_NAMES.join(", ")}, each before LZMA2)`);
  }
  const parts = lzma2(input, dictionary);
  let sum = 0;
  for await (const chunk of filter(plain(new Reader(parts.chunks(), input.name)))) {
    if (check === CRC32) sum = crc32(chunk, sum);
    yield chunk;
  }
  const trailer = await input.read((-parts.length() & 3) + CHECK_SIZES[check]!, WHAT);
  if (check !== CRC32) return;
  const expected = new DataView(trailer.buffer).getUint32(trailer.length - 4, true);
  if (expected !== sum) throw damaged(input, WHAT, "the checksum does not match");
}

/** A block's LZMA2 chunks, to their end mark, as a stream that is nothing else. */
function lzma2(input: Reader, dictionary: number): { chunks(): AsyncGenerator<Uint8Array>; length(): number } {
  const start = input.position;
  let unpacked = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Uint8Array.from(BARE_HEADER);
    yield bareBlockHeader(dictionary);
    for (;;) {
      const [control] = await input.peek(1);
      if (control === undefined) throw input.truncated(WHAT);
      if (control === 0) break;
      if (control > 2 && control < 0x80) throw damaged(input, WHAT, "an unknown chunk");
      const size = control < 0x80 ? 3 : control < 0xc0 ? 5 : 6;
      const head = await input.read(size, WHAT);
      const low = head[1]! * 256 + head[2]! + 1;
      unpacked += control < 0x80 ? low : low + (control & 0x1f) * 65536;
      yield head;
      yield* input.take(control < 0x80 ? low : head[3]! * 256 + head[4]! + 1, WHAT);
    }
    yield await input.read(1, WHAT);
    const length = input.position - start;
    yield new Uint8Array(-length & 3);
    yield bareTail(length, unpacked);
  }
  return { chunks, length: () => input.position - start };
}

/** Index and footer of a stream of one block. */
function bareTail(packed: number, unpacked: number): Uint8Array {
  const index = [0, 1, ...variable(packed + 12), ...variable(unpacked)];
  while (index.length % 4 > 0) index.push(0);
  const bytes = new Uint8Array(index.length + 4 + 12);
  const view = new DataView(bytes.buffer);
  bytes.set(index);
  view.setUint32(index.length, crc32(bytes.subarray(0, index.length)), true);
  const footer = index.length + 4;
  view.setUint32(footer + 4, footer / 4 - 1, true);
  bytes.set([0, 0, 0x59, 0x5a], footer + 8);
  view.setUint32(footer, crc32(bytes.subarray(footer + 4, footer + 10)), true);
  return bytes;
}

function variable(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return [...bytes, left];
}

/** The index and the stream's footer, which say again how long the blocks were. */
async function skipIndex(input: Reader): Promise<void> {
  const start = input.position;
  await input.skip(1, WHAT);
  const number = async (): Promise<number> => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const [byte] = (await input.read(1, WHAT)) as unknown as [number];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  for (let left = 2 * (await number()); left > 0; left--) await number();
  await input.skip((-(input.position - start) & 3) + 4 + HEADER_LENGTH, WHAT);
}
