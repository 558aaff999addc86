/** The files that `btfkit explore` serves beside the page: its head names them. */
import { openFiles } from "./state.js";

interface ServedFile {
  readonly name: string;
  /** Relative to the page. */
  readonly path: string;
  readonly modules?: readonly ServedFile[];
}

export async function openServedFiles(): Promise<void> {
  const content = document.querySelector<HTMLMetaElement>('meta[name="files"]')?.content;
  if (!content) return;
  const url = (path: string): string => new URL(path, location.href).href;
  const files = JSON.parse(content) as readonly ServedFile[];
  await openFiles(
    files.map(({ name, path, modules }) => ({
      name,
      url: url(path),
      ...(modules && { modules: modules.map((module) => ({ name: module.name, url: url(module.path) })) }),
    })),
  );
}
