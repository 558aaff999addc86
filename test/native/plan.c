// What libbpf hands to bpf(2) for an object on a kernel that lacks something:
// "plan LACKS OBJECT" prints it as JSON, in the shape of planJson. LACKS is a
// list of what the kernel lacks, "prog_name,array_mmap", in the names of
// KERNEL_FEATURES. The kernel is played by the function syscall() below: it
// answers libbpf's probes by that list, grants everything else, and loads nothing.
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
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define HELPER_PROBE_READ_KERNEL 113
#define HELPER_GET_ATTACH_COOKIE 174
/* Probes are programs of a few instructions. */
#define PROBE_MAX 8

struct update { char *key, *value; unsigned int key_size, value_size; unsigned long long flags; };
struct map {
	int fd, is_own, inner, index, is_frozen, update_count;
	union bpf_attr attr;
	struct update updates[256];
};
struct program { int fd; union bpf_attr attr; struct bpf_insn *insns; char *func_info, *line_info; };

static const char *lacks;
static struct map maps[512];
static struct program programs[512];
static int map_count, program_count;
static void *btf_bytes;
static unsigned int btf_size;
// Types of the object: what has fewer only asks for something.
static unsigned int own_count;

static int lacking(const char *feature)
{
	size_t length = strlen(feature);

	for (const char *at = lacks; (at = strstr(at, feature)); at += length)
		if ((at == lacks || at[-1] == ',') && (!at[length] || at[length] == ','))
			return 1;
	return 0;
}

static void *copy(unsigned long long address, size_t size)
{
	return size ? memcpy(malloc(size), (void *)(unsigned long)address, size) : NULL;
}

static int descriptor(void)
{
	return open("/dev/null", O_RDONLY);
}

// The newest record of a descriptor: numbers of closed ones come back.
static struct map *map_of(int fd)
{
	for (int i = map_count - 1; i >= 0; i--)
		if (maps[i].fd == fd)
			return &maps[i];
	return NULL;
}

static struct program *program_of(int fd)
{
	for (int i = program_count - 1; i >= 0; i--)
		if (programs[i].fd == fd)
			return &programs[i];
	return NULL;
}

static const char *newest(const struct btf *btf)
{
	static const char *kinds[BTF_KIND_ENUM64 + 1] = {
		[BTF_KIND_FUNC] = "btf_func", [BTF_KIND_DATASEC] = "btf_datasec", [BTF_KIND_VAR] = "btf_datasec",
		[BTF_KIND_FLOAT] = "btf_float", [BTF_KIND_DECL_TAG] = "btf_decl_tag",
		[BTF_KIND_TYPE_TAG] = "btf_type_tag", [BTF_KIND_ENUM64] = "btf_enum64",
	};
	const char *found = "btf";
	int newest = 0;

	for (unsigned int id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		int kind = btf_kind(t);

		if (kind >= newest && kinds[kind]) {
			newest = kind;
			found = kinds[kind];
			if (kind == BTF_KIND_FUNC && btf_vlen(t))
				found = "btf_global_func";
		}
	}
	return found;
}

static long load_btf(const union bpf_attr *attr)
{
	struct btf *btf = btf__new((void *)(unsigned long)attr->btf, attr->btf_size);
	int is_own = btf && btf__type_cnt(btf) >= own_count;
	const char *asked = btf ? newest(btf) : "btf";

	btf__free(btf);
	if (lacking("btf") || (!is_own && lacking(asked)))
		return -1;
	if (is_own) {
		btf_bytes = copy(attr->btf, attr->btf_size);
		btf_size = attr->btf_size;
	}
	return descriptor();
}

static long create_map(const union bpf_attr *attr)
{
	struct map *map = &maps[map_count];

	if (attr->map_name[0] && lacking("prog_name"))
		return -1;
	// The probe alone: libbpf 1.1 turns the flag over, and may have set it for maps of the object.
	if ((attr->map_flags & BPF_F_MMAPABLE) && attr->value_size == sizeof(int) && lacking("array_mmap") &&
	    (!attr->map_name[0] || !strcmp(attr->map_name, "libbpf_mmap")))
		return -1;
	map->fd = descriptor();
	map->attr = *attr;
	map->inner = -1;
	if (attr->map_type == BPF_MAP_TYPE_ARRAY_OF_MAPS || attr->map_type == BPF_MAP_TYPE_HASH_OF_MAPS) {
		struct map *inner = map_of(attr->inner_map_fd);

		if (inner) {
			inner->is_own = 1;
			map->inner = inner - maps;
		}
	}
	map_count++;
	return map->fd;
}

