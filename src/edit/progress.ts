/** How far long work is, and a way to stop it. */

/** How work is followed, and stopped. */
export interface ProgressOptions {
  /** Stops the work between two steps. */
  readonly signal?: AbortSignal;
  /** Told after each step how many of how many types are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Types in a step: a few milliseconds. */
const STEP = 8192;

/** To be called after each of `total` types. What it throws is the reason of the signal. */
export function steps({ signal, onProgress }: ProgressOptions, total: number): (done: number) => void {
  return (done) => {
    if (done % STEP !== 0 && done !== total) return;
    signal?.throwIfAborted();
    onProgress?.(done, total);
  };
}
