/** An archive of kernels, to be read. */

import { Btf } from "../btf/btf.js";
import { BtfError } from "../errors/error.js";
import type { DiffOptions } from "../inspect/diff/diff.js";
import type { Difference } from "../inspect/diff/types.js";
import type { MemberHistory } from "../inspect/history/history.js";
import { BlockReader } from "./blocks.js";
import type { NamedDefinitions } from "./definitions/blocks.js";
import { sha256 } from "./hash.js";
import { type Fetch, HttpStore } from "./http-store.js";
import { ImageReader, VMLINUX } from "./images.js";
import { type ArchivedDefinition, type DefinitionsOptions, definitionsIn } from "./query/definitions.js";
import { archivedDiff, latin1, utf8 } from "./query/diff.js";
import { type ArchiveQuery, type FoundDefinition, hasMember, headOf, matcher } from "./query/find.js";
import { archivedHistory } from "./query/history.js";
import { VariantsByName } from "./query/situations.js";
import { type ArchivedTarget, KernelFacts, type Seen, seenOn, type TargetsOptions } from "./query/targets.js";
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

/** Options of `Archive.open`. */
export interface ArchiveOptions {
  /** Makes the requests, with headers of its own for example (default: the host's `fetch`). */
  readonly fetch?: Fetch;
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
  /** What all calls of `targets` share. */
  #shared: Promise<{ readonly facts: KernelFacts; readonly variants: VariantsByName }> | undefined;

  private constructor(store: ArchiveStore, root: Root) {
    this.#store = store;
    this.#root = root;
    this.#images = new ImageReader(store, root);
    this.#blocks = new BlockReader(store, root);
  }

  /**
   * Opens an archive: on a server, of which it reads parts of files by range requests, or in a store. What it shows stays
   * as it is, whatever a writer does meanwhile.
   *
   * @param from the address of its folder, or `archiveFolder` of `btfkit/node`
   * @throws BtfEnvironmentError ERR_ARCHIVE_RANGE, later, where the server ignores Range; BtfFormatError ERR_ARCHIVE, ERR_ARCHIVE_VERSION, ERR_ARCHIVE_DAMAGED; BtfEnvironmentError ERR_FILE
   */
  static async open(from: string | URL | ArchiveStore, options: ArchiveOptions = {}): Promise<Archive> {
    const isAddress = typeof from === "string" || from instanceof URL;
    const ask: Fetch = options.fetch ?? ((url, init) => fetch(url, init));
    const store = isAddress ? new HttpStore(String(from), ask) : from;
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

  /** The place of a kernel among `kernels`. */
  async #indexOf(id: string): Promise<number> {
    const index = this.#root.kernels.findIndex((kernel) => kernel.id === id);
    // Words the refusal.
    if (index < 0) await this.#images.record(id);
    return index;
  }

