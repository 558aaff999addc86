/**
 * The helpers, map types, program types and attach types of kernels, and the
 * release that brought each. Names and numbers: the kernel's
 * include/uapi/linux/bpf.h. Releases: docs/kernel-versions.md of the BCC
 * project, which lists the commits; for types newer than it, the kernel's tags.
 */

/** Names of `enum bpf_func_id` without `BPF_FUNC_`, separated by spaces; the index is the number. */
export const HELPERS: readonly string[] = /* @__PURE__ */ (
  "unspec map_lookup_elem map_update_elem map_delete_elem probe_read ktime_get_ns trace_printk get_prandom_u32 " +
  "get_smp_processor_id skb_store_bytes l3_csum_replace l4_csum_replace tail_call clone_redirect " +
  "get_current_pid_tgid get_current_uid_gid get_current_comm get_cgroup_classid skb_vlan_push skb_vlan_pop " +
  "skb_get_tunnel_key skb_set_tunnel_key perf_event_read redirect get_route_realm perf_event_output skb_load_bytes " +
  "get_stackid csum_diff skb_get_tunnel_opt skb_set_tunnel_opt skb_change_proto skb_change_type skb_under_cgroup " +
  "get_hash_recalc get_current_task probe_write_user current_task_under_cgroup skb_change_tail skb_pull_data " +
  "csum_update set_hash_invalid get_numa_node_id skb_change_head xdp_adjust_head probe_read_str get_socket_cookie " +
  "get_socket_uid set_hash setsockopt skb_adjust_room redirect_map sk_redirect_map sock_map_update xdp_adjust_meta " +
  "perf_event_read_value perf_prog_read_value getsockopt override_return sock_ops_cb_flags_set msg_redirect_map " +
  "msg_apply_bytes msg_cork_bytes msg_pull_data bind xdp_adjust_tail skb_get_xfrm_state get_stack " +
  "skb_load_bytes_relative fib_lookup sock_hash_update msg_redirect_hash sk_redirect_hash lwt_push_encap " +
  "lwt_seg6_store_bytes lwt_seg6_adjust_srh lwt_seg6_action rc_repeat rc_keydown skb_cgroup_id " +
  "get_current_cgroup_id get_local_storage sk_select_reuseport skb_ancestor_cgroup_id sk_lookup_tcp sk_lookup_udp " +
  "sk_release map_push_elem map_pop_elem map_peek_elem msg_push_data msg_pop_data rc_pointer_rel spin_lock " +
  "spin_unlock sk_fullsock tcp_sock skb_ecn_set_ce get_listener_sock skc_lookup_tcp tcp_check_syncookie " +
  "sysctl_get_name sysctl_get_current_value sysctl_get_new_value sysctl_set_new_value strtol strtoul " +
  "sk_storage_get sk_storage_delete send_signal tcp_gen_syncookie skb_output probe_read_user probe_read_kernel " +
  "probe_read_user_str probe_read_kernel_str tcp_send_ack send_signal_thread jiffies64 read_branch_records " +
  "get_ns_current_pid_tgid xdp_output get_netns_cookie get_current_ancestor_cgroup_id sk_assign ktime_get_boot_ns " +
  "seq_printf seq_write sk_cgroup_id sk_ancestor_cgroup_id ringbuf_output ringbuf_reserve ringbuf_submit " +
  "ringbuf_discard ringbuf_query csum_level skc_to_tcp6_sock skc_to_tcp_sock skc_to_tcp_timewait_sock " +
  "skc_to_tcp_request_sock skc_to_udp6_sock get_task_stack load_hdr_opt store_hdr_opt reserve_hdr_opt " +
  "inode_storage_get inode_storage_delete d_path copy_from_user snprintf_btf seq_printf_btf skb_cgroup_classid " +
  "redirect_neigh per_cpu_ptr this_cpu_ptr redirect_peer task_storage_get task_storage_delete get_current_task_btf " +
  "bprm_opts_set ktime_get_coarse_ns ima_inode_hash sock_from_file check_mtu for_each_map_elem snprintf sys_bpf " +
  "btf_find_by_name_kind sys_close timer_init timer_set_callback timer_start timer_cancel get_func_ip " +
  "get_attach_cookie task_pt_regs get_branch_snapshot trace_vprintk skc_to_unix_sock kallsyms_lookup_name find_vma " +
  "loop strncmp get_func_arg get_func_ret get_func_arg_cnt get_retval set_retval xdp_get_buff_len xdp_load_bytes " +
  "xdp_store_bytes copy_from_user_task skb_set_tstamp ima_file_hash kptr_xchg map_lookup_percpu_elem " +
  "skc_to_mptcp_sock dynptr_from_mem ringbuf_reserve_dynptr ringbuf_submit_dynptr ringbuf_discard_dynptr " +
  "dynptr_read dynptr_write dynptr_data tcp_raw_gen_syncookie_ipv4 tcp_raw_gen_syncookie_ipv6 " +
  "tcp_raw_check_syncookie_ipv4 tcp_raw_check_syncookie_ipv6 ktime_get_tai_ns user_ringbuf_drain cgrp_storage_get " +
  "cgrp_storage_delete"
).split(" ");

