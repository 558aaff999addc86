/** Light, dark, or as the system has it. */
import { effect, signal } from "@preact/signals";
import { localStorageItem, setLocalStorageItem } from "./state.js";

export type Scheme = "auto" | "light" | "dark";
const SCHEMES: readonly Scheme[] = ["auto", "light", "dark"];

export const scheme = signal<Scheme>(SCHEMES.find((one) => one === localStorageItem("scheme")) ?? "auto");

export function toggleScheme(): void {
  scheme.value = SCHEMES[(SCHEMES.indexOf(scheme.value) + 1) % SCHEMES.length]!;
  setLocalStorageItem("scheme", scheme.value);
}

/** What is shown now. */
export function shownScheme(): "light" | "dark" {
  if (scheme.value !== "auto") return scheme.value;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export function startTheme(): void {
  effect(() => {
    document.documentElement.dataset["scheme"] = scheme.value;
  });
}
