// Maps with keys and values of every kind, and programs with calls, loops and
// lines of source, for comparing what tools say of them.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef long long s64;
typedef unsigned long long u64;
typedef unsigned __int128 u128;
#define SEC(name) __attribute__((section(name), used))
#define uint(name, value) int(*name)[value]
#define type(name, of) typeof(of) *name

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static u64 (*const ktime)(void) = (void *)5;
static long (*const tail_call)(void *context, void *map, u32 index) = (void *)12;
static long (*const for_each)(void *map, void *callback, void *context, u64 flags) = (void *)164;

enum colour { RED, GREEN = 5, BLUE = -3 };
enum wide { WIDE_SMALL = 1, WIDE_LARGE = 0x123456789aULL };
enum letters { LETTER_A = 'a', LETTER_BIG = 0x80000000u };

struct point { s32 x, y; };
union number { u64 whole; u32 halves[2]; u8 bytes[8]; };

struct every {
	s64 signed64; u64 unsigned64; s32 signed32; u16 unsigned16; signed char small; u8 byte;
	_Bool yes; char letter; char name[16]; const char fixed[4]; u8 raw[5];
	u32 low : 3, middle : 11, high : 18;
	int negative : 5;
	u64 far : 40;
	enum colour colour; enum wide wide; enum letters letters;
	struct point points[2];
	union number number;
	struct { int inside; union { int left; u8 right; }; };
	void *address; struct every *next;
	u128 huge;
	u32 table[2][3];
	volatile const u32 qualified;
};

struct key { u32 id; char tag[4]; };
struct floats { int before; float single; double twice; };

struct { uint(type, 1); uint(max_entries, 8); type(key, struct key); type(value, struct every); } hashes SEC(".maps");
struct { uint(type, 2); uint(max_entries, 3); type(key, u32); type(value, struct point); } points SEC(".maps");
struct { uint(type, 5); uint(max_entries, 4); type(key, u32); type(value, u64); } counts SEC(".maps");
struct { uint(type, 6); uint(max_entries, 2); type(key, u32); type(value, struct point); } each_cpu SEC(".maps");
struct { uint(type, 2); uint(max_entries, 1); type(key, u32); type(value, struct floats); } floating SEC(".maps");
struct { uint(type, 9); uint(max_entries, 4); type(key, enum colour); type(value, char[8]); } recent SEC(".maps");
struct { uint(type, 3); uint(max_entries, 4); uint(key_size, 4); uint(value_size, 4); } tails SEC(".maps");
struct { uint(type, 22); uint(max_entries, 4); uint(value_size, 8); } waiting SEC(".maps");

u64 counter = 7;
struct point origin = { 3, -4 };
u32 zeroes[3];
const volatile int bpf_metadata_level = 42;
const volatile char bpf_metadata_author[8] = "tester";
const volatile int limit = 10;

__attribute__((noinline)) static int add(struct point *point, int more)
{
	return point->x + point->y * more;
}

static long visit(void *map, u32 *key, struct point *value, u64 *sum)
{
	*sum += value->x;
	return 0;
}

SEC("socket") int long_name_of_a_filter(void *context)
{
	struct key key = { 1, "k" };
	u32 zero = 0;
	struct point *point = map_lookup(&points, &zero);
	u64 sum = 0;

	if (!point)
		return 0;
	__sync_fetch_and_add(&counter, 1);
	origin.x = add(point, 3);
	for (int i = 0; i < limit && i < 5; i++)
		zeroes[i % 3] += (u32)ktime();
	if ((s32)sum < point->y || bpf_metadata_level == 1 || bpf_metadata_author[0] == 'x')
		sum = key.id;
	for_each(&points, visit, &sum, 0);
	tail_call(context, &tails, 1);
	return (int)sum;
}

SEC("xdp") int pass(void *context)
{
	return 2;
}

char license_name[] SEC("license") = "GPL";
