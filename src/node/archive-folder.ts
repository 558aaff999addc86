/** The files of an archive in a folder. */

import { mkdirSync, readdirSync } from "node:fs";
import type * as FilePromises from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ByteRange, WritableArchiveStore } from "../archive/store.js";
import { ERR_ARCHIVE_LOCKED } from "../errors/archive.js";
import { ERR_FILE } from "../errors/btf.js";
import { BtfEnvironmentError } from "../errors/error.js";

const LOCK = "lock";

/** Loaded when it is needed: it brings all of Node's streams, which take 5 ms. */
const files = (): typeof FilePromises => process.getBuiltinModule("node:fs/promises");

/**
 * Returns a folder as a place for an archive. It is made with the first write.
 *
 * @example
 * const archive = await Archive.open(archiveFolder("kernels"));
 * console.log(archive.kernels.length); // 1
 */
export function archiveFolder(path: string): WritableArchiveStore {
  return new ArchiveFolder(path);
}

class ArchiveFolder implements WritableArchiveStore {
  readonly name: string;

  constructor(path: string) {
    this.name = path;
  }

  #failure(file: string, cause: unknown): BtfEnvironmentError {
    const { code, message } = cause as NodeJS.ErrnoException;
    const note = code === "ENOENT" ? "no such file" : message;
    return new BtfEnvironmentError(ERR_FILE, { name: join(this.name, file), note }, { cause });
  }

  async read(file: string, range?: ByteRange): Promise<Uint8Array> {
    try {
      if (!range) return new Uint8Array(await files().readFile(join(this.name, file)));
      const handle = await files().open(join(this.name, file));
      try {
        // A damaged archive may ask for more than there is.
        const { size } = await handle.stat();
        const length = Math.max(0, Math.min(range.length, size - range.offset));
        const bytes = new Uint8Array(length);
        let done = 0;
        while (done < length) {
          const { bytesRead } = await handle.read(bytes, done, length - done, range.offset + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return bytes.subarray(0, done);
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw this.#failure(file, cause);
    }
  }

  async write(file: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.name, file);
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      mkdirSync(dirname(path), { recursive: true });
      const handle = await files().open(temporary, "w");
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await files().rename(temporary, path);
      await syncFolder(dirname(path));
    } catch (cause) {
      await files().rm(temporary, { force: true });
      throw this.#failure(file, cause);
    }
  }

  async list(): Promise<readonly string[]> {
    try {
      return readdirSync(join(this.name, "data")).sort();
    } catch {
      return [];
    }
  }

  async remove(file: string): Promise<void> {
    await files().rm(join(this.name, file), { force: true });
  }

  async lock(): Promise<() => Promise<void>> {
    const path = join(this.name, LOCK);
    const owner = `${process.pid} ${process.getBuiltinModule("node:os").hostname()}\n`;
    for (let tries = 0; ; tries++) {
      try {
        mkdirSync(this.name, { recursive: true });
        const handle = await files().open(path, "wx");
        await handle.writeFile(owner);
        await handle.close();
        return async () => {
          if ((await textOf(path)) === owner) await files().rm(path, { force: true });
        };
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw this.#failure(LOCK, cause);
        const other = await textOf(path);
        if (tries < 3 && isGone(other)) {
          await this.#takeAway(path, other);
          continue;
        }
        const note = `by process ${other.trim().replace(" ", " on ")}; if that is gone, remove ${path}`;
        throw new BtfEnvironmentError(ERR_ARCHIVE_LOCKED, { note }, { cause });
      }
    }
  }

  /** Takes a dead writer's lock away, unless another one has been quicker. */
  async #takeAway(path: string, owner: string): Promise<void> {
    const aside = `${path}.${process.pid}`;
    try {
      await files().rename(path, aside);
    } catch {
      return;
    }
    const taken = await textOf(aside);
    // A living writer's: it goes back.
    const { rename, rm } = files();
    if (taken !== owner) await rename(aside, path).catch(() => {});
    await rm(aside, { force: true });
  }
}

/** Whether the writer that a lock names was on this machine, and is no more. */
function isGone(owner: string): boolean {
  const [, pid, host] = /^(\d+) (.*)\n$/.exec(owner) ?? [];
  if (pid === undefined || host !== process.getBuiltinModule("node:os").hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** What a file says; nothing if it is not there. */
function textOf(path: string): Promise<string> {
  const { readFile } = files();
  return readFile(path, "utf8").catch(() => "");
}

/** Makes the names in a folder last. Not every system can. */
async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await files().open(path);
    await handle.sync().finally(() => handle.close());
  } catch {
    // A file system without it keeps names in order.
  }
}
