/** The file of definitions: blocks behind one another, each CRC-32 of its content (a word, little-endian) and raw deflate. */

import { ERR_ARCHIVE_DAMAGED } from "../errors/archive.js";
import { BtfFormatError } from "../errors/error.js";
import { crc32 } from "../image/codecs/crc32.js";
import { BLOCK_LIMIT, type NamedDefinitions, packBlocks, unpackBlock } from "./definitions/blocks.js";
import { deflate, inflate } from "./deflate.js";
import type { Root } from "./root.js";
import type { ArchiveStore } from "./store.js";

/** Blocks that are kept unpacked. */
const KEPT = 256;

/** Returns the file of definitions, and what the root says of it but its name. */
export async function packDefinitions(
  names: Iterable<NamedDefinitions>,
): Promise<{ readonly bytes: Uint8Array; readonly index: Omit<Root["definitions"], "file"> }> {
  const [first, lengths, unpacked]: [string[], number[], number[]] = [[], [], []];
  const parts: Uint8Array[] = [];
  for (const { first: name, bytes } of packBlocks(names)) {
    const packed = await deflate(bytes);
    const sum = new Uint8Array(4);
    new DataView(sum.buffer).setUint32(0, crc32(bytes), true);
    parts.push(sum, packed);
    first.push(name);
    lengths.push(packed.length + 4);
    unpacked.push(bytes.length);
  }
  return { bytes: joined(parts), index: { first, lengths, unpacked } };
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Reads definitions by name. */
export class BlockReader {
  readonly #store: ArchiveStore;
  readonly #root: Root;
  readonly #offsets: Float64Array;
  readonly #known = new Map<number, NamedDefinitions[]>();

  constructor(store: ArchiveStore, root: Root) {
    this.#store = store;
    this.#root = root;
    const { lengths } = root.definitions;
    this.#offsets = new Float64Array(lengths.length + 1);
    lengths.forEach((length, i) => {
      this.#offsets[i + 1] = this.#offsets[i]! + length;
    });
  }

  get count(): number {
    return this.#root.definitions.first.length;
  }

  /** The block that a name is in, if any is; -1 for a name in front of the first. */
  blockOf(name: string): number {
    const { first } = this.#root.definitions;
    let [low, high] = [0, first.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (first[middle]! <= name) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Returns the definitions of a name, none for a name that no kernel has. */
  async find(name: string): Promise<NamedDefinitions["definitions"]> {
    const block = this.blockOf(name);
    if (block < 0) return [];
    const names = await this.block(block);
    return names.find((one) => one.name === name)?.definitions ?? [];
  }

  /** @throws BtfFormatError ERR_ARCHIVE_DAMAGED */
  async block(index: number): Promise<NamedDefinitions[]> {
    const known = this.#known.get(index);
    if (known) return known;
    const { file, lengths } = this.#root.definitions;
    const range = { offset: this.#offsets[index]!, length: lengths[index]! };
    const block = await this.#unpack(await this.#store.read(file, range), index);
    this.#known.set(index, block);
    if (this.#known.size > KEPT) this.#known.delete(this.#known.keys().next().value!);
    return block;
  }

  /** Yields all blocks, reading the file once. */
  async *blocks(): AsyncGenerator<NamedDefinitions[]> {
    if (this.count === 0) return;
    const bytes = await this.#store.read(this.#root.definitions.file);
    for (let i = 0; i < this.count; i++) {
      yield await this.#unpack(bytes.subarray(this.#offsets[i]!, this.#offsets[i + 1]!), i);
    }
  }

  /** What damages to a block are called by. */
  nameOf(index: number): string {
    const { first } = this.#root.definitions;
    const next = first[index + 1];
    return `definitions from ${first[index]} on${next === undefined ? "" : `, in front of ${next}`}`;
  }

  async #unpack(packed: Uint8Array, index: number): Promise<NamedDefinitions[]> {
    const { unpacked, lengths } = this.#root.definitions;
    const name = this.nameOf(index);
    const damaged = (note: string): BtfFormatError => new BtfFormatError(ERR_ARCHIVE_DAMAGED, { name, note });
    const length = unpacked[index]!;
    if (packed.length !== lengths[index] || packed.length < 4) throw damaged("the file ends early");
    if (length > BLOCK_LIMIT) throw damaged(`it claims to unpack to ${length} bytes`);
    const bytes = await inflate(packed.subarray(4), length, name);
    const sum = new DataView(packed.buffer, packed.byteOffset).getUint32(0, true);
    if (bytes.length !== length || crc32(bytes) !== sum) throw damaged("its sum is wrong");
    return unpackBlock(bytes, this.#root.kernels.length * 2, name);
  }
}
