/** Where a command writes: a file descriptor, or a file that appears only once it is whole. */
import { closeSync, openSync, renameSync, rmSync, write, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BtfEnvironmentError } from "../errors.js";
import { ERR_FILE } from "../rules.js";

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

class DescriptorOutput implements Output {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (bytes.length === 0) return;
    if (IN_BACKGROUND) await writeLater(this.fd, bytes);
    else writeNow(this.fd, bytes);
  }

  async commit(): Promise<void> {}

  abandon(): void {}
}

class FileOutput extends DescriptorOutput {
  readonly #path: string;
  readonly #temporary: string;
  #open = true;

  constructor(path: string, temporary: string) {
    super(openSync(temporary, "wx", 0o666));
    this.#path = path;
    this.#temporary = temporary;
  }

  override async commit(): Promise<void> {
    closeSync(this.fd);
    this.#open = false;
    try {
      renameSync(this.#temporary, this.#path);
    } catch (cause) {
      rmSync(this.#temporary, { force: true });
      throw unwritable(this.#path, cause);
    }
  }

  override abandon(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.fd);
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

/** Standard output, or the file that `--output` names. */
export function openOutput(path: string | undefined, stdout: number): Output {
  if (path === undefined || path === "-") return new DescriptorOutput(stdout);
  try {
    return new FileOutput(path, join(dirname(path), `.${basename(path)}.${process.pid}.tmp`));
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
