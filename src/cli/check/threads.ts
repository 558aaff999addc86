/** Makes the cells of a matrix in several threads. The result does not depend on how many. */
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { InputError } from "../exit.js";
import type { CellTask, CellWork, TimedCell } from "./cells.js";

const workerFile = (): URL => new URL("./check-worker.cjs", import.meta.url);

/** Whether a thread has a file to run: the executable as one file has none. */
export const hasThreads = (): boolean => existsSync(workerFile());

/** What a thread says of a task. */
export type Answer =
  | { readonly cells: TimedCell[]; readonly error?: never }
  | { readonly error: { readonly isInput: boolean; readonly message: string } };

/**
 * The cells of each task, in the order of the tasks.
 *
 * @param done is told how many cells are there each time some come in
 * @throws the error of the first task, in their order, that has one
 */
export async function inThreads(
  count: number,
  work: CellWork,
  tasks: readonly CellTask[],
  done: (cells: number) => void,
): Promise<TimedCell[]> {
  const workers = Array.from({ length: count }, () => new Worker(workerFile(), { workerData: work }));
  const answers: Answer[] = [];
  let next = 0;
  let made = 0;
  let failed = false;
  const serve = async (worker: Worker): Promise<void> => {
    // Tasks are given out in order: when one fails, all before it have been, and are waited for.
    while (next < tasks.length && !failed) {
      const index = next++;
      const answer = await ask(worker, tasks[index]!);
      answers[index] = answer;
      failed ||= answer.error !== undefined;
      made += answer.error ? 0 : answer.cells.length;
      done(made);
    }
  };
  try {
    await Promise.all(workers.map(serve));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return answers.flatMap((answer) => {
    if (!answer.error) return answer.cells;
    const { isInput, message } = answer.error;
    throw isInput ? new InputError(message) : new Error(message);
  });
}

function ask(worker: Worker, task: CellTask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    worker.once("message", (answer: Answer) => {
      worker.off("error", reject);
      resolve(answer);
    });
    worker.once("error", reject);
    worker.postMessage(task);
  });
}
