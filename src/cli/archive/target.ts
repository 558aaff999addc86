/** Kernels of archives as FILEs: `ARCHIVE/ID` is one of them, and an archive where kernels are listed is all of them. */
import { existsSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { Archive } from "../../archive/archive.js";
import { ROOT } from "../../archive/store.js";
import type { Btf } from "../../btf/btf.js";
import { archiveFolder } from "../../node/archive-folder.js";
import { expandPaths } from "../paths.js";

/** Archives that this process has opened. */
const opened = new Map<string, Promise<Archive>>();

/** Opens an archive's folder, or an address. */
export function openArchive(place: string): Promise<Archive> {
  let archive = opened.get(place);
  if (!archive) {
    archive = Archive.open(/^https?:\/\//.test(place) ? place : archiveFolder(place));
    opened.set(place, archive);
  }
  return archive;
}

const isArchive = (folder: string): boolean => existsSync(join(folder, ROOT));

/** As `expandPaths`, with all kernels of what is an archive. */
export async function expandTargets(paths: readonly string[]): Promise<string[]> {
  const expanded: string[] = [];
  for (const path of paths) {
    if (path === "-" || !isArchive(path)) expanded.push(...expandPaths([path]));
    else for (const { id } of (await openArchive(path)).kernels) expanded.push(join(path, id));
  }
  return [...new Set(expanded)];
}

/** A kernel of an archive. */
export interface ArchivedPlace {
  readonly folder: string;
  readonly id: string;
}

/** The kernel of an archive that a path names; `undefined` for a path that names none. */
export function archivedPlace(path: string): ArchivedPlace | undefined {
  if (statSync(path, { throwIfNoEntry: false })) return undefined;
  let folder = dirname(path);
  while (!isArchive(folder)) {
    if (folder === dirname(folder)) return undefined;
    folder = dirname(folder);
  }
  return { folder, id: relative(folder, path).split(sep).join("/") };
}

/** Opens the kernel of an archive that a path names, with its modules; `undefined` for a path that names none. */
export async function openArchived(path: string): Promise<{ vmlinux: Btf; modules: Btf[] } | undefined> {
  const place = archivedPlace(path);
  if (!place) return undefined;
  const { folder, id } = place;
  const archive = await openArchive(folder);
  const vmlinux = await archive.openKernel(id);
  const modules: Btf[] = [];
  for (const { name } of (await archive.describe(id)).images.slice(1)) {
    modules.push(vmlinux.split(await archive.get(id, name)));
  }
  return { vmlinux, modules };
}
