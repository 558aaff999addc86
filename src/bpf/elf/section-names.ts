/**
 * Names of ELF sections, and what each says about its programs: type, attach
 * type and how the loader treats them. Source: libbpf's section_defs.
 */

/** `BPF_PROG_TYPE_*` in lower case; the index is the number. */
export const PROGRAM_TYPES = [
  "unspec",
  "socket_filter",
  "kprobe",
  "sched_cls",
  "sched_act",
  "tracepoint",
  "xdp",
  "perf_event",
  "cgroup_skb",
  "cgroup_sock",
  "lwt_in",
  "lwt_out",
  "lwt_xmit",
  "sock_ops",
  "sk_skb",
  "cgroup_device",
  "sk_msg",
  "raw_tracepoint",
  "cgroup_sock_addr",
  "lwt_seg6local",
  "lirc_mode2",
  "sk_reuseport",
  "flow_dissector",
  "cgroup_sysctl",
  "raw_tracepoint_writable",
  "cgroup_sockopt",
  "tracing",
  "struct_ops",
  "ext",
  "lsm",
  "sk_lookup",
  "syscall",
  "netfilter",
] as const;

/** A program's type, without its `BPF_PROG_TYPE_`. */
export type ProgramType = (typeof PROGRAM_TYPES)[number];

/** `BPF_*` of `enum bpf_attach_type` in lower case; the index is the number. */
export const ATTACH_TYPES = [
  "cgroup_inet_ingress",
  "cgroup_inet_egress",
  "cgroup_inet_sock_create",
  "cgroup_sock_ops",
  "sk_skb_stream_parser",
  "sk_skb_stream_verdict",
  "cgroup_device",
  "sk_msg_verdict",
  "cgroup_inet4_bind",
  "cgroup_inet6_bind",
  "cgroup_inet4_connect",
  "cgroup_inet6_connect",
  "cgroup_inet4_post_bind",
  "cgroup_inet6_post_bind",
  "cgroup_udp4_sendmsg",
  "cgroup_udp6_sendmsg",
  "lirc_mode2",
  "flow_dissector",
  "cgroup_sysctl",
  "cgroup_udp4_recvmsg",
  "cgroup_udp6_recvmsg",
  "cgroup_getsockopt",
  "cgroup_setsockopt",
  "trace_raw_tp",
  "trace_fentry",
  "trace_fexit",
  "modify_return",
  "lsm_mac",
  "trace_iter",
  "cgroup_inet4_getpeername",
  "cgroup_inet6_getpeername",
  "cgroup_inet4_getsockname",
  "cgroup_inet6_getsockname",
  "xdp_devmap",
  "cgroup_inet_sock_release",
  "xdp_cpumap",
  "sk_lookup",
  "xdp",
  "sk_skb_verdict",
  "sk_reuseport_select",
  "sk_reuseport_select_or_migrate",
  "perf_event",
  "trace_kprobe_multi",
  "lsm_cgroup",
  "struct_ops",
  "netfilter",
  "tcx_ingress",
  "tcx_egress",
  "trace_uprobe_multi",
  "cgroup_unix_connect",
  "cgroup_unix_sendmsg",
  "cgroup_unix_recvmsg",
  "cgroup_unix_getpeername",
  "cgroup_unix_getsockname",
  "netkit_primary",
  "netkit_peer",
  "trace_kprobe_session",
  "trace_uprobe_session",
  "trace_fsession",
  "trace_fentry_multi",
  "trace_fexit_multi",
  "trace_fsession_multi",
] as const;

/** An attach type, without its `BPF_`. */
export type AttachType = (typeof ATTACH_TYPES)[number];

/** How the loader treats a program whose section has this name. */
export interface SectionConvention {
  readonly type: ProgramType;
  /** The part of the name that says what the program is: `"kprobe"`, `"fentry.s"`. */
  readonly name: string;
  /** `/` and what to attach to may follow. */
  readonly withTarget: boolean;
  readonly attachType: AttachType | undefined;
  /** Old kernels that know no expected attach type take the program without it. */
  readonly attachTypeOptional: boolean;
  /** `BPF_F_SLEEPABLE` */
  readonly sleepable: boolean;
  /** `BPF_F_XDP_HAS_FRAGS` */
  readonly frags: boolean;
  /** The target is a type of the kernel, or of a program, that is looked up by name. */
  readonly attachesByBtf: boolean;
  readonly usdt: boolean;
}

