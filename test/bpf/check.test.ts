// check: verdicts are those of the running kernel's verifier; what programs
// attach to; the reports.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Btf } from "btfkit";
import { type Cell, check, type Matrix, minimize, readObject, sarif } from "btfkit/bpf";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { bpfObject, type Insn } from "../support/bpf.js";
import { CONST, FUNC, Image, PTR, STRUCT, TYPEDEF } from "../support/image.js";
import { corpusPath, needing, runtime } from "../support/needs.js";
import { compileObject, compileSource, corpusObject, objectNames, openObject } from "../support/objects.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-"));
let vmlinux: Btf | undefined;
function running(): Btf {
  vmlinux ??= openFile("/sys/kernel/btf/vmlinux");
  return vmlinux;
}

let pins = 0;
/** What the running kernel says of all programs of an object. */
function load(path: string): { ok: boolean; said: string } {
  const pin = `/sys/fs/bpf/btfkit-check-${process.pid}-${pins++}`;
  const { status, stdout, stderr } = spawnSync("bpftool", ["prog", "loadall", path, pin], { maxBuffer: 1 << 28 });
  rmSync(pin, { recursive: true, force: true });
  return { ok: status === 0, said: `${stdout.toString()}${stderr.toString()}` };
}

describe("guards: what the verifier takes does not break, what it refuses does", () => {
  for (let guard = 0; guard <= 12; guard++) {
    for (const flags of [
      ["-O1", "-mcpu=v2"],
      ["-O2", "-mcpu=v3"],
      ["-O2", "-mcpu=v4"],
    ]) {
      needing("bpf(2)", "clang-19")(`case ${guard}, ${flags.join(" ")}`, () => {
        const path = compileObject("guards", "bpfel", `-DCASE=${guard}`, ...flags);
        const { verdict } = check(openObject(path), running());
        expect(["guarded", "breaks"]).toContain(verdict);
        expect(load(path).ok).toBe(verdict !== "breaks");
      });
    }
  }
});

describe("objects of the corpus on the running kernel", () => {
  // Reasons to refuse an object that are not the object's: this machine's kernel lacks the feature.
  const ELSEWHERE = /Operation not permitted|failed to create/;
  // xdp-filter pins its maps by their names.
  for (const name of objectNames.filter((one) => !/^(s390x|xdp-xdpfilt)/.test(one))) {
    needing("bpf(2)", "the corpus in ../shared")(name, () => {
      const { ok, said } = load(corpusPath(`objects/${name}`));
      const { verdict } = check(corpusObject(name), running());
      if (ok) expect(verdict).not.toBe("breaks");
      else if (!ELSEWHERE.test(said)) expect(verdict).toBe("breaks");
    });
  }
});

describe("constants are folded through branches", () => {
  const MOV = (to: number, immediate: number): Insn => ({ opcode: 0xb7, to, immediate });
  const EXIT: Insn = { opcode: 0x95 };
  /** The instruction that is relocated to a field that the target lacks. */
  const POISON: Insn = { opcode: 0xb7, to: 3, immediate: 4 };
  const CALL: Insn = { opcode: 0x85, immediate: 5 };

  function verdictOf(insns: readonly Insn[]): string {
    const image = new Image();
    image.int("int", 4, 1);
    image.composite(STRUCT, "s", 8, [
      ["a", 1, 0],
      ["b", 1, 32],
    ]);
    const target = new Image();
    target.int("int", 4, 1);
    target.composite(STRUCT, "s", 8, [["a", 1, 0]]);
    const at = insns.indexOf(POISON) * 8;
    return check(
      readObject(bpfObject(image, [...insns, MOV(0, 0), EXIT], [[at, 2, "0:1", 0]], { section: "socket" })),
      Btf.parse(target.bytes()),
    ).verdict;
  }

  const skip = (opcode: number, immediate: number, to = 1): Insn => ({ opcode, to, immediate, offset: 1 });
  const cases: Record<string, [readonly Insn[], "guarded" | "breaks"]> = {
    "no branch": [[POISON], "breaks"],
    "a jump over it": [[{ opcode: 0x05, offset: 1 }, POISON], "guarded"],
    "a long jump over it": [[{ opcode: 0x06, immediate: 1 }, POISON], "guarded"],
    equal: [[MOV(1, 7), skip(0x15, 7), POISON], "guarded"],
    "not equal": [[MOV(1, 7), skip(0x15, 8), POISON], "breaks"],
    "an unknown register": [[CALL, { opcode: 0xbf, to: 1, from: 0 }, skip(0x15, 0), POISON], "breaks"],
    "unsigned greater: -1 is the largest": [[MOV(1, -1), skip(0x25, 5), POISON], "guarded"],
    "signed greater: -1 is not": [[MOV(1, -1), skip(0x65, 5), POISON], "breaks"],
    "32 bits: the upper half does not count": [
      [{ opcode: 0x18, to: 1, immediate: 7 }, { opcode: 0, immediate: 9 }, skip(0x16, 7), POISON],
      "guarded",
    ],
    "64 bits: it does": [
      [{ opcode: 0x18, to: 1, immediate: 7 }, { opcode: 0, immediate: 9 }, skip(0x15, 7), POISON],
      "breaks",
    ],
    "a bit that is set": [[MOV(1, 6), skip(0x45, 2), POISON], "guarded"],
    arithmetic: [
      [MOV(1, 6), { opcode: 0x67, to: 1, immediate: 3 }, { opcode: 0x17, to: 1, immediate: 8 }, skip(0x15, 40), POISON],
      "guarded",
    ],
    "signed division of instruction set v4": [
      [MOV(1, -7), { opcode: 0x37, to: 1, immediate: 2, offset: 1 }, skip(0x15, -3), POISON],
      "guarded",
    ],
    "a sign-extending move": [
      [MOV(2, 0xff), { opcode: 0xbf, to: 1, from: 2, offset: 8 }, skip(0x15, -1), POISON],
      "guarded",
    ],
    "and with zero of what is unknown": [[CALL, { opcode: 0x57, immediate: 0 }, skip(0x15, 0, 0), POISON], "guarded"],
    "equal on one way": [[CALL, { opcode: 0x55, to: 0, immediate: 3, offset: 2 }, skip(0x15, 3, 0), POISON], "guarded"],
    "through the stack": [
      [
        MOV(1, 1),
        { opcode: 0x7b, to: 10, from: 1, offset: -8 },
        CALL,
        { opcode: 0x79, to: 1, from: 10, offset: -8 },
        skip(0x15, 1),
        POISON,
      ],
      "guarded",
    ],
    "overwritten in between": [
      [
        MOV(1, 1),
        { opcode: 0x7b, to: 10, from: 1, offset: -8 },
        { opcode: 0x72, to: 10, offset: -6, immediate: 3 },
        { opcode: 0x79, to: 1, from: 10, offset: -8 },
        skip(0x15, 1),
        POISON,
      ],
      "breaks",
    ],
    "written by what is called": [
      [
        MOV(1, 1),
        { opcode: 0x7b, to: 10, from: 1, offset: -8 },
        { opcode: 0xbf, to: 2, from: 10 },
        { opcode: 0x07, to: 2, immediate: -16 },
        CALL,
        { opcode: 0x79, to: 1, from: 10, offset: -8 },
        skip(0x15, 1),
        POISON,
      ],
      "breaks",
    ],
    "two ways with one value": [[CALL, MOV(1, 4), skip(0x15, 0, 0), MOV(1, 4), skip(0x15, 4), POISON], "guarded"],
    "two ways with two values": [[CALL, MOV(1, 4), skip(0x15, 0, 0), MOV(1, 5), skip(0x15, 4), POISON], "breaks"],
    "a loop that counts": [
      [
        MOV(1, 0),
        { opcode: 0x07, to: 1, immediate: 1 },
        { opcode: 0xa5, to: 1, immediate: 9, offset: -2 },
        skip(0x15, 100),
        POISON,
      ],
      "breaks",
    ],
    "a loop without an end": [[{ opcode: 0x05, offset: -1 }, POISON], "guarded"],
  };
  for (const [name, [insns, verdict]] of Object.entries(cases))
    test(name, () => expect(verdictOf(insns)).toBe(verdict));
});

