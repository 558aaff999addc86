/** Progress of long work, and its cancellation. */

/** Options of work that reports its progress and can be stopped. */
export interface ProgressOptions {
  /** Stops the work between two steps. */
  readonly signal?: AbortSignal;
  /** Called after each step with the number of types done and of all types. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Types in a step: a few milliseconds. */
const STEP = 8192;

/** Returns a function to call after each of `total` types. It throws the reason of the signal. */
export function steps({ signal, onProgress }: ProgressOptions, total: number): (done: number) => void {
  return (done) => {
    if (done % STEP !== 0 && done !== total) return;
    signal?.throwIfAborted();
    onProgress?.(done, total);
  };
}
