/** Kernel functions that BPF programs may call: FUNCs with a `bpf_kfunc` declaration tag. */
import type { Btf } from "../../btf.js";
import { compareBytes } from "../../strings.js";

export interface Kfunc {
  /** Id of the FUNC. */
  readonly id: number;
  readonly name: string;
  /** Tagged `bpf_fastcall` too: calls clobber fewer registers. */
  readonly isFastcall: boolean;
}

/** All kfuncs, by name. Source: bpftool's dump_btf_kfuncs. */
export function kfuncsOf(btf: Btf): Kfunc[] {
  const found: { id: number; name: string }[] = [];
  const fastcalls = new Set<number>();
  for (const tag of btf.ofKind("decl_tag")) {
    if (tag.componentIndex !== -1 || btf.kindAt(tag.targetId) !== "func") continue;
    if (tag.name === "bpf_kfunc") found.push({ id: tag.targetId, name: btf.nameAt(tag.targetId) });
    if (tag.name === "bpf_fastcall") fastcalls.add(tag.targetId);
  }
  return found
    .map(({ id, name }) => ({ id, name, isFastcall: fastcalls.has(id) }))
    .sort((a, b) => compareBytes(a.name, b.name));
}
