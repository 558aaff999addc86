// Prints what libbpf says while it relocates OBJECT on the BTF of TARGET:
// relocate OBJECT TARGET. Whether the kernel then takes the programs does not matter.
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>

static int say(enum libbpf_print_level level, const char *format, va_list args)
{
	return vprintf(format, args);
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = argv[2]);
	struct bpf_object *object;

	if (argc != 3)
		return 2;
	libbpf_set_print(say);
	object = bpf_object__open_file(argv[1], &options);
	if (!object)
		return 1;
	bpf_object__load(object);
	bpf_object__close(object);
	return 0;
}
