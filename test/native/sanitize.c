// What libbpf loads of an object's BTF into a kernel that lacks something:
// "sanitize FEATURES BEFORE AFTER OBJECT" writes the BTF as libbpf opened it and
// as it then wants to load it. FEATURES is a list of what the kernel knows,
// "func,datasec"; it is played by the function syscall() below, which answers
// for it and loads nothing.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

static const char *features;
static void *last;
static unsigned int last_size;
// Types of the object: what has fewer only asks for something.
static unsigned int own_count;

static int known(const char *feature)
{
	size_t length = strlen(feature);

	for (const char *at = features; (at = strstr(at, feature)); at += length)
		if ((at == features || at[-1] == ',') && (!at[length] || at[length] == ','))
			return 1;
	return 0;
}

// The newest thing in an image: what libbpf asks for with it.
static const char *newest(const void *image, unsigned int size)
{
	struct btf *btf = btf__new(image, size);
	const char *kinds[BTF_KIND_ENUM64 + 1] = {
		[BTF_KIND_FUNC] = "func", [BTF_KIND_DATASEC] = "datasec", [BTF_KIND_VAR] = "datasec",
		[BTF_KIND_FLOAT] = "float", [BTF_KIND_DECL_TAG] = "decl_tag", [BTF_KIND_TYPE_TAG] = "type_tag",
		[BTF_KIND_ENUM64] = "enum64",
	};
	const char *found = NULL;
	int kind = 0;

	if (!btf)
		return NULL;
	for (unsigned int id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, t->name_off);

		if (btf_kind(t) >= kind && kinds[btf_kind(t)]) {
			kind = btf_kind(t);
			found = kinds[kind];
		}
		if (kind == BTF_KIND_FUNC && btf_kind(t) == kind && btf_vlen(t))
			found = "func_global";
		if (btf_kind(t) == BTF_KIND_DATASEC && name && name[0] == '?')
			found = "qmark_datasec";
	}
	if (btf__type_cnt(btf) >= own_count) {
		free(last);
		last_size = size;
		last = memcpy(malloc(size), image, size);
	}
	btf__free(btf);
	return found;
}

long syscall(long number, ...)
{
	const union bpf_attr *attr;
	va_list arguments;
	const char *asked;
	long command;

	va_start(arguments, number);
	command = va_arg(arguments, long);
	attr = va_arg(arguments, const union bpf_attr *);
	va_end(arguments);
	errno = EINVAL;
	if (number != SYS_bpf)
		return open("/dev/null", O_RDONLY); // memfd_create
	if ((int)command != BPF_BTF_LOAD)
		return (int)command == BPF_PROG_LOAD ? open("/dev/null", O_RDONLY) : -1;
	asked = newest((void *)(unsigned long)attr->btf, attr->btf_size);
	return asked && !known(asked) ? -1 : open("/dev/null", O_RDONLY);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return getenv("VERBOSE") ? vfprintf(stderr, format, arguments) : 0;
}

static int save(const char *path, const void *data, unsigned int size)
{
	FILE *out = fopen(path, "w");

	return !data || !out || fwrite(data, 1, size, out) != size || fclose(out);
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	const void *data;
	unsigned int size;

	if (argc != 5)
		return 2;
	libbpf_set_print(quiet);
	features = argv[1];
	object = bpf_object__open(argv[4]);
	if (!object || !bpf_object__btf(object))
		return 1;
	data = btf__raw_data(bpf_object__btf(object), &size);
	if (save(argv[2], data, size))
		return 1;
	own_count = btf__type_cnt(bpf_object__btf(object));
	bpf_object__load(object);
	return save(argv[3], last, last_size);
}
