/** Bounds the work that hostile types can cause. */

import { ERR_CORE_WORK } from "../../errors/bpf.js";
import { BtfLimitError } from "../../errors/error.js";

/**
 * Members, enumerators and types that one `relocate` call may look at. libbpf has
 * no such bound, and types that nest twice in each other can keep it busy for
 * years; the largest real object and kernel need about 100,000.
 */
const STEPS = 1 << 24;

export class Budget {
  #left = STEPS;

  /** @throws BtfLimitError ERR_CORE_WORK */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new BtfLimitError(ERR_CORE_WORK, { limit: STEPS });
  }
}
