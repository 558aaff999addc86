/**
 * The root of an archive, the one file that changes: which kernels there are, and where everything about them lies. All
 * other files are named after the SHA-256 of their bytes, and never change.
 *
 *   0   "BTFKIT-A"
 *   8   version of the format, length of the text in bytes, CRC-32 of the text: three words, little-endian
 *   20  the text, JSON in UTF-8, as raw deflate
 */

import { ERR_ARCHIVE, ERR_ARCHIVE_DAMAGED, ERR_ARCHIVE_VERSION } from "../errors/archive.js";
import { BtfFormatError } from "../errors/error.js";
import { crc32 } from "../image/codecs/crc32.js";
import { deflate, inflate } from "./deflate.js";
import { ROOT } from "./store.js";

const MAGIC = "BTFKIT-A";
const VERSION = 1;
const HEADER = 20;
/** The most that a root may unpack to: more than 100,000 kernels take. */
const LIMIT = 64 << 20;

/** A kernel as the root knows it. */
export interface ArchivedKernel {
  /** The name by which the archive knows it. */
  readonly id: string;
  /** Such as `6.1.0-13-amd64`; `""` where nothing tells. */
  readonly release: string;
  /** Such as `debian`; `""` where nothing tells. */
  readonly distribution: string;
  /** Such as `x86_64`; `""` where nothing tells. */
  readonly architecture: string;
  /** In bytes. */
  readonly pointerSize: 4 | 8;
  /** The order of bytes in its BTF. */
  readonly endian: "little" | "big";
}

/** What the root says. */
export interface Root {
  readonly generation: number;
  /** In the order of places: by architecture, distribution and flavour, then by version. */
  readonly kernels: readonly ArchivedKernel[];
  /** Of each kernel, the index of the file of `records` that describes its images. */
  readonly recordOf: readonly number[];
  /** Files that describe images. */
  readonly records: readonly string[];
  /** The file of definitions: the first name, length and unpacked length in bytes of each block. */
  readonly definitions: {
    readonly file: string;
    readonly first: readonly string[];
    readonly lengths: readonly number[];
    readonly unpacked: readonly number[];
  };
  /** Files of the generation before, which its readers may still ask for. */
  readonly former: readonly string[];
}

export const EMPTY_ROOT: Root = {
  generation: 0,
  kernels: [],
  recordOf: [],
  records: [],
  definitions: { file: "", first: [], lengths: [], unpacked: [] },
  former: [],
};

export async function packRoot(root: Root): Promise<Uint8Array> {
  const { kernels, ...rest } = root;
  const columns = Object.fromEntries(
    (["id", "release", "distribution", "architecture", "pointerSize", "endian"] as const).map((column) => [
      column,
      kernels.map((kernel) => kernel[column]),
    ]),
  );
  const text = new TextEncoder().encode(JSON.stringify({ ...rest, kernels: columns }));
  const packed = await deflate(text);
  const bytes = new Uint8Array(HEADER + packed.length);
  bytes.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, text.length, true);
  view.setUint32(16, crc32(text), true);
  bytes.set(packed, HEADER);
  return bytes;
}

/** @throws BtfFormatError ERR_ARCHIVE, ERR_ARCHIVE_VERSION, ERR_ARCHIVE_DAMAGED */
export async function unpackRoot(bytes: Uint8Array, name: string): Promise<Root> {
  if (bytes.length < HEADER || new TextDecoder("latin1").decode(bytes.subarray(0, 8)) !== MAGIC) {
    throw new BtfFormatError(ERR_ARCHIVE, { note: `${name} does not start with ${MAGIC}` });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const version = view.getUint32(8, true);
  if (version !== VERSION) throw new BtfFormatError(ERR_ARCHIVE_VERSION, { value: version, limit: VERSION });
  const length = view.getUint32(12, true);
  const damaged = (note: string): BtfFormatError => new BtfFormatError(ERR_ARCHIVE_DAMAGED, { name: ROOT, note });
  if (length > LIMIT) throw damaged(`it claims to unpack to ${length} bytes`);
  const text = await inflate(bytes.subarray(HEADER), length, ROOT);
  if (text.length !== length || crc32(text) !== view.getUint32(16, true)) throw damaged("its sum is wrong");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(text));
  } catch {
    throw damaged("it is no JSON");
  }
  const root = rootOf(value);
  if (!root) throw damaged("it lacks what a root has");
  return root;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
export const isFileName = (value: unknown): value is string => isText(value) && /^data\/[0-9a-f]{64}$/.test(value);

function listOf<T>(value: unknown, test: (one: unknown) => one is T): readonly T[] | undefined {
  return Array.isArray(value) && value.every(test) ? value : undefined;
}

/** Checks what JSON said. */
function rootOf(value: unknown): Root | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { generation, kernels, recordOf, records, definitions, former } = value as Record<string, unknown>;
  if (typeof kernels !== "object" || kernels === null || typeof definitions !== "object" || definitions === null)
    return;
  const columns = kernels as Record<string, unknown>;
  const [id, release, distribution, architecture] = ["id", "release", "distribution", "architecture"].map((name) =>
    listOf(columns[name], isText),
  );
  const pointers = listOf(columns["pointerSize"], (one): one is 4 | 8 => one === 4 || one === 8);
  const orders = listOf(columns["endian"], (one): one is "little" | "big" => one === "little" || one === "big");
  const { file, first, lengths, unpacked } = definitions as Record<string, unknown>;
  const blocks = {
    first: listOf(first, isText),
    lengths: listOf(lengths, isCount),
    unpacked: listOf(unpacked, isCount),
  };
  const files = listOf(records, isFileName);
  const of = listOf(recordOf, isCount);
  const old = listOf(former, isFileName);
  if (!isCount(generation) || !id || !release || !distribution || !architecture || !pointers || !orders) return;
  if (!files || !of || !old) return;
  if (!blocks.first || !blocks.lengths || !blocks.unpacked || !(file === "" || isFileName(file))) return;
  const sameLength = (...lists: readonly (readonly unknown[])[]): boolean =>
    lists.every((list) => list.length === lists[0]!.length);
  if (
    !sameLength(id, release, distribution, architecture, pointers, orders, of) ||
    of.some((one) => one >= files.length)
  )
    return;
  if (!sameLength(blocks.first, blocks.lengths, blocks.unpacked) || new Set(id).size !== id.length) return;
  return {
    generation,
    kernels: id.map((one, i) => ({
      id: one,
      release: release[i]!,
      distribution: distribution[i]!,
      architecture: architecture[i]!,
      pointerSize: pointers[i]!,
      endian: orders[i]!,
    })),
    recordOf: of,
    records: files,
    definitions: { file, first: blocks.first, lengths: blocks.lengths, unpacked: blocks.unpacked },
    former: old,
  };
}
