// Appends the images given to an empty one, or to the first of them if they are
// split on --base FILE, deduplicates, and writes the result. "dedup [-r RUNS] [--base FILE] OUT
// FILE..." prints the times of btf__dedup in milliseconds, a line each. "dedup
// --ext BEFORE OUT AFTER OBJECT" does so with one object and its .BTF.ext, which
// it writes as it was and as it came out.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <bpf/btf.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int save(const char *path, const void *data, __u32 size)
{
	FILE *out = fopen(path, "w");

	return !data || !out || fwrite(data, 1, size, out) != size || fclose(out);
}

// Some versions export it without declaring it.
const void *btf_ext__get_raw_data(const struct btf_ext *btf_ext, __u32 *size);

static int with_ext(char **argv)
{
	LIBBPF_OPTS(btf_dedup_opts, opts);
	struct btf *b = btf__parse_elf(argv[5], &opts.btf_ext);
	const void *data;
	__u32 size;

	if (!b || !opts.btf_ext)
		return 1;
	data = btf_ext__get_raw_data(opts.btf_ext, &size);
	if (save(argv[2], data, size) || btf__dedup(b, &opts))
		return 1;
	data = btf_ext__get_raw_data(opts.btf_ext, &size);
	if (save(argv[4], data, size))
		return 1;
	data = btf__raw_data(b, &size);
	return save(argv[3], data, size);
}

int main(int argc, char **argv)
{
	struct btf *base = NULL;
	int runs = 1, at = 1;

	if (argc == 6 && !strcmp(argv[1], "--ext"))
		return with_ext(argv);
	for (; at < argc && argv[at][0] == '-'; at += 2) {
		if (!strcmp(argv[at], "-r"))
			runs = atoi(argv[at + 1]);
		else
			base = btf__parse(argv[at + 1], NULL);
	}
	for (int run = 0; run < runs; run++) {
		struct btf *b = base ? btf__parse_split(argv[at + 1], base) : btf__new_empty();
		double start;
		int err;

		// Before 1.8 libbpf appends no split BTF: one is deduplicated by itself.
		for (int i = at + 1 + !!base; i < argc; i++) {
			struct btf *one = btf__parse_split(argv[i], base);

			if (!one || btf__add_btf(b, one) < 0)
				return 1;
			btf__free(one);
		}
		start = now();
		err = btf__dedup(b, NULL);
		printf("%.3f\n", now() - start);
		if (err)
			return 3;
		if (run == runs - 1) {
			__u32 size;
			const void *data = btf__raw_data(b, &size);

			if (save(argv[at], data, size))
				return 1;
		}
		btf__free(b);
	}
	return 0;
}
