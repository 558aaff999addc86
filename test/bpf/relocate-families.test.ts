// CO-RE relocation between declarations that differ in one way each, as kernels
// change and as programs are written: each case beside the installed libbpf.
import { relocate } from "btfkit/bpf";
import { openFile } from "btfkit/node";
import { describe, expect } from "vitest";
import { libbpfSays, weSay } from "../support/libbpf.js";
import { needing } from "../support/needs.js";
import { compileSource, openObject } from "../support/objects.js";

interface Family {
  /** What the program declares, and expressions that it sums up. */
  readonly local: string;
  readonly uses: readonly string[];
  /** What targets declare, by what is different there. The names after `//` are kept. */
  readonly targets: Readonly<Record<string, string>>;
}

const HEAD = `
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
typedef signed char s8; typedef short s16; typedef int s32; typedef long long s64;
#define SEC(name) __attribute__((section(name), used))
`;

const offset = (field: string): string => `__builtin_preserve_field_info(${field}, 0)`;
const all = (field: string): string[] =>
  [0, 1, 2, 3, 4, 5].map((kind) => `__builtin_preserve_field_info(${field}, ${kind})`);
const exists = (field: string): string => `__builtin_preserve_field_info(${field}, 2)`;
const ofType = (type: string): string[] => [
  ...[0, 1, 2].map((kind) => `__builtin_preserve_type_info(*(${type} *)0, ${kind})`),
  `__builtin_btf_type_id(*(${type} *)0, 1)`,
  `__builtin_btf_type_id(*(${type} *)0, 0)`,
];
const ofValue = (type: string, value: string): string[] =>
  [0, 1].map((kind) => `__builtin_preserve_enum_value(*(${type} *)${value}, ${kind})`);

/** A program for each expression, with a pointer to `struct s`. */
function program({ local, uses }: Family): string {
  const programs = uses.map((use, i) => `SEC("raw_tp/p${i}") u64 p${i}(struct s *from) { return (u64)(${use}); }`);
  return `${HEAD}
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
${local}
#pragma clang attribute pop
${programs.join("\n")}
char license_name[] SEC("license") = "GPL";`;
}

function target(source: string): string {
  const [, names = "struct s"] = /\/\/ *(.*)/.exec(source) ?? [];
  const kept = names.split(/, */).map((name, i) => `${name} *keep${i} SEC(".keep");`);
  return `${HEAD}${source}\n${kept.join("\n")}`;
}

