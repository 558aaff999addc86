/** Gives images back: reads what describes them, and decodes them with those that they are coded against. */

import { nearest } from "../btf/query/nearest.js";
import { ERR_ARCHIVE_DAMAGED, ERR_ARCHIVE_KERNEL } from "../errors/archive.js";
import { BtfFormatError, BtfLookupError } from "../errors/error.js";
import { sha256 } from "./hash.js";
import { asImage, type CodedImage, decodeImage } from "./image/codec.js";
import { type ArchivedImage, type KernelRecord, unpackRecords } from "./records.js";
import type { Root } from "./root.js";
import type { ArchiveStore } from "./store.js";

/** The name of a kernel's own image. */
export const VMLINUX = "vmlinux";
/** Images that are coded one against the other, at most: writers stay far below. */
const CHAIN = 64;
/** Decoded images that are kept, as others are often coded against the same. */
const KEPT = 6;

export class ImageReader {
  readonly #store: ArchiveStore;
  #root: Root;
  readonly #files = new Map<string, readonly KernelRecord[]>();
  readonly #decoded = new Map<string, CodedImage>();
  /** Kernels that the root does not have yet. */
  readonly #pending = new Map<string, KernelRecord>();

  constructor(store: ArchiveStore, root: Root) {
    this.#store = store;
    this.#root = root;
  }

  /** Turns to a later generation; what is known of images stays true. */
  follow(root: Root): void {
    this.#root = root;
    this.#pending.clear();
  }

  /** @throws BtfLookupError ERR_ARCHIVE_KERNEL; BtfFormatError ERR_ARCHIVE_DAMAGED */
  async record(id: string): Promise<KernelRecord> {
    const pending = this.#pending.get(id);
    if (pending) return pending;
    const { kernels, recordOf, records } = this.#root;
    const index = kernels.findIndex((kernel) => kernel.id === id);
    if (index < 0) {
      const known = kernels.map((kernel) => kernel.id);
      throw new BtfLookupError(ERR_ARCHIVE_KERNEL, { name: id, nearest: nearest(id, known) });
    }
    const file = records[recordOf[index]!]!;
    const found = (await this.recordsIn(file)).find((one) => one.id === id);
    if (!found) throw new BtfFormatError(ERR_ARCHIVE_DAMAGED, { name: file, note: `it lacks ${id}` });
    return found;
  }

  async recordsIn(file: string): Promise<readonly KernelRecord[]> {
    const known = this.#files.get(file);
    if (known) return known;
    const records = await unpackRecords(await this.#store.read(file), file);
    this.#files.set(file, records);
    return records;
  }

  /** Makes a kernel known that was just written. */
  remember(record: KernelRecord, vmlinux: CodedImage): void {
    this.#pending.set(record.id, record);
    this.#keep(`${record.id}/${VMLINUX}`, vmlinux);
  }

  /**
   * Returns an image, bit for bit as it was added.
   *
   * @throws BtfLookupError ERR_ARCHIVE_KERNEL; BtfFormatError ERR_ARCHIVE_DAMAGED
   */
  async image(id: string, name = VMLINUX, depth = 0): Promise<CodedImage> {
    const key = `${id}/${name}`;
    const known = this.#decoded.get(key);
    if (known) {
      this.#keep(key, known);
      return known;
    }
    const record = await this.record(id);
    const image = record.images.find((one) => one.name === name);
    if (!image) {
      const near = nearest(
        name,
        record.images.map((one) => one.name),
      );
      throw new BtfLookupError(ERR_ARCHIVE_KERNEL, { name: key, nearest: near.map((one) => `${id}/${one}`) });
    }
    const decoded = await this.#decode(record, image, depth);
    this.#keep(key, decoded);
    return decoded;
  }

  #keep(key: string, image: CodedImage): void {
    this.#decoded.delete(key);
    this.#decoded.set(key, image);
    for (const old of this.#decoded.keys()) {
      if (this.#decoded.size <= KEPT) break;
      this.#decoded.delete(old);
    }
  }

  async #decode(record: KernelRecord, image: ArchivedImage, depth: number): Promise<CodedImage> {
    const { id, file, reference } = record;
    const damaged = (note: string): BtfFormatError =>
      new BtfFormatError(ERR_ARCHIVE_DAMAGED, { name: file, note: `${id}/${image.name}: ${note}` });
    if (depth > CHAIN) throw damaged("images are coded one against the other without end");
    const isKernel = image.name === VMLINUX;
    const base = isKernel ? undefined : await this.image(id, VMLINUX, depth + 1);
    const against = isKernel && reference !== undefined ? await this.image(reference, VMLINUX, depth + 1) : undefined;
    const coded = await this.#store.read(file, { offset: image.offset, length: image.length });
    const context = { ...(base && { base }), ...(against && { reference: against }) };
    const bytes = await decodeImage(image.codec, coded, image.byteLength, context);
    if (!bytes || bytes.length !== image.byteLength) throw damaged("it cannot be decoded");
    if ((await sha256(bytes)) !== image.sha256) throw damaged("its SHA-256 is wrong");
    return asImage(bytes, base);
  }
}
