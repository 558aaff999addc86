// Opens and loads each object as it is, and prints a line: the file, the stage
// that it came to, and the negative errno with which that failed, or 0.
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

int main(int count, char **files)
{
	libbpf_set_print(silent);
	for (int i = 1; i < count; i++) {
		struct bpf_object *object = bpf_object__open(files[i]);
		long error = libbpf_get_error(object);

		if (!object || error) {
			printf("%s open %ld\n", files[i], error ? error : -(long)errno);
			continue;
		}
		printf("%s load %d\n", files[i], bpf_object__load(object));
		bpf_object__close(object);
	}
	return 0;
}
