// Programs of many kinds that write events, for tests of the loader.
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int (*name)[value]
#define __type(name, type) typeof(type) *name
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

static void *(*map_lookup)(void *, const void *) = (void *)1;
static u64 (*current_pid_tgid)(void) = (void *)14;
static long (*current_comm)(void *, u32) = (void *)16;
static long (*perf_event_output)(void *, void *, u64, void *, u64) = (void *)25;
static u64 (*attach_cookie)(void *) = (void *)174;
static void *(*ringbuf_reserve)(void *, u64, u64) = (void *)131;
static void (*ringbuf_submit)(void *, u64) = (void *)132;
static long (*ringbuf_output)(void *, void *, u64, u64) = (void *)130;
static long (*seq_write)(void *, const void *, u32) = (void *)127;

struct event {
	u32 pid;
	u32 number;
	u64 cookie;
	char comm[16];
};

struct {
	__uint(type, 27);
	__uint(max_entries, 1 << 16);
} ring SEC(".maps");

struct {
	__uint(type, 4);
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf SEC(".maps");

struct {
	__uint(type, 2);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

// Keeps the type in the object's BTF, as bpf2go asks for it.
const struct event *unused __attribute__((unused));

const volatile u32 only_pid = 0;
const volatile u32 first_number = 0;
u32 written = 0;

static __attribute__((always_inline)) int ours(void)
{
	return !only_pid || current_pid_tgid() >> 32 == only_pid;
}

static __attribute__((always_inline)) int submit(u64 cookie)
{
	struct event *event;

	if (!ours())
		return 0;
	event = ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event)
		return 0;
	event->pid = current_pid_tgid() >> 32;
	event->number = first_number + written++;
	event->cookie = cookie;
	current_comm(event->comm, sizeof(event->comm));
	ringbuf_submit(event, 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_getpgid") int on_tracepoint(void *ctx)
{
	return submit(attach_cookie(ctx));
}

SEC("?raw_tp/sys_enter") int on_raw_tracepoint(u64 *ctx)
{
	// getpgid is system call 121 on x86-64.
	return ctx[1] == 121 ? submit(0) : 0;
}

SEC("?tp_btf/sys_enter") int on_typed_tracepoint(u64 *ctx)
{
	return ctx[1] == 121 ? submit(0) : 0;
}

SEC("?uprobe") int on_function(void *ctx)
{
	return submit(attach_cookie(ctx));
}

SEC("?tracepoint/syscalls/sys_enter_getsid") int on_stack(void *ctx)
{
	struct event built = {};

	if (!ours())
		return 0;
	built.pid = current_pid_tgid() >> 32;
	built.number = first_number + written++;
	current_comm(&built.comm, sizeof(built.comm));
	perf_event_output(ctx, &perf, 0xffffffffULL, &built, sizeof(built));
	return 0;
}

SEC("?perf_event") int on_sample(void *ctx)
{
	u32 key = 0;
	u64 *count = map_lookup(&counts, &key);

	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}

SEC("?xdp") int on_packet(void *ctx)
{
	u32 key = 1;
	u64 *count = map_lookup(&counts, &key);

	if (count)
		__sync_fetch_and_add(count, 1);
	return 2;
}

SEC("?cgroup/connect4") int on_connect(void *ctx)
{
	return 0;
}

struct meta { void *seq; u64 session; u64 number; };
struct task_iter { struct meta *meta; void *task; };

SEC("?iter/task") int on_task(struct task_iter *ctx)
{
	char line[4] = "task";

	if (ctx->task && !ctx->meta->number)
		seq_write(ctx->meta->seq, line, 4);
	return 0;
}

SEC("?syscall") int flood(u32 *ctx)
{
	u64 record[3] = {};

	for (u32 i = 0; i < 1000; i++) {
		record[0] = written++;
		record[1] = record[0] * 3;
		ringbuf_output(&ring, record, sizeof(record), 0);
	}
	return 7;
}

SEC("?socket") int refused(void *ctx)
{
	return *(int *)((char *)ctx + 4096);
}

char _license[] SEC("license") = "GPL";
