/** The keys, wherever nothing is being written. */
import { isHelpOpen, isSideOpen, kernels, openFiles, place, showTab, showView, type Tab, toggleHex } from "./state.js";

export interface Key {
  readonly keys: string;
  readonly does: string;
}

export const KEYS: readonly Key[] = [
  { keys: "/", does: "search" },
  { keys: "↑ ↓ Enter", does: "walk through the results, open one" },
  { keys: "b", does: "back" },
  { keys: "1 … 6", does: "layout, table, C, bytes, history, differences" },
  { keys: "u", does: "used by" },
  { keys: "o", does: "offset box" },
  { keys: "d", does: "compare kernels" },
  { keys: "c", does: "check objects" },
  { keys: "m", does: "size map" },
  { keys: "t", does: "types" },
  { keys: "x", does: "offsets in hexadecimal" },
  { keys: "← → Enter", does: "in the picture: the next member, open it in place" },
  { keys: "g", does: "in the picture: go to the member's type" },
  { keys: "Esc", does: "close, leave" },
  { keys: "?", does: "this help" },
];

const TABS: readonly Tab[] = ["picture", "table", "code", "decode", "history", "diff"];

function focus(id: string): void {
  const element = document.getElementById(id);
  element?.focus();
  if (element instanceof HTMLInputElement) element.select();
}

/** The side column may be a sheet that is closed. */
function focusSide(id: string): void {
  isSideOpen.value = true;
  requestAnimationFrame(() => focus(id));
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

function act(key: string): boolean {
  switch (key) {
    case "/":
      focus("search");
      return true;
    case "b":
      history.back();
      return true;
    case "u":
      focusSide("used-by");
      return true;
    case "o":
      focusSide("offset");
      return true;
    case "d":
      showView("compare");
      return true;
    case "c":
      showView("check");
      return true;
    case "m":
      showView("sizes");
      return true;
    case "t":
      showView("types");
      return true;
    case "x":
      toggleHex();
      return true;
    case "?":
      isHelpOpen.value = true;
      return true;
    case "Escape":
      isSideOpen.value = false;
      return false;
    default: {
      const tab = TABS[Number(key) - 1];
      if (!tab || !place.value.type) return false;
      showTab(tab);
      return true;
    }
  }
}

export function startKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isWriting(event.target) || isHelpOpen.value) return;
    if (kernels.value.length === 0 && event.key !== "?" && event.key !== "/") return;
    if (act(event.key)) event.preventDefault();
  });
  // A URL or a file from the clipboard.
  addEventListener("paste", (event) => {
    if (isWriting(event.target)) return;
    const files = [...(event.clipboardData?.files ?? [])];
    const text = event.clipboardData?.getData("text/plain").trim() ?? "";
    if (files.length > 0) void openFiles(files.map((blob) => ({ name: blob.name, blob })));
    else if (/^https?:\/\/\S+$/.test(text)) void openFiles([{ name: text.replace(/^.*\//, ""), url: text }]);
  });
}