static long load_program(const union bpf_attr *attr)
{
	const struct bpf_insn *insns = (void *)(unsigned long)attr->insns;
	struct program *program = &programs[program_count];

	if (attr->prog_name[0] && lacking("prog_name"))
		return -1;
	if (attr->insn_cnt <= PROBE_MAX) {
		if (attr->prog_type == BPF_PROG_TYPE_CGROUP_SOCK &&
		    attr->expected_attach_type == BPF_CGROUP_INET_SOCK_CREATE && lacking("exp_attach_type"))
			return -1;
		for (unsigned int i = 0; i < attr->insn_cnt; i++) {
			int is_call = insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg;

			if (is_call && insns[i].imm == HELPER_PROBE_READ_KERNEL && lacking("probe_read_kern"))
				return -1;
			if (is_call && insns[i].imm == HELPER_GET_ATTACH_COOKIE && lacking("bpf_cookie"))
				return -1;
			if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) && insns[i].src_reg == BPF_PSEUDO_MAP_VALUE &&
			    lacking("global_data"))
				return -1;
		}
	}
	program->fd = descriptor();
	program->attr = *attr;
	program->insns = copy(attr->insns, attr->insn_cnt * sizeof(*insns));
	program->func_info = copy(attr->func_info, attr->func_info_cnt * attr->func_info_rec_size);
	program->line_info = copy(attr->line_info, attr->line_info_cnt * attr->line_info_rec_size);
	program_count++;
	return program->fd;
}

static long update_map(const union bpf_attr *attr)
{
	struct map *map = map_of(attr->map_fd);
	struct update *update;

	if (!map || map->update_count == 256)
		return -1;
	update = &map->updates[map->update_count++];
	update->key_size = map->attr.key_size;
	update->value_size = map->attr.value_size;
	update->key = copy(attr->key, update->key_size);
	update->value = copy(attr->value, update->value_size);
	update->flags = attr->flags;
	return 0;
}

long syscall(long number, ...)
{
	// Callers may have a shorter one.
	union bpf_attr whole = {}, *attr = &whole;
	const void *given;
	unsigned long size;
	va_list arguments;
	struct map *map;
	int command;

	va_start(arguments, number);
	command = va_arg(arguments, long);
	given = va_arg(arguments, const void *);
	size = va_arg(arguments, unsigned long);
	va_end(arguments);
	errno = EINVAL;
	if (number == SYS_bpf)
		memcpy(attr, given, (unsigned int)size < sizeof(whole) ? (unsigned int)size : sizeof(whole));
	else
		return number == SYS_perf_event_open ? -1 : descriptor(); // memfd_create
	switch (command) {
	case BPF_BTF_LOAD:
		return load_btf(attr);
	case BPF_MAP_CREATE:
		return create_map(attr);
	case BPF_PROG_LOAD:
		return load_program(attr);
	case BPF_MAP_UPDATE_ELEM:
		return update_map(attr);
	case BPF_MAP_FREEZE:
		map = map_of(attr->map_fd);
		if (map)
			map->is_frozen = 1;
		return 0;
	case BPF_PROG_BIND_MAP:
		return lacking("prog_bind_map") ? -1 : 0;
	case BPF_OBJ_PIN:
		return 0;
	case BPF_OBJ_GET:
	case BPF_BTF_GET_NEXT_ID:
		errno = ENOENT;
		return -1;
	default:
		return -1;
	}
}

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return getenv("VERBOSE") ? vfprintf(stderr, format, arguments) : 0;
}

static void print_hex(const char *name, const void *data, size_t size)
{
	printf("\"%s\":\"", name);
	for (size_t i = 0; i < size; i++)
		printf("%02x", ((const unsigned char *)data)[i]);
	printf("\"");
}

