// A map for each kind of value that bpftool prints: each holds a struct that its test fills with random bytes.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef char letter;
typedef char line[16];
typedef u32 five[5];
#define SEC(name) __attribute__((section(name), used))
#define MAP(name, value_type) \
	struct { \
		int (*type)[2]; \
		int (*max_entries)[3]; \
		u32 *key; \
		value_type *value; \
	} name SEC(".maps")

enum color { RED, GREEN = 7, BLUE = -3 };
enum big { SMALL = 1, HUGE = 0x7fffffffffffffffll, LOW = -0x7fffffffffffffffll };
enum tiny { NONE, SOME = 5 } __attribute__((packed));

struct numbers {
	char c; signed char sc; u8 uc; short s; u16 us; int i; u32 u; long long l; u64 ul;
	_Bool yes; __int128 wide; unsigned __int128 uwide;
};
struct bits { u32 a : 3; int b : 5; u32 c : 24; u64 d : 40; u64 e : 24; u32 f : 1; _Bool g : 1; };
struct texts { char name[8]; letter typed[8]; u8 bytes[8]; char grid[2][4]; const char fixed[6]; volatile char moving[4]; };
struct nested {
	struct { int x; struct { u8 y; } deep; };
	union { u32 word; u8 parts[4]; } either;
	union { u16 half; char letters[2]; };
	struct bits inner[2];
	u32 none[0];
};
struct enums { enum color color; enum big big; enum tiny tiny; enum color list[3]; };
struct pointers { void *p; const struct numbers *q; int (*f)(void *); void *list[2]; };

MAP(numbers, struct numbers);
MAP(bits, struct bits);
MAP(texts, struct texts);
MAP(nested, struct nested);
MAP(enums, struct enums);
MAP(pointers, struct pointers);
MAP(text, line);
MAP(words, five);
MAP(number, u64);

static void *(*const lookup)(void *map, const void *key) = (void *)1;

SEC("socket") int use(void *context)
{
	u32 key = 0;
	return !lookup(&numbers, &key) + !lookup(&bits, &key) + !lookup(&texts, &key) + !lookup(&nested, &key) +
	       !lookup(&enums, &key) + !lookup(&pointers, &key) + !lookup(&text, &key) + !lookup(&words, &key) +
	       !lookup(&number, &key);
}

char license_name[] SEC("license") = "GPL";
