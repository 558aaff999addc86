/**
 * Names of the kinds of links, by number: the kernel's `enum bpf_link_type`, in lower case without the prefix, as libbpf
 * spells them; and those of maps.
 *
 * Source: include/uapi/linux/bpf.h of Linux 6.18.
 */
import { MAP_TYPES, type MapType } from "../bpf/object/map-types.js";

const LINK_TYPE_NAMES = [
  "unspec",
  "raw_tracepoint",
  "tracing",
  "cgroup",
  "iter",
  "netns",
  "xdp",
  "perf_event",
  "kprobe_multi",
  "struct_ops",
  "netfilter",
  "tcx",
  "uprobe_multi",
  "netkit",
  "sockmap",
] as const;

/** A type of link. */
export type LinkType = (typeof LINK_TYPE_NAMES)[number];

export { MAP_TYPES, type MapType };
/** The types of links, by number. */
export const LINK_TYPES: readonly LinkType[] = LINK_TYPE_NAMES;

/** Map types with a value for each possible CPU. */
const PER_CPU: ReadonlySet<string> = new Set([
  "percpu_hash",
  "percpu_array",
  "lru_percpu_hash",
  "percpu_cgroup_storage",
]);

/** Reports whether a map holds a value for each possible CPU. */
export function isPerCpu(type: string): boolean {
  return PER_CPU.has(type);
}
