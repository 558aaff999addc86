// Writes BTF with libbpf: "kinds OUT" one of each kind, "append OUT FILE..."
// the images appended to an empty one.
#include <stdio.h>
#include <string.h>
#include <bpf/btf.h>

static int kinds(struct btf *b)
{
	int i = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	int f = btf__add_float(b, "double", 8);
	int p = btf__add_ptr(b, 4); // a forward reference
	int s = btf__add_struct(b, "point", 12);

	btf__add_field(b, "x", i, 0, 0);
	btf__add_field(b, "bits", i, 32, 3);
	btf__add_field(b, "", p, 64, 0);
	int u = btf__add_union(b, "", 8);
	btf__add_field(b, "a", i, 0, 0);
	btf__add_field(b, "d", f, 0, 0);
	btf__add_enum(b, "color", 4);
	btf__add_enum_value(b, "RED", 0);
	btf__add_enum_value(b, "BLUE", -1);
	btf__add_enum(b, "wide", 8);
	btf__add_enum_value(b, "TOP", 0xffffffffLL);
	btf__add_enum64(b, "big", 8, true);
	btf__add_enum64_value(b, "MIN", (unsigned long long)-5LL);
	btf__add_enum64_value(b, "x", 7);
	btf__add_fwd(b, "later", BTF_FWD_STRUCT);
	btf__add_fwd(b, "or", BTF_FWD_UNION);
	btf__add_fwd(b, "else", BTF_FWD_ENUM);
	int t = btf__add_typedef(b, "point_t", s);
	int c = btf__add_const(b, t);
	int v = btf__add_volatile(b, c);
	btf__add_restrict(b, p);
	btf__add_type_tag(b, "user", v);
	btf__add_array(b, i, u, 5);
	int fp = btf__add_func_proto(b, i);
	btf__add_func_param(b, "n", i);
	btf__add_func_param(b, "", 0);
	btf__add_func(b, "run", BTF_FUNC_GLOBAL, fp);
	int var = btf__add_var(b, "counter", BTF_VAR_GLOBAL_EXTERN, i);
	btf__add_datasec(b, ".data", 8);
	btf__add_datasec_var_info(b, var, 4, 4);
	btf__add_decl_tag(b, "tag", s, 1);
	return btf__add_decl_tag(b, "tag", s, -1);
}

int main(int argc, char **argv)
{
	struct btf *b = btf__new_empty();
	const void *data;
	__u32 size;
	FILE *out;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "kinds")) {
		if (kinds(b) < 0)
			return 1;
	} else {
		for (int i = 3; i < argc; i++) {
			struct btf *one = btf__parse(argv[i], NULL);

			if (!one || btf__add_btf(b, one) < 0)
				return 1;
			btf__free(one);
		}
	}
	data = btf__raw_data(b, &size);
	out = fopen(argv[2], "w");
	if (!data || !out || fwrite(data, 1, size, out) != size || fclose(out))
		return 1;
	return 0;
}
