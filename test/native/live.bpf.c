// Reads fields of the running kernel's types; what is not there is guarded.
typedef unsigned int u32;
typedef unsigned long long u64;
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))

static long (*const read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static void *(*const current_task)(void) = (void *)35;

struct mm_struct { u64 total_vm; } CORE;
struct task_struct { int tgid; int pid; struct task_struct *real_parent; struct mm_struct *mm; } CORE;
struct task_struct___gone { int never_there; } CORE;
enum zone_type { ZONE_NORMAL = 77 };

SEC("raw_tp/sched_switch") int live(void *context)
{
	struct task_struct *task = current_task(), *parent;
	struct task_struct___gone *gone = (void *)task;
	int found = 0;

	read_kernel(&parent, sizeof(parent), &task->real_parent);
	read_kernel(&found, sizeof(found), &parent->tgid);
	if (__builtin_preserve_field_info(gone->never_there, 2))
		read_kernel(&found, sizeof(found), &gone->never_there);
	if (__builtin_preserve_enum_value(*(enum zone_type *)ZONE_NORMAL, 1) == 77)
		found++;
	return found;
}

char license_name[] SEC("license") = "GPL";
