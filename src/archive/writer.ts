/** Adds kernels to an archive. */

import { Btf } from "../btf/btf.js";
import { ERR_ARCHIVE_EXISTS } from "../errors/archive.js";
import { ERR_ARGUMENT } from "../errors/btf.js";
import { BtfEnvironmentError, BtfError } from "../errors/error.js";
import { BlockReader, joined, packDefinitions } from "./blocks.js";
import { Collection } from "./definitions/collection.js";
import { sha256 } from "./hash.js";
import { asImage, encodeImage } from "./image/codec.js";
import { ImageReader, VMLINUX } from "./images.js";
import { inOrder } from "./order.js";
import { type ArchivedImage, KERNELS_OF_RECORD, type KernelRecord, packRecords } from "./records.js";
import { type ArchivedKernel, EMPTY_ROOT, packRoot, type Root, unpackRoot } from "./root.js";
import { ROOT, type WritableArchiveStore } from "./store.js";

/** A kernel to be added. */
export interface KernelToAdd {
  /** Its name in the archive. */
  readonly id: string;
  /** Such as `6.1.0-13-amd64` (default: the id). */
  readonly release?: string;
  /** Such as `debian`. */
  readonly distribution?: string;
  /** Such as `x86_64`. */
  readonly architecture?: string;
  /** Raw BTF, as it is given back. */
  readonly vmlinux: Uint8Array;
  /** Raw split BTF of modules. */
  readonly modules?: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** Images that lead to one another until one that stands alone, at most: each takes time when a kernel is read. */
const CHAIN = 6;
/**
 * An image that one more leads to has to differ so many times less to be coded against. Of 2,000 releases in a row each
 * is then coded against one that is 7 before on average, with 5 to read; with no such factor, those before it soon lead
 * to as many as may be, and it is one that is far away.
 */
const COST_OF_LINK = 2.5;

/**
 * The one writer of an archive. What is added is there for readers once `commit` returns, and not at all before.
 *
 * @example
 * const writer = await ArchiveWriter.open(archiveFolder("my-kernels"));
 * const builder = new BtfBuilder();
 * builder.struct("point", { byteSize: 8 }, [["x", builder.int("int", { byteSize: 4 })]]);
 * await writer.add({ id: "1.0", vmlinux: encode(builder.build()) });
 * await writer.commit();
 * await writer.close();
 * console.log(writer.kernels.length, writer.kernels[0]?.id); // 1 1.0
 */
export class ArchiveWriter {
  readonly #store: WritableArchiveStore;
  readonly #unlock: () => Promise<void>;
  #root: Root;
  #images: ImageReader;
  readonly #collection: Collection;
  /** All kernels by their numbers in the collection, those of the root first. */
  readonly #kernels: { kernel: ArchivedKernel; depth: number }[];
  #records: KernelRecord[] = [];
  #isChanged = false;

  private constructor(
    store: WritableArchiveStore,
    unlock: () => Promise<void>,
    root: Root,
    images: ImageReader,
    collection: Collection,
    kernels: { kernel: ArchivedKernel; depth: number }[],
  ) {
    this.#store = store;
    this.#unlock = unlock;
    this.#root = root;
    this.#images = images;
    this.#collection = collection;
    this.#kernels = kernels;
  }

