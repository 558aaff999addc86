/*
 * What libbpf takes to load an object and to read its events, one line of JSON:
 *
 *   loader attach OBJECT            from the file to its programs attached
 *   loader consume OBJECT COUNT     a full ring buffer of records, copied by the callback, COUNT times
 *   loader stream OBJECT RUNS PACE  records of another process, RUNS * 1000 of them, a thousand each PACE microseconds
 *   loader produce PIN RUNS PACE    runs a pinned program as `stream` does
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The same for btfkit: bench/programs/loader.mjs. */
#define RING_SIZE (1 << 24)
#define RUNS_TO_FILL 500
#define ATTACHES 5

static char copied[64];
static long long consumed, unordered;

static void fail(const char *what)
{
	fprintf(stderr, "loader: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int take(void *ctx, void *data, size_t size)
{
	memcpy(copied, data, size < sizeof(copied) ? size : sizeof(copied));
	unordered += *(unsigned long long *)copied < (unsigned long long)consumed;
	consumed++;
	return 0;
}

static void run(int fd, int times, long long pace)
{
	unsigned int context = 0;
	long long next = now();

	for (int i = 0; i < times; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &context, .ctx_size_in = sizeof(context));

		if (bpf_prog_test_run_opts(fd, &options))
			fail("run");
		next += pace * 1000;
		while (pace && now() < next)
			;
	}
}

/* The flood of test/native/flood.bpf.c, with a large ring buffer. */
static struct bpf_object *flooded(const char *path, int *program, int *map)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);

	if (!object)
		fail(path);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "ring"), RING_SIZE);
	if (bpf_object__load(object))
		fail("load");
	*program = bpf_program__fd(bpf_object__find_program_by_name(object, "flood"));
	*map = bpf_object__find_map_fd_by_name(object, "ring");
	return object;
}

static void attach(const char *path)
{
	long long start = now();
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *one;

	if (!object || bpf_object__load(object))
		fail(path);
	bpf_object__for_each_program(one, object)
		if (!bpf_program__attach(one))
			fail("attach");
	printf("{\"ns\":%lld}\n", now() - start);
	bpf_object__close(object);
}

static void consume(const char *path, int count)
{
	struct ring_buffer *ring;
	int program, map;

	flooded(path, &program, &map);
	ring = ring_buffer__new(map, take, NULL, NULL);
	for (int i = 0; i < count; i++) {
		long long start, before = consumed;

		run(program, RUNS_TO_FILL, 0);
		start = now();
		ring_buffer__consume(ring);
		printf("{\"ns\":%lld,\"events\":%lld}\n", now() - start, consumed - before);
	}
}

static void stream(const char *path, int runs, long long pace)
{
	struct ring_buffer *ring;
	int program, map;
	pid_t child;

	flooded(path, &program, &map);
	ring = ring_buffer__new(map, take, NULL, NULL);
	child = fork();
	if (!child) {
		run(program, runs, pace);
		_exit(0);
	}
	while (waitpid(child, NULL, WNOHANG) == 0)
		ring_buffer__poll(ring, 10);
	ring_buffer__consume(ring);
	printf("{\"lost\":%lld,\"unordered\":%lld}\n", runs * 1000LL - consumed, unordered);
}

int main(int argc, char **argv)
{
	libbpf_set_print(NULL);
	if (argc == 3 && !strcmp(argv[1], "attach"))
		for (int i = 0; i < ATTACHES; i++)
			attach(argv[2]);
	else if (argc == 4 && !strcmp(argv[1], "consume"))
		consume(argv[2], atoi(argv[3]));
	else if (argc == 5 && !strcmp(argv[1], "stream"))
		stream(argv[2], atoi(argv[3]), atoll(argv[4]));
	else if (argc == 5 && !strcmp(argv[1], "produce"))
		run(bpf_obj_get(argv[2]), atoi(argv[3]), atoll(argv[4]));
	else
		return 2;
	return 0;
}
