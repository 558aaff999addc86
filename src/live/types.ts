/**
 * Names of the kinds of maps and links, by number: the kernel's `enum bpf_map_type` and `bpf_link_type`, in lower case
 * without the prefix, as libbpf spells them.
 *
 * Source: include/uapi/linux/bpf.h of Linux 6.18.
 */

const MAP_TYPE_NAMES = [
  "unspec",
  "hash",
  "array",
  "prog_array",
  "perf_event_array",
  "percpu_hash",
  "percpu_array",
  "stack_trace",
  "cgroup_array",
  "lru_hash",
  "lru_percpu_hash",
  "lpm_trie",
  "array_of_maps",
  "hash_of_maps",
  "devmap",
  "sockmap",
  "cpumap",
  "xskmap",
  "sockhash",
  "cgroup_storage",
  "reuseport_sockarray",
  "percpu_cgroup_storage",
  "queue",
  "stack",
  "sk_storage",
  "devmap_hash",
  "struct_ops",
  "ringbuf",
  "inode_storage",
  "task_storage",
  "bloom_filter",
  "user_ringbuf",
  "cgrp_storage",
  "arena",
] as const;

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

/** A type of map. */
export type MapType = (typeof MAP_TYPE_NAMES)[number];
/** A type of link. */
export type LinkType = (typeof LINK_TYPE_NAMES)[number];

/** The types of maps, by number. */
export const MAP_TYPES: readonly MapType[] = MAP_TYPE_NAMES;
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
