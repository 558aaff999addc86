// Appends an image to an empty one, adds a struct, takes the bytes: prints how
// long that takes, in milliseconds.
#include <stdio.h>
#include <time.h>
#include <bpf/btf.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	struct btf *one = argc > 1 ? btf__parse(argv[1], NULL) : NULL;
	double start = now();
	struct btf *all = btf__new_empty();
	__u32 size;
	int id;

	if (!one || btf__add_btf(all, one) < 0)
		return 1;
	id = btf__add_int(all, "int", 4, BTF_INT_SIGNED);
	btf__add_struct(all, "added", 4);
	btf__add_field(all, "member", id, 0, 0);
	if (!btf__raw_data(all, &size))
		return 1;
	printf("%.3f\n", now() - start);
	return 0;
}
