// For each type of a BTF file: its id and what btf_dump__emit_type_decl writes
// for it, with the field name "field" and one tab of indent, then without
// modifiers; texts end in a NUL byte.
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>

static void print(void *out, const char *format, va_list args)
{
	vfprintf(out, format, args);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

int main(int argc, char **argv)
{
	struct btf *btf = btf__parse(argv[1], NULL);
	struct btf_dump *dump;

	libbpf_set_print(quiet);
	if (!btf)
		return 1;
	dump = btf_dump__new(btf, print, stdout, NULL);
	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		for (int strip = 0; strip < 2; strip++) {
			LIBBPF_OPTS(btf_dump_emit_type_decl_opts, opts, .field_name = "field", .indent_level = 1,
				    .strip_mods = strip);
			printf("%u ", id);
			btf_dump__emit_type_decl(dump, id, &opts);
			putchar(0);
		}
	}
	return 0;
}