  /**
   * Opens an archive, which is made where there is none, and keeps other writers out until `close`.
   *
   * @throws BtfEnvironmentError ERR_ARCHIVE_LOCKED; as `Archive.open`
   */
  static async open(store: WritableArchiveStore): Promise<ArchiveWriter> {
    const unlock = await store.lock();
    try {
      const root = await readRoot(store);
      const collection = new Collection();
      const images = new ImageReader(store, root);
      for await (const block of new BlockReader(store, root).blocks()) collection.load(block, root.kernels.length);
      const references = new Map<string, string | undefined>();
      for (const file of root.records) {
        for (const { id, reference } of await images.recordsIn(file)) references.set(id, reference);
      }
      const depthOf = (id: string, limit = CHAIN): number => {
        const reference = references.get(id);
        return reference === undefined || limit === 0 ? 0 : depthOf(reference, limit - 1) + 1;
      };
      const kernels = root.kernels.map((kernel) => ({ kernel, depth: depthOf(kernel.id) }));
      return new ArchiveWriter(store, unlock, root, images, collection, kernels);
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  /** Kernels that were there, and those that were added. */
  get kernels(): readonly ArchivedKernel[] {
    return this.#kernels.map(({ kernel }) => kernel);
  }

  /**
   * Adds a kernel. One that is there already, with the same images, is left as it is.
   *
   * @returns how many bytes it takes, coded, beside its definitions; 0 for one that is there
   * @throws BtfFormatError as `Btf.parse`; BtfError ERR_ARCHIVE_EXISTS for an id that is taken
   */
  async add(given: KernelToAdd): Promise<number> {
    const { id, vmlinux, modules = [] } = given;
    if (!/^[^\s\0/][^\0\n]*$/.test(id)) throw new BtfError(ERR_ARGUMENT, { note: `${id} is no name of a kernel` });
    const sums = new Map([[VMLINUX, await sha256(vmlinux)]]);
    for (const { name, bytes } of modules) {
      if (sums.has(name)) throw new BtfError(ERR_ARGUMENT, { note: `${id} has two images of the name ${name}` });
      sums.set(name, await sha256(bytes));
    }
    if (this.#kernels.some(({ kernel }) => kernel.id === id)) {
      if (await this.#isSame(id, sums)) return 0;
      throw new BtfError(ERR_ARCHIVE_EXISTS, { name: id });
    }
    const { own, ofModules, pointerSize, endian } = this.#collect(given);
    const reference = this.#closest(own);
    const against = reference && (await this.#images.image(reference.kernel.id));
    const image = asImage(vmlinux);
    const parts: Uint8Array[] = [];
    const images: ArchivedImage[] = [];
    let offset = 0;
    const put = (name: string, byteLength: number, { codec, bytes }: { codec: number; bytes: Uint8Array }): void => {
      images.push({ name, byteLength, sha256: sums.get(name)!, codec, offset, length: bytes.length });
      parts.push(bytes);
      offset += bytes.length;
    };
    put(VMLINUX, vmlinux.length, await encodeImage(image, { ...(against && { reference: against }) }));
    for (const { name, bytes } of modules) {
      put(name, bytes.length, await encodeImage(asImage(bytes, image), { base: image }));
    }
    const coded = joined(parts);
    const file = await this.#write(coded);
    const isReferred = against !== undefined && images[0]!.codec !== 0;
    const record = { id, file, ...(isReferred && { reference: reference!.kernel.id }), images };
    this.#records.push(record);
    this.#images.remember(record, image);
    const number = this.#kernels.length;
    this.#collection.put(number * 2, own);
    if (modules.length > 0) this.#collection.put(number * 2 + 1, ofModules);
    this.#kernels.push({
      kernel: {
        id,
        release: given.release ?? id,
        distribution: given.distribution ?? "",
        architecture: given.architecture ?? "",
        pointerSize,
        endian,
      },
      depth: isReferred ? reference!.depth + 1 : 0,
    });
    this.#isChanged = true;
    return coded.length;
  }

  /** Collects the definitions of a kernel and its modules. */
  #collect({ vmlinux, modules = [] }: KernelToAdd): {
    own: Set<number>;
    ofModules: Set<number>;
    pointerSize: 4 | 8;
    endian: "little" | "big";
  } {
    const btf = Btf.parse(vmlinux);
    try {
      const own = this.#collection.collect([btf]);
      const ofModules = this.#collection.collect(modules.map(({ bytes }) => btf.split(bytes)));
      return { own, ofModules, pointerSize: btf.pointerSize, endian: btf.endian };
    } finally {
      btf[Symbol.dispose]();
    }
  }

  async #isSame(id: string, sums: ReadonlyMap<string, string>): Promise<boolean> {
    const { images } = this.#records.find((record) => record.id === id) ?? (await this.#images.record(id));
    return images.length === sums.size && images.every(({ name, sha256: sum }) => sums.get(name) === sum);
  }