describe("what programs attach to", () => {
  const source = `
#define SEC(name) __attribute__((section(name), used))
#define PROGRAM(name, where) SEC(where) int name(void *context) { return 0; }
struct later { int x; };
extern int known_kfunc(int flags, struct later *at) __attribute__((section(".ksyms")));
extern int longer_kfunc(int flags) __attribute__((section(".ksyms")));
extern int other_kfunc(int flags) __attribute__((section(".ksyms")));
extern int weak_kfunc(int flags) __attribute__((weak, section(".ksyms")));
extern const void untyped __attribute__((section(".ksyms")));
extern const int known_variable __attribute__((section(".ksyms")));
PROGRAM(fentry_there, "fentry/known") PROGRAM(fexit_gone, "fexit/gone") PROGRAM(sleepable, "fentry.s/vmlinux:known")
PROGRAM(trace, "tp_btf/event") PROGRAM(trace_gone, "tp_btf/known") PROGRAM(hook, "lsm/hooked") PROGRAM(iterator, "iter/things")
PROGRAM(probe, "kprobe/known+0x10") PROGRAM(probe_gone, "kretprobe/gone") PROGRAM(point, "tp/group/event")
PROGRAM(entry, "tracepoint/syscalls/sys_enter_openat") PROGRAM(call, "ksyscall/openat") PROGRAM(raw, "raw_tp/gone")
PROGRAM(not_loaded, "?fentry/gone") PROGRAM(filter, "socket") PROGRAM(user, "uprobe/gone")
struct ops_type { int (*start)(void); int (*stop)(void); int (*unused)(void); };
SEC("struct_ops/start") int start_it(void *context) {
  return known_kfunc(1, 0) + longer_kfunc(1) + other_kfunc(1) + (weak_kfunc ? weak_kfunc(1) : 0) + (int)(long)&untyped + known_variable;
}
SEC(".struct_ops.link") struct ops_type ops = { .start = (void *)start_it, .stop = (void *)start_it };
char license_name[] SEC("license") = "GPL";
`;

  function kernel(): Btf {
    const image = new Image();
    image.int("int", 4, 1);
    image.composite(STRUCT, "later", 4, []);
    image.ref(PTR, 2);
    image.ref(
      FUNC,
      image.proto(1, [
        ["flags", 1],
        ["at", 3],
      ]),
      "known_kfunc",
    );
    image.ref(
      FUNC,
      image.proto(1, [
        ["flags", 1],
        ["more", 1],
      ]),
      "longer_kfunc",
    );
    image.ref(FUNC, image.proto(1, [["flags", 3]]), "other_kfunc");
    const proto = image.proto(1, []);
    for (const name of ["known", "bpf_lsm_hooked", "bpf_iter_things", "__x64_sys_openat"]) image.ref(FUNC, proto, name);
    image.ref(TYPEDEF, image.ref(PTR, proto), "btf_trace_event");
    image.variable("known_variable", 1, 1);
    image.composite(STRUCT, "ops_type", 8, [["start", image.ref(PTR, proto), 0]]);
    image.composite(STRUCT, "bpf_struct_ops_ops_type", 8, []);
    return Btf.parse(image.bytes());
  }

  needing("clang-19")("functions, trace points, hooks, kernel functions, struct_ops", () => {
    const { attachments, verdict } = check(openObject(compileSource("attach", source)), kernel());
    const shown = attachments.map(({ name, kind, target, status, isRequired }) =>
      [name, kind, target, status, isRequired ? "required" : ""].join(" ").trim(),
    );
    expect(shown.sort()).toEqual(
      [
        "fentry_there fentry known present required",
        "fexit_gone fexit gone absent required",
        "sleepable fentry vmlinux:known present required",
        "trace tp_btf event present required",
        "trace_gone tp_btf known absent required",
        "hook lsm hooked present required",
        "iterator iter things present required",
        "probe kprobe known+0x10 present",
        "probe_gone kretprobe gone absent",
        "point tp group/event present",
        "entry tracepoint syscalls/sys_enter_openat present",
        "call ksyscall openat present",
        "raw raw_tp gone absent",
        "not_loaded fentry gone absent",
        "known_kfunc kfunc known_kfunc present required",
        "longer_kfunc kfunc longer_kfunc differs required",
        "other_kfunc kfunc other_kfunc differs required",
        "weak_kfunc kfunc weak_kfunc absent",
        "untyped ksym untyped unknown",
        "known_variable ksym known_variable present required",
        "ops struct_ops ops_type differs required",
      ].sort(),
    );
    const reasons = Object.fromEntries(attachments.map(({ name, reason }) => [name, reason]));
    expect(reasons["longer_kfunc"]).toBe("it has 2 arguments in the target, 1 argument in the program");
    expect(reasons["other_kfunc"]).toBe("argument 1 is a pointer to struct later in the target, int in the program");
    expect(reasons["ops"]).toBe("the target's struct has no member stop");
    expect(verdict).toBe("breaks");
  });

  needing("clang-19")("types that end nowhere do not tell", () => {
    const object = openObject(
      compileSource(
        "endless",
        `extern int known_kfunc(int) __attribute__((section(".ksyms")));
struct ops_type { int (*start)(void); };
__attribute__((section("fentry/known"), used)) int program(unsigned long long *ctx) { return ctx[0] + known_kfunc(1); }
__attribute__((section(".struct_ops"), used)) struct ops_type ops = { .start = (void *)program };`,
      ),
    );
    const image = new Image();
    image.int("int", 4, 1);
    image.ref(TYPEDEF, 3, "endless");
    image.ref(CONST, 2);
    const proto = image.proto(1, [["first", 2]]);
    for (const name of ["known", "known_kfunc"]) image.ref(FUNC, proto, name);
    image.composite(STRUCT, "ops_type", 8, [["start", 2, 0]]);
    image.composite(STRUCT, "bpf_struct_ops_ops_type", 8, []);
    const { attachments } = check(object, Btf.parse(image.bytes()));
    expect(attachments.map(({ status, reason }) => [status, /loop|32/.test(reason ?? "")])).toEqual([
      ["unknown", true],
      ["unknown", true],
      ["unknown", true],
    ]);
  });

  test("a function of a module is found in it", () => {
    const base = new Image();
    base.int("int", 4, 1);
    base.ref(FUNC, base.proto(1, []), "of_vmlinux");
    const split = new Image({ base });
    split.ref(FUNC, split.proto(1, []), "of_the_module");
    const image = new Image();
    image.int("int", 4, 1);
    const object = readObject(bpfObject(image, [{ opcode: 0x95 }], [], { section: "fentry/mod:of_the_module" }));
    const vmlinux = Btf.parse(base.bytes());
    expect(check(object, vmlinux).verdict).toBe("breaks");
    expect(check(object, { vmlinux, modules: [vmlinux.split(split.bytes())] }).verdict).toBe("ok");
  });
});

