/** The worker's loop: one call after the other, those that wait for bytes side by side. */
import { BtfError } from "btfkit";
import type { Api, Call, Failure, FromWorker, Progress, ToWorker } from "../protocol.js";
import { handlers } from "./handlers.js";

/** What a call gets besides its arguments. */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

export type Handlers = {
  [C in Call]: (args: Api[C]["args"], context: CallContext) => Api[C]["result"] | Promise<Api[C]["result"]>;
};

const running = new Map<number, AbortController>();
const answer = (message: FromWorker): void => self.postMessage(message);

function failureOf(error: unknown, signal: AbortSignal): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return { message, code: error instanceof BtfError ? error.code : undefined, isCancelled: signal.aborted };
}

self.onmessage = async ({ data }: MessageEvent<ToWorker>): Promise<void> => {
  const { id } = data;
  if ("cancel" in data) {
    running.get(id)?.abort();
    return;
  }
  const controller = new AbortController();
  running.set(id, controller);
  const { signal } = controller;
  const context: CallContext = { signal, progress: (progress) => answer({ id, progress }) };
  try {
    const handler = handlers[data.call] as (args: unknown, context: CallContext) => unknown;
    const result = await handler(data.args, context);
    signal.throwIfAborted();
    answer({ id, result });
  } catch (error) {
    answer({ id, failure: failureOf(error, signal) });
  } finally {
    running.delete(id);
  }
};
