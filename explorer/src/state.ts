/** What the page knows and shows: signals, and the few actions that change several of them. */
import { computed, signal } from "@preact/signals";
import type { Kind } from "btfkit";
import { type CallError, type CallOptions, call } from "./client.js";
import type { ArchiveInfo, FileSource, KernelInfo, ObjectInfo, Opened, Progress, TypeRef } from "./protocol.js";

export type View = "types" | "compare" | "check" | "sizes";
export type Tab = "picture" | "table" | "code" | "decode" | "history" | "diff";

/** Where the person is: the URL says the same. */
export interface Place {
  readonly view: View;
  readonly kernel?: number;
  readonly type?: TypeRef;
  readonly tab: Tab;
  /** A byte of the type that is pointed at. */
  readonly byteOffset?: number;
  /** The other kernel, of a comparison. */
  readonly other?: number;
}

/** A file that is being opened, or that could not be. */
export interface Opening {
  readonly id: number;
  readonly name: string;
  readonly progress: Progress | undefined;
  readonly failure: string | undefined;
  readonly startedAt: number;
  readonly cancel: () => void;
}

export const kernels = signal<readonly KernelInfo[]>([]);
export const objects = signal<readonly ObjectInfo[]>([]);
export const archives = signal<readonly ArchiveInfo[]>([]);
export const openings = signal<readonly Opening[]>([]);
export const place = signal<Place>({ view: "types", tab: "picture" });
export const isHex = signal(localStorageItem("hex") === "yes");
export const isHelpOpen = signal(false);
export const isSideOpen = signal(false);
export const isSearchOpen = signal(false);
/** The member that is pointed at, by its path: its box and its row light up together. */
export const lit = signal("");
/** Members that are opened in place, of the type that is shown. */
export const openPaths = signal<readonly string[]>([]);
/** What was just copied or went wrong, said once to everybody. */
export const notice = signal("");

export const current = computed(() => kernels.value.find(({ kernel }) => kernel === place.value.kernel));

let lastOpening = 0;

/** Opens files one after the other; a module finds the kernel that was opened before it. */
export async function openFiles(sources: readonly FileSource[]): Promise<void> {
  for (const source of sources) await openFile(source);
}

/** Told of each file that was opened: the link that waits for a kernel, and the list of recent files. */
export const listeners: ((source: FileSource | undefined, kernel: KernelInfo | undefined) => void)[] = [];

async function openFile(source: FileSource): Promise<void> {
  const base = place.value.kernel ?? kernels.value[0]?.kernel;
  await opening(source.name, source, (options) => call("open", { source, base }, options));
}

/** Opens a kernel of an archive; returns its number. */
export async function openArchived(archive: number, id: string): Promise<number | undefined> {
  const opened = await opening(id, undefined, (options) => call("openArchived", { archive, id }, options));
  return opened?.kernel;
}

/** Shows how far an opening is, and adds what it brings. */
async function opening(
  name: string,
  source: FileSource | undefined,
  ask: (options: CallOptions) => Promise<Opened>,
): Promise<KernelInfo | undefined> {
  const id = ++lastOpening;
  const controller = new AbortController();
  const change = (what: Partial<Opening>): void => {
    openings.value = openings.value.map((one) => (one.id === id ? { ...one, ...what } : one));
  };
  const cancel = (): void => controller.abort();
  const startedAt = performance.now();
  openings.value = [...openings.value, { id, name, progress: undefined, failure: undefined, startedAt, cancel }];
  try {
    const options = { signal: controller.signal, onProgress: (progress: Progress) => change({ progress }) };
    const { kernel, object, archive } = await ask(options);
    if (archive) {
      archives.value = [...archives.value, archive];
      showStart();
    }
    if (object) objects.value = [...objects.value, object];
    if (kernel) {
      kernels.value = [...kernels.value.filter((one) => one.kernel !== kernel.kernel), kernel].sort(
        (a, b) => a.kernel - b.kernel,
      );
      if (place.value.kernel === undefined) place.value = { ...place.value, kernel: kernel.kernel };
    }
    closeOpening(id);
    for (const listener of listeners) listener(source, kernel);
    return kernel;
  } catch (error) {
    if ((error as CallError).isCancelled) closeOpening(id);
    else change({ failure: (error as Error).message });
    return undefined;
  }
}

export function closeOpening(id: number): void {
  openings.value = openings.value.filter((one) => one.id !== id);
}

export async function closeKernel(kernel: number): Promise<void> {
  kernels.value = kernels.value.filter((one) => one.kernel !== kernel);
  const { type: _, other: __, ...rest } = place.value;
  if (place.value.kernel === kernel) {
    const next = kernels.value[0]?.kernel;
    place.value = next === undefined ? { view: "types", tab: "picture" } : { ...rest, kernel: next };
  } else if (place.value.other === kernel) place.value = rest;
  await call("close", { kernel });
}

export async function closeArchive(archive: number): Promise<void> {
  archives.value = archives.value.filter((one) => one.archive !== archive);
  await call("closeArchive", { archive });
}

/** Goes to a type's page; what was opened in place or pointed at before stays behind. */
export function goTo(type: TypeRef, extra: Partial<Place> = {}): void {
  const { byteOffset: _, ...rest } = place.value;
  if (!isSameType(type, place.value.type)) openPaths.value = [];
  lit.value = "";
  isSearchOpen.value = false;
  place.value = { ...rest, view: "types", kernel: type.kernel, type, ...extra };
}

export function isSameType(a: TypeRef | undefined, b: TypeRef | undefined): boolean {
  return a?.kernel === b?.kernel && a?.image === b?.image && a?.id === b?.id;
}

export function showTab(tab: Tab): void {
  place.value = { ...place.value, view: "types", tab };
}

export function showView(view: View): void {
  place.value = { ...place.value, view };
}

/** The start page, on which more can be opened. */
export function showStart(): void {
  const { type: _, byteOffset: __, ...rest } = place.value;
  place.value = { ...rest, view: "types" };
}

export function togglePath(path: string): void {
  const open = openPaths.value;
  openPaths.value = open.includes(path) ? open.filter((one) => one !== path) : [...open, path];
}

export function toggleHex(): void {
  isHex.value = !isHex.value;
  setLocalStorageItem("hex", isHex.value ? "yes" : "no");
}

/** Goes to the type of a name in the same kernel. */
export async function goToName(
  kernel: number,
  kind: Kind | undefined,
  name: string,
  extra: Partial<Place> = {},
): Promise<void> {
  const ref = await call("find", { kernel, kind, name });
  if (ref) goTo(ref, extra);
  else notice.value = `${name} is not in this kernel`;
}

/** Storage may be forbidden: the page then forgets. */
export function localStorageItem(name: string): string | undefined {
  try {
    return localStorage.getItem(`btfkit.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function setLocalStorageItem(name: string, value: string): void {
  try {
    localStorage.setItem(`btfkit.${name}`, value);
  } catch {
    // Nothing is lost but the setting.
  }
}
