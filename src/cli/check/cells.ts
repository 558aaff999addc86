/** Cells of the matrix that `check` makes, in its own thread or in several. */
import { type Check, type CheckOptions, check } from "../../bpf/check/check.js";
import { type Cell, cellOf, failedCell } from "../../bpf/check/report/report.js";
import { type BpfObject, readObject } from "../../bpf/object/object.js";
import { BtfError, BtfInternalError } from "../../errors/error.js";
import type { InputOptions } from "../input.js";
import { openTarget } from "../target-input.js";

/** What all cells have in common. A plain value: it is handed to threads. */
export interface CellWork {
  readonly objects: readonly { readonly file: string; readonly bytes: Uint8Array }[];
  readonly modules: readonly string[];
  readonly input: InputOptions;
  readonly options: CheckOptions;
}

/** Objects from index `first` up to `end` on one target. */
export interface CellTask {
  readonly target: string;
  readonly first: number;
  readonly end: number;
}

/** A cell, and how long it took. */
export interface TimedCell {
  readonly cell: Cell;
  readonly seconds: number;
}

/** Makes cells one after the other; keeps one target open, and the objects. */
export class CellMaker {
  readonly #work: CellWork;
  readonly #objects = new Map<number, BpfObject>();
  #opened: { readonly name: string; readonly target: Awaited<ReturnType<typeof openTarget>> } | undefined;

  constructor(work: CellWork) {
    this.#work = work;
  }

  /** @throws InputError for a target that cannot be opened; an object that cannot be checked is told of in its cell */
  async make({ target: name, first, end }: CellTask): Promise<TimedCell[]> {
    const { modules, input, options } = this.#work;
    if (this.#opened?.name !== name) this.#opened = { name, target: await openTarget(name, modules, input) };
    const { target } = this.#opened;
    return this.#work.objects.slice(first, end).map(({ file }, i) => {
      const start = performance.now();
      const cell = this.#cell(file, name, () => check(this.#object(first + i), target, options));
      return { cell, seconds: (performance.now() - start) / 1000 };
    });
  }

  #cell(file: string, target: string, checked: () => Check): Cell {
    try {
      return cellOf(file, target, checked());
    } catch (error) {
      if (!(error instanceof BtfError) || error instanceof BtfInternalError) throw error;
      return failedCell(file, target, error.message);
    }
  }

  #object(index: number): BpfObject {
    let object = this.#objects.get(index);
    if (!object) {
      object = readObject(this.#work.objects[index]!.bytes);
      this.#objects.set(index, object);
    }
    return object;
  }
}
