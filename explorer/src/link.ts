/**
 * Links: the URL's fragment says which kernel, type, tab and offset are shown, and nothing of the data. A receiver
 * without the kernel is told which to open.
 */
import { effect, signal } from "@preact/signals";
import type { Kind } from "btfkit";
import { call } from "./client.js";
import { kernelLabel } from "./label.js";
import type { KernelInfo } from "./protocol.js";
import { goTo, kernels, listeners, type Place, place, type Tab, type View } from "./state.js";

/** What a link names. */
export interface Link {
  readonly view: View;
  /** `release~identity`. */
  readonly kernel: string | undefined;
  readonly other: string | undefined;
  /** `struct.task_struct`, `struct.#12` without a name; `~file` behind it for a module's. */
  readonly type: string | undefined;
  readonly tab: Tab;
  readonly byteOffset: number | undefined;
}

const VIEWS: readonly View[] = ["types", "compare", "check", "sizes"];
const TABS: readonly Tab[] = ["picture", "table", "code", "decode", "history", "diff"];

/** A link that waits for a kernel to be opened. */
export const awaited = signal<Link | undefined>(undefined);

/** The kind and name of the type that is shown, which its page tells. */
export const shownType = signal<{ readonly id: number; readonly text: string } | undefined>(undefined);

export function kernelKey(info: KernelInfo): string {
  return `${kernelLabel(info)}~${info.identity}`;
}

export function parseLink(fragment: string): Link {
  const values = new URLSearchParams(fragment.replace(/^#/, ""));
  const text = (name: string): string | undefined => values.get(name) ?? undefined;
  const among = <T extends string>(list: readonly T[], value: string | undefined): T =>
    list.find((one) => one === value) ?? list[0]!;
  const offset = Number(text("offset") ?? Number.NaN);
  return {
    view: among(VIEWS, text("view")),
    kernel: text("kernel"),
    other: text("with"),
    type: text("type"),
    tab: among(TABS, text("tab")),
    byteOffset: Number.isSafeInteger(offset) && offset >= 0 ? offset : undefined,
  };
}

function fragmentOf({ view, kernel, other, type, tab, byteOffset }: Place): string {
  const info = kernels.value.find((one) => one.kernel === kernel);
  const with_ = kernels.value.find((one) => one.kernel === other);
  const values = new URLSearchParams();
  if (!info) return "";
  values.set("kernel", kernelKey(info));
  if (view !== "types") values.set("view", view);
  if (with_ && with_ !== info) values.set("with", kernelKey(with_));
  if (type && shownType.value?.id === type.id) {
    values.set("type", shownType.value.text);
    if (tab !== "picture") values.set("tab", tab);
    if (byteOffset !== undefined) values.set("offset", `0x${byteOffset.toString(16)}`);
  }
  return `#${values.toString().replaceAll("%7E", "~").replaceAll("%23", "#")}`;
}

function find(key: string | undefined): KernelInfo | undefined {
  const identity = key?.split("~").at(-1);
  return kernels.value.find((one) => one.identity === identity);
}

/** Goes where a link leads, or waits for its kernel. */
export async function follow(link: Link): Promise<void> {
  const info = find(link.kernel);
  if (!info) {
    awaited.value = link.kernel === undefined ? undefined : link;
    return;
  }
  awaited.value = undefined;
  const other = find(link.other);
  const { type: _, byteOffset: __, ...rest } = place.value;
  const base: Place = {
    ...rest,
    view: link.view,
    kernel: info.kernel,
    tab: link.tab,
    ...(other && { other: other.kernel }),
  };
  const [, kind, name] = /^(\w+)\.(.+)$/s.exec(link.type ?? "") ?? [];
  const ref = kind && name ? await call("find", { kernel: info.kernel, kind: kind as Kind, name }) : undefined;
  if (!ref) place.value = base;
  else {
    goTo(ref, { tab: link.tab, ...(link.byteOffset !== undefined && { byteOffset: link.byteOffset }) });
    if (link.view !== "types") place.value = { ...place.value, view: link.view };
  }
}

/** Shows another kernel, and in it the type of the same name, if it has one. */
export async function showKernel(kernel: number): Promise<void> {
  const { type, byteOffset: _, ...rest } = place.value;
  const [, kind, name] = /^(\w+)\.(.+)$/s.exec((type && shownType.value?.text) ?? "") ?? [];
  const ref = kind && name ? await call("find", { kernel, kind: kind as Kind, name }) : undefined;
  if (ref && rest.view === "types") goTo(ref);
  else place.value = { ...rest, kernel };
}

/** Writes the URL as the place changes: a new entry for a new type or view, the same for the rest. */
export function startLinks(): void {
  let written = location.hash;
  let shown = "";
  void follow(parseLink(location.hash));
  addEventListener("hashchange", () => {
    if (location.hash === written) return;
    written = location.hash;
    shown = keyOf(parseLink(written));
    void follow(parseLink(written));
  });
  effect(() => {
    const { type } = place.value;
    const fragment = fragmentOf(place.value);
    // The URL of a type waits for its name.
    if (fragment === "" || (type && shownType.value?.id !== type.id)) return;
    if (awaited.peek() || fragment === written) return;
    const key = keyOf(parseLink(fragment));
    const isNew = key !== shown && shown !== "";
    written = fragment;
    shown = key;
    try {
      if (isNew) history.pushState(null, "", fragment);
      else history.replaceState(null, "", fragment);
    } catch {
      // A page from disk may not have a history in some browsers.
    }
    written = location.hash;
  });
  listeners.push(() => {
    const link = awaited.peek();
    if (link && find(link.kernel)) void follow(link);
  });
}

function keyOf({ view, kernel, type, other }: Link): string {
  return JSON.stringify([view, kernel, type, other]);
}
