/**
 * ISO 9660 file systems with the names of Rock Ridge, as installation media are.
 * They are read from front to end: their makers put folders before files.
 */
import { Reader } from "../codecs/reader.js";
import { type Entry, malformed, startsWith, text } from "./entry.js";

const SECTOR = 2048;
/** Sectors before the volume descriptors. */
const SYSTEM_AREA = 16;
/** Bytes of a head in which `isIso` finds what it looks for. */
export const ISO_HEAD = SYSTEM_AREA * SECTOR + 6;
/** Of the volume descriptor: the record of the root folder. */
const ROOT = 156;
const FOLDER = 2;
/** A file that goes on in another record. */
const CONTINUED = 0x80;
/** Folders and files that may wait to be read: kernels' media have thousands. */
const MOST_WAITING = 1 << 20;
/** Characters of a path: Linux has none longer. */
const LONGEST_PATH = 4096;

export function isIso(head: Uint8Array): boolean {
  return startsWith(head, "CD001", SYSTEM_AREA * SECTOR + 1) && head[SYSTEM_AREA * SECTOR] === 1;
}

interface Extent {
  readonly path: string;
  readonly isFolder: boolean;
  /** In bytes. */
  readonly offset: number;
  readonly length: number;
}

/** Yields the files of the file system, in the order in which they lie. */
export async function* isoEntries(input: Reader): AsyncGenerator<Entry> {
  const what = "ISO 9660 file system";
  await input.skip(SYSTEM_AREA * SECTOR, what);
  const volume = await input.read(SECTOR, what);
  const waiting: Extent[] = [];
  push(waiting, { ...extentAt(volume, ROOT), path: "", isFolder: true });
  for (;;) {
    const next = pop(waiting);
    if (!next) return;
    // It lies before what led to it, or inside another file: what is left can be read all the same.
    if (next.offset < input.position) continue;
    await input.skip(next.offset - input.position, what);
    if (next.isFolder) {
      const found = recordsOf(await input.read(Math.min(next.length, 1 << 26), what), next.path);
      if (waiting.length + found.length > MOST_WAITING) throw malformed(input, `${what}: too many files`);
      for (const extent of found) push(waiting, extent);
    } else {
      const end = next.offset + next.length;
      yield { path: next.path, size: next.length, body: new Reader(input.take(next.length, what), next.path) };
      await input.skip(Math.max(0, end - input.position), what);
    }
  }
}

/** Adds to a heap, whose first is what lies first. */
function push(heap: Extent[], extent: Extent): void {
  let at = heap.push(extent) - 1;
  for (let above = (at - 1) >> 1; at > 0 && heap[above]!.offset > extent.offset; above = (at - 1) >> 1) {
    heap[at] = heap[above]!;
    at = above;
  }
  heap[at] = extent;
}

/** Takes what lies first. */
function pop(heap: Extent[]): Extent | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (!last || heap.length === 0) return first;
  let at = 0;
  for (let below = 1; below < heap.length; below = 2 * at + 1) {
    if (below + 1 < heap.length && heap[below + 1]!.offset < heap[below]!.offset) below++;
    if (heap[below]!.offset >= last.offset) break;
    heap[at] = heap[below]!;
    at = below;
  }
  heap[at] = last;
  return first;
}

/** Offset and length in bytes, out of a record. */
function extentAt(bytes: Uint8Array, at: number): { offset: number; length: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { offset: view.getUint32(at + 2, true) * SECTOR, length: view.getUint32(at + 10, true) };
}

function recordsOf(folder: Uint8Array, path: string): Extent[] {
  const found: Extent[] = [];
  for (let at = 0; at + 33 <= folder.length; ) {
    const length = folder[at]!;
    if (length < 34 || at + length > folder.length) {
      // Records do not cross sectors.
      at = (Math.floor(at / SECTOR) + 1) * SECTOR;
      continue;
    }
    const nameLength = folder[at + 32]!;
    const plain = text(folder.subarray(at + 33, at + 33 + nameLength));
    const flags = folder[at + 25]!;
    // The folder itself and the one above it, and parts of very large files.
    if (plain !== "\0" && plain !== "\x01" && !(flags & CONTINUED)) {
      const system = folder.subarray(at + 33 + nameLength + ((nameLength + 1) & 1), at + length);
      const name = longName(system) ?? plain.replace(/\.?;\d+$/, "").toLowerCase();
      const whole = path ? `${path}/${name}` : name;
      if (whole.length <= LONGEST_PATH)
        found.push({ ...extentAt(folder, at), path: whole, isFolder: (flags & FOLDER) !== 0 });
    }
    at += length;
  }
  return found;
}

/** The name in fields `NM` of Rock Ridge. */
function longName(system: Uint8Array): string | undefined {
  let name: string | undefined;
  for (let at = 0; at + 5 <= system.length && system[at + 2]! >= 4; at += system[at + 2]!) {
    if (startsWith(system, "NM", at)) name = (name ?? "") + text(system.subarray(at + 5, at + system[at + 2]!));
  }
  return name;
}