  /**
   * Yields the definitions that fit, by name, with the kernels that have each.
   *
   * @throws BtfLookupError ERR_ARCHIVE_KERNEL; BtfFormatError ERR_ARCHIVE_DAMAGED
   */
  async *find(query: ArchiveQuery): AsyncGenerator<FoundDefinition> {
    const { kernels } = this.#root;
    const chosen = query.kernels && new Set(await Promise.all(query.kernels.map((id) => this.#indexOf(id))));
    const { least = 0, most = Number.POSITIVE_INFINITY } = query.byteSize ?? {};
    const isNamed = matcher(query.name);
    const isMember = matcher(query.member);
    for await (const block of this.#blocksOf(query.name)) {
      query.signal?.throwIfAborted();
      for (const { name: stored, definitions } of block) {
        const name = utf8(stored);
        if (!isNamed(name)) continue;
        const place = `definitions of ${name}`;
        for (const definition of definitions) {
          const { kind, byteSize } = headOf(definition, place);
          if (query.kind !== undefined && query.kind !== kind) continue;
          if (query.byteSize && (byteSize === undefined || byteSize < least || byteSize > most)) continue;
          const places = new Set<number>();
          for (let i = 0; i < definition.runs.length; i += 2) {
            for (let at = definition.runs[i]!; at < definition.runs[i + 1]!; at++) places.add(at % kernels.length);
          }
          if (chosen && ![...places].some((at) => chosen.has(at))) continue;
          if (query.member !== undefined && !hasMember(definition, isMember, place)) continue;
          const ids = [...places].sort((a, b) => a - b).map((at) => kernels[at]!.id);
          yield { kind, name, ...(byteSize !== undefined && { byteSize }), kernels: ids };
        }
      }
    }
  }

  /**
   * Yields every definition once, by name, with what it is made of and who has it: for exports of all that there is.
   *
   * @throws BtfFormatError ERR_ARCHIVE_DAMAGED; the reason of `signal`
   * @example
   * const archive = await Archive.open(archiveFolder("kernels"));
   * for await (const { kind, name, byteSize } of archive.definitions()) {
   *   if (name === "list_head") console.log(kind, byteSize); // struct 16
   * }
   */
  async *definitions({ signal, onProgress }: DefinitionsOptions = {}): AsyncGenerator<ArchivedDefinition> {
    for (let i = 0; i < this.#blocks.count; i++) {
      signal?.throwIfAborted();
      yield* definitionsIn(this.#root.kernels, await this.#blocks.block(i));
      onProgress?.(i + 1, this.#blocks.count);
    }
  }

  /** Blocks that may have a name: one for a text, all for an expression. */
  async *#blocksOf(name: string | RegExp | undefined): AsyncGenerator<readonly NamedDefinitions[]> {
    if (typeof name !== "string") {
      yield* this.#blocks.blocks();
      return;
    }
    const block = this.#blocks.blockOf(latin1(name));
    if (block >= 0) yield await this.#blocks.block(block);
  }

  /**
   * Returns where members are over the kernels, as `history` of `btfkit/inspect` does, without opening one.
   *
   * @param members such as `task_struct.pid`, `sock.sk_lock.slock` or `struct page.lru`
   * @param ids the kernels that count, in their order (default: all, in the archive's)
   * @throws BtfLookupError ERR_PATH, ERR_ARCHIVE_KERNEL; BtfFormatError ERR_ARCHIVE_DAMAGED
   */
  async history(members: readonly string[], ids?: readonly string[]): Promise<MemberHistory[]> {
    const { kernels } = this.#root;
    const chosen = ids ? await Promise.all(ids.map((id) => this.#indexOf(id))) : kernels.map((_, i) => i);
    return await archivedHistory(members, kernels, chosen, this.#variants());
  }

  /** Definitions by name, each read once. */
  #variants(): VariantsByName {
    return new VariantsByName(this.#root.kernels, (name) => this.#blocks.find(name));
  }

  /**
   * Yields what `look` returns on the kernels, without opening one: it is called once for all kernels that have the
   * same definitions of what it asks for by name. Types have other ids there than in the kernel.
   *
   * @param look gets a Btf with what it asked for when it was called before, until it asks for nothing new; what it
   *   returns must not refer to it
   * @throws BtfLookupError ERR_ARCHIVE_KERNEL; BtfFormatError ERR_ARCHIVE_DAMAGED; what `look` throws; the reason of `signal`
   * @example
   * const archive = await Archive.open(archiveFolder("kernels"));
   * for await (const { kernels, result } of archive.targets(({ vmlinux }) => vmlinux.find("list_head", "struct")?.byteSize)) {
   *   console.log(kernels.length, result); // 1 16
   * }
   */
  async *targets<T>(look: (target: ArchivedTarget) => T, options: TargetsOptions = {}): AsyncGenerator<Seen<T>> {
    const { kernels } = this.#root;
    const { kernels: ids } = options;
    const chosen = ids ? await Promise.all(ids.map((id) => this.#indexOf(id))) : kernels.map((_, i) => i);
    chosen.sort((a, b) => a - b);
    this.#shared ??= (async () => {
      const facts = new KernelFacts(kernels.length);
      for await (const block of this.#blocks.blocks()) facts.add(block);
      return { facts, variants: this.#variants() };
    })();
    const { facts, variants } = await this.#shared;
    yield* seenOn(look, [...new Set(chosen)], variants, facts, options);
  }

  /**
   * Returns what changed from one kernel to another, modules included, as `diff` of `btfkit/inspect` does, without
   * opening one. `impact` is not known to an archive: open the kernels for it.
   *
   * @throws BtfLookupError ERR_ARCHIVE_KERNEL; BtfFormatError ERR_ARCHIVE_DAMAGED
   */
  async diff(old: string, now: string, options: Omit<DiffOptions, "impact"> = {}): Promise<Difference> {
    const pair = [await this.#indexOf(old), await this.#indexOf(now)] as const;
    return await archivedDiff(this.#root.kernels, pair, this.#blocks.blocks(), options);
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