/**
 * `name`, then `+` where `/` and a target may follow, `=` with the attach type,
 * and `!` with letters: s sleepable, b attached by BTF id, f XDP fragments,
 * o attach type optional, u USDT. The first that fits counts.
 */
const CONVENTIONS: readonly (readonly [ProgramType, string])[] = [
  ["socket_filter", "socket"],
  ["sk_reuseport", "sk_reuseport/migrate=sk_reuseport_select_or_migrate sk_reuseport=sk_reuseport_select"],
  ["kprobe", "kprobe+ uprobe+ uprobe.s+!s kretprobe+ uretprobe+ uretprobe.s+!s"],
  ["kprobe", "kprobe.multi+=trace_kprobe_multi kretprobe.multi+=trace_kprobe_multi"],
  ["kprobe", "kprobe.session+=trace_kprobe_session uprobe.multi+=trace_uprobe_multi"],
  ["kprobe", "uretprobe.multi+=trace_uprobe_multi uprobe.session+=trace_uprobe_session"],
  ["kprobe", "uprobe.multi.s+=trace_uprobe_multi!s uretprobe.multi.s+=trace_uprobe_multi!s"],
  ["kprobe", "uprobe.session.s+=trace_uprobe_session!s ksyscall+ kretsyscall+ usdt+!u usdt.s+!us"],
  ["sched_cls", "tc/ingress=tcx_ingress tc/egress=tcx_egress tcx/ingress=tcx_ingress tcx/egress=tcx_egress tc"],
  ["sched_cls", "classifier"],
  ["sched_act", "action"],
  ["sched_cls", "netkit/primary=netkit_primary netkit/peer=netkit_peer"],
  ["tracepoint", "tracepoint+ tp+ tracepoint.s+!s tp.s+!s"],
  ["raw_tracepoint", "raw_tracepoint+ raw_tp+ raw_tracepoint.s+!s raw_tp.s+!s"],
  ["raw_tracepoint_writable", "raw_tracepoint.w+ raw_tp.w+"],
  ["tracing", "tp_btf+=trace_raw_tp!b tp_btf.s+=trace_raw_tp!bs fentry+=trace_fentry!b"],
  ["tracing", "fmod_ret+=modify_return!b fexit+=trace_fexit!b fentry.s+=trace_fentry!bs"],
  ["tracing", "fmod_ret.s+=modify_return!bs fexit.s+=trace_fexit!bs fsession+=trace_fsession!b"],
  ["tracing", "fsession.s+=trace_fsession!bs fsession.multi+=trace_fsession_multi"],
  ["tracing", "fsession.multi.s+=trace_fsession_multi!s fentry.multi+=trace_fentry_multi"],
  ["tracing", "fexit.multi+=trace_fexit_multi fentry.multi.s+=trace_fentry_multi!s"],
  ["tracing", "fexit.multi.s+=trace_fexit_multi!s"],
  ["ext", "freplace+!b"],
  ["lsm", "lsm+=lsm_mac!b lsm.s+=lsm_mac!bs lsm_cgroup+=lsm_cgroup!b"],
  ["tracing", "iter+=trace_iter!b iter.s+=trace_iter!bs"],
  ["syscall", "syscall!s"],
  ["xdp", "xdp.frags/devmap=xdp_devmap!f xdp/devmap=xdp_devmap xdp.frags/cpumap=xdp_cpumap!f"],
  ["xdp", "xdp/cpumap=xdp_cpumap xdp.frags=xdp!f xdp=xdp!o"],
  ["perf_event", "perf_event"],
  ["lwt_in", "lwt_in"],
  ["lwt_out", "lwt_out"],
  ["lwt_xmit", "lwt_xmit"],
  ["lwt_seg6local", "lwt_seg6local"],
  ["sock_ops", "sockops=cgroup_sock_ops!o"],
  ["sk_skb", "sk_skb/stream_parser=sk_skb_stream_parser!o sk_skb/stream_verdict=sk_skb_stream_verdict!o"],
  ["sk_skb", "sk_skb/verdict=sk_skb_verdict!o sk_skb"],
  ["sk_msg", "sk_msg=sk_msg_verdict!o"],
  ["lirc_mode2", "lirc_mode2=lirc_mode2!o"],
  ["flow_dissector", "flow_dissector=flow_dissector!o"],
  ["cgroup_skb", "cgroup_skb/ingress=cgroup_inet_ingress!o cgroup_skb/egress=cgroup_inet_egress!o cgroup/skb"],
  ["cgroup_sock", "cgroup/sock_create=cgroup_inet_sock_create cgroup/sock_release=cgroup_inet_sock_release"],
  ["cgroup_sock", "cgroup/sock=cgroup_inet_sock_create!o cgroup/post_bind4=cgroup_inet4_post_bind"],
  ["cgroup_sock", "cgroup/post_bind6=cgroup_inet6_post_bind"],
  ["cgroup_sock_addr", "cgroup/bind4=cgroup_inet4_bind cgroup/bind6=cgroup_inet6_bind"],
  ["cgroup_sock_addr", "cgroup/connect4=cgroup_inet4_connect cgroup/connect6=cgroup_inet6_connect"],
  ["cgroup_sock_addr", "cgroup/connect_unix=cgroup_unix_connect cgroup/sendmsg4=cgroup_udp4_sendmsg"],
  ["cgroup_sock_addr", "cgroup/sendmsg6=cgroup_udp6_sendmsg cgroup/sendmsg_unix=cgroup_unix_sendmsg"],
  ["cgroup_sock_addr", "cgroup/recvmsg4=cgroup_udp4_recvmsg cgroup/recvmsg6=cgroup_udp6_recvmsg"],
  ["cgroup_sock_addr", "cgroup/recvmsg_unix=cgroup_unix_recvmsg cgroup/getpeername4=cgroup_inet4_getpeername"],
  ["cgroup_sock_addr", "cgroup/getpeername6=cgroup_inet6_getpeername cgroup/getpeername_unix=cgroup_unix_getpeername"],
  ["cgroup_sock_addr", "cgroup/getsockname4=cgroup_inet4_getsockname cgroup/getsockname6=cgroup_inet6_getsockname"],
  ["cgroup_sock_addr", "cgroup/getsockname_unix=cgroup_unix_getsockname"],
  ["cgroup_sysctl", "cgroup/sysctl=cgroup_sysctl"],
  ["cgroup_sockopt", "cgroup/getsockopt=cgroup_getsockopt cgroup/setsockopt=cgroup_setsockopt"],
  ["cgroup_device", "cgroup/dev=cgroup_device!o"],
  ["struct_ops", "struct_ops+ struct_ops.s+!s"],
  ["sk_lookup", "sk_lookup=sk_lookup"],
  ["netfilter", "netfilter=netfilter"],
];

