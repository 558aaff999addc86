/**
 * The WebAssembly module of btfkit/inspect, with a memory of its own. It is
 * compiled when it is first needed, and bundlers leave it out where nothing
 * needs it.
 */
import { INSPECT } from "./generated/inline-inspect.js";
import { compile, type Make, refused } from "./kernel.js";

/** Exports of the module; all numbers are addresses, lengths in bytes, type ids, or counts. @internal */
export interface InspectKernel {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  status(): number;
  /** 0, or a negated error code. */
  identify(subject: number): number;
  /** The lowest id, or how many references were counted. */
  turnRound(
    types: number,
    offsets: number,
    count: number,
    firstId: number,
    lowest: number,
    limit: number,
    starts: number,
    referrers: number,
  ): number;
  /** Count of rows that differ. */
  tabulate(table: number): number;
  listDiffering(table: number, count: number, out: number): void;
  /** How many names were written. */
  writeNames(rows: number, count: number, out: number, length: number): number;
  /** Count of definitions that were listed. */
  lacking(table: number, row: number, side: number, out: number): number;
  /** Takes what the host has laid out. */
  start(
    records: number,
    kinds: number,
    known: number,
    strings: number,
    idLimit: number,
    pointerSize: number,
    cachelineBytes: number,
    compatible: number,
    heap: number,
    heapEnd: number,
  ): number;
  /** Takes one image's own types. */
  adopt(types: number, offsets: number, kinds: number, firstId: number, count: number): void;
  /** Begins a text. */
  begin(scratch: number, heads: number, mask: number): void;
  /** Id that the next call begins with. */
  position(): number;
  /** Leaves out the definition that the host has written. */
  skip(): void;
  /**
   * Bytes of definitions in the window; -1 where one does not fit, -2 where the host has to write all that is left,
   * -3 where it has to write the next definition, and then to call `skip`.
   */
  layouts(window: number, length: number): number;
}

let make: Make<InspectKernel> = () => {
  make = compile(INSPECT);
  return make();
};

/** Instances come from `given` from now on. @internal */
export function provideInspect(given: Make<InspectKernel>): void {
  make = given;
}

/** A new instance, with a memory of its own. @throws BtfEnvironmentError ERR_WASM @internal */
export function instantiateInspect(): InspectKernel {
  try {
    return make();
  } catch (cause) {
    throw refused(cause);
  }
}