static void print_map(const struct map *map)
{
	const union bpf_attr *attr = &map->attr;

	printf("{\"name\":\"%.16s\",\"type\":%u,\"key_size\":%u,\"value_size\":%u,\"max_entries\":%u,\"flags\":%u,",
	       attr->map_name, attr->map_type, attr->key_size, attr->value_size, attr->max_entries, attr->map_flags);
	printf("\"btf_key_type_id\":%u,\"btf_value_type_id\":%u,\"btf_vmlinux_value_type_id\":%u,\"map_extra\":%llu,",
	       attr->btf_key_type_id, attr->btf_value_type_id, attr->btf_vmlinux_value_type_id,
	       (unsigned long long)attr->map_extra);
	printf("\"has_btf\":%s,\"inner\":", attr->btf_fd ? "true" : "false");
	if (map->inner < 0)
		printf("null");
	else
		printf("%d", maps[map->inner].index);
	printf(",\"frozen\":%s,\"init\":[", map->is_frozen ? "true" : "false");
	for (int i = 0; i < map->update_count; i++) {
		const struct update *update = &map->updates[i];
		struct map *other = NULL;
		int is_slot = attr->map_type == BPF_MAP_TYPE_ARRAY_OF_MAPS || attr->map_type == BPF_MAP_TYPE_HASH_OF_MAPS;

		if (is_slot)
			other = map_of(*(int *)update->value);
		printf("%s{", i ? "," : "");
		print_hex("key", update->key, update->key_size);
		printf(",");
		print_hex("value", other ? (void *)&other->index : update->value, update->value_size);
		printf(",\"flags\":%llu}", update->flags);
	}
	printf("]}");
}

static void print_program(struct program *program, const char *license)
{
	const union bpf_attr *attr = &program->attr;

	for (unsigned int i = 0; i < attr->insn_cnt; i++) {
		struct bpf_insn *insn = &program->insns[i];

		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE) {
			struct map *map = map_of(insn->imm);

			insn->imm = map ? map->index : -1;
		}
		i++;
	}
	printf("{\"name\":\"%.16s\",\"type\":%u,\"expected_attach_type\":%u,\"license\":\"%s\",", attr->prog_name,
	       attr->prog_type, attr->expected_attach_type, license);
	printf("\"kern_version\":%u,\"prog_flags\":%u,\"attach_btf_id\":%u,\"core_relo_cnt\":%u,", attr->kern_version,
	       attr->prog_flags, attr->attach_btf_id, attr->core_relo_cnt);
	printf("\"func_info_rec_size\":%u,\"line_info_rec_size\":%u,\"has_btf\":%s,", attr->func_info_rec_size,
	       attr->line_info_rec_size, attr->prog_btf_fd ? "true" : "false");
	print_hex("insns", program->insns, attr->insn_cnt * sizeof(struct bpf_insn));
	printf(",");
	print_hex("func_info", program->func_info, attr->func_info_cnt * attr->func_info_rec_size);
	printf(",");
	print_hex("line_info", program->line_info, attr->line_info_cnt * attr->line_info_rec_size);
	printf("}");
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *program;
	struct bpf_map *map;
	char license[128] = "";
	int index = 0, err, count;

	if (argc != 3)
		return 2;
	libbpf_set_print(quiet);
	lacks = argv[1];
	object = bpf_object__open(argv[2]);
	if (!object) {
		printf("{\"end\":\"open\",\"err\":%d}\n", -errno);
		return 0;
	}
	own_count = bpf_object__btf(object) ? btf__type_cnt(bpf_object__btf(object)) : ~0u;
	err = bpf_object__load(object);
	printf("{\"end\":\"load\",\"err\":%d", err);
	if (!err) {
		bpf_object__for_each_map(map, object) {
			struct map *found = bpf_map__fd(map) < 0 ? NULL : map_of(bpf_map__fd(map));

			if (found)
				found->is_own = 1;
		}
		for (int i = 0; i < map_count; i++)
			if (maps[i].is_own)
				maps[i].index = index++;
		printf(",\"maps\":[");
		count = 0;
		for (int i = 0; i < map_count; i++) {
			if (!maps[i].is_own)
				continue;
			printf("%s", count++ ? "," : "");
			print_map(&maps[i]);
		}
		printf("],\"programs\":[");
		count = 0;
		for (int i = 0; i < program_count; i++)
			bpf_object__for_each_program(program, object) {
				if (program_of(bpf_program__fd(program)) != &programs[i])
					continue;
				// The license of the object, which has been closed with its file.
				strncpy(license, (const char *)(unsigned long)programs[i].attr.license, sizeof(license) - 1);
				printf("%s", count++ ? "," : "");
				print_program(&programs[i], license);
			}
		printf("],");
		print_hex("btf", btf_bytes, btf_size);
	}
	printf("}\n");
	return 0;
}