needing("the corpus in ../shared")("a minimised BTF does not tell what is there to attach to", () => {
  const object = corpusObject("lt026-fsslower.bpf.o");
  const whole = openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"));
  const least = Btf.parse(minimize([object], whole));
  const { attachments } = check(object, least);
  expect(attachments.length).toBeGreaterThan(0);
  expect(new Set(attachments.map(({ status }) => status))).toEqual(new Set(["unknown"]));
  const verdicts = (btf: Btf): string[] => check(object, btf).relocations.map(({ verdict }) => verdict);
  expect(verdicts(least)).toEqual(verdicts(whole));
});

describe("arguments that a function does not have", () => {
  const LOAD = (to: number, offset: number): Insn => ({ opcode: 0x79, to, from: 1, offset });
  const EXIT: Insn = { opcode: 0x95 };

  /** Of a program in a section, on a kernel with two(int, struct of 16 bytes) and a trace point with (data, int). */
  function attached(section: string, insns: readonly Insn[]): [string, string | undefined] {
    const image = new Image();
    image.int("int", 4, 1);
    const kernel = new Image();
    const int = kernel.int("int", 4, 1);
    const pair = kernel.composite(STRUCT, "pair", 16, [["a", int, 0]]);
    const proto = kernel.proto(int, [
      ["first", int],
      ["second", pair],
    ]);
    for (const name of ["two", "bpf_lsm_two"]) kernel.ref(FUNC, proto, name);
    kernel.ref(
      TYPEDEF,
      kernel.ref(
        PTR,
        kernel.proto(0, [
          ["data", 0],
          ["only", int],
        ]),
      ),
      "btf_trace_two",
    );
    const object = readObject(bpfObject(image, [...insns, EXIT], [], { section }));
    const { attachments } = check(object, Btf.parse(kernel.bytes()));
    return [attachments[0]!.status, attachments[0]!.reason];
  }

  const present = ["present", undefined];
  const differs = (argument: number, count: number): [string, string] => [
    "differs",
    `argument ${argument} is read, it has ${count} in the target`,
  ];
  const AND_BACK: Insn[] = [
    { opcode: 0xbf, to: 6, from: 1 },
    { opcode: 0x07, to: 6, immediate: 16 },
    { opcode: 0x79, to: 0, from: 6, offset: 8 },
  ];
  const MAYBE: Insn[] = [
    { opcode: 0xbf, to: 6, from: 1 },
    { opcode: 0x85, immediate: 7 },
    { opcode: 0x15, offset: 1 },
    { opcode: 0x79, to: 0, from: 6, offset: 80 },
  ];
  const cases: [string, string, readonly Insn[], (string | undefined)[]][] = [
    ["the last word of the last one", "fentry/two", [LOAD(0, 16)], present],
    ["one too many", "fentry/two", [LOAD(0, 24)], differs(3, 2)],
    ["through another register", "fentry/two", AND_BACK, differs(3, 2)],
    ["in one of two ways: the verifier follows both", "fentry/two", MAYBE, differs(10, 2)],
    ["the result", "fexit/two", [LOAD(0, 24)], present],
    ["behind the result", "fexit/two", [LOAD(0, 32)], differs(4, 2)],
    ["a hook's result", "lsm/two", [LOAD(0, 24)], present],
    ["a trace point's", "tp_btf/two", [LOAD(0, 0)], present],
    ["beyond a trace point's", "tp_btf/two", [LOAD(0, 8)], differs(2, 1)],
  ];
  for (const [name, section, insns, wanted] of cases)
    test(name, () => expect(attached(section, insns)).toEqual(wanted));
});