const families: Readonly<Record<string, Family>> = {
  flavours: {
    local: `struct s { int a; int b; int c; };
struct s___reversed { int c; int b; int a; };
struct s___weird_____flavour { int b; };
struct s__not_one { int a; };
struct s___ { int a; };`,
    uses: [
      "from->a",
      "((struct s___reversed *)from)->c",
      "((struct s___weird_____flavour *)from)->b",
      "((struct s__not_one *)from)->a",
      "((struct s___ *)from)->a",
    ],
    targets: {
      "one type": "struct s { int pad; int a; int b; int c; };",
      "with a flavour, which ends in the same places":
        "struct s { int a; int b; int c; }; struct s___also { int a; int b; int c; }; // struct s, struct s___also",
      "with a flavour, in other places":
        "struct s { int a; int b; int c; }; struct s___also { int c; int b; int a; }; // struct s, struct s___also",
      "with underscores at its end": "struct s___ { int a; int b; }; // struct s___",
    },
  },
  nesting: {
    local: "struct s { struct { struct { int a; }; } outer; union { struct { int b; } inner; } other; };",
    uses: ["from->outer.a", "from->other.inner.b", ...all("from->other.inner.b")],
    targets: {
      "anonymous embedding":
        "struct s { int pad; struct { int a; } outer; struct { union { struct { int b; } inner; }; } other; };",
      "struct and union mixed up":
        "struct s { int pad; union { union { int x; int a; }; } outer; struct { union { int b; } inner; } other; };",
      "more nesting":
        "struct s { struct { struct { struct { union { struct { int z; int a; }; }; }; }; } outer; struct { union { struct { struct { int b; }; } inner; }; } other; };",
      "types by name":
        "struct t { struct { int a; }; }; union u { struct { char c; int b; } inner; }; struct s { int pad; const struct t outer; volatile union u other; };",
      "two types that agree":
        "struct s { struct { int a; } outer; struct { struct { int b; } inner; } other; }; struct s___2 { struct { struct { int a; }; } outer; union { struct { int b; } inner; } other; }; // struct s, struct s___2",
      "two types, one of which has only half":
        "struct s { struct { int a; } outer; }; struct s___2 { struct { int a; } outer; struct { struct { int pad; int b; } inner; } other; }; // struct s, struct s___2",
      "a missing field": "struct s { struct { int x; } outer; struct { struct { int x; } inner; } other; };",
      "a missing container": "struct s { int a; int b; };",
      "an array in place of the field":
        "struct s { struct { int a[1]; } outer; struct { struct { int b[2]; } inner; } other; };",
      "an array in place of the container":
        "struct s { struct { int a; } outer[2]; struct { struct { int b; } inner; } other[1]; };",
      "a pointer in place of the container":
        "struct s { struct { int a; } *outer; struct { struct { int b; } *inner; } other; };",
      "a number in place of the container": "struct s { int outer; struct { int inner; } other; };",
    },
  },
  arrays: {
    local:
      "struct e { int c; int d; }; struct s { int a[5]; char b[2][3][4]; struct e c[3]; struct e d[1][2]; struct { int tail; struct e f[]; }; };",
    uses: [
      "from->a[2]",
      "from->b[1][2][3]",
      "from->c[1].c",
      "from->d[0][1].d",
      "from->f[3].c",
      "&from->a[1]",
      "&from->d[0]",
    ],
    targets: {
      "other dimensions":
        "struct e { int x; int c; int d; }; struct s { int pad; int a[7]; char b[3][4][5]; struct e c[4]; struct e d[2][3]; int tail; struct e f[]; };",
      "of what was flexible, a fixed number":
        "struct e { int c; int d; }; struct s { int a[5]; char b[2][3][4]; struct e c[3]; struct e d[1][2]; int tail; struct e f[4]; };",
      "flexible, but not the last":
        "struct e { int c; int d; }; struct s { int a[5]; char b[2][3][4]; struct e c[3]; struct e d[1][2]; struct e f[0]; int tail; };",
      "of length 0":
        "struct e { int c; int d; }; struct s { int tail; int a[0]; char b[0][0][0]; struct e c[0]; struct e d[0][0]; };",
      "too short":
        "struct e { int c; int d; }; struct s { int a[2]; char b[1][2][3]; struct e c[1]; struct e d[1][1]; };",
      "fewer dimensions": "struct e { int c; int d; }; struct s { int a; char b[2][3]; struct e c; struct e d[2]; };",
      "of other values":
        "struct e { int c; int d; }; struct s { struct e a[5]; void *b[2][3][4]; int c[3]; int d[1][2]; };",
      "of larger numbers":
        "struct e { u64 c; u64 d; }; struct s { u64 a[5]; u32 b[2][3][4]; struct e c[3]; struct e d[1][2]; };",
    },
  },
  primitives: {
    local:
      "enum e { A = 0, B = 1 }; struct s { char a; int b; enum e c; void *d; int (*f)(const char *); float g; u8 flag; };",
    uses: [
      "from->a",
      "from->b",
      "from->c",
      "from->d",
      "from->f",
      ...all("from->c"),
      ...all("from->d").slice(0, 3),
      exists("from->g"),
      offset("from->g"),
    ],
    targets: {
      "in another order":
        "enum e { A = 0, B = 1 }; struct s { int (*f)(const char *); void *d; enum e c; int b; char a; double g; };",
      "enums of other values":
        "enum e { X = 1, Y = 1000, Z = -1 }; struct s { char a; int b; enum e c; void *d; int (*f)(const char *); };",
      "another enum":
        "enum other { A, B }; struct s { char a; int b; enum other c; void *d; int (*f)(const char *); };",
      "an anonymous enum": "struct s { char a; int b; enum { A, B } c; void *d; int (*f)(const char *); };",
      "an enum of 64 bits":
        "enum e { A = 0, B = 0x123456789ull }; struct s { char a; int b; enum e c; void *d; int (*f)(const char *); };",
      "a number in place of the enum": "struct s { char a; int b; int c; u64 d; int f; int g; };",
      "pointers in place of numbers":
        "enum e { A, B }; struct s { void *a; int *b; enum e *c; int (*d)(void); struct s *f; };",
      "other pointers": "enum e { A, B }; struct s { char a; int b; enum e c; const struct s *d; char **f; };",
    },
  },
  "modifiers and typedefs": {
    local:
      "typedef int int_t; typedef const volatile int_t odd_t; typedef char *text_t; typedef const text_t *texts_t; typedef struct { int x; } in_t; typedef in_t many_t[4]; struct s { int a; int_t b; char *c; text_t d; int *e[3]; odd_t f; texts_t g; in_t h; many_t i; };",
    uses: ["from->a", "from->b", "from->c", "from->d", "from->e[1]", "from->f", "from->g", "from->h.x", "from->i[2].x"],
    targets: {
      swapped:
        "typedef const int a_t; typedef struct { int y; int x; } in_t; struct s { const in_t i[5]; volatile in_t h; char ***g; int f; void *const e[4]; const char *volatile d; void *c; a_t b; const volatile int a; };",
      typedefs:
        "typedef int a1; typedef a1 a2; typedef a2 a3; typedef struct in { int x; } x1; typedef x1 x2; typedef const x2 x3; typedef x3 xs[6]; typedef xs ys; typedef int *p1; typedef p1 ps[3]; struct s { a3 a, b; p1 c, d; ps e; a3 f; p1 g; x3 h; ys i; };",
    },
  },
  "pointers as arrays": {
    local: "struct s { int a; u64 b; };",
    uses: ["from[2].a", "from[1].b", "(&from[3])->a", offset("from[4].b")],
    targets: {
      "the same": "struct s { int a; u64 b; };",
      larger: "struct s { int x[9]; int a; int y; u64 b; };",
      smaller: "struct s { int a; int b; };",
    },
  },
  integers: {
    local: "struct s { u8 u8f; s8 s8f; u16 u16f; s16 s16f; u32 u32f; s32 s32f; u64 u64f; s64 s64f; _Bool b; char c; };",
    uses: ["u8f", "s8f", "u16f", "s16f", "u32f", "s32f", "u64f", "s64f", "b", "c"].flatMap((name) => [
      `from->${name}`,
      ...all(`from->${name}`),
    ]),
    targets: {
      "signs reversed":
        "struct s { s8 u8f; u8 s8f; s16 u16f; u16 s16f; s32 u32f; u32 s32f; s64 u64f; u64 s64f; u8 b; u8 c; };",
      "all boolean": "struct s { _Bool u8f, s8f, u16f, s16f, u32f, s32f, u64f, s64f, b, c; };",
      "all of 64 bits":
        "struct s { u64 u8f; s64 s8f; u64 u16f; s64 s16f; u64 u32f; s64 s32f; u64 u64f; s64 s64f; u64 b; s64 c; };",
      "of 128 bits": "struct s { unsigned __int128 u8f, s8f, u16f, s16f, u32f, s32f, u64f, s64f, b, c; };",
    },
  },
  existence: {
    local: "struct s { int a; struct { int b; }; int arr[2]; struct t { int c; } in; void *p; };",
    uses: ["from->a", "from->b", "from->arr", "from->arr[1]", "from->in", "from->in.c", "from->p"].map(exists),
    targets: {
      all: "struct t { int c; }; struct s { int b; int a; int arr[3]; struct t in; void *p; };",
      minimal: "struct s { int a; };",
      "wrong kinds": "struct s { void *a; struct { int x; } b; int arr; int in; int p; };",
      "wrong arrays": "struct s { int a; int b; void *arr[2]; struct { int c; } in[1]; void *p; };",
      empty: "struct s { };",
      "no type": "struct other { int a; }; // struct other",
    },
  },
  bitfields: {
    local:
      "struct s { u8 a: 1; u8 b: 2; u32 c: 3; signed char d: 4; int e: 20; u16 f; u64 g: 40; u64 h: 24; enum { NO, YES } k: 2; };",
    uses: ["a", "b", "c", "d", "e", "f", "g", "h", "k"].flatMap((name) => all(`from->${name}`)),
    targets: {
      "other widths":
        "struct s { u16 b: 3; u16 x: 10; u16 a: 2; u32 c: 30; u8 d: 2; int e: 5; u16 f: 9; u64 y: 7; u64 g: 33; int h: 3; enum { NO, YES, MAYBE } k: 3; };",
      "plain numbers": "struct s { u8 a; u16 b; u32 c; s8 d; s64 e; u8 f; u64 g; u32 h; enum { NO, YES } k; };",
      packed: "struct s { u32 x: 13; u32 c: 3; u64 g: 40; u32 e: 25; u32 a: 1; u64 h: 24; } __attribute__((packed));",
      "across its unit, larger than a load": "struct s { u8 pad: 3; u64 g: 62; } __attribute__((packed));",
      gone: "struct s { int x; };",
    },
  },
  sizes: {
    local:
      "typedef int num_t; enum e { A }; struct t { int x; }; union u { int y; }; struct s { int i; struct t in; union u un; int arr[4]; struct t ts[2]; void *p; enum e en; float fl; };",
    uses: ["i", "in", "un", "arr", "arr[0]", "ts", "ts[1]", "p", "en", "fl"].map(
      (name) => `__builtin_preserve_field_info(from->${name}, 1)`,
    ),
    targets: {
      others:
        "struct t { int x[3]; }; union u { int y[5]; }; enum e { A = 0x100000000ull }; struct s { char i; struct t in; union u un; u64 arr[10]; struct t ts[3]; void *p; enum e en; double fl; };",
      "of kinds that differ": "struct s { void *i; int in; int un; void *arr[2]; int ts[2]; int p; int en; int fl; };",
    },
  },
  "ids, sizes and shapes of types": {
    local: `struct s { int x; }; struct anon { struct { int y; }; }; union u { int x; char c; }; enum e { A, B = 3 }; typedef int num; typedef struct { int z; } st; typedef void *ptr; typedef int (*fn)(int, struct s *); typedef u64 arr[20]; struct incomplete; typedef struct incomplete *inc; typedef enum e et; typedef num *pnum; typedef fn *pfn; struct deep { struct deep *next; struct { enum e e; arr *a; } in; };`,
    uses: [
      "struct s",
      "struct anon",
      "union u",
      "enum e",
      "num",
      "st",
      "ptr",
      "fn",
      "arr",
      "inc",
      "et",
      "pnum",
      "pfn",
      "struct deep",
    ].flatMap(ofType),
    targets: {
      "the same": `struct s { int x; }; struct anon { struct { int y; }; }; union u { int x; char c; }; enum e { A, B = 3 }; typedef int num; typedef struct { int z; } st; typedef void *ptr; typedef int (*fn)(int, struct s *); typedef u64 arr[20]; struct incomplete { int i; }; typedef struct incomplete *inc; typedef enum e et; typedef num *pnum; typedef fn *pfn; struct deep { struct deep *next; struct { enum e e; arr *a; } in; }; // struct s, struct anon, union u, enum e, num, st, ptr, fn, arr, inc, et, pnum, pfn, struct deep, struct incomplete`,
      "other contents": `struct s { u64 y; int x; }; struct anon { int q; struct { int y; }; }; union u { char c; int x; u64 l; }; enum e { Z, B, A }; typedef u64 num; typedef struct { int z; int zz; } st; typedef int *ptr; typedef int (*fn)(int, void *); typedef u64 arr[21]; union incomplete { int i; }; typedef union incomplete *inc; typedef enum e et; typedef num *pnum; typedef fn *pfn; struct deep { int more; struct deep *next; struct { u64 *a; enum e e; } in; }; // struct s, struct anon, union u, enum e, num, st, ptr, fn, arr, inc, et, pnum, pfn, struct deep`,
      "other kinds": `union s { int x; }; struct u { int x; }; typedef int e; typedef struct { int x; } num; typedef int st; typedef struct { int x; } *ptr; typedef void (*fn)(void); typedef int arr; typedef int inc; typedef u32 et; // union s, struct u, e, num, st, ptr, fn, arr, inc, et`,
      "functions that differ": `struct s { int x; }; typedef int (*fn)(int, const struct s *); typedef fn *pfn; typedef int *(*fn___2)(int, struct s *); typedef int (*fn___3)(int, struct s *, int); // fn, pfn, fn___2, fn___3`,
    },
  },
  "values of enums": {
    local:
      "enum e { A = 1, B = 2, C___flavour = 3, GONE = 4, NEG = -5 }; typedef enum { D = 7 } anon_t; enum big { W = 0x100000000ull, V = 1 }; enum sbig { N = -0x100000000ll, P = 3 }; struct s { int x; };",
    uses: [
      ...["A", "B", "C___flavour", "GONE", "NEG"].flatMap((name) => ofValue("enum e", name)),
      ...ofValue("anon_t", "D"),
      ...["W", "V"].flatMap((name) => ofValue("enum big", name)),
      ...["N", "P"].flatMap((name) => ofValue("enum sbig", name)),
    ],
    targets: {
      "other values":
        "enum e { B = 0x7fffffff, A = -1, C = 33, NEG = 5 }; typedef enum { D = 70 } anon_t; enum big { W = 0x200000000ull, V = 0xffffffffffffffffull }; enum sbig { N = -2, P = 0x7fffffffffffffffll }; // enum e, anon_t, enum big, enum sbig",
      "of the other width":
        "enum e { A = 0x100000000ull, B = 2, C___other = 3, NEG = 4 }; typedef int anon_t; enum big { W = 2, V = 1 }; enum sbig { N = -2, P = 3 }; // enum e, anon_t, enum big, enum sbig",
      "not there": "enum other { A, B }; // enum other",
      "two that disagree": "enum e { A = 1, B = 2 }; enum e___2 { B___2 = 3, A___2 = 1 }; // enum e, enum e___2",
    },
  },
  "fields of equal names": {
    local: "struct a1 { int f; }; struct b1 { int f; }; struct s { int f; struct { int f; } in; };",
    uses: ["from->f", "from->in.f", "((struct a1 *)from)->f", "((struct b1 *)from)->f"],
    targets: {
      moved:
        "struct a1 { int x; int f; }; struct b1 { char f; char g; }; struct s { struct { struct { int f; }; int g; } in; union { int f; char c; }; }; // struct s, struct a1, struct b1",
      "twice in one":
        "struct s { struct { struct { char x; } f1; }; struct { int f; }; struct { u64 g; struct { int f; } in; }; };",
    },
  },
};

describe.each(Object.entries(families))("%s", (name, family) => {
  const id = name.replace(/\W/g, "_");
  Object.entries(family.targets).forEach(([difference, source], i) => {
    needing("clang-19", "gcc and libbpf-dev")(difference, () => {
      const on = compileSource(`${id}-target${i}`, target(source));
      const btf = openFile(on);
      // libbpf stops at the first error: what comes behind it gets an object of its own.
      for (let from = 0; from < family.uses.length; ) {
        const object = compileSource(`${id}-${from}`, program({ ...family, uses: family.uses.slice(from) }));
        const { relocations } = relocate(openObject(object), btf);
        const wanted = libbpfSays(object, on);
        expect(wanted.length).toBeGreaterThan(0);
        expect(weSay(relocations, true)).toEqual(wanted);
        const failed = relocations.find(({ error }) => error);
        if (!failed) break;
        from += Number(failed.program!.name.slice(1)) + 1;
      }
    });
  });
});
