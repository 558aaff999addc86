// Compares two kernels in the browser. In a project of your own: npm install btfkit, and no settings.
import type { Btf } from "btfkit";
import { openImage } from "btfkit/image";
import { diff, differenceText } from "btfkit/inspect";

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const kernels: Partial<Record<"old" | "now", Btf>> = {};

async function choose(side: "old" | "now", file: File): Promise<void> {
  const status = element("status");
  try {
    kernels[side] = (await openImage(file, { name: file.name })).btf;
    const { old, now } = kernels;
    if (!old || !now) return;
    const found = diff(old, now, { kinds: ["struct", "union"] });
    const { added, removed, changed } = found;
    status.textContent = `${added.length} added, ${removed.length} removed, ${changed.length} changed`;
    element("text").textContent = [...differenceText(found)].slice(0, 500).join("");
  } catch (error) {
    status.textContent = (error as Error).message;
  }
}

for (const side of ["old", "now"] as const) {
  const input = element<HTMLInputElement>(side);
  input.addEventListener("change", () => choose(side, input.files![0]!));
}
