/** A package, an archive or a folder: the kernel in it, and its modules. */

import { isElf } from "../../bpf/elf/file.js";
import { Btf } from "../../btf/btf.js";
import { nearest } from "../../btf/query/nearest.js";
import { ERR_UNSUPPORTED } from "../../errors/btf.js";
import { BtfEnvironmentError, BtfError, BtfFormatError, BtfInternalError, BtfLookupError } from "../../errors/error.js";
import { ERR_IMAGE_KERNELS, ERR_IMAGE_MEMBER, ERR_IMAGE_NO_KERNEL } from "../../errors/image.js";
import { Reader } from "../codecs/reader.js";
import { compressionAt } from "../codecs/registry.js";
import { type ArchiveKind, archiveAt, entriesOf } from "./archive.js";
import { bootImage } from "./boot.js";
import type { Entry } from "./entry.js";
import { readWindow } from "./file-window.js";
import { type FoundBtf, findIn, HEAD, type ImageStep, isRawBtf, isWhole, type Limits } from "./find.js";
import { budgetOf, type ImageOptions } from "./options.js";
import { refusalOf } from "./scan.js";

/** A module of a package or folder, not opened yet. */
export interface ImageModule {
  /** As the kernel spells it, with underscores. */
  readonly name: string;
  readonly path: string;
  /** Its BTF's bytes. @throws as `openImage` */
  find(): Promise<FoundBtf>;
}

/** What was found in an input. */
export interface Findings {
  /** The kernel, or the one file that the input is. */
  readonly main?: FoundBtf;
  /** The module that was asked for by name. */
  readonly chosen?: ImageModule;
  readonly modules: readonly ImageModule[];
}

const MODULE = /(?:^|\/)([^/]+)\.ko(?:\.\w+)?$/;
const RAW_MODULE = /(?:^|\/)([^/]+?)(?:\.btf(?:\.\w+)*)?$/;
/** Files of a package that may be a kernel, by name: a look into all others that are packed would take minutes. */
const KERNEL = /(?:^|\/)(?:vmlinu[xz]|[bzu]?Image|kernel)(?:[-._][^/]*)?$/;
/** Parts of a package that hold its files. */
const INNER =
  /(?:^|\/)(?:data\.tar(?:\.\w+)?|payload|[^/]+\.(?:deb|rpm|tar|t[gx]z|tar\.\w+)|blobs\/sha256\/[0-9a-f]{64})$/;
/** Files of BTF alone, which may be packed. */
const BTF_FILE = /(?:^|\/)[^/]+\.btf(?:\.(?:gz|xz|zst|bz2|lz4))?$/;

const fileName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const trimmed = (path: string): string => path.replace(/^(?:\.?\/)+/, "");

/** One look through an input. */
export class Search {
  readonly #options: ImageOptions;
  readonly #limits: Limits;
  readonly #modules: ImageModule[] = [];
  readonly #names: string[] = [];
  #chosen: ImageModule | undefined;
  #files = 0;
  #moduleCount = 0;
  /** Why the first of what may have been a kernel is none. */
  #refusal: unknown;

