/** Cells of the matrix that `check` makes, in its own thread or in several. */
import { type Check, type CheckOptions, check } from "../../bpf/check/check.js";
import { type Cell, cellOf, failedCell } from "../../bpf/check/report/report.js";
import { essentialName } from "../../bpf/core-relocation/essential-name.js";
import type { RelocationTarget } from "../../bpf/core-relocation/relocation.js";
import { usedMembers } from "../../bpf/core-relocation/used-members.js";
import { type BpfObject, readObject } from "../../bpf/object/object.js";
import { BtfError, BtfInternalError } from "../../errors/error.js";
import { openArchive } from "../archive/target.js";
import type { InputOptions } from "../input.js";
import { openTarget } from "../target-input.js";

/** What all cells have in common. A plain value: it is handed to threads. */
export interface CellWork {
  readonly objects: readonly { readonly file: string; readonly bytes: Uint8Array }[];
  readonly modules: readonly string[];
  readonly input: InputOptions;
  readonly options: CheckOptions;
}

/** Objects from index `first` up to `end` on one target, which is opened. */
export interface OpenedTask {
  readonly target: string;
  readonly first: number;
  readonly end: number;
}

/** One object on kernels of one archive, none of which is opened. */
export interface ArchivedTask {
  readonly folder: string;
  readonly object: number;
  readonly kernels: readonly { readonly id: string; readonly target: string }[];
}

export type CellTask = OpenedTask | ArchivedTask;

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
  async make(task: CellTask): Promise<TimedCell[]> {
    return "folder" in task ? await this.#archived(task) : await this.#onOpened(task);
  }

  async #onOpened({ target: name, first, end }: OpenedTask): Promise<TimedCell[]> {
    const { modules, input } = this.#work;
    if (this.#opened?.name !== name) this.#opened = { name, target: await openTarget(name, modules, input) };
    const { target } = this.#opened;
    return this.#work.objects.slice(first, end).map((_, i) => this.#timed(first + i, name, target));
  }

  /** Makes the cells of an object on many kernels, each situation once. */
  async #archived({ folder, object, kernels }: ArchivedTask): Promise<TimedCell[]> {
    const archive = await openArchive(folder);
    const made = new Map<string, TimedCell>();
    const unexplained: string[] = [];
    const whole = new Set<string>();
    const members = this.#membersOf(object);
    const look = (target: RelocationTarget): TimedCell & { readonly lacking: readonly string[] } => {
      const lacking: string[] = [];
      return { ...this.#timed(object, "", target, lacking), lacking };
    };
    const make = async (ids: readonly string[], isLast: boolean): Promise<void> => {
      const options = { kernels: ids, ...(members && { members }), ...(isLast && { whole }) };
      for await (const { kernels: alike, result } of archive.targets(look, options)) {
        const { cell, seconds, lacking } = result;
        for (const id of alike) made.set(id, { cell, seconds: seconds / alike.length });
        if (isLast || !members || lacking.length === 0) continue;
        unexplained.push(...alike);
        for (const name of lacking) whole.add(name);
      }
    };
    await make(
      kernels.map(({ id }) => id),
      false,
    );
    // To say why something is missing, it is looked for in all that the types are made of.
    if (unexplained.length > 0) await make(unexplained, true);
    return kernels.map(({ id, target }) => {
      const { cell, seconds } = made.get(id)!;
      return { cell: { ...cell, target }, seconds };
    });
  }

  #membersOf(object: number): ReadonlySet<string> | undefined {
    try {
      return usedMembers(this.#object(object));
    } catch (error) {
      // Its cells tell.
      if (!(error instanceof BtfError) || error instanceof BtfInternalError) throw error;
      return new Set();
    }
  }

  /** @param lacking gets the names of types and functions that are not as the object needs them */
  #timed(object: number, name: string, target: RelocationTarget, lacking: string[] = []): TimedCell {
    const start = performance.now();
    const { file } = this.#work.objects[object]!;
    const cell = this.#cell(file, name, () => {
      const found = check(this.#object(object), target, this.#work.options);
      lacking.push(...lackingIn(found));
      return found;
    });
    return { cell, seconds: (performance.now() - start) / 1000 };
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

/** Names, as kernels have them, of the types and functions on which relocations and attachments fail. */
function* lackingIn({ relocations, attachments }: Check): Generator<string> {
  for (const { verdict, relocation } of relocations) {
    if (verdict !== "guarded" && verdict !== "breaks") continue;
    const { root, local } = relocation.resolution;
    for (const type of [root, ...(local?.accessors ?? []).map((accessor) => accessor.type)])
      if (type?.name) yield essentialName(type.name);
  }
  for (const { status, target } of attachments) {
    if (status !== "differs" || !target) continue;
    const name = target.replace(/^[\w-]+:/, "");
    for (const prefix of ["", "btf_trace_", "bpf_lsm_", "bpf_iter_"]) yield `${prefix}${name}`;
  }
}
