/** Looks up functions, variables and types by name in a kernel and its modules. */
import type { Btf } from "../../../btf/btf.js";
import type { BtfType } from "../../../btf/types.js";
import type { CoreTarget } from "../../core-relocation/resolution.js";

/** Returns the BTFs in the order in which they are searched. */
export function places({ vmlinux, modules }: CoreTarget): Btf[] {
  return [vmlinux, ...modules];
}

/** Returns the first type of a name and kind. */
export function findInTarget(
  target: CoreTarget,
  name: string,
  kind: "func" | "typedef" | "struct" | "var",
): BtfType | undefined {
  for (const btf of places(target)) {
    const found = btf.find(name, kind);
    if (found) return found;
  }
  return undefined;
}