/** Releases, each with the first helper that it brought: helpers are only ever appended. */
export const HELPER_RELEASES: readonly (readonly [release: string, first: number])[] = [
  ["3.19", 1],
  ["4.1", 4],
  ["4.2", 12],
  ["4.3", 17],
  ["4.4", 23],
  ["4.5", 26],
  ["4.6", 27],
  ["4.8", 31],
  ["4.9", 37],
  ["4.10", 42],
  ["4.11", 45],
  ["4.12", 46],
  ["4.13", 48],
  ["4.14", 51],
  ["4.15", 54],
  ["4.16", 58],
  ["4.17", 60],
  ["4.18", 65],
  ["4.19", 81],
  ["4.20", 84],
  ["5.0", 91],
  ["5.1", 93],
  ["5.2", 99],
  ["5.3", 109],
  ["5.5", 111],
  ["5.6", 119],
  ["5.7", 120],
  ["5.8", 125],
  ["5.9", 136],
  ["5.10", 142],
  ["5.11", 156],
  ["5.12", 163],
  ["5.13", 164],
  ["5.14", 166],
  ["5.15", 169],
  ["5.16", 176],
  ["5.17", 180],
  ["5.18", 186],
  ["5.19", 194],
  ["6.0", 204],
  ["6.1", 208],
  ["6.2", 210],
];

/** Releases that brought map types. */
export const MAP_TYPE_RELEASES: Readonly<Record<string, string>> = {
  hash: "3.19",
  array: "3.19",
  prog_array: "4.2",
  perf_event_array: "4.3",
  percpu_hash: "4.6",
  percpu_array: "4.6",
  stack_trace: "4.6",
  cgroup_array: "4.8",
  lru_hash: "4.10",
  lru_percpu_hash: "4.10",
  lpm_trie: "4.11",
  array_of_maps: "4.12",
  hash_of_maps: "4.12",
  devmap: "4.14",
  sockmap: "4.14",
  cpumap: "4.15",
  xskmap: "4.18",
  sockhash: "4.18",
  cgroup_storage: "4.19",
  reuseport_sockarray: "4.19",
  percpu_cgroup_storage: "4.20",
  queue: "4.20",
  stack: "4.20",
  sk_storage: "5.2",
  devmap_hash: "5.4",
  struct_ops: "5.6",
  ringbuf: "5.8",
  inode_storage: "5.10",
  task_storage: "5.11",
  bloom_filter: "5.16",
  user_ringbuf: "6.1",
  cgrp_storage: "6.2",
  arena: "6.9",
};

/** Releases that brought program types. */
export const PROGRAM_TYPE_RELEASES: Readonly<Record<string, string>> = {
  socket_filter: "3.19",
  kprobe: "4.1",
  sched_cls: "4.1",
  sched_act: "4.1",
  tracepoint: "4.7",
  xdp: "4.8",
  perf_event: "4.9",
  cgroup_skb: "4.10",
  cgroup_sock: "4.10",
  lwt_in: "4.10",
  lwt_out: "4.10",
  lwt_xmit: "4.10",
  sock_ops: "4.13",
  sk_skb: "4.14",
  cgroup_device: "4.15",
  sk_msg: "4.17",
  raw_tracepoint: "4.17",
  cgroup_sock_addr: "4.17",
  lwt_seg6local: "4.18",
  lirc_mode2: "4.18",
  sk_reuseport: "4.19",
  flow_dissector: "4.20",
  cgroup_sysctl: "5.2",
  raw_tracepoint_writable: "5.2",
  cgroup_sockopt: "5.3",
  tracing: "5.5",
  struct_ops: "5.6",
  ext: "5.6",
  lsm: "5.7",
  sk_lookup: "5.9",
  syscall: "5.15",
  netfilter: "6.4",
};

/** Releases that brought attach types, where they are newer than the program type. */
export const ATTACH_TYPE_RELEASES: Readonly<Record<string, string>> = {
  trace_raw_tp: "5.5",
  trace_fentry: "5.5",
  trace_fexit: "5.5",
  modify_return: "5.7",
  lsm_mac: "5.7",
  trace_iter: "5.8",
  xdp_devmap: "5.8",
  xdp_cpumap: "5.9",
  sk_lookup: "5.9",
  sk_skb_verdict: "5.13",
  sk_reuseport_select_or_migrate: "5.14",
  perf_event: "5.15",
  trace_kprobe_multi: "5.18",
  lsm_cgroup: "6.0",
  netfilter: "6.4",
  tcx_ingress: "6.6",
  tcx_egress: "6.6",
  trace_uprobe_multi: "6.6",
  cgroup_unix_connect: "6.7",
  cgroup_unix_sendmsg: "6.7",
  cgroup_unix_recvmsg: "6.7",
  cgroup_unix_getpeername: "6.7",
  cgroup_unix_getsockname: "6.7",
  netkit_primary: "6.7",
  netkit_peer: "6.7",
  trace_kprobe_session: "6.10",
  trace_uprobe_session: "6.13",
};
