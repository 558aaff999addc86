/** Where the files of an archive lie. */

/** A part of a file, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Files that can be read: a folder, a server, anything that hands out ranges of bytes. */
export interface ArchiveStore {
  /** What to call it in errors. */
  readonly name: string;
  /**
   * Reads a file, or a part of it. File names are `archive.btfa` and `data/` with 64 hexadecimal digits.
   *
   * @throws BtfEnvironmentError ERR_FILE for a file that is not there
   */
  read(file: string, range?: ByteRange): Promise<Uint8Array>;
}

/** Files that can be written too. */
export interface WritableArchiveStore extends ArchiveStore {
  /**
   * Keeps other writers out until what it returns is called.
   *
   * @throws BtfEnvironmentError ERR_ARCHIVE_LOCKED where another writer is at work
   */
  lock(): Promise<() => Promise<void>>;
  /** Puts a file in place: after a crash it is there whole, or not at all. */
  write(file: string, bytes: Uint8Array): Promise<void>;
  /** The names of the files below `data/`. */
  list(): Promise<readonly string[]>;
  remove(file: string): Promise<void>;
}

/** The one file that changes. */
export const ROOT = "archive.btfa";
