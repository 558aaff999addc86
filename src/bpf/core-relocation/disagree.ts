/** Finds the relocations for which engines come to different results. */
import { ENGINES, type EngineName } from "./engines.js";
import { relocate } from "./relocate.js";
import type { RelocatedObject, Relocation, RelocationStatus } from "./relocation.js";

/** Another engine's result for a relocation. */
export interface Disagreement {
  readonly engine: EngineName;
  readonly status: RelocationStatus;
  /** The value that the other engine puts in; `undefined` where it poisons or refuses. */
  readonly value: bigint | undefined;
}

/**
 * Returns for each relocation, in their order, the engines whose instruction would differ, or that refuse or poison what this engine does not.
 *
 * @example
 * const relocated = relocate(object, btf);
 * console.log(disagreements(relocated)[0]?.length); // 0
 */
export function disagreements({ object, target, engine, relocations }: RelocatedObject): Disagreement[][] {
  const found: Disagreement[][] = relocations.map(() => []);
  for (const other of ENGINES) {
    if (other === engine) continue;
    relocate(object, target, { engine: other }).relocations.forEach((theirs, i) => {
      if (agree(relocations[i]!, theirs)) return;
      const { status, resolution } = theirs;
      const value = status === "poisoned" || status === "error" ? undefined : resolution.outcome?.value;
      found[i]!.push({ engine: other, status, value });
    });
  }
  return found;
}

/** Compares two results; the instructions of a poison do not count. */
function agree(ours: Relocation, theirs: Relocation): boolean {
  if (ours.status !== theirs.status) return false;
  return (
    ours.status === "poisoned" || ours.status === "error" || ours.after.every((byte, i) => byte === theirs.after[i])
  );
}
