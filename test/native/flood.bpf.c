// Fills a ring buffer: a thousand records of 24 bytes a run, and counts those that have no room.
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int (*name)[value]
typedef unsigned int u32;
typedef unsigned long long u64;

static long (*ringbuf_output)(void *, void *, u64, u64) = (void *)130;

struct event {
	u64 number;
	u64 triple;
	u32 run;
	char name[4];
};

struct {
	__uint(type, 27);
	__uint(max_entries, 1 << 16);
} ring SEC(".maps");

const struct event *unused __attribute__((unused));
u64 written = 0;
u64 lost = 0;
u32 runs = 0;

SEC("syscall") int flood(void *ctx)
{
	struct event event = { .run = ++runs, .name = "abc" };

	for (u32 i = 0; i < 1000; i++) {
		event.number = written++;
		event.triple = event.number * 3;
		if (ringbuf_output(&ring, &event, sizeof(event), 0))
			lost++;
	}
	return 7;
}

char _license[] SEC("license") = "GPL";
