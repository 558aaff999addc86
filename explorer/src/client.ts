/** The page's side of the protocol: calls as promises. */

import type { Api, Call, Failure, FromWorker, Progress, ToWorker } from "./protocol.js";
import { startWorker } from "./start-worker.js";

/** A call that did not come to its end. */
export class CallError extends Error {
  readonly code: string | undefined;
  readonly isCancelled: boolean;

  constructor({ message, code, isCancelled }: Failure) {
    super(message);
    this.code = code;
    this.isCancelled = isCancelled;
  }
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: CallError) => void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

let worker: Worker | undefined;
let last = 0;
const pending = new Map<number, Pending>();

function receive({ data }: MessageEvent<FromWorker>): void {
  const waiting = pending.get(data.id);
  if (!waiting) return;
  if ("progress" in data) {
    waiting.onProgress?.(data.progress);
    return;
  }
  pending.delete(data.id);
  if ("failure" in data) waiting.reject(new CallError(data.failure));
  else waiting.resolve(data.result as never);
}

function failAll({ message }: { readonly message: string }): void {
  const error = new CallError({ message: `the worker has stopped: ${message}`, code: undefined, isCancelled: false });
  for (const { reject } of pending.values()) reject(error);
  pending.clear();
}

/** Starts the worker, which takes as long as a file takes to be chosen. */
export function start(): Worker {
  if (worker) return worker;
  worker = startWorker();
  worker.onmessage = receive;
  worker.onerror = failAll;
  return worker;
}

/** Asks the worker. @throws CallError */
export function call<C extends Call>(
  name: C,
  args: Api[C]["args"],
  options: CallOptions = {},
): Promise<Api[C]["result"]> {
  const id = ++last;
  return new Promise((resolve, reject) => {
    pending.set(id, { resolve, reject, onProgress: options.onProgress });
    const target = start();
    target.postMessage({ id, call: name, args } as ToWorker);
    options.signal?.addEventListener("abort", () => target.postMessage({ id, cancel: true } satisfies ToWorker));
  });
}
