// A program whose source names more than its object keeps: enumerators,
// typedefs and structs in functions that nothing calls, types of arguments.
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define PAGES NR_FREE_PAGES

const volatile bool verbose = false;
const volatile kprobe_opcode_t unused_opcode = 0;

struct event {
	u64 at;
	__u32 pid;
	pid_t tgid;
	__be16 port;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, NR_SOFTIRQS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct event);
} events SEC(".maps");

struct bio___old {
	struct gendisk *bi_disk;
} __attribute__((preserve_access_index));

static __always_inline struct gendisk *disk_of(struct bio *bio)
{
	if (bpf_core_field_exists(bio->bi_bdev))
		return BPF_CORE_READ(bio, bi_bdev, bd_disk);
	return BPF_CORE_READ((struct bio___old *)bio, bi_disk);
}

static bool is_open(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_ESTABLISHED ? true : false;
}

SEC("fexit/vfs_iter_read")
int BPF_PROG(on_read, struct file *file, struct iov_iter *iter, loff_t *pos, rwf_t flags, ssize_t ret)
{
	struct event event = { .at = bpf_ktime_get_ns(), .pid = PAGES };

	event.tgid = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), real_parent, tgid);
	event.port = bpf_htons(80);
	bpf_map_update_elem(&events, &event.pid, &event, BPF_ANY);
	return 0;
}

SEC("kprobe/tcp_v4_connect")
int BPF_KPROBE(on_connect, struct sock *sk)
{
	__wsum sum = 0;

	return verbose && sum == 0 && is_open(sk);
}

char LICENSE[] SEC("license") = "GPL";
