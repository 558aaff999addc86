// Programs on static probes, with libbpf's own header for their arguments.
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/usdt.bpf.h>

#ifndef SECTION
#define SECTION "usdt"
#endif

struct event {
	long number;
	long constant;
	unsigned long small;
	long cookie;
	int count;
	int unknown;
	char text[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

const struct event *unused __attribute__((unused));

SEC(SECTION) int BPF_USDT(on_probe, long number, const char *text, long constant, unsigned long small)
{
	struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	long none;

	if (!event)
		return 0;
	event->number = number;
	event->constant = constant;
	event->small = small;
	event->cookie = bpf_usdt_cookie(ctx);
	event->count = bpf_usdt_arg_cnt(ctx);
	event->unknown = bpf_usdt_arg(ctx, 11, &none);
	if (bpf_probe_read_user_str(event->text, sizeof(event->text), text) < 0)
		event->text[0] = 0;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