  constructor(options: ImageOptions) {
    this.#options = options;
    this.#limits = {
      budget: budgetOf(options),
      archive: (kind, input, steps) => this.#archive(kind, entriesOf(kind, input, this.#limits.budget), steps),
    };
  }

  /** Looks through one file. */
  async file(input: Reader): Promise<Findings> {
    try {
      return this.#findings(await findIn(input, this.#limits), input.name);
    } finally {
      await input.close();
    }
  }

  /** Looks through the files of a folder. */
  async folder(entries: AsyncIterable<Entry>, name: string): Promise<Findings> {
    return this.#findings(await this.#archive("folder", entries, []), name);
  }

  #findings(main: FoundBtf | undefined, name: string): Findings {
    const { member, base } = this.#options;
    const found = {
      modules: this.#modules,
      ...(main && { main }),
      ...(this.#chosen && { chosen: this.#chosen }),
    };
    if (member !== undefined && !this.#chosen && !(main && this.#isAsked(main.steps))) {
      const near = nearest(member, this.#names.map(moduleName));
      throw new BtfLookupError(ERR_IMAGE_MEMBER, { name: member, nearest: near });
    }
    if (main || this.#chosen || (base && this.#modules.length > 0)) return found;
    if (this.#refusal) throw this.#refusal;
    const note = this.#moduleCount ? `${this.#moduleCount} are modules: give the kernel's BTF as the base` : "";
    throw new BtfFormatError(ERR_IMAGE_NO_KERNEL, { name, value: this.#files, note });
  }

  #isMember(path: string | undefined): boolean {
    const { member } = this.#options;
    if (path === undefined || member === undefined) return false;
    return trimmed(path) === trimmed(member) || fileName(path) === member;
  }

  /** Whether one of the files on the way is the one that was asked for. */
  #isAsked(steps: readonly ImageStep[]): boolean {
    return steps.some(({ member }) => this.#isMember(member) || (member !== undefined && this.#isNamed(member)));
  }

  /** Whether a module is the one that was asked for. */
  #isNamed(path: string): boolean {
    return this.#isMember(path) || moduleName(path) === this.#options.member?.replaceAll("-", "_");
  }

  #isKept(path: string): boolean {
    const { modules = false } = this.#options;
    return typeof modules === "function" ? modules(moduleName(path)) : modules;
  }

  /** Nothing that follows is of interest. */
  #isDone(main: FoundBtf | undefined): boolean {
    const { modules = false, member, base } = this.#options;
    if (modules) return false;
    if (member === undefined) return main !== undefined;
    const hasKernel = main !== undefined || base !== undefined;
    return hasKernel && (this.#chosen !== undefined || (main !== undefined && this.#isAsked(main.steps)));
  }

  async #archive(
    kind: ArchiveKind | "folder",
    entries: AsyncIterable<Entry>,
    steps: readonly ImageStep[],
  ): Promise<FoundBtf | undefined> {
    let main: FoundBtf | undefined;
    for await (const entry of entries) {
      const found = await this.#entry(entry, [...steps, { kind, member: entry.path }], main !== undefined);
      if (kind === "folder" && found && main) this.#one(main, found);
      main = this.#better(main, found);
      // Of a folder's kernels none is the first: which is meant has to be said.
      if (this.#isDone(main) && (kind !== "folder" || this.#options.member !== undefined)) break;
    }
    return main;
  }

  /** @throws BtfLookupError ERR_IMAGE_KERNELS for a folder's second kernel, if it is another one than the first */
  #one(first: FoundBtf, second: FoundBtf): void {
    if (this.#options.member !== undefined || sameBytes(first.bytes, second.bytes)) return;
    const [name, note] = [first, second].map(({ steps }) => steps.find(({ kind }) => kind === "folder")!.member!);
    throw new BtfLookupError(ERR_IMAGE_KERNELS, { name: name!, note: note! });
  }

  /** The first kernel, or the one that was asked for. */
  #better(main: FoundBtf | undefined, found: FoundBtf | undefined): FoundBtf | undefined {
    if (!found || !main) return found ?? main;
    return this.#isAsked(found.steps) && !this.#isAsked(main.steps) ? found : main;
  }

  async #entry({ path, body }: Entry, steps: readonly ImageStep[], hasMain: boolean): Promise<FoundBtf | undefined> {
    if (MODULE.test(path)) {
      this.#files++;
      this.#moduleCount++;
      this.#names.push(path);
      if (this.#isNamed(path) || this.#isKept(path)) await this.#module(path, body, steps);
      return undefined;
    }
    const asked = this.#isAsked(steps);
    const isFile = steps.length === 1 && steps[0]!.kind === "folder";
    const isCandidate = [KERNEL, BTF_FILE, INNER].some((names) => names.test(path));
    // To look into each file of a folder would take long, and modules are what else there may be.
    if (hasMain && isFile && !asked && !isCandidate && !this.#options.modules) return undefined;
    try {
      return await this.#look(path, body, steps, { asked, isWanted: !hasMain || isFile });
    } catch (cause) {
      // What stands beside it may do; of what is packed in it nothing else can be read.
      const isAll = INNER.test(path) && !isFile;
      if (!(cause instanceof BtfError) || cause instanceof BtfInternalError || asked || isAll) throw cause;
      if (isCandidate) this.#refusal ??= cause;
      return undefined;
    }
  }

  /** What is in a file that is no module by its name. */
  async #look(
    path: string,
    body: Reader,
    steps: readonly ImageStep[],
    { asked, isWanted }: { readonly asked: boolean; readonly isWanted: boolean },
  ): Promise<FoundBtf | undefined> {
    if (INNER.test(path) && (await isContainer(body))) return await findIn(body, this.#limits, steps);
    this.#files++;
    const { base, member } = this.#options;
    const head = await body.peek(HEAD);
    if (isRawBtf(head) || (BTF_FILE.test(path) && compressionAt(head))) return await this.#raw(path, body, steps);
    const isKernel = KERNEL.test(path);
    if (base || !(asked || (isWanted && (isKernel || isBootable(head))))) return undefined;
    this.#names.push(path);
    if (member !== undefined && !asked && KERNEL.test(member)) return undefined;
    const found = await findIn(body, this.#limits, steps);
    return found && (asked || isWhole(found)) ? found : undefined;
  }

  /** A file that is BTF: a kernel's, or a module's split one, whatever its name. */
  async #raw(path: string, body: Reader, steps: readonly ImageStep[]): Promise<FoundBtf | undefined> {
    this.#names.push(path);
    const found = await findIn(body, this.#limits, steps);
    if (!found) return undefined;
    const refusal = refusalOf(found.bytes);
    if (!refusal) return this.#options.base ? undefined : found;
    if (KERNEL.test(path)) this.#refusal ??= refusal;
    this.#moduleCount++;
    const module = { name: moduleName(path), path, find: async () => found };
    if (this.#isNamed(path)) this.#chosen ??= module;
    if (this.#isKept(path)) this.#modules.push(module);
    return undefined;
  }

  async #module(path: string, body: Reader, steps: readonly ImageStep[]): Promise<void> {
    const limits = this.#limits;
    const { start: bytes } = await readWindow(body, limits.budget.held);
    const look = async (): Promise<FoundBtf> => {
      const found = await findIn(Reader.of(bytes, path), limits, steps);
      if (found) return found;
      throw new BtfFormatError(ERR_IMAGE_NO_KERNEL, { name: path, value: 0 });
    };
    // What is not packed is looked at now: its BTF is a small part of it.
    const now = compressionAt(bytes) ? undefined : await settled(look());
    const module = { name: moduleName(path), path, find: now ?? look };
    if (this.#isNamed(path)) this.#chosen ??= module;
    if (this.#isKept(path)) this.#modules.push(module);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** A result that is known, good or bad, to be asked for later. */
async function settled<T>(promise: Promise<T>): Promise<() => Promise<T>> {
  try {
    const value = await promise;
    return async () => value;
  } catch (cause) {
    if (!(cause instanceof BtfError) || cause instanceof BtfInternalError) throw cause;
    return async () => {
      throw cause;
    };
  }
}

async function isContainer(body: Reader): Promise<boolean> {
  const head = await body.peek(HEAD);
  return compressionAt(head) !== undefined || archiveAt(head) !== undefined;
}

/** Whether a file's head is a kernel's, whatever its name. */
function isBootable(head: Uint8Array): boolean {
  if (isElf(head)) return head[head[5] === 2 ? 17 : 16] === 2;
  try {
    const boot = bootImage(head, "");
    return boot !== undefined && boot.kind !== "PE image";
  } catch {
    // Its payload lies behind the head.
    return true;
  }
}

/** As the kernel spells it. */
export function moduleName(path: string): string {
  return (MODULE.exec(path) ?? RAW_MODULE.exec(path))![1]!.replaceAll("-", "_");
}

/** Opens what was found. @throws BtfEnvironmentError ERR_UNSUPPORTED where it brings a base of its own, and is given another */
export function openFound({ bytes, base, pointerSize }: FoundBtf, on?: Btf): Btf {
  if (base && on) {
    const note = "it brings a distilled base (.BTF.base) of its own: open it without a base";
    throw new BtfEnvironmentError(ERR_UNSUPPORTED, { note });
  }
  const under = base ? Btf.parse(base) : on;
  const btf = under ? under.split(bytes) : Btf.parse(bytes);
  if (pointerSize) btf.pointerSize = pointerSize;
  return btf;
}
