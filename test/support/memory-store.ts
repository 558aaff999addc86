// An archive's files in memory, whose reads are counted.
import { BtfEnvironmentError } from "btfkit";
import type { ByteRange, WritableArchiveStore } from "btfkit/archive";
import { openFile } from "btfkit/node";

export class MemoryStore implements WritableArchiveStore {
  readonly name = "memory";
  readonly files = new Map<string, Uint8Array>();
  reads = 0;
  bytesRead = 0;

  async read(file: string, range?: ByteRange): Promise<Uint8Array> {
    const bytes = this.files.get(file);
    if (!bytes) throw missing(file);
    const part = range ? bytes.slice(range.offset, range.offset + range.length) : bytes.slice();
    this.reads++;
    this.bytesRead += part.length;
    return part;
  }

  async write(file: string, bytes: Uint8Array): Promise<void> {
    this.files.set(file, bytes.slice());
  }

  async list(): Promise<readonly string[]> {
    return [...this.files.keys()].flatMap((file) => (file.startsWith("data/") ? [file.slice(5)] : []));
  }

  async remove(file: string): Promise<void> {
    this.files.delete(file);
  }

  async lock(): Promise<() => Promise<void>> {
    return async () => {};
  }
}

/** The error of a file that is not there. */
function missing(file: string): BtfEnvironmentError {
  try {
    openFile(`/nowhere/${file}`);
  } catch (error) {
    if (error instanceof BtfEnvironmentError) return error;
    throw error;
  }
  throw new Error("/nowhere exists");
}
