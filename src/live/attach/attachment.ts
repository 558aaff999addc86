import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_ATTACH } from "../../errors/live.js";
import type { Link } from "../link.js";
import type { Program } from "../program.js";

/**
 * A program that is attached. Disposing of it detaches the program, unless it
 * was pinned.
 *
 * @example
 * const kernel = await Kernel.open();
 * const app = await kernel.load(object);
 * const attached = app.programs["program"]?.attach();
 * console.log(attached instanceof Attachment, attached?.target); // true raw tracepoint sched_switch
 * app[Symbol.dispose]();
 */
export class Attachment implements Disposable {
  /** Name of the program. */
  readonly program: string;
  /** What it is attached to, in words: `"tracepoint sched/sched_switch"`. */
  readonly target: string;
  readonly #links: readonly Link[];
  readonly #others: readonly Disposable[];
  #isOpen = true;

  /** @internal */
  constructor(program: string, target: string, links: readonly Link[], others: readonly Disposable[] = []) {
    this.program = program;
    this.target = target;
    this.#links = links;
    this.#others = others;
  }

  /** The link; `undefined` where the kernel has none for this way of attaching, or has several. */
  get link(): Link | undefined {
    return this.#links.length === 1 ? this.#links[0] : undefined;
  }

  /** Whether it is still attached through this object. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Keeps the program attached beyond this process, until the path is removed.
   *
   * @throws BtfLookupError ERR_LIVE_ATTACH where there is no link to pin; BtfSystemError
   */
  pin(path: string): void {
    this.#oneLink("pinned").pin(path);
  }

  /**
   * Puts another program in place of the attached one, at once.
   *
   * @throws BtfLookupError ERR_LIVE_ATTACH where there is no link to update; BtfSystemError EINVAL for a link that cannot be updated
   */
  update(program: Program): void {
    this.#oneLink("updated").update(program);
  }

  #oneLink(what: string): Link {
    if (this.link) return this.link;
    const note = this.#links.length > 1 ? `it has ${this.#links.length} links` : "this kernel has no link for it";
    throw new BtfLookupError(ERR_LIVE_ATTACH, { name: this.program, note: `${note}: it cannot be ${what}` });
  }

  /** Detaches the program. Does nothing the second time. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const link of this.#links) link[Symbol.dispose]();
    for (const other of this.#others) other[Symbol.dispose]();
  }
}
