/** Files that were opened, kept in this browser if the person wants: IndexedDB holds the bytes. */
import { signal } from "@preact/signals";
import { kernelLabel } from "./label.js";
import { listeners, localStorageItem, setLocalStorageItem } from "./state.js";

export interface RecentFile {
  readonly name: string;
  readonly label: string;
  readonly blob: Blob;
  readonly openedAt: number;
}

const STORE = "files";
/** Files that are kept; older ones go. */
const KEPT = 8;

export const keepsRecent = signal(localStorageItem("keep") === "yes");
export const recentFiles = signal<readonly RecentFile[]>([]);

function promised<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function database(): Promise<IDBDatabase> {
  const request = indexedDB.open("btfkit", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "name" });
  return promised(request);
}

async function store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  return (await database()).transaction(STORE, mode).objectStore(STORE);
}

async function load(): Promise<void> {
  const all: RecentFile[] = await promised((await store("readonly")).getAll());
  recentFiles.value = all.sort((a, b) => b.openedAt - a.openedAt);
}

async function keep(file: RecentFile): Promise<void> {
  await promised((await store("readwrite")).put(file));
  await load();
  for (const old of recentFiles.value.slice(KEPT)) await promised((await store("readwrite")).delete(old.name));
  await load();
}

/** Keeps files from now on, or forgets all of them. */
export async function setKeepsRecent(keeps: boolean): Promise<void> {
  keepsRecent.value = keeps;
  setLocalStorageItem("keep", keeps ? "yes" : "no");
  if (keeps) return;
  await promised((await store("readwrite")).clear()).catch(() => {});
  recentFiles.value = [];
}

/** A browser that forbids storage keeps nothing, and nothing else changes. */
export function startRecent(): void {
  load().catch(() => {});
  listeners.push((source, kernel) => {
    if (!keepsRecent.value || !source || !("blob" in source)) return;
    const label = kernel ? kernelLabel(kernel) : source.name;
    keep({ name: source.name, label, blob: source.blob, openedAt: Date.now() }).catch(() => {});
  });
}
