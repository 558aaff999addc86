/** An archive on a server: files by HTTP, parts of them by range requests. */

import { ERR_ARCHIVE_RANGE } from "../errors/archive.js";
import { ERR_FILE } from "../errors/btf.js";
import { BtfEnvironmentError } from "../errors/error.js";
import { type ArchiveStore, type ByteRange, ROOT } from "./store.js";

/** Times that a request is made, where the connection breaks. */
const TRIES = 2;

/** What a request is made with: `fetch`, or something like it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export class HttpStore implements ArchiveStore {
  readonly name: string;
  readonly #fetch: Fetch;

  /** @param url of the folder */
  constructor(url: string, fetch: Fetch) {
    this.name = url.endsWith("/") ? url : `${url}/`;
    this.#fetch = fetch;
  }

  async read(file: string, range?: ByteRange): Promise<Uint8Array> {
    if (range?.length === 0) return new Uint8Array();
    let broken: unknown;
    for (let time = 0; time < TRIES; time++) {
      try {
        return await this.#get(file, range);
      } catch (error) {
        // What the server has answered it will answer again.
        if (error instanceof BtfEnvironmentError) throw error;
        broken = error;
      }
    }
    const note = `the connection to the server broke: ${(broken as Error).message}`;
    throw new BtfEnvironmentError(ERR_FILE, { name: this.name + file, note }, { cause: broken });
  }

  async #get(file: string, range: ByteRange | undefined): Promise<Uint8Array> {
    const url = this.name + file;
    const headers: Record<string, string> = range
      ? { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }
      : {};
    // The root changes; what it names never does.
    const response = await this.#fetch(url, { headers, ...(file === ROOT && { cache: "no-cache" as const }) });
    const { status } = response;
    if (status !== (range ? 206 : 200)) {
      await response.body?.cancel();
      if (range && status === 200) {
        const note =
          "it sends whole files; serve the archive with btfkit archive serve, or from where ranges are known";
        throw new BtfEnvironmentError(ERR_ARCHIVE_RANGE, { name: this.name, note });
      }
      throw new BtfEnvironmentError(ERR_FILE, {
        name: url,
        note: status === 404 ? "no such file" : `HTTP status ${status}`,
      });
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (range && bytes.length !== range.length) {
      const note = `it sent ${bytes.length} bytes of ${range.length}`;
      throw new BtfEnvironmentError(ERR_ARCHIVE_RANGE, { name: this.name, note });
    }
    return bytes;
  }
}
