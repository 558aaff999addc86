import { BtfLimitError } from "../../errors/error.js";
import { ERR_IMAGE_LIMIT } from "../../errors/image.js";
import type { Reader } from "./reader.js";

/** What one input may cost, whatever is inside what in it. */
export class Budget {
  /** The most that is held of one file, in bytes. */
  readonly held: number;
  /** The most that is unpacked in all, in bytes: most of a package only passes by. */
  readonly #unpacked: number;
  #spent = 0;
  /** Places that look like packed data which may still be tried. */
  #tries: number;
  readonly #signal: AbortSignal | undefined;

  constructor(held: number, unpacked: number, tries: number, signal?: AbortSignal) {
    this.held = held;
    this.#unpacked = unpacked;
    this.#tries = tries;
    this.#signal = signal;
  }

  /** Counts what was unpacked. @throws BtfLimitError ERR_IMAGE_LIMIT; the signal's reason */
  spend(length: number, input: Reader, what: string): void {
    this.#signal?.throwIfAborted();
    this.#spent += length;
    if (this.#spent > this.#unpacked) throw exceeded(input, what, this.#spent, this.#unpacked);
  }

  /** Whether one more place may be tried. */
  try(): boolean {
    return this.#tries-- > 0;
  }
}

/** That `what` gives more than is allowed. */
export function exceeded(input: Reader, what: string, value: number, limit: number): BtfLimitError {
  return new BtfLimitError(ERR_IMAGE_LIMIT, { name: input.name, note: what, value, limit });
}
