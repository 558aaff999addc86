/** What the worker says to a question of a component: the answer before stays until the next is there. */
import { useEffect, useState } from "preact/hooks";
import { type CallError, call } from "../client.js";
import type { Api, Call, Progress } from "../protocol.js";

export interface Asked<T> {
  readonly value: T | undefined;
  readonly failure: string | undefined;
  readonly isWaiting: boolean;
  readonly progress: Progress | undefined;
}

const NOTHING = { value: undefined, failure: undefined, isWaiting: false, progress: undefined };

export function useAsked<C extends Call>(name: C, args: Api[C]["args"] | undefined): Asked<Api[C]["result"]> {
  const [state, setState] = useState<Asked<Api[C]["result"]>>(NOTHING);
  const key = JSON.stringify(args);
  // The key stands for the arguments.
  useEffect(() => {
    if (args === undefined) {
      setState(NOTHING);
      return;
    }
    const controller = new AbortController();
    const isGone = (): boolean => controller.signal.aborted;
    setState((before) => ({ ...before, failure: undefined, isWaiting: true, progress: undefined }));
    call(name, args, {
      signal: controller.signal,
      onProgress: (progress) => isGone() || setState((before) => ({ ...before, progress })),
    }).then(
      (value) => isGone() || setState({ ...NOTHING, value }),
      (error: CallError) => isGone() || setState({ ...NOTHING, failure: error.message }),
    );
    return () => controller.abort();
  }, [name, key]);
  return state;
}
