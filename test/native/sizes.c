// For each type of a BTF file: its id, btf__resolve_size and btf__align_of,
// a line each; first the pointer size.
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

int main(int argc, char **argv)
{
	struct btf *base = argc > 2 ? btf__parse(argv[2], NULL) : NULL;
	struct btf *btf = base ? btf__parse_split(argv[1], base) : btf__parse(argv[1], NULL);

	libbpf_set_print(quiet);
	if (!btf)
		return 1;
	printf("%zu\n", btf__pointer_size(btf));
	for (__u32 id = 1; id < btf__type_cnt(btf); id++)
		printf("%u %lld %d\n", id, (long long)btf__resolve_size(btf, id), btf__align_of(btf, id));
	return 0;
}
