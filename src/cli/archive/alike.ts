/** Kernels of archives on which objects need the same types: one is opened, and stands for the others. */
import { Minimizer } from "../../bpf/core-relocation/minimize.js";
import { usedMembers } from "../../bpf/core-relocation/used-members.js";
import type { BpfObject } from "../../bpf/object/object.js";
import { BtfError, BtfInternalError } from "../../errors/error.js";
import { archivedPlace, openArchive } from "./target.js";

/** Returns for each target, in order, the first on which the objects need the same: itself, where that is not known. */
export async function representatives(
  objects: readonly BpfObject[],
  targets: readonly string[],
): Promise<readonly string[]> {
  const byFolder = new Map<string, Map<string, string>>();
  for (const target of targets) {
    const place = target === "-" ? undefined : archivedPlace(target);
    if (!place) continue;
    const ids = byFolder.get(place.folder) ?? new Map<string, string>();
    byFolder.set(place.folder, ids.set(place.id, target));
  }
  const members = membersOf(objects);
  const found = new Map<string, string>();
  for (const [folder, ids] of byFolder) {
    if (ids.size === 1) continue;
    const archive = await openArchive(folder);
    const first = new Map<string, string>();
    const seen = archive.targets((target) => needs(objects, target), {
      kernels: [...ids.keys()],
      ...(members && { members }),
    });
    for await (const { kernels, result } of seen) {
      if (!first.has(result)) first.set(result, ids.get(kernels[0]!)!);
      for (const id of kernels) found.set(ids.get(id)!, first.get(result)!);
    }
  }
  return targets.map((target) => found.get(target) ?? target);
}

/** What the objects need of a target, as a text to compare: its smallest BTF, or why there is none. */
function needs(objects: readonly BpfObject[], target: ConstructorParameters<typeof Minimizer>[0]): string {
  try {
    const minimizer = new Minimizer(target);
    for (const object of objects) minimizer.add(object);
    return Buffer.from(minimizer.toBytes()).toString("latin1");
  } catch (error) {
    if (!(error instanceof BtfError) || error instanceof BtfInternalError) throw error;
    return error.message;
  }
}

/** Names of the members that objects name; `undefined` where any may count. */
function membersOf(objects: readonly BpfObject[]): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const object of objects) {
    const used = usedMembers(object);
    if (!used) return undefined;
    for (const name of used) names.add(name);
  }
  return names;
}
