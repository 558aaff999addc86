/** Parts a matrix into tasks: each opens one target, or looks at the kernels of one archive for one object. */
import { type ArchivedPlace, archivedPlace } from "../archive/target.js";
import type { CellTask } from "./cells.js";

/** Cells that are asked for at once. */
const CELLS_A_TASK = 8;

/** A task, and where its cells belong: their places in the matrix, one target after the other. */
export interface PlacedTask {
  readonly task: CellTask;
  readonly places: readonly number[];
}

/**
 * Returns the tasks of the cells from `first` up to `end`.
 *
 * @param isExact whether each kernel is opened, so that types have the ids that they have there
 */
export function tasksOf(
  targets: readonly string[],
  objects: number,
  first: number,
  end: number,
  isExact: boolean,
): PlacedTask[] {
  const archived = isExact ? new Map<number, ArchivedPlace>() : archivedRows(targets);
  const tasks: PlacedTask[] = [];
  /** By folder and object. */
  const ofArchives = new Map<string, PlacedTask & { task: { kernels: object[] }; places: number[] }>();
  for (let at = first; at < end; ) {
    const [row, object] = [Math.floor(at / objects), at % objects];
    const target = targets[row]!;
    const place = archived.get(row);
    if (place) {
      const { folder, id } = place;
      const key = `${object} ${folder}`;
      let task = ofArchives.get(key);
      if (!task) {
        task = { task: { folder, object, kernels: [] }, places: [] };
        ofArchives.set(key, task);
      }
      task.task.kernels.push({ id, target });
      task.places.push(at++);
      continue;
    }
    const count = Math.min(CELLS_A_TASK, objects - object, end - at);
    const places = Array.from({ length: count }, (_, i) => at + i);
    tasks.push({ task: { target, first: object, end: object + count }, places });
    at += count;
  }
  return [...tasks, ...ofArchives.values()];
}

/** Of each target that is one of several kernels of an archive, where it is; one alone is opened. */
function archivedRows(targets: readonly string[]): Map<number, ArchivedPlace> {
  const places = targets.map((target) => (target === "-" ? undefined : archivedPlace(target)));
  const counts = new Map<string, number>();
  for (const place of places) if (place) counts.set(place.folder, (counts.get(place.folder) ?? 0) + 1);
  const rows = new Map<number, ArchivedPlace>();
  for (const [row, place] of places.entries()) if (place && counts.get(place.folder)! > 1) rows.set(row, place);
  return rows;
}
