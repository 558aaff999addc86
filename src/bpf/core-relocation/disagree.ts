/** Where loaders come to different results. */
import { ENGINES, type EngineName } from "./engine.js";
import { type RelocatedObject, type Relocation, type RelocationStatus, relocate } from "./relocate.js";

/** Another loader's result for a relocation. */
export interface Disagreement {
  readonly engine: EngineName;
  readonly status: RelocationStatus;
  /** What the other one puts in; `undefined` where it poisons or refuses. */
  readonly value: bigint | undefined;
}

/**
 * For each relocation, in their order, the loaders whose instruction would be another one, or who refuse or poison what this one does not.
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

/** Poisoned in another way is poisoned. */
function agree(ours: Relocation, theirs: Relocation): boolean {
  if (ours.status !== theirs.status) return false;
  return (
    ours.status === "poisoned" || ours.status === "error" || ours.after.every((byte, i) => byte === theirs.after[i])
  );
}