describe("arguments that are something else", () => {
  const DECLARED = `
#define SEC(name) __attribute__((section(name), used))
typedef unsigned long long u64; typedef unsigned int u32;
static long (*const read_kernel)(void *, u32, const void *) = (void *)113;
static u32 (*const random)(void) = (void *)7;
#define READ(to, from) read_kernel(&to, sizeof(to), __builtin_preserve_access_index(&(from)))
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct inode { int pad; int number; }; struct path { int pad; int depth; }; struct sock { int family; };
struct inode___old { int pad; int number; };
struct inet_sock { struct sock sk; int port; }; struct later; struct thing { int x; int y; };
#pragma clang attribute pop
char license_name[] SEC("license") = "GPL";`;
  /** What BPF_PROG makes of a program with arguments: an inner function, which is inlined. */
  const taking = (section: string, body: string, more = ""): string => `${DECLARED}
${more}
static inline __attribute__((always_inline)) int ____program(u64 *ctx, struct inode *first, struct path *second, int third)
{ int found = 0; ${body} return found; }
SEC("${section}") int program(u64 *ctx) { return ____program(ctx, (void *)ctx[0], (void *)ctx[1], (int)ctx[2]); }`;
  const kernelOf = (functions: string): string => `
struct path { int pad; int more; int depth; }; struct inode { int pad; int number; }; struct sock { int family; };
struct inet_sock { struct sock sk; int port; }; struct user_namespace { int level; };
struct opaque; struct callbacks { int (*run)(struct path *, struct inode *, int); };
struct bpf_struct_ops_callbacks { struct callbacks data; } keep1; struct inet_sock keep2;
#define KEEP __attribute__((used, noinline))
${functions}`;

  const moved =
    "KEEP int f(struct user_namespace *ns, struct inode *inode, struct path *path, int flags) { return flags; }";
  const same = "KEEP int f(struct inode *inode, struct path *path, int flags) { return flags; }";
  const FIRST =
    "argument 1 (ns) is used as a pointer to struct inode, it points to struct user_namespace in the target";
  const SETTING = 'const volatile int old = 0; extern int LINUX_KERNEL_VERSION __attribute__((section(".kconfig")));';
  const cases: Record<
    string,
    [section: string, body: string, kernel: string, reason?: string | undefined, more?: string]
  > = {
    "as declared": ["fentry/f", "found = first->number + second->depth + third;", same],
    "one came in front, loads": ["fentry/f", "found = first->number;", moved, FIRST],
    "one came in front, reads by a helper": ["fentry/f", "READ(found, first->number);", moved, FIRST],
    "the second": [
      "fentry/f",
      "READ(found, second->depth);",
      moved,
      "argument 2 (inode) is used as a pointer to struct path, it points to struct inode in the target",
    ],
    "behind a branch that the verifier follows": [
      "fentry/f",
      "if (random() > 5) READ(found, first->number);",
      moved,
      FIRST,
    ],
    "a flavour": ["fentry/f", "READ(found, ((struct inode___old *)first)->number);", same],
    unused: ["fentry/f", "found = third;", moved],
    "where a field tells that it is this kernel": [
      "fentry/f",
      "if (__builtin_preserve_field_info(((struct thing *)0)->y, 2)) READ(found, first->number);",
      moved,
    ],
    "where .rodata may tell so": ["fentry/f", "if (old) READ(found, first->number);", moved, undefined, SETTING],
    "where the kernel's version may": [
      "fentry/f",
      "if (LINUX_KERNEL_VERSION < 395000) READ(found, first->number);",
      moved,
      undefined,
      SETTING,
    ],
    "behind a way out that a setting may take": [
      "fentry/f",
      "if (old && old != random()) return 0; READ(found, first->number);",
      moved,
      FIRST,
      SETTING,
    ],
    "whichever way a setting goes": [
      "fentry/f",
      "if (old) { READ(found, first->number); found++; random(); } else { READ(found, first->number); }",
      moved,
      FIRST,
      SETTING,
    ],
    "one of two by a setting": [
      "fentry/f",
      'struct inode *one = old ? first : (void *)second; asm volatile("" : "+r"(one)); READ(found, one->number);',
      moved,
      undefined,
      SETTING,
    ],
    "one of two by what happens": [
      "fentry/f",
      'struct inode *one = (void *)second; if (random()) one = first; asm volatile("" : "+r"(one)); READ(found, one->number);',
      moved,
    ],
    "a number": [
      "fexit/f",
      "READ(found, second->depth);",
      "KEEP int f(struct inode *inode, int depth) { return depth; }",
      "argument 2 (depth) is used as a pointer to struct path, it is int in the target",
    ],
    "an address as a number": [
      "fexit/f",
      "READ(found, first->number);",
      "KEEP int f(unsigned long inode, int depth) { return depth; }",
    ],
    "no particular type": [
      "fexit/f",
      "READ(found, first->number);",
      "KEEP int f(void *inode, char *name) { return !inode + !name; }",
    ],
    "what starts with the other": [
      "fentry/f",
      "READ(found, ((struct inet_sock *)first)->port);",
      "KEEP int f(struct sock *sk) { return !sk; }",
    ],
    "a trace point's data come first": [
      "tp_btf/f",
      "READ(found, second->depth);",
      "typedef void (*btf_trace_f)(void *, struct inode *, struct path *); btf_trace_f keep3;",
    ],
    "a trace point's second": [
      "tp_btf/f",
      "READ(found, second->depth);",
      "typedef void (*btf_trace_f)(void *, struct path *path, struct inode *inode); btf_trace_f keep3;",
      "argument 2 is used as a pointer to struct path, it points to struct inode in the target",
    ],
    "a hook's": [
      "lsm/f",
      "found = first->number;",
      "KEEP int bpf_lsm_f(struct path *path) { return !path; }",
      "argument 1 (path) is used as a pointer to struct inode, it points to struct path in the target",
    ],
    "the result": [
      "fexit/f",
      "READ(found, ((struct inode *)ctx[1])->number);",
      "KEEP struct path *f(int x) { return (void *)(long)x; }",
      "the result is used as a pointer to struct inode, it points to struct path in the target",
    ],
  };
  Object.entries(cases).forEach(([name, [section, body, functions, wanted, more]], i) => {
    needing("clang-19")(name, () => {
      const object = openObject(compileSource(`argument${i}`, taking(section, body, more)));
      const target = openFile(compileSource(`function${i}`, kernelOf(functions)));
      const { attachments, verdict } = check(object, target);
      expect(attachments.map(({ status, reason }) => [status, reason])).toEqual([
        [wanted ? "differs" : "present", wanted],
      ]);
      expect(verdict === "breaks").toBe(wanted !== undefined);
    });
  });

  needing("clang-19")("a callback's, its members' kinds and sizes", () => {
    const source = `${taking("struct_ops/run", "READ(found, first->number);")}
struct callbacks { int (*run)(struct inode *, struct path *, int); int flags; int limit; };
SEC(".struct_ops") struct callbacks mine = { .run = (void *)program };`;
    const reason = (kernel: string, text = source): string | undefined =>
      check(openObject(compileSource("callbacks", text)), openFile(compileSource("callbacks-kernel", kernel)))
        .attachments[0]!.reason;
    const plain = kernelOf("KEEP int f(void) { return 0; }");
    expect(reason(plain)).toBe(
      "member run: argument 1 is used as a pointer to struct inode, it points to struct path in the target",
    );
    const alike = plain.replace("(*run)(struct path *, struct inode *, int)", "(*run)(struct inode *, int)");
    expect(reason(alike)).toBeUndefined();
    const members = (text: string): string | undefined => reason(alike.replace("int (*run)", `${text} int (*run)`));
    expect(members("int flags;")).toBeUndefined();
    // Empty members may be missing, others not.
    const limited = source.replace("program };", "program, .limit = 3 };");
    expect(reason(alike, limited)).toBe("the target's struct has no member limit");
    expect(members("u64 flags;".replace("u64", "unsigned long long"))).toBe(
      "member flags: it has 8 bytes in the target, 4 in the program",
    );
    expect(members("void *flags;")).toBe("member flags: it is a pointer to void in the target, int in the program");
    expect(reason(alike.replace("int (*run)(struct inode *, int)", "long run"))).toBe(
      "member run: it is long in the target, a pointer to a function in the program",
    );
  });
});

