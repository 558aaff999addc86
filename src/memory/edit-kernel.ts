/**
 * The second WebAssembly module: kernels that make and reshape BTF, with a
 * memory of their own. It is compiled when one of them is first needed, and
 * bundlers leave it out where none is.
 */
import type {
  JUDGE_CHOOSE,
  JUDGE_RETRACT,
  JUDGE_RETRACT_ALL,
  JUDGED_HOLDS,
  JUDGED_REFINE,
  JUDGED_SETTLE,
} from "./generated/edit-abi.js";
import { EDIT } from "./generated/inline-edit.js";
import { compile, instancesFrom, type KernelSource, type Make, refused } from "./kernel.js";

/** A mode of `judgeForwards`: its treatment of choices that do not hold. @internal */
export type JudgeMode = typeof JUDGE_CHOOSE | typeof JUDGE_RETRACT | typeof JUDGE_RETRACT_ALL;

/** The answer of `judgeForwards`. @internal */
export type Judgement = typeof JUDGED_HOLDS | typeof JUDGED_REFINE | typeof JUDGED_SETTLE;

/** Exports of the module; all numbers are addresses, lengths in bytes, type ids, or counts. @internal */
export interface EditKernel {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  status(): number;
  /** Count of references, or a negated error code. */
  take(
    graph: number,
    at: number,
    end: number,
    firstId: number,
    limit: number,
    ownId: number,
    shiftIds: number,
    ownName: number,
    shiftNames: number,
  ): number;
  markList(graph: number, list: number, count: number): void;
  rankNames(graph: number): number;
  /** 0, or a negated error code. */
  uniteNames(graph: number, hashes: number, offsets: number): number;
  renameList(graph: number, list: number, count: number): void;
  hashShapes(graph: number, single: number): void;
  redirect(graph: number): void;
  hashTypes(graph: number, pairs: number, kept: number, count: number): void;
  /** Count of types that declare or define a name with several definitions. */
  findDefinitions(graph: number): number;
  makeOpaque(graph: number, kept: number, count: number): void;
  findWitnesses(graph: number, kept: number, count: number, queue: number): void;
  choose(graph: number, kept: number, count: number, partners: number): void;
  settle(graph: number, kept: number, count: number): void;
  judgeForwards(graph: number, mode: JudgeMode): Judgement;
  startClasses(graph: number): void;
  restoreClasses(graph: number, kept: number, count: number): void;
  listParents(graph: number): void;
  separate(graph: number): void;
  /** 1 while there is more to do. */
  refine(graph: number, budget: number): number;
  /** 0, or a negated error code. */
  checkClasses(graph: number): number;
  /** 0, or a negated error code. */
  findLoop(graph: number, kinds: number, states: number, stack: number, next: number): number;
  assignIds(graph: number, map: number): number;
  compact(graph: number, map: number, out: number): number;
  hashNames(graph: number, out: number): void;
  hashRecords(graph: number, names: number, out: number): void;
  /** 0, or a negated error code. */
  fingerprint(graph: number, records: number, scratch: number, out: number): number;
  checkRecords(verify: number): void;
  checkReferences(verify: number): void;
  checkTags(verify: number): void;
  /** Returns the number of ids that it listed, as `listFieldHolders` does. */
  listFieldTypes(verify: number): number;
  listFieldHolders(verify: number): number;
}

let make: Make<EditKernel> = () => {
  make = compile(EDIT);
  return make();
};

/** Instances come from `given` from now on. @internal */
export function provideEdit(given: Make<EditKernel>): void {
  make = given;
}

/**
 * `init` for what `btfkit/edit` has of its own. Not needed: it is compiled when
 * it has to be. A host that wants to stream it passes the response of
 * `btfkit/edit.wasm`.
 *
 * @throws BtfEnvironmentError ERR_WASM where WebAssembly is absent or forbidden.
 * @example
 * await initEdit(); // or: await initEdit(fetch("edit.wasm"));
 * console.log(dedup(btf).btf.size); // 95069
 */
export async function initEdit(source?: KernelSource | Promise<KernelSource>): Promise<void> {
  const given = await source;
  if (given === undefined) return void instantiateEdit();
  provideEdit(await instancesFrom(given));
}

/** A new instance, with a memory of its own. @throws BtfEnvironmentError ERR_WASM @internal */
export function instantiateEdit(): EditKernel {
  try {
    return make();
  } catch (cause) {
    throw refused(cause);
  }
}
