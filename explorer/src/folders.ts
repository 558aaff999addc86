/** What was chosen or dropped, as things to open: a folder with an archive's root in it is one. */
import type { FileSource, FolderFile } from "./protocol.js";

const ROOT = "archive.btfa";

/** Returns a source for each archive among the files, and for each file that is of none. */
export function sourcesOf(files: readonly FolderFile[]): FileSource[] {
  const roots = files.filter(({ path }) => isRoot(path)).map(({ path }) => path.slice(0, -ROOT.length));
  const archives = roots.map((root) => ({
    name: root.split("/").at(-2) ?? "archive",
    folder: files
      .filter(({ path }) => path.startsWith(root))
      .map(({ path, blob }) => ({ path: path.slice(root.length), blob })),
  }));
  const rest = files.filter(({ path }) => !roots.some((root) => path.startsWith(root)));
  return [...archives, ...rest.map(({ path, blob }) => ({ name: path, blob }))];
}

function isRoot(path: string): boolean {
  return path === ROOT || path.endsWith(`/${ROOT}`);
}

/** Returns what an input has chosen. */
export function chosenFiles(files: Iterable<File>): FolderFile[] {
  return Array.from(files, (blob) => ({ path: blob.webkitRelativePath || blob.name, blob }));
}

/** Returns what was dropped, of folders all that is in them. The transfer is empty once its event has ended. */
export function droppedFiles({ items, files }: DataTransfer): Promise<FolderFile[]> {
  const entries = Array.from(items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return entries.some((entry) => entry.isDirectory) ? filesIn(entries) : Promise.resolve(chosenFiles(files));
}

async function filesIn(entries: readonly FileSystemEntry[]): Promise<FolderFile[]> {
  const found: FolderFile[] = [];
  for (const entry of entries) {
    if (entry.isDirectory) found.push(...(await filesIn(await entriesOf(entry as FileSystemDirectoryEntry))));
    else {
      const blob = await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail));
      found.push({ path: entry.fullPath.replace(/^\//, ""), blob });
    }
  }
  return found;
}

/** The entries of a folder, which come a hundred at a time. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
