/** The explorer in Chromium: the first load, a kernel that is dropped, a key of the search, two kernels. */
import { existsSync, statSync } from "node:fs";
import { findKernels } from "../kernels.mjs";
import { FOLDER, findChromium, Visit } from "../page.mjs";
import { compare, inTurns } from "../statistics.mjs";

export const group = "explorer";

const WORD = "task_struct";

/** Bytes that processes have taken from one look to the other; those that came or went show no page of ours. */
function growth(before, after) {
  return [...after].reduce((sum, [id, bytes]) => sum + (before.has(id) ? bytes - before.get(id) : 0), 0);
}

/** All figures of one visit. */
async function visitOnce(start, subject, other) {
  const visit = await Visit.with(start);
  try {
    const interactive = await visit.interactive();
    await visit.rest();
    const loaded = visit.loadedBytes() / 1024;
    const before = await visit.residentBytes();
    const opened = await visit.drop(subject, ".result .name");
    await visit.rest();
    const keys = await visit.type(WORD);
    await visit.drop(other, ".kernel-choice option:nth-of-type(2)");
    await visit.rest();
    const after = await visit.residentBytes();
    const compared = await visit.show("Compare", ".difference");
    const memory = before && growth(before, after) / (statSync(subject).size + statSync(other).size);
    return { interactive, loaded, opened, key: Math.max(...keys), compared, memory };
  } finally {
    await visit.close();
  }
}

export async function measure({ subject, kernels, memoryRounds, progress }) {
  const name = "explorer in Chromium";
  if (!existsSync(FOLDER)) return [{ name, note: "not built" }];
  const other = findKernels(subject, kernels).find((path) => path !== subject.path);
  if (!other) return [{ name, note: "no second kernel" }];
  const start = await findChromium();
  if (!start) return [{ name, note: "Chromium or puppeteer not installed" }];
  progress("explorer");
  const visits = await inTurns(memoryRounds, () => visitOnce(start, subject.path, other));
  const of = (figure) => compare(visits.map(([visit]) => [visit[figure]]));
  const size = `${(subject.byteSize / 1e6).toFixed(1)} MB`;
  const held = "explorer, memory held by two kernels, by their files";
  return [
    { name: "explorer, first load, brotli", unit: "KiB", ...of("loaded"), target: { ours: 150 } },
    { name: "explorer, navigation to interactive", ...of("interactive"), target: { ours: 1000 } },
    { name: `explorer, drop of ${size} to first results`, ...of("opened"), target: { ours: 300 } },
    { name: `explorer, slowest key of "${WORD}", main thread`, ...of("key"), target: { ours: 16 } },
    { name: "explorer, two kernels compared", ...of("compared"), target: { ours: 500 } },
    visits[0][0].memory === undefined
      ? { name: held, note: "no /proc here" }
      : { name: held, unit: "×", ...of("memory"), target: { ours: 3 } },
  ];
}
