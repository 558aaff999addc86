// A program for each way of attaching, set off by the system call getpgid, by
// packets on the loopback interface or by test runs: for kernels under QEMU.
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int (*name)[value]
#define __type(name, type) typeof(type) *name
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

static void *(*map_lookup)(void *, const void *) = (void *)1;
static u64 (*current_pid_tgid)(void) = (void *)14;
static long (*ringbuf_output)(void *, void *, u64, u64) = (void *)130;
static u64 (*attach_cookie)(void *) = (void *)174;
static void *(*ringbuf_drain)(void *, void *, void *, u64) = (void *)209;
static long (*dynptr_read)(void *, u32, void *, u32, u64) = (void *)201;

struct pt_regs {
	unsigned long ax;
	unsigned long di;
} __attribute__((preserve_access_index));

struct event {
	u32 pid;
	u32 padding;
	s64 value;
	u64 cookie;
};

struct {
	__uint(type, 27);
	__uint(max_entries, 1 << 16);
} ring SEC(".maps");

struct {
	__uint(type, 2);
	__uint(max_entries, 8);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

const struct event *unused __attribute__((unused));
const volatile u32 only_pid = 0;

static __attribute__((always_inline)) int ours(void)
{
	return !only_pid || current_pid_tgid() >> 32 == only_pid;
}

static __attribute__((always_inline)) int submit(s64 value, u64 cookie)
{
	struct event event = { .pid = current_pid_tgid() >> 32, .value = value, .cookie = cookie };

	if (ours())
		ringbuf_output(&ring, &event, sizeof(event), 0);
	return 0;
}

static __attribute__((always_inline)) void count(u32 key)
{
	u64 *found = map_lookup(&counts, &key);

	if (found)
		__sync_fetch_and_add(found, 1);
}

SEC("?fentry/__x64_sys_getpgid") int on_entry(u64 *ctx)
{
	return submit(((struct pt_regs *)ctx[0])->di, attach_cookie(ctx));
}

SEC("?fexit/__x64_sys_getpgid") int on_exit(u64 *ctx)
{
	return submit(ctx[1], 0);
}

SEC("?fmod_ret/security_task_getpgid") int on_return(u64 *ctx)
{
	return ours() ? -13 : 0;
}

SEC("?lsm/task_getpgid") int on_permission(u64 *ctx)
{
	return ours() ? -1 : 0;
}

SEC("?kprobe/__x64_sys_getpgid") int on_kprobe(struct pt_regs *ctx)
{
	return submit(1, attach_cookie(ctx));
}

SEC("?kretprobe/__x64_sys_getpgid") int on_kretprobe(struct pt_regs *ctx)
{
	return submit(ctx->ax, 0);
}

SEC("?ksyscall/getpgid") int on_system_call(struct pt_regs *ctx)
{
	return submit(2, 0);
}

SEC("?kprobe.multi/__x64_sys_getpg*") int on_many(struct pt_regs *ctx)
{
	return submit(3, attach_cookie(ctx));
}

SEC("?tp_btf/sys_enter") int on_typed_tracepoint(u64 *ctx)
{
	// getpgid is system call 121 on x86-64.
	return ctx[1] == 121 ? submit(((struct pt_regs *)ctx[0])->di, 0) : 0;
}

SEC("?raw_tp/sys_enter") int on_raw_tracepoint(u64 *ctx)
{
	return ctx[1] == 121 ? submit(4, 0) : 0;
}

SEC("?tracepoint/syscalls/sys_enter_getpgid") int on_tracepoint(u64 *ctx)
{
	return submit(ctx[2], attach_cookie(ctx));
}

SEC("?uprobe/in_file:in_registers") int on_function(struct pt_regs *ctx)
{
	count(0);
	return 0;
}

SEC("?uretprobe/in_file:in_registers") int on_function_return(struct pt_regs *ctx)
{
	count(1);
	return 0;
}

SEC("?perf_event") int on_sample(void *ctx)
{
	count(2);
	return 0;
}

SEC("?netfilter") int on_packet(void *ctx)
{
	count(3);
	return 1;
}

SEC("?tcx/ingress") int on_frame(void *ctx)
{
	count(4);
	return -1;
}

SEC("?xdp") int on_xdp(void *ctx)
{
	count(5);
	return 2;
}

SEC("?fentry/veth_open") int on_module(u64 *ctx)
{
	return submit(5, 0);
}

__attribute__((noinline)) int replaced(int value)
{
	__asm__ volatile("");
	return value + 1;
}

SEC("?tc") int with_function(void *ctx)
{
	return replaced(1);
}

SEC("?freplace/replaced") int replacement(int value)
{
	return value + 41;
}

SEC("?iter/task") int on_task(u64 *ctx)
{
	count(6);
	return 0;
}

struct {
	__uint(type, 31);
	__uint(max_entries, 4096);
} to_program SEC(".maps");

struct request {
	u32 number;
	u32 value;
};

static long take(void *dynptr, u64 *sum)
{
	struct request request;

	if (dynptr_read(&request, sizeof(request), dynptr, 0, 0))
		return 1;
	*sum += request.value;
	return 0;
}

const struct request *unused_request __attribute__((unused));
u64 drained = 0;

SEC("?tracepoint/syscalls/sys_enter_getpgrp") int on_drain(void *ctx)
{
	u64 sum = 0;

	if (ours() && (long)ringbuf_drain(&to_program, take, &sum, 0) > 0)
		drained += sum;
	return 0;
}

struct sock;
struct tcp_congestion_ops {
	void (*init)(struct sock *);
	u32 (*ssthresh)(struct sock *);
	void (*cong_avoid)(struct sock *, u32, u32);
	u32 (*undo_cwnd)(struct sock *);
	char name[16];
};

SEC("?struct_ops/init") void congestion_init(u64 *ctx)
{
	count(7);
}

SEC("?struct_ops/ssthresh") u32 congestion_ssthresh(u64 *ctx)
{
	return 2;
}

SEC("?struct_ops/cong_avoid") void congestion_avoid(u64 *ctx)
{
}

SEC("?struct_ops/undo_cwnd") u32 congestion_undo(u64 *ctx)
{
	return 10;
}

#ifdef STRUCT_OPS
SEC(STRUCT_OPS) struct tcp_congestion_ops congestion = {
	.init = (void *)congestion_init,
	.ssthresh = (void *)congestion_ssthresh,
	.cong_avoid = (void *)congestion_avoid,
	.undo_cwnd = (void *)congestion_undo,
	.name = "btfkit_cc",
};
#endif

char _license[] SEC("license") = "GPL";
