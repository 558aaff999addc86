/** A thread of `check`: gets tasks, answers with their cells. */
import { parentPort, workerData } from "node:worker_threads";
import { InputError } from "../exit.js";
import { CellMaker, type CellTask, type CellWork } from "./cells.js";
import type { Answer } from "./threads.js";

const maker = new CellMaker(workerData as CellWork);

async function answer(task: CellTask): Promise<Answer> {
  try {
    return { cells: await maker.make(task) };
  } catch (error) {
    return { error: { isInput: error instanceof InputError, message: (error as Error).message } };
  }
}

parentPort!.on("message", async (task: CellTask) => parentPort!.postMessage(await answer(task)));
