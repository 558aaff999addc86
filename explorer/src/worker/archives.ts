/** The opened archives, and the kernels that are taken out of them. */
import { BtfError } from "btfkit";
import { Archive, type ArchiveStore, type ByteRange } from "btfkit/archive";
import type { ArchiveInfo, FolderFile, Opened } from "../protocol.js";
import { addKernel } from "./kernels.js";
import type { CallContext } from "./worker.js";

interface OpenArchive {
  readonly name: string;
  readonly archive: Archive;
}

const opened = new Map<number, OpenArchive>();
let last = 0;

export function archiveOf(archive: number): OpenArchive {
  const found = opened.get(archive);
  if (!found) throw new Error("this archive is not open any more");
  return found;
}

export function closeArchive(archive: number): undefined {
  opened.delete(archive);
}

function add(name: string, archive: Archive): ArchiveInfo {
  opened.set(++last, { name, archive });
  const kernels = archive.kernels.map(({ id, release, distribution, architecture }) => ({
    id,
    release,
    distribution,
    architecture,
  }));
  return { archive: last, name, kernels };
}

/** Opens the archive at an address; `undefined` if that may be a file and no archive is there. */
export async function openAt({
  name,
  url,
}: {
  readonly name: string;
  readonly url: string;
}): Promise<ArchiveInfo | undefined> {
  const address = url.replace(/archive\.btfa$/, "");
  try {
    return add(name || new URL(address).host, await Archive.open(address));
  } catch (error) {
    if (address.endsWith("/") || !(error instanceof BtfError) || !NO_ARCHIVE.includes(error.code)) throw error;
    return undefined;
  }
}

const NO_ARCHIVE: readonly string[] = ["ERR_FILE", "ERR_ARCHIVE"];

/** Opens an archive that was chosen or dropped as a folder. */
export async function openFolder({
  name,
  folder,
}: {
  readonly name: string;
  readonly folder: readonly FolderFile[];
}): Promise<ArchiveInfo> {
  return add(name, await Archive.open(new Folder(name, folder)));
}

class Folder implements ArchiveStore {
  readonly name: string;
  readonly #blobs: ReadonlyMap<string, Blob>;

  constructor(name: string, files: readonly FolderFile[]) {
    this.name = name;
    this.#blobs = new Map(files.map(({ path, blob }) => [path, blob]));
  }

  async read(file: string, range?: ByteRange): Promise<Uint8Array> {
    const blob = this.#blobs.get(file);
    if (!blob) throw new Error(`${this.name}: it has no file ${file}`);
    const part = range ? blob.slice(range.offset, range.offset + range.length) : blob;
    return new Uint8Array(await part.arrayBuffer());
  }
}

/** Takes a kernel out of an archive, with its modules. */
export async function openArchived(
  { archive, id }: { readonly archive: number; readonly id: string },
  { signal, progress }: CallContext,
): Promise<Opened> {
  const start = performance.now();
  const found = archiveOf(archive);
  progress({ stage: `taking ${id} out of ${found.name}`, done: 0, total: undefined });
  const about = found.archive.kernels.find((one) => one.id === id);
  const { images } = await found.archive.describe(id);
  const btf = await found.archive.openKernel(id);
  signal.throwIfAborted();
  const origin = {
    name: id,
    // The id tells more than the release where several kernels have that.
    release: id,
    architecture: about?.architecture || undefined,
    steps: ["archive"],
  };
  const kernel = addKernel(origin, btf);
  const modules = images.slice(1);
  for (const [done, { name }] of modules.entries()) {
    if (signal.aborted) break;
    progress({ stage: `opening module ${name}`, done, total: modules.length });
    try {
      kernel.add({ name, btf: btf.split(await found.archive.get(id, name)) });
    } catch (error) {
      kernel.skipped.push(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  kernel.milliseconds = performance.now() - start;
  return { kernel: kernel.info() };
}
