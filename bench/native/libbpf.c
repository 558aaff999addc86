/*
 * What libbpf takes for the same work, one line of JSON per case:
 *
 *   libbpf warm FILE COUNT        btf__new and btf__parse, COUNT times each
 *   libbpf first-new FILE         the process's first btf__new
 *   libbpf first-parse FILE       the process's first btf__parse
 *   libbpf find FILE NAME COUNT   btf__find_by_name_kind of a struct, COUNT times
 *   libbpf header FILE COUNT      btf_dump__dump_type of all types, COUNT times; text is formatted and dropped
 *
 * btf__free runs between calls and is not counted.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *path;

static void fail(const char *what, int error)
{
	fprintf(stderr, "libbpf: %s: %s\n", what, strerror(error));
	exit(1);
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *read_file(size_t *length)
{
	FILE *file = fopen(path, "rb");
	void *bytes;

	if (!file)
		fail(path, errno);
	fseek(file, 0, SEEK_END);
	*length = ftell(file);
	rewind(file);
	bytes = malloc(*length);
	if (!bytes || fread(bytes, 1, *length, file) != *length)
		fail(path, errno);
	fclose(file);
	return bytes;
}

static void print_case(const char *name, int id, const long long *ns, int count)
{
	printf("{\"case\":\"%s\",\"id\":%d,\"ns\":[", name, id);
	for (int i = 0; i < count; i++)
		printf("%s%lld", i ? "," : "", ns[i]);
	printf("]}\n");
}

static void time_new(const char *name, long long *ns, int count)
{
	size_t length;
	void *bytes = read_file(&length);

	for (int i = 0; i < count; i++) {
		long long start = now();
		struct btf *btf = btf__new(bytes, length);

		ns[i] = now() - start;
		if (!btf)
			fail(path, errno);
		btf__free(btf);
	}
	free(bytes);
	print_case(name, 0, ns, count);
}

static void time_parse(const char *name, long long *ns, int count)
{
	for (int i = 0; i < count; i++) {
		long long start = now();
		struct btf *btf = btf__parse(path, NULL);

		ns[i] = now() - start;
		if (!btf)
			fail(path, errno);
		btf__free(btf);
	}
	print_case(name, 0, ns, count);
}

static void time_find(const char *struct_name, long long *ns, int count)
{
	struct btf *btf = btf__parse(path, NULL);
	int id = 0;

	if (!btf)
		fail(path, errno);
	for (int i = 0; i < count; i++) {
		long long start = now();

		id = btf__find_by_name_kind(btf, struct_name, BTF_KIND_STRUCT);
		ns[i] = now() - start;
	}
	btf__free(btf);
	print_case("find", id < 0 ? 0 : id, ns, count);
}

static void format_text(void *context, const char *format, va_list args)
{
	static char text[1 << 16];

	*(long long *)context += vsnprintf(text, sizeof(text), format, args);
}

static void time_header(long long *ns, int count)
{
	struct btf *btf = btf__parse(path, NULL);
	long long length = 0;

	if (!btf)
		fail(path, errno);
	for (int i = 0; i < count; i++) {
		long long start = now();
		struct btf_dump *dump = btf_dump__new(btf, format_text, &length, NULL);

		if (!dump)
			fail("btf_dump__new", errno);
		for (__u32 id = 1; id < btf__type_cnt(btf); id++)
			btf_dump__dump_type(dump, id);
		ns[i] = now() - start;
		btf_dump__free(dump);
	}
	btf__free(btf);
	print_case("header", length / count, ns, count);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";
	int count = argc > 3 ? atoi(argv[argc - 1]) : 1;
	long long *ns = calloc(count, sizeof(*ns));

	path = argc > 2 ? argv[2] : NULL;
	if (!strcmp(mode, "warm") && argc == 4) {
		time_new("new", ns, count);
		time_parse("parse", ns, count);
	} else if (!strcmp(mode, "first-new") && argc == 3) {
		time_new("new", ns, 1);
	} else if (!strcmp(mode, "first-parse") && argc == 3) {
		time_parse("parse", ns, 1);
	} else if (!strcmp(mode, "find") && argc == 5) {
		time_find(argv[3], ns, count);
	} else if (!strcmp(mode, "header") && argc == 4) {
		time_header(ns, count);
	} else if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts(libbpf_version_string());
	} else {
		fputs("usage: libbpf warm|first-new|first-parse|find|header FILE [NAME] [COUNT] | --version\n", stderr);
		return 2;
	}
	free(ns);
	return 0;
}
