// Writes an event for each program that is started. Where a task has its parent
// and its number is found out on the kernel that it runs on (CO-RE): the struct
// here has the two members that are read, and no more.
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int (*name)[value]

typedef unsigned int u32;
typedef unsigned long long u64;

static void *(*bpf_get_current_task)(void) = (void *)35;
static u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static u64 (*bpf_get_current_uid_gid)(void) = (void *)15;
static long (*bpf_get_current_comm)(void *, u32) = (void *)16;
static long (*bpf_probe_read_kernel)(void *, u32, const void *) = (void *)113;
static long (*bpf_probe_read_user_str)(void *, u32, const void *) = (void *)114;
static void *(*bpf_ringbuf_reserve)(void *, u64, u64) = (void *)131;
static void (*bpf_ringbuf_submit)(void *, u64) = (void *)132;

struct task_struct {
	struct task_struct *real_parent;
	int tgid;
} __attribute__((preserve_access_index));

// tracefs: events/syscalls/sys_enter_execve/format
struct sys_enter_execve {
	u64 common;
	long number;
	const char *filename;
};

struct event {
	u32 pid;
	u32 ppid;
	u32 uid;
	char comm[16];
	char filename[128];
};

// Keeps the type in the object, so that the events decode themselves.
const struct event *unused __attribute__((unused));

struct {
	__uint(type, 27); // BPF_MAP_TYPE_RINGBUF
	__uint(max_entries, 1 << 18);
} events SEC(".maps");

// Set before the object is loaded.
const volatile u32 min_uid = 0;

SEC("tracepoint/syscalls/sys_enter_execve") int handle_exec(struct sys_enter_execve *ctx)
{
	u32 uid = bpf_get_current_uid_gid();
	struct task_struct *task = bpf_get_current_task(), *parent = 0;
	struct event *event;

	if (uid < min_uid)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return 0;
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->uid = uid;
	event->ppid = 0;
	bpf_probe_read_kernel(&parent, sizeof(parent), __builtin_preserve_access_index(&task->real_parent));
	bpf_probe_read_kernel(&event->ppid, sizeof(event->ppid), __builtin_preserve_access_index(&parent->tgid));
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_probe_read_user_str(event->filename, sizeof(event->filename), ctx->filename);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
