// Offsets as the compiler lays them out, in a section of their own.
struct inner {
	char tag;
	union {
		long wide;
		struct {
			short low, high[3];
		};
	};
} __attribute__((aligned(16)));

typedef struct inner inner_t;

struct outer {
	int first;
	inner_t grid[2][3];
	struct {
		unsigned int flag : 3;
		const volatile char text[7];
		struct inner *next;
	} named;
	union {
		char byte;
		struct inner again;
	};
} __attribute__((packed));

#define OFFSET(path) __builtin_offsetof(struct outer, path)

__attribute__((section(".offsets"), used)) const unsigned int offsets[] = {
	OFFSET(first),
	OFFSET(grid[1][2].high[2]),
	OFFSET(grid[0][1].wide),
	OFFSET(named.text[3]),
	OFFSET(named.next),
	OFFSET(again.low),
	OFFSET(byte),
};

struct outer outer;
