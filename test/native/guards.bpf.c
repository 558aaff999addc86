// One program with an access to a field that no kernel has, guarded in one of
// the ways that CASE chooses. Whether the verifier takes it, is the question.
typedef unsigned int u32;
typedef unsigned long long u64;
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))
#define NOINLINE __attribute__((noinline))

static long (*const read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static void *(*const current_task)(void) = (void *)35;
static u64 (*const now)(void) = (void *)5;
static u32 (*const random)(void) = (void *)7;

struct task_struct { int pid; } CORE;
struct task_struct___gone { int never_there; } CORE;
enum zone_type___gone { NEVER_THERE = 3 };

#define EXISTS(task) __builtin_preserve_field_info(((struct task_struct___gone *)(task))->never_there, 2)
#define READ(to, task) read_kernel(&(to), 4, &((struct task_struct___gone *)(task))->never_there)

#if CASE == 4
static NOINLINE int helper(void *task, int exists)
{
	int found = 0;
	if (exists)
		READ(found, task);
	return found + now();
}
#elif CASE == 5
static NOINLINE int helper(void *task)
{
	asm volatile("" : : : "memory");
	return EXISTS(task);
}
#elif CASE == 8
NOINLINE int helper(int exists)
{
	int found = 0;
	if (exists)
		READ(found, current_task());
	return found;
}
#elif CASE == 9
static NOINLINE int helper(void *task)
{
	int found = 0;
	READ(found, task);
	return found;
}
#endif

SEC("raw_tp/sched_switch") int guarded(void *context)
{
	void *task = current_task();
	int found = 0;

#if CASE == 0
	if (EXISTS(task))
		READ(found, task);
#elif CASE == 1
	READ(found, task);
#elif CASE == 2
	if (!EXISTS(task))
		READ(found, task);
#elif CASE == 3
	if (random() > 5 && EXISTS(task) && random() > 7)
		READ(found, task);
#elif CASE == 4
	found = helper(task, EXISTS(task));
#elif CASE == 5
	if (helper(task))
		READ(found, task);
#elif CASE == 6
	if (__builtin_preserve_enum_value(*(enum zone_type___gone *)NEVER_THERE, 0))
		READ(found, task);
#elif CASE == 7
	volatile u64 exists = EXISTS(task);
	now();
	if (exists)
		READ(found, task);
#elif CASE == 8
	found = helper(EXISTS(task));
#elif CASE == 9
	if (EXISTS(task))
		found = helper(task);
#elif CASE == 10
	for (int i = 0; i < 10; i++) {
		u32 some = random();
		if (EXISTS(task) && some > i)
			READ(found, task);
	}
#elif CASE == 11
	u64 size = 4 * EXISTS(task);
	if (random() & 1)
		size <<= 2;
	if (size > 8)
		READ(found, task);
#elif CASE == 12
	if (random() & 1)
		READ(found, task);
#endif
	return found;
}

char license_name[] SEC("license") = "GPL";
