import type { Program } from "../program.js";

/** How a program is attached, beyond what its section's name says. */
export interface AttachOptions {
  /** What to attach to, in place of what the section's name says: `"sys_enter_openat"`, `"sched/sched_switch"`, `"eth0"`, a path. */
  readonly target?: string;
  /** A number that the program gets by `bpf_get_attach_cookie`. */
  readonly cookie?: bigint;
  /** uprobe, USDT, perf_event: this process alone (default: all). */
  readonly pid?: number;
  /** kprobe, uprobe: this many bytes into the function. */
  readonly byteOffset?: number;
  /** uprobe: the function, by the name of its symbol, in place of what the section's name says. */
  readonly symbol?: string;
  /** freplace: a program whose function is replaced (by name, `target`), other than the one that it was loaded for. */
  readonly program?: Program;
  /** xdp, tcx, netkit: the interface, by its name or number. */
  readonly interface?: string | number;
  /** cgroup: the path of the control group (default: the root of cgroup2). */
  readonly cgroup?: string;
  /** sk_lookup, flow_dissector: a network namespace, by the path of its file (default: this process's). */
  readonly netns?: string;
  /** perf_event: how often, in samples a second on each CPU (default 99). */
  readonly frequency?: number;
  /** netfilter: the protocol family, the hook and the priority (default: IPv4, LOCAL_IN, 0). */
  readonly netfilter?: { readonly family?: number; readonly hook?: number; readonly priority?: number };
  /** `BPF_F_*` and `XDP_FLAGS_*` that the link takes. */
  readonly flags?: number;
}