let byName: ReadonlyMap<string, SectionConvention> | undefined;

function conventions(): ReadonlyMap<string, SectionConvention> {
  byName ??= new Map(
    CONVENTIONS.flatMap(([type, names]) =>
      names.split(" ").map((text) => {
        const {
          name = "",
          plus,
          attachType,
          flags = "",
        } = /^(?<name>[^+=!]+)(?<plus>\+)?(?:=(?<attachType>\w+))?(?:!(?<flags>\w+))?$/.exec(text)?.groups ?? {};
        const convention: SectionConvention = {
          type,
          name,
          withTarget: plus !== undefined,
          attachType: attachType as AttachType | undefined,
          attachTypeOptional: flags.includes("o"),
          sleepable: flags.includes("s"),
          frags: flags.includes("f"),
          attachesByBtf: flags.includes("b"),
          usdt: flags.includes("u"),
        };
        return [name, convention] as const;
      }),
    ),
  );
  return byName;
}

/** Returns the convention that a section's name (without `?`) follows, and what stands behind its `/`. */
export function conventionOf(
  section: string,
): { readonly convention: SectionConvention; readonly attachTo: string | undefined } | undefined {
  const known = conventions();
  const whole = known.get(section);
  if (whole) return { convention: whole, attachTo: undefined };
  const slash = section.indexOf("/");
  const prefix = slash < 0 ? undefined : known.get(section.slice(0, slash));
  return prefix?.withTarget ? { convention: prefix, attachTo: section.slice(slash + 1) || undefined } : undefined;
}
