// What generators have to lay out: bitfields that share words and cross them, packed and aligned structs, anonymous
// members, unions larger than their members, arrays of arrays, enums of all sizes, flexible arrays.
enum color { RED, GREEN = 5, BLUE = -3 };
enum __attribute__((packed)) tiny { SMALL, LARGE = 200 };
enum wide { FAR = 0x123456789abcULL };

typedef unsigned long long u64;
typedef struct { int x, y; } point_t;

struct flags {
  unsigned int a : 3;
  int b : 5;
  unsigned int c : 24;
  unsigned long long d : 40;
  _Bool e : 1;
  enum color f : 6;
  unsigned char g : 2;
};

struct __attribute__((packed)) tight {
  char tag;
  unsigned int low : 13;
  unsigned long long high : 51;
  u64 value;
  unsigned short last;
};

struct holes {
  char first;
  u64 second;
  short third;
  struct tight inside;
  int aligned __attribute__((aligned(32)));
};

struct mixed {
  union {
    unsigned int number;
    struct {
      unsigned short low, high;
    };
  };
  union {
    char text[12];
    float ratio;
  } named;
  point_t points[2][3];
  enum color color;
  enum tiny tiny;
  enum wide wide;
  _Bool yes;
  signed char small;
  double exact;
  void *pointer;
  int (*function)(struct mixed *, const char *);
  unsigned int class : 4, type : 28;
};

struct flexible {
  unsigned int count;
  unsigned short items[];
};
