/** Where a command writes: a file descriptor, or a file that appears only once it is whole. */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  write,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { ERR_FILE } from "../errors/btf.js";
import { BtfEnvironmentError } from "../errors/error.js";

/** The reader has gone away: the command ends quietly. */
export class ClosedPipe extends Error {}

export interface Output {
  write(chunk: Uint8Array | string): Promise<void>;
  /** All is written. */
  commit(): Promise<void>;
  /** Leaves nothing behind. Does nothing after `commit`. */
  abandon(): void;
}

/** How long to wait, in milliseconds, before writing again to a full pipe that does not block. */
const FULL_PIPE_WAIT = 1;

/**
 * Node fills the next window while the thread pool writes this one: a dump of
 * 12 MB into a pipe takes 8 ms instead of 18. In Bun the way to the pool and
 * back takes longer than that saves.
 */
const IN_BACKGROUND = process.versions["bun"] === undefined;

/** Writes all of `bytes` at once, however the descriptor is set up. */
function writeNow(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === "EPIPE") throw new ClosedPipe();
      if (code !== "EAGAIN") throw cause;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_WAIT);
    }
  }
}

/** As `writeNow`, in the background. */
function writeLater(fd: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const from = (offset: number): void => {
      write(fd, bytes, offset, bytes.length - offset, null, (error, count) => {
        if (error?.code === "EAGAIN") setTimeout(from, FULL_PIPE_WAIT, offset);
        else if (error) reject(error.code === "EPIPE" ? new ClosedPipe() : error);
        else if (offset + count < bytes.length) from(offset + count);
        else resolve();
      });
    };
    from(0);
  });
}

/** A stream, a pipe or a device. */
class DescriptorOutput implements Output {
  readonly #fd: number;
  readonly #name: string;

  constructor(fd: number, name: string) {
    this.#fd = fd;
    this.#name = name;
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (bytes.length === 0) return;
    try {
      if (IN_BACKGROUND) await writeLater(this.#fd, bytes);
      else writeNow(this.#fd, bytes);
    } catch (cause) {
      throw cause instanceof ClosedPipe ? cause : unwritable(this.#name, cause);
    }
  }

  async commit(): Promise<void> {}

  abandon(): void {}
}

export const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * A file beside the one that is asked for, made with the first write and renamed
 * in the end. Until then a signal that ends the process takes it away.
 */
class FileOutput implements Output {
  readonly #path: string;
  readonly #temporary: string;
  #open: { readonly fd: number; readonly output: DescriptorOutput } | undefined;
  #isAbandoned = false;
  readonly #interrupted = (signal: NodeJS.Signals): void => {
    this.abandon();
    process.kill(process.pid, signal);
  };

  constructor(path: string) {
    this.#path = path;
    this.#temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  }

  #opened(): { readonly fd: number; readonly output: DescriptorOutput } {
    if (this.#open) return this.#open;
    for (const signal of SIGNALS) process.once(signal, this.#interrupted);
    try {
      const fd = openSync(this.#temporary, "wx", 0o666);
      this.#open = { fd, output: new DescriptorOutput(fd, this.#path) };
      return this.#open;
    } catch (cause) {
      this.#close();
      throw unwritable(this.#path, cause);
    }
  }

  #close(): void {
    if (this.#open) closeSync(this.#open.fd);
    this.#open = undefined;
    for (const signal of SIGNALS) process.removeListener(signal, this.#interrupted);
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    await this.#opened().output.write(chunk);
  }

  async commit(): Promise<void> {
    if (this.#isAbandoned) return;
    this.#opened();
    this.#close();
    try {
      renameSync(this.#temporary, this.#path);
    } catch (cause) {
      rmSync(this.#temporary, { force: true });
      throw unwritable(this.#path, cause);
    }
  }

  abandon(): void {
    this.#isAbandoned = true;
    if (!this.#open) return;
    this.#close();
    rmSync(this.#temporary, { force: true });
  }
}

function unwritable(path: string, cause: unknown): BtfEnvironmentError {
  return new BtfEnvironmentError(
    ERR_FILE,
    { name: path, note: `cannot be written: ${(cause as Error).message}` },
    { cause },
  );
}

/**
 * Standard output, or what `--output` names: a file, which is replaced when all
 * is written, or a pipe or device, which is written to.
 *
 * @throws BtfEnvironmentError ERR_FILE for a directory, and for a file in a folder where none can be made
 */
export function openOutput(path: string | undefined, stdout: number): Output {
  if (path === undefined || path === "-") return new DescriptorOutput(stdout, "standard output");
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw new Error("it is a directory");
    if (found && !found.isFile()) return new DescriptorOutput(openSync(path, "w"), path);
    const target = found ? realpathSync(path) : path;
    accessSync(dirname(target), constants.W_OK);
    return new FileOutput(target);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
