/** Looks up numbers of the BPF interface in the enums of a target's BTF. */
import type { BtfType } from "../../../btf/types.js";
import type { CoreTarget } from "../../core-relocation/resolution.js";

/** An enum of the interface, and the prefix of its enumerators. */
export const INTERFACE_ENUMS = {
  helper: { name: "bpf_func_id", prefix: "BPF_FUNC_" },
  mapType: { name: "bpf_map_type", prefix: "BPF_MAP_TYPE_" },
  programType: { name: "bpf_prog_type", prefix: "BPF_PROG_TYPE_" },
  attachType: { name: "bpf_attach_type", prefix: "BPF_" },
} as const;

/** Which of the enums. */
export type InterfaceEnum = keyof typeof INTERFACE_ENUMS;

const known = /* @__PURE__ */ new WeakMap<BtfType, ReadonlyMap<number, string>>();

/**
 * Returns the names of an enum by their numbers, as the target's BTF has them,
 * without the prefix; `undefined` where the BTF does not have the enum, as a
 * minimised BTF does not.
 */
export function namesInTarget({ vmlinux }: CoreTarget, which: InterfaceEnum): ReadonlyMap<number, string> | undefined {
  const { name, prefix } = INTERFACE_ENUMS[which];
  const type = vmlinux.find(name, "enum");
  if (type?.kind !== "enum") return undefined;
  let names = known.get(type);
  if (!names) {
    const found = new Map<number, string>();
    for (const { name: enumerator, value } of type.values) {
      // __BPF_FUNC_MAX_ID and the like end the enum, and name nothing.
      if (enumerator.startsWith(prefix) && !found.has(value))
        found.set(value, enumerator.slice(prefix.length).toLowerCase());
    }
    names = found;
    known.set(type, names);
  }
  return names;
}
