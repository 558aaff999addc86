/** A number for each type that is the same wherever an equal type stands. */
import type { Btf } from "../../btf/btf.js";
import type { BtfType } from "../../btf/types.js";
import { ERR_INTERNAL, ERR_NO_SUCH_ID } from "../../errors/btf.js";
import { BtfInternalError, BtfLookupError } from "../../errors/error.js";
import * as abi from "../../memory/generated/edit-abi.js";
import type { ProgressOptions } from "../progress.js";
import { Dedup, SEEDS } from "./dedup.js";
import { Workspace } from "./workspace.js";

/**
 * 128 bits a type.
 *
 * @example
 * const prints = fingerprints(btf);
 * console.log(prints.of(1).length, prints.values.length === 2 * btf.size); // 32 true
 */
export class Fingerprints {
  /** Two halves for each id from 0 (void) on, the base's too; the low one first. */
  readonly values: BigUint64Array;

  /** @internal */
  constructor(values: BigUint64Array) {
    this.values = values;
  }

  /** A type's fingerprint as 32 hexadecimal digits. @throws BtfLookupError ERR_NO_SUCH_ID */
  of(type: BtfType | number): string {
    const id = typeof type === "number" ? type : type.id;
    const [low, high] = [this.values[id * 2], this.values[id * 2 + 1]];
    if (low === undefined || high === undefined) {
      throw new BtfLookupError(ERR_NO_SUCH_ID, { value: id, limit: this.values.length / 2 - 1 });
    }
    return high.toString(16).padStart(16, "0") + low.toString(16).padStart(16, "0");
  }
}

/**
 * Fingerprints of all types, the base's too. Those of two types are equal if,
 * and (but for a chance of 2^-128) only if, the types are: same kind, name,
 * size, flags and elements, referring to equal types, place by place, through
 * circles too. They do not depend on ids, the order of types, the byte order or
 * the image, and stay what they are between versions of this library.
 *
 * A forward declaration is equal to declarations only. Not made to withstand
 * somebody who looks for two types of one fingerprint.
 *
 * @throws BtfLimitError ERR_FINGERPRINT for a circle of types that all look like
 *   others of it from 64 references away (no compiler makes such); ERR_DEDUP_NAMES,
 *   ERR_MEMORY; BtfFormatError ERR_BTF_TYPE_ID; BtfEnvironmentError ERR_UNSUPPORTED
 *   for a kind unknown to us; the reason of `signal`
 * @example
 * const [ours, theirs] = [btf, Btf.parse(encode(btf, { endian: "big" }))].map((one) => fingerprints(one));
 * console.log(ours?.of(1) === theirs?.of(1)); // true
 */
export function fingerprints(btf: Btf, options: ProgressOptions = {}): Fingerprints {
  for (let seed = 1; ; seed++) {
    const work = new Workspace([btf.image], btf.base?.image);
    try {
      const values = tryFingerprints(work, options);
      if (values) return new Fingerprints(values);
      if (seed === SEEDS) throw new BtfInternalError(ERR_INTERNAL, { note: "hashes collide whatever the seed" });
    } finally {
      work.release();
    }
  }
}

function tryFingerprints(work: Workspace, options: ProgressOptions): BigUint64Array | undefined {
  const { arena, idLimit } = work;
  const dedup = new Dedup(work, options);
  dedup.uniteStrings(new Uint32Array(0));
  const names = arena.allocate(work.run((kernel, graph) => kernel.rankNames(graph)) * 16);
  const records = arena.allocate(idLimit * 16);
  work.run((kernel, graph) => {
    kernel.hashNames(graph, names);
    kernel.hashRecords(graph, names, records);
  });
  // Declarations stand for themselves, and cycles are types as any others.
  dedup.hashShapes(false);
  dedup.startClasses();
  dedup.refineClasses();
  if (!dedup.holds) return undefined;
  const count = work.get(abi.GRAPH_CLASS_COUNT);
  const scratch = arena.allocate(count * abi.FINGERPRINT_SCRATCH);
  work.zero(scratch, count * abi.FINGERPRINT_SCRATCH);
  const out = arena.allocate(count * 16);
  work.judge(work.run((kernel, graph) => kernel.fingerprint(graph, records, scratch, out)));
  const ofClass = new BigUint64Array(arena.bytes.buffer, out, count * 2);
  const classes = new Uint32Array(arena.bytes.buffer, work.get(abi.GRAPH_CLASSES), idLimit);
  const values = new BigUint64Array(idLimit * 2);
  classes.forEach((classId, id) => {
    values[id * 2] = ofClass[classId * 2]!;
    values[id * 2 + 1] = ofClass[classId * 2 + 1]!;
  });
  return values;
}
