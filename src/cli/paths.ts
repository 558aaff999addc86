/** Paths, folders and patterns on a command line, as files. */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { InputError } from "./exit.js";

/** The files that are meant: a folder is all files in it, a pattern with * or ? all that fit. In order, none twice. */
export function expandPaths(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap((path) => expand(path)))];
}

function expand(path: string): string[] {
  if (path === "-") return [path];
  if (/[*?]/.test(path)) {
    const found = fitting(path);
    if (found.length === 0) throw new InputError(`${path}: no such file`);
    return found;
  }
  if (!isFolder(path)) return [path];
  const found = entries(path)
    .map((name) => join(path, name))
    .filter((one) => !isFolder(one));
  if (found.length === 0) throw new InputError(`${path}: a folder without files`);
  return found;
}

function fitting(pattern: string): string[] {
  const [folder, last] = [dirname(pattern), basename(pattern)];
  const folders = /[*?]/.test(folder) ? fitting(folder) : [folder];
  const source = last
    .replace(/[\\^$.+()[\]{}|]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  const wanted = new RegExp(`^${source}$`);
  return folders
    .filter(isFolder)
    .flatMap((one) => entries(one).flatMap((name) => (wanted.test(name) ? [join(one, name)] : [])));
}

function entries(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .sort();
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
