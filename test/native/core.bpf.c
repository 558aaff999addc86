// Every kind of CO-RE relocation. With -DTARGET the types as another kernel
// might have them; CASE chooses between programs whose first error ends the rest.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

#define SEC(name) __attribute__((section(name), used))
#ifndef CASE
#define CASE 0
#endif
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct inner {
	u32 left;
	u32 right[4];
};

#ifndef TARGET
struct fields {
	u32 same;
	u32 moved;
	u32 narrower;
	u16 wider;
	int signed_narrower;
	u8 flag;
	void *pointer;
	u32 absent;
	u32 other_kind;
	struct inner nested;
	struct inner many[3];
	struct {
		u32 in_anonymous;
	};
	u32 into_anonymous;
	u32 table[2][3];
	enum level { LOW, HIGH } level;
	float real;
	u32 tail[];
};

struct bits {
	u32 a : 3;
	u32 b : 7;
	int c : 5;
	u64 d : 33;
	u32 plain;
	u8 e : 1;
	u8 f : 6;
	s64 g : 12;
};
#else
struct fields {
	u64 pushes;
	u32 same;
	u8 more[72];
	u32 moved;
	u16 narrower;
	u64 wider;
	short signed_narrower;
	u8 flag;
	void *pointer;
	struct { u32 inside; } other_kind;
	u64 between;
	struct { u64 first; struct inner nested; };
	struct inner many[5];
	u32 in_anonymous;
	union {
		u64 whole;
		struct {
			u32 lower;
			u32 into_anonymous;
		};
	};
	u32 table[4][3];
	enum level { LOW, MIDDLE, HIGH } level;
	double real;
	u32 tail[];
};

struct bits {
	u32 first : 20;
	u32 a : 3;
	u32 b : 9;
	u64 c : 15;
	u32 d : 28;
	u32 plain : 20;
	u8 e;
	u8 f : 5;
	int g : 14;
};
#endif

#ifndef TARGET
struct thing___flavoured { u32 value; };
union changes { u32 one; u64 two; };
struct gone { u32 value; };
struct smaller { u32 one; };
typedef u32 number_t;
typedef int (*callback_t)(struct inner *, u64);
typedef u32 (*other_callback_t)(u32);
enum colour { RED = 1, GREEN = 2, BLUE___flavoured = 3, PINK = 9 };
enum wide { SMALL = -5, LARGE = 7 };
enum big { HUGE_VALUE = 0x123456789abcull, NEGATIVE_BIG = 5 };
struct matching { u32 one; struct inner *two; struct { u32 deep; } three; enum colour four; };
struct not_matching { u32 one; u64 two; };
struct points { struct later *at; union later_union *also; };
#else
struct thing { u64 before; u32 value; };
union changes { u64 two; u32 one; };
struct smaller { u32 one; u64 two; u8 three; };
typedef u64 number_t;
typedef int (*callback_t)(struct inner *, u64);
typedef u32 (*other_callback_t)(u32, u32);
enum colour { RED = 10, BLUE = 30, GREEN = -20, BLACK = 40 };
enum wide { SMALL = -6, LARGE = 0x7fffffffffffll };
enum big { NEGATIVE_BIG = -7, HUGE_VALUE = 8 };
struct matching { u64 zero; enum colour four; struct { u64 more; u32 deep; } three; struct inner *two; u32 one; };
struct not_matching { u32 one; u32 two; };
struct points { union later_union { u32 x; } *also; struct later { u32 x; } *at; };
#endif

#if CASE == 1 && defined(TARGET)
struct thing___second { u32 value; };
#endif
#pragma clang attribute pop