  /** The kernel with fewest differences, where those that are read fast may have more. */
  #closest(definitions: ReadonlySet<number>): { kernel: ArchivedKernel; depth: number } | undefined {
    const counts = this.#collection.shared(definitions, this.#kernels.length * 2);
    let best: { kernel: ArchivedKernel; depth: number } | undefined;
    let least = Number.POSITIVE_INFINITY;
    this.#kernels.forEach((one, number) => {
      const count = counts[number * 2]!;
      if (one.depth >= CHAIN || count === 0) return;
      const cost = (definitions.size - count + 1) * COST_OF_LINK ** one.depth;
      // Of those that are as good, the last is the closest most of the time.
      if (cost > least) return;
      best = one;
      least = cost;
    });
    return best;
  }

  async #write(bytes: Uint8Array): Promise<string> {
    const file = `data/${await sha256(bytes)}`;
    await this.#store.write(file, bytes);
    return file;
  }

  /** Makes what was added a new generation. After a crash the archive has either the old or the new one, whole. */
  async commit(): Promise<void> {
    // The first generation may be empty.
    if (!this.#isChanged && this.#root.generation > 0) return;
    const old = this.#root;
    const order = inOrder(this.kernels);
    const { bytes, index } = await packDefinitions(this.#collection.sorted(order));
    const definitions = { file: await this.#write(bytes), ...index };
    const { records, recordOf } = await this.#writeRecords();
    const kernels = order.map((number) => this.#kernels[number]!.kernel);
    const former = [old.definitions.file, ...old.records].filter((file) => file !== "");
    const used = new Set([definitions.file, ...records]);
    const root: Root = {
      generation: old.generation + 1,
      kernels,
      recordOf: kernels.map(({ id }) => recordOf.get(id)!),
      records,
      definitions,
      former: former.filter((file) => !used.has(file)),
    };
    await this.#store.write(ROOT, await packRoot(root));
    for (const file of old.former) if (!used.has(file) && !former.includes(file)) await this.#store.remove(file);
    this.#root = root;
    this.#images.follow(root);
    this.#records = [];
    this.#isChanged = false;
  }

  /** Describes the new kernels: the last file of descriptions is written again until it is full. */
  async #writeRecords(): Promise<{ records: readonly string[]; recordOf: ReadonlyMap<string, number> }> {
    const records = [...this.#root.records];
    const recordOf = new Map(this.#root.kernels.map(({ id }, i) => [id, this.#root.recordOf[i]!]));
    let pending = this.#records;
    const last = records.at(-1);
    if (last !== undefined) {
      const described = await this.#images.recordsIn(last);
      if (described.length < KERNELS_OF_RECORD) {
        records.pop();
        pending = [...described, ...pending];
      }
    }
    for (let i = 0; i < pending.length; i += KERNELS_OF_RECORD) {
      const part = pending.slice(i, i + KERNELS_OF_RECORD);
      for (const { id } of part) recordOf.set(id, records.length);
      records.push(await this.#write(await packRecords(part)));
    }
    return { records, recordOf };
  }

  /**
   * Removes files that the archive does not need: of interrupted writers, and of generations before. Readers of those
   * have to open it anew.
   *
   * @returns how many files are gone
   */
  async collectGarbage(): Promise<number> {
    const { definitions, records, former } = this.#root;
    const used = new Set([definitions.file, ...records]);
    for (const file of records) for (const record of await this.#images.recordsIn(file)) used.add(record.file);
    if (former.length > 0) {
      this.#root = { ...this.#root, generation: this.#root.generation + 1, former: [] };
      await this.#store.write(ROOT, await packRoot(this.#root));
    }
    let count = 0;
    for (const name of await this.#store.list()) {
      if (used.has(`data/${name}`)) continue;
      await this.#store.remove(`data/${name}`);
      count++;
    }
    return count;
  }

  /** Lets other writers in. What was added since the last commit is not there. */
  async close(): Promise<void> {
    await this.#unlock();
  }
}

async function readRoot(store: WritableArchiveStore): Promise<Root> {
  let bytes: Uint8Array;
  try {
    bytes = await store.read(ROOT);
  } catch (error) {
    // A new archive.
    if (error instanceof BtfEnvironmentError && error.code === "ERR_FILE") return EMPTY_ROOT;
    throw error;
  }
  return await unpackRoot(bytes, store.name);
}
