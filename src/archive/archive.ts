/** An archive of kernels, to be read. */

import { Btf } from "../btf/btf.js";
import { BtfError } from "../errors/error.js";
import { BlockReader } from "./blocks.js";
import { sha256 } from "./hash.js";
import { ImageReader, VMLINUX } from "./images.js";
import type { KernelRecord } from "./records.js";
import { type ArchivedKernel, type Root, unpackRoot } from "./root.js";
import { type ArchiveStore, ROOT } from "./store.js";

/** What `verify` found. */
export interface ArchiveReport {
  readonly kernels: number;
  readonly images: number;
  readonly definitions: number;
  /** What is damaged, and what that costs. */
  readonly damages: readonly { readonly place: string; readonly message: string }[];
}

/**
 * Kernels in one folder: their BTF bit for bit, and each definition once, with which kernels have it.
 *
 * @example
 * const archive = await Archive.open(archiveFolder("kernels"));
 * console.log(archive.kernels[0]?.id); // 6.1.0-50-cloud-amd64
 * console.log((await archive.get("6.1.0-50-cloud-amd64")).length); // 4111222
 */
export class Archive {
  readonly #store: ArchiveStore;
  readonly #root: Root;
  readonly #images: ImageReader;
  readonly #blocks: BlockReader;

  private constructor(store: ArchiveStore, root: Root) {
    this.#store = store;
    this.#root = root;
    this.#images = new ImageReader(store, root);
    this.#blocks = new BlockReader(store, root);
  }

  /**
   * Opens an archive. What it shows stays as it is, whatever a writer does meanwhile.
   *
   * @throws BtfFormatError ERR_ARCHIVE, ERR_ARCHIVE_VERSION, ERR_ARCHIVE_DAMAGED; BtfEnvironmentError ERR_FILE
   */
  static async open(store: ArchiveStore): Promise<Archive> {
    return new Archive(store, await unpackRoot(await store.read(ROOT), store.name));
  }

  /** Its kernels, by architecture, distribution and flavour, then by version. */
  get kernels(): readonly ArchivedKernel[] {
    return this.#root.kernels;
  }

  /** How many writers' commits made it. */
  get generation(): number {
    return this.#root.generation;
  }

  /**
   * Returns what is known of a kernel's images: names, lengths in bytes, SHA-256.
   *
   * @throws BtfLookupError ERR_ARCHIVE_KERNEL with similar ids; BtfFormatError ERR_ARCHIVE_DAMAGED
   */
  async describe(id: string): Promise<KernelRecord> {
    return await this.#images.record(id);
  }

  /**
   * Returns the BTF of a kernel, or of a module of it, bit for bit as it was added: its SHA-256 is compared.
   *
   * @throws BtfLookupError ERR_ARCHIVE_KERNEL; BtfFormatError ERR_ARCHIVE_DAMAGED
   */
  async get(id: string, module = VMLINUX): Promise<Uint8Array> {
    return (await this.#images.image(id, module)).bytes;
  }

  /** Opens a kernel, or with `module` a module on top of it. @throws as `get`; as `Btf.parse` */
  async openKernel(id: string, module = VMLINUX): Promise<Btf> {
    const kernel = Btf.parse(await this.get(id));
    return module === VMLINUX ? kernel : kernel.split(await this.get(id, module));
  }

  /**
   * Checks every hash and sum: decodes all images, reads all definitions.
   *
   * @param onProgress is told how many kernels are done
   */
  async verify(onProgress: (done: number, total: number) => void = () => {}): Promise<ArchiveReport> {
    const damages: { place: string; message: string }[] = [];
    const attempt = async <T>(place: string, act: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
        damages.push({ place, message: error.message });
        return undefined;
      }
    };
    const { kernels, definitions, records } = this.#root;
    for (const file of [definitions.file, ...records]) {
      if (file === "") continue;
      await attempt(file, async () => {
        const sum = await sha256(await this.#store.read(file));
        if (`data/${sum}` !== file)
          damages.push({ place: file, message: `damaged archive: ${file}: its SHA-256 is ${sum}` });
      });
    }
    let count = 0;
    for (let i = 0; i < this.#blocks.count; i++) {
      const block = await attempt(this.#blocks.nameOf(i), () => this.#blocks.block(i));
      for (const one of block ?? []) count += one.definitions.length;
    }
    let images = 0;
    for (const [i, { id }] of kernels.entries()) {
      const record = await attempt(id, () => this.#images.record(id));
      for (const { name } of record?.images ?? []) {
        await attempt(`${id}/${name}`, () => this.#images.image(id, name));
        images++;
      }
      onProgress(i + 1, kernels.length);
    }
    return { kernels: kernels.length, images, definitions: count, damages };
  }
}