#ifdef TARGET
#define KEEP(type, name) type *keep_##name SEC(".keep")
KEEP(struct fields, fields);
KEEP(struct bits, bits);
KEEP(struct thing, thing);
KEEP(union changes, changes);
KEEP(struct smaller, smaller);
KEEP(number_t, number);
callback_t keep_callback SEC(".keep");
other_callback_t keep_other SEC(".keep");
KEEP(enum colour, colour);
KEEP(enum wide, wide);
KEEP(enum big, big);
KEEP(struct matching, matching);
KEEP(struct not_matching, not_matching);
KEEP(struct points, points);
#if CASE == 1
KEEP(struct thing___second, second);
#endif
#else
#define USE(value) (sum = sum * 31 + (u64)(value))
#define FIELD(field, kind) USE(__builtin_preserve_field_info(field, kind))
#define FIELD_ALL(field) (FIELD(field, 0), FIELD(field, 1), FIELD(field, 2), FIELD(field, 3), FIELD(field, 4), FIELD(field, 5))
#define TYPE(type, kind) USE(__builtin_preserve_type_info(*(type *)0, kind))
#if __clang_major__ >= 15
#define TYPE_MATCHES(type) TYPE(type, 2)
#else
#define TYPE_MATCHES(type) 0
#endif
#define TYPE_ALL(type) (TYPE(type, 0), TYPE(type, 1), TYPE_MATCHES(type), USE(__builtin_btf_type_id(*(type *)0, 1)))
#define ENUMERATOR(type, value) \
	(USE(__builtin_preserve_enum_value(*(type *)value, 0)), USE(__builtin_preserve_enum_value(*(type *)value, 1)))

SEC("raw_tp/loads") u64 loads(struct fields *from)
{
	u64 sum = 0;

	USE(from->same);
	USE(from->moved);
	USE(from->narrower);
	USE(from->wider);
	USE(from->signed_narrower);
	USE(from->flag);
	USE(from->pointer);
	USE(from->absent);
	USE(from->other_kind);
	USE(from->nested.right[2]);
	USE(from->many[2].right[1]);
	USE(from->in_anonymous);
	USE(from->into_anonymous);
	USE(from->table[1][2]);
	USE(from->level);
	return sum;
}

SEC("raw_tp/stores") int stores(struct fields *to)
{
	to->same = 1;
	to->wider = 2;
	to->nested.left = 3;
	return 0;
}

SEC("raw_tp/offsets") u64 offsets(struct fields *from)
{
	u64 sum = 0;

	USE(&from->tail[3]);
	USE(&from[2].moved);
	USE(&from->many[2]);
	USE(&from->table[1]);
	USE(&from->real);
	return sum;
}

SEC("raw_tp/infos") u64 infos(struct fields *from)
{
	u64 sum = 0;

	FIELD_ALL(from->same);
	FIELD_ALL(from->narrower);
	FIELD_ALL(from->signed_narrower);
	FIELD_ALL(from->absent);
	FIELD_ALL(from->level);
	FIELD(from->many, 1);
	FIELD(from->many[1], 1);
#if CASE == 2
	FIELD(from->many[4].left, 2);
#endif
	FIELD(from->tail[9], 2);
	return sum;
}

SEC("raw_tp/bitfields") u64 bitfields(struct bits *from)
{
	u64 sum = 0;

	FIELD_ALL(from->a);
	FIELD_ALL(from->b);
	FIELD_ALL(from->c);
	FIELD_ALL(from->d);
	FIELD_ALL(from->plain);
	FIELD_ALL(from->e);
	FIELD_ALL(from->f);
	FIELD_ALL(from->g);
	return sum;
}

SEC("raw_tp/types") u64 types(void *context)
{
	u64 sum = 0;

	TYPE_ALL(struct fields);
	TYPE_ALL(struct thing___flavoured);
	TYPE_ALL(union changes);
	TYPE_ALL(struct gone);
	TYPE_ALL(struct smaller);
	TYPE_ALL(number_t);
	TYPE_ALL(callback_t);
	TYPE_ALL(other_callback_t);
	TYPE_ALL(enum colour);
	TYPE_ALL(enum wide);
	TYPE_ALL(struct matching);
	TYPE_ALL(struct not_matching);
	TYPE_ALL(struct points);
	USE(__builtin_btf_type_id(*(struct smaller *)0, 0));
	return sum;
}

SEC("raw_tp/enumerators") u64 enumerators(void *context)
{
	u64 sum = 0;

	ENUMERATOR(enum colour, RED);
	ENUMERATOR(enum colour, GREEN);
	ENUMERATOR(enum colour, BLUE___flavoured);
	ENUMERATOR(enum colour, PINK);
	ENUMERATOR(enum wide, SMALL);
	ENUMERATOR(enum wide, LARGE);
	ENUMERATOR(enum big, HUGE_VALUE);
	ENUMERATOR(enum big, NEGATIVE_BIG);
	return sum;
}

SEC("raw_tp/flavours") u64 flavours(struct thing___flavoured *from)
{
	return from->value;
}
#endif
char license_name[] SEC("license") = "GPL";
