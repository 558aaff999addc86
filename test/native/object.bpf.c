// A BPF object with what an object can have: maps of both kinds of definition,
// data sections, externs, subprograms, CO-RE accesses. Needs no headers.
typedef unsigned int u32;
typedef unsigned long long u64;
#define SEC(name) __attribute__((section(name), used))
#define EXTERN(name) __attribute__((section(name)))
#define CORE __attribute__((preserve_access_index))

struct {
	int (*type)[1];
	int (*max_entries)[256];
	int (*map_flags)[1];
	u32 *key;
	struct value { u64 first; u32 second; } *value;
} counts SEC(".maps");

struct {
	int (*type)[27];
	int (*max_entries)[4096];
	int (*pinning)[1];
} events SEC(".maps");

const volatile u32 wanted = 7;
u64 total = 1;
static u64 hidden;
u32 tail SEC(".data.tail") = 5;

extern int CONFIG_HZ EXTERN(".kconfig");
extern int bpf_thing(u32 flags) __attribute__((weak)) EXTERN(".ksyms");
extern const int runqueues EXTERN(".ksyms");

struct task_struct {
	int pid;
	int tgid;
} CORE;

static __attribute__((noinline)) int tgid_of(struct task_struct *task)
{
	return task->tgid;
}

__attribute__((noinline)) int pid_of(struct task_struct *task)
{
	return task->pid;
}

SEC("kprobe/do_unlinkat") int probe(struct task_struct *task)
{
	u64 (*lookup)(void *, void *) = (void *)1;
	u32 key = wanted;
	u64 *found = (void *)lookup(&counts, &key);

	if (found)
		total += *found;
	hidden++;
	return tgid_of(task) + pid_of(task) + CONFIG_HZ + bpf_thing(tail) + (int)(long)&runqueues + (int)hidden;
}

SEC("?fentry.s/vmlinux:do_exit") int later(u64 *context)
{
	return context[0];
}

SEC("tp/sched/sched_switch") int event(void *context)
{
	u64 (*output)(void *) = (void *)2;
	return output(&events);
}

char license_name[] SEC("license") = "Dual BSD/GPL";
