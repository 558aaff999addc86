// A program that includes the header under test, reads through it and calls
// nothing: it loads wherever the header fits.
#include "vmlinux.h"

#define SEC(name) __attribute__((section(name), used))

char program_license[] SEC("license") = "GPL";

SEC("tp_btf/sched_switch")
int on_switch(unsigned long long *context)
{
	struct task_struct *task = (struct task_struct *)context[1];

	return task->pid == 1 && task->mm && task->signal->nr_threads > 3;
}