describe("settings: what .rodata and .kconfig decide", () => {
  const source = (condition: string): string => `
#define SEC(name) __attribute__((section(name), used))
struct task_struct___gone { int never_there; } __attribute__((preserve_access_index));
static long (*const read_kernel)(void *, unsigned int, const void *) = (void *)113;
static void *(*const current_task)(void) = (void *)35;
const volatile char zero = 0; const volatile unsigned long long many = 1ull << 40; const volatile short less = -3;
const volatile struct { int pad; int on; } config = { 1, 0 };
extern int LINUX_KERNEL_VERSION SEC(".kconfig");
extern int CONFIG_HZ SEC(".kconfig");
extern _Bool CONFIG_BPF SEC(".kconfig");
extern int CONFIG_NO_SUCH_THING __attribute__((weak)) SEC(".kconfig");
SEC("raw_tp/sched_switch") int program(void *context)
{
	int found = 0;
	if (${condition})
		read_kernel(&found, 4, &((struct task_struct___gone *)current_task())->never_there);
	return found;
}
char license_name[] SEC("license") = "GPL";`;
  /** As libbpf sees the running kernel. */
  const ofThisKernel = (): ReadonlyMap<string, bigint> => {
    const [a, b, c] = release().split(/[.-]/).map(Number) as [number, number, number];
    return new Map([["LINUX_KERNEL_VERSION", BigInt((a << 16) + (b << 8) + Math.min(c || 0, 255))]]);
  };
  const cases: Record<string, [string, "guarded" | "breaks"]> = {
    "a byte": ["zero", "guarded"],
    "its contrary": ["!zero", "breaks"],
    "64 bits": ["many == 1", "guarded"],
    "a sign": ["less > 0", "guarded"],
    "a member": ["config.on", "guarded"],
    "another member": ["config.pad", "breaks"],
    "an older kernel": ["LINUX_KERNEL_VERSION < 0x50000", "guarded"],
    "a newer kernel": ["LINUX_KERNEL_VERSION >= 0x50000", "breaks"],
    "a weak one that is not set": ["CONFIG_NO_SUCH_THING", "guarded"],
  };
  Object.entries(cases).forEach(([name, [condition, verdict]], i) => {
    needing("clang-19", "bpf(2)")(name, () => {
      const path = compileSource(`setting${i}`, source(condition));
      const object = openObject(path);
      expect(check(object, running()).verdict).toBe("breaks");
      const settings = { rodata: "initial", kconfig: ofThisKernel() } as const;
      expect(check(object, running(), settings).verdict).toBe(verdict);
      // The externs alone may be refused: where the kernel does not show its configuration.
      const { ok, said } = load(path);
      if (ok || !/extern|kconfig/i.test(said)) expect(ok).toBe(verdict === "guarded");
    });
  });
});

/** What the tests read of a result. */
interface SarifResult {
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
      readonly region: { readonly startLine: number };
    };
  }[];
  readonly properties: { readonly object: string; readonly targets: readonly string[] };
}

describe("btfkit check", () => {
  const run = (...args: string[]): { code: number | null; out: string; error: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/btfkit.cjs", "check", ...args], {
      maxBuffer: 1 << 28,
    });
    return { code: status, out: stdout.toString(), error: stderr.toString() };
  };
  const types = (member: string): Image => {
    const image = new Image();
    image.int("int", 4, 1);
    image.composite(STRUCT, "s", 8, [
      ["a", 1, 0],
      [member, 1, 32],
    ]);
    return image;
  };
  const file = (path: string, bytes: Uint8Array | string): string => {
    const whole = join(folder, path);
    mkdirSync(join(whole, ".."), { recursive: true });
    writeFileSync(whole, bytes);
    return whole;
  };
  const section = { section: "socket" };
  const EXIT: Insn = { opcode: 0x95 };
  const LOAD: Insn = { opcode: 0x61, to: 0, from: 1, offset: 4 };
  const object = file("objects/read.o", bpfObject(types("b"), [LOAD, EXIT], [[0, 2, "0:1", 0]], section));
  const plain = file("objects/plain.o", bpfObject(types("b"), [EXIT], [], section));
  const good = file("kernels/good.btf", types("b").bytes());
  const bad = file("kernels/worse.btf", types("c").bytes());
  const [objects, kernels] = [join(folder, "objects"), join(folder, "kernels")];

  test("a table, what breaks below it, exit 1; all of a folder and of a pattern", () => {
    const { code, out } = run(objects, "--target", kernels);
    expect(code).toBe(1);
    const lines = out.split("\n");
    expect(lines[0]!.split(/ +/)).toEqual(["object", "good", "worse"]);
    expect(lines[1]!.split(/ +/)).toEqual(["plain", "ok", "ok"]);
    expect(lines[2]!.split(/ +/)).toEqual(["read", "ok", "BREAKS"]);
    expect(lines.slice(4)).toEqual([
      object,
      "  breaks program insn 0 on worse",
      "    struct s has no member b in the target; renamed to c, which has the same type and offset?",
      "",
      "2 objects on 2 targets: 3 ok, 1 BREAKS",
      "",
    ]);
    expect(run(join(folder, "obj*/*.o"), "--target", join(folder, "kernels/*o?*.btf")).out).toBe(out);
    expect(run(objects, "--target", good).code).toBe(0);
    expect(run(objects, "--target", bad, "--color", "always").out).toContain("\x1b[31mBREAKS");
  });

  test("--json", () => {
    const { code, out } = run(object, "--target", good, bad, "--json");
    const matrix = JSON.parse(out) as Matrix;
    expect(code).toBe(1);
    expect([matrix.objects, matrix.targets]).toEqual([[object], [good, bad]]);
    expect(matrix.cells.map(({ object: o, target, verdict, error }) => [o, target, verdict, error])).toEqual([
      [object, good, "ok", null],
      [object, bad, "breaks", null],
    ]);
    expect(matrix.cells[1]!.relocations[0]).toMatchObject({
      program: "program",
      insn: 0,
      kind: "byte_off",
      status: "poisoned",
      verdict: "breaks",
    });
  });

  test("a table that is too wide is turned or folded, a fault on many kernels told once", () => {
    const many = Array.from({ length: 12 }, (_, i) => file(`many/kernel-${i}.btf`, types("c").bytes()));
    const { out } = run(objects, "--target", ...many);
    const lines = out.split("\n");
    expect(lines[0]!.split(/ +/)).toEqual(["target", "plain", "read"]);
    expect(lines[1]!.split(/ +/)).toEqual(["kernel-0", "ok", "BREAKS"]);
    expect(lines.slice(13)).toEqual([
      "",
      object,
      "  breaks program insn 0 on all 12",
      "    struct s has no member b in the target; renamed to c, which has the same type and offset?",
      "",
      "2 objects on 12 targets: 12 ok, 12 BREAKS",
      "",
    ]);
    const names = Array.from({ length: 12 }, (_, i) => file(`wide/object-${i}.o`, readFileSync(plain)));
    const folded = run(...names, "--target", ...many).out.split("\n");
    expect(folded.filter((line) => line.startsWith("object ")).length).toBe(2);
    expect(Math.max(...folded.map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(folded.filter((line) => line.startsWith("object-3 ")).flatMap((line) => line.match(/\bok\b/g)!).length).toBe(
      12,
    );
  });

  needing("clang-19")("guarded says what is out of reach, attachments and findings have their lines", () => {
    const kernel = compileSource("lines-kernel", "struct s { int a; } s; int f(int x) { return x; }");
    const source = `
      #define SEC(name) __attribute__((section(name), used))
      struct s { int a, b; } __attribute__((preserve_access_index));
      SEC("license") char _license[] = "GPL";
      SEC("kprobe/f") int guarded(struct s *s) {
        return __builtin_preserve_field_info(s->b, 2) ? __builtin_preserve_field_info(s->b, 0) : 0;
      }
      SEC("fentry/none") int lost(void *c) {
        return 0;
      }`;
    const made = compileSource("lines", source);
    const sarif = join(folder, "lines.sarif");
    const { out } = run(made, "--target", kernel, "--sarif", sarif);
    expect(out).toMatch(/guarded guarded insn \d+ +\S+:6:\d+\n +struct s has no member b .*; nothing leads to/);
    expect(out).toMatch(/breaks lost +\S+:9:\d*\n +fentry none is not in the target/);
    const { results } = (JSON.parse(readFileSync(sarif, "utf8")) as { runs: { results: SarifResult[] }[] }).runs[0]!;
    const { artifactLocation, region } = results[0]!.locations[0]!.physicalLocation;
    expect([artifactLocation.uriBaseId, region.startLine]).toEqual(["%SRCROOT%", 9]);
  });

  test("--sarif has one result a fault, with paths relative to the folders", () => {
    const line = { file: "/build/src/./lib/../probe.bpf.c", line: 3, column: 0, text: "" };
    const finding = { rule: "refused", severity: "breaks", subject: "p", errno: 0, reason: "no", line } as const;
    const cell = { verdict: "breaks", error: null, relocations: [], attachments: [], findings: [finding] } as const;
    const cells = ["a", "b"].map((target) => ({ object: "/ci/out/x.o", target, ...cell }));
    const log = sarif({ cells }, "0", { sourceRoot: "/build/src", folder: "/ci" }) as {
      runs: { results: SarifResult[]; originalUriBaseIds: unknown }[];
    };
    const [{ results, originalUriBaseIds }] = log.runs as [(typeof log.runs)[0]];
    expect(originalUriBaseIds).toEqual({ "%SRCROOT%": { uri: "file:///ci/" } });
    expect(results).toMatchObject([
      {
        message: { text: "out/x.o on a, b: p: no" },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: "probe.bpf.c", uriBaseId: "%SRCROOT%" },
              region: { startLine: 3 },
            },
          },
        ],
        properties: { object: "out/x.o", targets: ["a", "b"] },
      },
    ]);
    const outside = JSON.stringify(sarif({ cells }, "0", { sourceRoot: "/other" }));
    expect(outside).toContain('"uri":"file:///build/src/probe.bpf.c"');
  });

  test("--junit, --sarif, --markdown", () => {
    const [xml, sarif] = [join(folder, "report.xml"), join(folder, "report.sarif")];
    const { out } = run(objects, "--target", kernels, "--junit", xml, "--sarif", sarif, "--markdown");
    const text = readFileSync(xml, "utf8");
    expect(text).toMatch(
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites tests="4" failures="1" time="\d+\.\d{3}">/,
    );
    expect(text.match(/<testcase [^>]* time="\d+\.\d{3}"/g)!.length).toBe(4);
    expect(text.match(/<testsuite /g)!.length).toBe(2);
    expect(text).toMatch(/<failure message="program insn 0: struct s has no member b in the target;/);
    const log = JSON.parse(readFileSync(sarif, "utf8")) as {
      version: string;
      runs: { results: { ruleId: string; level: string }[] }[];
    };
    expect([log.version, log.runs[0]!.results.map(({ ruleId, level }) => [ruleId, level])]).toEqual([
      "2.1.0",
      [["relocation", "error"]],
    ]);
    expect(out.split("\n")[1]).toBe("| --- | --- | --- |");
    expect(out).toMatch(/\| ✅ \| ❌ breaks \|/);
  });

  test("--expect fails for what became worse alone", () => {
    const before = join(folder, "before.json");
    expect(run(objects, "--target", kernels, "--json", "-o", before).code).toBe(1);
    expect(run(objects, "--target", kernels, "--expect", before).code).toBe(0);
    const matrix = JSON.parse(readFileSync(before, "utf8")) as {
      cells: (Omit<Cell, "verdict"> & { verdict: string })[];
    };
    for (const cell of matrix.cells) cell.verdict = "ok";
    writeFileSync(before, JSON.stringify(matrix));
    const { code, error } = run(objects, "--target", kernels, "--expect", before);
    expect([code, error]).toEqual([1, `btfkit: ${object} on ${bad}: breaks, which was not expected\n`]);
  });

  test("--shard: the parts make the whole", () => {
    const whole = (JSON.parse(run(objects, "--target", kernels, "--json").out) as Matrix).cells;
    const parts = [1, 2, 3].flatMap(
      (i) => (JSON.parse(run(objects, "--target", kernels, "--json", "--shard", `${i}/3`).out) as Matrix).cells,
    );
    expect(parts).toEqual(whole);
  });

  test("--jobs: threads change nothing in the result", () => {
    const one = run(objects, "--target", kernels, "--json", "--jobs", "1");
    expect(run(objects, "--target", kernels, "--json", "--jobs", "2")).toEqual(one);
    expect(run(objects, "--target", kernels, "--json", "--jobs", "9", "--shard", "1/1")).toEqual(one);
    // The first target in order that cannot be opened, whichever thread meets it.
    const wrong = ["--target", good, join(folder, "none.btf"), bad, "package.json", "-o", join(folder, "never.json")];
    const refused = run(objects, ...wrong, "--jobs", "4");
    expect(refused).toEqual({
      code: 3,
      out: "",
      error: expect.stringMatching(/^btfkit: .*none\.btf: no such file\n$/),
    });
    expect(existsSync(join(folder, "never.json"))).toBe(false);
  });

  for (const [name, args] of [
    ["bun", []],
    ["deno", ["run", "--allow-all"]],
  ] as const) {
    needing(name)(`--jobs: threads of ${name}`, () => {
      const { out } = run(objects, "--target", kernels, "--json");
      const command = [...args, "dist/cli/btfkit.cjs", "check", objects, "--target", kernels, "--json", "--jobs", "2"];
      const { status, stdout, stderr } = spawnSync(runtime(name), command);
      expect([status, stdout.toString(), stderr.toString()]).toEqual([1, out, ""]);
    });
  }

  test("--progress: where standard error is no terminal too", () => {
    const { error } = run(objects, "--target", kernels, "--progress");
    expect(error).toBe("2 of 4 checks\n4 of 4 checks\n");
    expect(run(objects, "--target", kernels, "--progress", "--quiet").error).toBe("");
  });

  needing("clang-19")("--rodata and --kconfig", () => {
    const source = `
struct s { int a, b, gone; } __attribute__((preserve_access_index));
const volatile int old = 0;
extern int LINUX_KERNEL_VERSION __attribute__((section(".kconfig")));
extern int CONFIG_HZ __attribute__((section(".kconfig")));
__attribute__((section("socket"), used)) int program(struct s *from)
{ return (CONDITION) ? from->gone : 0; }`;
    const of = (condition: string): string =>
      compileSource(`settings-${condition.length}`, source.replace("CONDITION", condition));
    const config = file(
      "config",
      "#\n# Linux/x86 6.1.0 Kernel Configuration\n#\nCONFIG_HZ=250\n# CONFIG_A is not set\n",
    );
    const codes = (path: string, ...args: string[]): (number | null)[] => [
      run(path, "--target", good).code,
      run(path, "--target", good, ...args).code,
    ];
    expect(codes(of("old"), "--rodata", "initial")).toEqual([1, 0]);
    expect(codes(of("LINUX_KERNEL_VERSION < 0x60000"), "--kconfig", config)).toEqual([1, 0]);
    expect(codes(of("CONFIG_HZ == 1000"), "--kconfig", config, "--jobs", "2")).toEqual([1, 0]);
    expect(codes(of("CONFIG_HZ == 250"), "--kconfig", config)).toEqual([1, 1]);
    expect(run(plain, "--target", good, "--kconfig", good)).toMatchObject({ code: 3, out: "" });
    expect(run(plain, "--target", kernels, "--kconfig", config)).toMatchObject({ code: 2, out: "" });
  });

  test("compressed targets, of a folder", () => {
    file("packed/good.btf.gz", gzipSync(types("b").bytes()));
    expect(run(objects, "--target", join(folder, "packed"))).toMatchObject({ code: 0, error: "" });
  });

  test("wrong input", () => {
    const cases: [string[], number, RegExp][] = [
      [[bad, "--target", good], 3, /worse\.btf: not a BPF object/],
      [[object, "--target", "package.json"], 3, /package\.json: not BTF/],
      [[join(folder, "none*.o"), "--target", good], 3, /none\*\.o: no such file/],
      [[object, "--target", good, "--shard", "4/3"], 2, /shard.*i\/n/],
      [[object, "--target", good, "--jobs", "0"], 2, /jobs.*a number from 1/],
      [[object, "--target", good, "--expect", "package.json"], 3, /package\.json: not what check --json writes/],
      [[object, "--target", good, bad, "-m", good], 2, /--module belongs to one kernel/],
    ];
    for (const [args, code, text] of cases) {
      expect(run(...args)).toEqual({ code, out: "", error: expect.stringMatching(text) });
    }
  });

  needing("the corpus in ../shared")("all shared objects on three kernels, in one thread and in two", () => {
    const targets = ["6.12-amd64", "6.1-cloud-amd64", "6.1-i386"].map((name) => corpusPath(`vmlinux/${name}.btf.gz`));
    const args = [corpusPath("objects/lt026-*.o"), "--json", "--target", ...targets, "--jobs"];
    const { out } = run(...args, "1");
    expect(run(...args, "2").out === out).toBe(true);
    const { cells } = JSON.parse(out) as Matrix;
    expect(cells.length).toBe(156);
    expect(cells.every(({ error }) => error === null)).toBe(true);
  });
});
