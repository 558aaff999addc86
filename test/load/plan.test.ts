// Plans of objects: what libbpf hands to bpf(2), recorded for the corpus on a
// kernel that grants everything; what it refuses; what users may set; damage.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Btf, BtfError } from "btfkit";
import { type BpfObject, readObject } from "btfkit/bpf";
import { KERNEL_FEATURES, type LoadTarget, type PlanOptions, planJson, planObject } from "btfkit/load";
import { describe, expect, test } from "vitest";
import { corpusPath, needing } from "../support/needs.js";
import { compileSource, corpusObject } from "../support/objects.js";
import { seeded } from "../support/random.js";

const GOLDEN = corpusPath("golden/plan");
const names = existsSync(GOLDEN)
  ? readdirSync(GOLDEN)
      .filter((file) => file.endsWith(".json.gz"))
      .map((file) => file.slice(0, -".json.gz".length))
  : ["plan"];

const json = (path: string): Record<string, unknown> => JSON.parse(gunzipSync(readFileSync(path)).toString());

let kernel: LoadTarget | undefined;
function corpusKernel(): LoadTarget {
  kernel ??= {
    vmlinux: Btf.parse(gunzipSync(readFileSync(corpusPath("vmlinux/6.12-amd64.btf.gz")))),
    release: "6.12.95",
    kconfig: gunzipSync(readFileSync(`${GOLDEN}/config-6.12.gz`)).toString(),
    kallsyms: new Map(),
    cpus: 2,
  };
  return kernel;
}

describe("libbpf's plan on 6.12", () => {
  for (const name of names) {
    needing("the corpus in ../shared")(name, () => {
      const { object: _object, kernel: _kernel, messages: _messages, ...expected } = json(`${GOLDEN}/${name}.json.gz`);
      const plan = planObject(corpusObject(`${name}.bpf.o`), corpusKernel(), { name });
      const { version, messages, ...actual } = planJson(plan);
      expect(version).toBe(1);
      expect(messages.length).toBe(expected["err"] === 0 ? 0 : 1);
      expect(actual).toEqual(expected);
    });
  }
});

const SOURCE = `
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int (*name)[value]
#define __type(name, type) typeof(type) *name
#define __array(name, type) typeof(type) *name[]
typedef unsigned int u32; typedef unsigned long long u64;
struct inner { __uint(type, 2); __uint(max_entries, 4); __type(key, u32); __type(value, u64); } first SEC(".maps"), second SEC(".maps");
struct { __uint(type, 12); __uint(max_entries, 3); __type(key, u32); __array(values, struct inner); } outer SEC(".maps") = {
  .values = { [0] = (void *)&first, [2] = (void *)&second } };
SEC("socket") int leaf(void *ctx);
struct { __uint(type, 3); __uint(max_entries, 2); __uint(key_size, 4); __array(values, int(void *)); } calls SEC(".maps") = {
  .values = { [1] = (void *)&leaf } };
struct { __uint(type, 27); __uint(max_entries, 5000); } ring SEC(".maps");
struct { __uint(type, 4); __uint(key_size, 4); __uint(value_size, 4); } events SEC(".maps");
const volatile int limit = 7; const volatile char text[8] = "none"; int count; static int hidden = 3; u64 custom SEC(".data.custom") = 9;
extern int LINUX_KERNEL_VERSION SEC(".kconfig"); extern _Bool CONFIG_BPF SEC(".kconfig") __attribute__((weak));
extern const int absent SEC(".ksyms") __attribute__((weak));
static void *(*lookup)(void *, const void *) = (void *)1;
static long (*probe_read_kernel)(void *, u32, const void *) = (void *)113;
static __attribute__((noinline)) int twice(int x) { return x * 2 + hidden; }
__attribute__((noinline)) int sum(int x) { u64 v = 0; probe_read_kernel(&v, 8, 0); return twice(x) + count + v; }
SEC("socket") int leaf(void *ctx) { u32 key = 0; return !!lookup(&outer, &key) + !!lookup(&calls, &key) + sum(limit) + custom; }
SEC("?xdp.frags") int other(void *ctx) { return twice(LINUX_KERNEL_VERSION) + (int)(long)&absent + text[0] + CONFIG_BPF; }
char _license[] SEC("license") = "GPL";`;

const plain: LoadTarget = {
  vmlinux: undefined,
  release: "6.1.0-50-cloud-amd64",
  cpus: 3,
  kconfig: "CONFIG_BPF=y\n",
  kallsyms: new Map(),
};
const target = (): LoadTarget => ({
  ...plain,
  vmlinux: Btf.parse(gunzipSync(readFileSync("test/data/vmlinux-6.1-cloud-amd64.btf.gz"))),
});
const compiled = (): BpfObject => readObject(readFileSync(compileSource("plan", SOURCE)));

function planned(object: BpfObject, to: LoadTarget, options: PlanOptions = {}) {
  const plan = planObject(object, to, options);
  if (plan.error) throw plan.error;
  return plan;
}

describe("an object of all that maps and programs have", () => {
  needing("clang-19")("maps in the order of their creation, inner ones before those that hold them", () => {
    const { maps } = planned(compiled(), target(), { name: "plan" });
    expect(maps.map(({ name }) => name)).toEqual([
      "first",
      "second",
      "outer.inner",
      "outer",
      "calls",
      "ring",
      "events",
      "plan.rodata",
      ".data.custom",
      "plan.bss",
      "plan.kconfig",
    ]);
    const map = (name: string) => maps.find((one) => one.fullName === name)!;
    expect(map("outer").inner).toBe(maps.findIndex(({ name }) => name === "outer.inner"));
    expect(map("outer").slots[0]).toBe(maps.findIndex(({ name }) => name === "first"));
    expect(map("outer").slots[2]).toBe(maps.findIndex(({ name }) => name === "second"));
    expect(map("calls").slots).toEqual([undefined, "leaf"]);
    expect(map("ring").maxEntries).toBe(8192);
    expect(map("events")).toMatchObject({ maxEntries: 3, hasBtf: false });
    expect(map(".data.custom")).toMatchObject({ name: ".data.custom", isFrozen: false, flags: 0x400 });
    expect(map(".rodata")).toMatchObject({ isFrozen: true, flags: 0x480 });
    const settings = map(".kconfig").initial[0]!.value;
    expect(new DataView(settings.buffer, settings.byteOffset).getUint32(0, true)).toBe(0x060100);
    expect(settings[4]).toBe(1);
  });

  needing("clang-19")("subprograms once, behind the program that calls them", () => {
    const { programs, opened } = planned(compiled(), target());
    expect(opened).toEqual([
      { name: "leaf", section: "socket", autoload: true },
      { name: "other", section: "xdp.frags", autoload: false },
    ]);
    expect(programs.map(({ name, type, license }) => [name, type, license])).toEqual([["leaf", 1, "GPL"]]);
    const [leaf] = programs;
    const starts = leaf!.funcInfo!.bytes;
    const view = new DataView(starts.buffer);
    expect(starts.length / 8).toBe(3);
    expect([0, 8, 16].map((at) => view.getUint32(at, true))[0]).toBe(0);
    const both = planned(compiled(), target(), { autoload: { leaf: false, other: true } }).programs;
    expect(both.map(({ name, type, flags, expectedAttachType }) => [name, type, flags, expectedAttachType])).toEqual([
      ["other", 6, 0x20, 37],
    ]);
  });

  needing("clang-19")("globals by name", () => {
    const globals = { limit: 42, text: "hello", count: -1, custom: 2n ** 63n };
    const { maps } = planned(compiled(), target(), { globals });
    const bytes = (section: string) => maps.find(({ fullName }) => fullName === section)!.initial[0]!.value;
    const rodata = Buffer.from(bytes(".rodata"));
    expect(rodata.includes(Buffer.from("hello\0\0\0"))).toBe(true);
    expect(rodata.includes(Buffer.from([42, 0, 0, 0]))).toBe(true);
    expect(Buffer.from(bytes(".data.custom")).toString("hex")).toBe("0000000000000080");
    for (const [wrong, message] of [
      [{ nothing: 1 }, /no global variable "nothing"; it has .*limit/],
      [{ limit: 2 ** 33 }, /too few for 8589934592/],
      [{ limit: 1.5 }, /cannot be 1.5/],
      [{ limit: "x" }, /a text fits an array of char/],
      [{ text: "12345678" }, /8 bytes, too few for a text of 8/],
      [{ text: 1 }, /give it as bytes/],
      [{ limit: new Uint8Array(3) }, /4 bytes, the value 3/],
    ] as const) {
      expect(() => planObject(compiled(), target(), { globals: wrong as never })).toThrow(message);
    }
  });

  needing("clang-19")("changes of maps by name", () => {
    const { maps } = planned(compiled(), target(), {
      maps: { first: { maxEntries: 9, flags: 1, pin: "/sys/fs/bpf/x" }, events: { autocreate: false } },
    });
    expect(maps.find(({ name }) => name === "first")).toMatchObject({ maxEntries: 9, flags: 1, pin: "/sys/fs/bpf/x" });
    expect(maps.some(({ name }) => name === "events")).toBe(false);
    expect(() => planObject(compiled(), target(), { maps: { none: {} } })).toThrow(/no map "none"; it has first/);
    expect(() => planObject(compiled(), target(), { maps: { first: { maxEntries: -1 } } })).toThrow(/cannot be -1/);
    expect(() => planObject(compiled(), target(), { autoload: { none: true } })).toThrow(
      /no program "none"; it has leaf/,
    );
  });

  needing("clang-19")("a map that is not created is poison where a program uses it", () => {
    const { programs } = planned(compiled(), target(), { maps: { outer: { autocreate: false } } });
    const view = new DataView(programs[0]!.insns.buffer);
    const calls = Array.from({ length: programs[0]!.insns.length / 8 }, (_, i) => view.getInt32(i * 8 + 4, true));
    expect(calls.filter((imm) => imm === 2001000002).length).toBe(2);
  });

  needing("clang-19")("an older kernel: names, mappable arrays, helpers, global data", () => {
    const { maps, programs, btf } = planned(compiled(), {
      ...target(),
      lacks: ["prog_name", "array_mmap", "probe_read_kern", "btf_func"],
    });
    expect(new Set(maps.map(({ name }) => name))).toEqual(new Set([""]));
    expect(maps.some(({ flags }) => flags & 0x400)).toBe(false);
    expect(programs[0]).toMatchObject({ name: "", funcInfo: undefined, hasBtf: false });
    const view = new DataView(programs[0]!.insns.buffer);
    const calls = Array.from({ length: programs[0]!.insns.length / 8 }, (_, i) => i * 8)
      .filter((at) => view.getUint8(at) === 0x85 && view.getUint8(at + 1) === 0)
      .map((at) => view.getInt32(at + 4, true));
    expect(calls).toContain(4);
    expect(calls).not.toContain(113);
    expect([...Btf.parse(btf!).ofKind("func")]).toEqual([]);
    expect(planned(compiled(), { ...target(), lacks: ["btf"] }).btf).toBeUndefined();
    expect(planned(compiled(), { ...target(), lacks: ["global_data"] }).maps.map(({ origin }) => origin)).not.toContain(
      "data",
    );
  });
});

const HEAD = `#define SEC(name) __attribute__((section(name), used))\n#define __uint(name, value) int (*name)[value]\n`;
describe("a program that replaces a function of another one", () => {
  const source = `${HEAD}SEC("freplace/sum") int other_sum(int x) { return x; }
    SEC("?fentry/leaf") int before(void *ctx) { return 0; }`;
  const replacement = (options?: PlanOptions) =>
    planObject(readObject(readFileSync(compileSource("replacement", source))), plain, options);

  needing("clang-19")("has the function's id in the BTF of that program", () => {
    const program = { btf: compiled().btf };
    const plan = replacement({
      attachTo: { other_sum: { program }, before: { program, function: "sum" } },
      autoload: { before: true },
    });
    expect(plan.error).toBeUndefined();
    const { id } = program.btf.require("sum", "func");
    expect(plan.programs.map((one) => one.attachBtfId)).toEqual([id, id]);
    expect(plan.programs.every((one) => one.attachProgram === program)).toBe(true);
  });

  needing("clang-19")("is refused without that program, its BTF, or the function", () => {
    const program = { btf: compiled().btf };
    expect(replacement().error).toMatchObject({ errnoName: "EINVAL", message: expect.stringContaining("attachTo") });
    expect(replacement({ attachTo: { other_sum: { program: { btf: undefined } } } }).error).toMatchObject({
      errnoName: "EINVAL",
      message: expect.stringContaining("has no BTF"),
    });
    expect(replacement({ attachTo: { other_sum: { program, function: "none" } } }).error).toMatchObject({
      errnoName: "ENOENT",
      message: expect.stringContaining('no function "none"'),
    });
  });
});

const refusals: readonly (readonly [what: string, source: string, errno: string, message: RegExp])[] = [
  [
    "a static map",
    `static struct { __uint(type, 1); } m SEC(".maps"); SEC("socket") int p(void *c) { return (long)&m; }`,
    "EOPNOTSUPP",
    /"m" is static or hidden/,
  ],
  [
    "a hidden map",
    `struct { __uint(type, 1); } m SEC(".maps") __attribute__((visibility("hidden"))); SEC("socket") int p(void *c) { return (long)&m; }`,
    "EOPNOTSUPP",
    /"m" is static or hidden/,
  ],
  [
    "an unknown field",
    `struct { __uint(type, 1); __uint(colour, 3); } m SEC(".maps");`,
    "EOPNOTSUPP",
    /unknown field "colour"/,
  ],
  ["a map without a type", `struct { __uint(max_entries, 1); } m SEC(".maps");`, "EINVAL", /"m": it has no type/],
  [
    "two sizes of a key",
    `struct { __uint(type, 1); __uint(key_size, 4); long *key; } m SEC(".maps");`,
    "EINVAL",
    /4 bytes in one place and 8 in another/,
  ],
  ["legacy maps", `struct { int type; } m SEC("maps") = { 1 };`, "EOPNOTSUPP", /define them in "\.maps"/],
  [
    "an extern that nothing defines",
    `extern int elsewhere(void); SEC("socket") int p(void *c) { return elsewhere(); }`,
    "ENOENT",
    /"elsewhere" stands in no section/,
  ],
  ["a section name that says nothing", `SEC("mine") int p(void *c) { return 0; }`, "EINVAL", /section name "mine"/],
  [
    "a static program",
    `SEC("socket") static int p(void *c) { return 0; }`,
    "EOPNOTSUPP",
    /"p" in section socket is static/,
  ],
  [
    "a strong setting that is not set",
    `extern int CONFIG_NONE SEC(".kconfig"); SEC("socket") int p(void *c) { return CONFIG_NONE; }`,
    "ESRCH",
    /does not set "CONFIG_NONE"/,
  ],
  [
    "a setting that does not fit",
    `extern int CONFIG_BPF SEC(".kconfig"); SEC("socket") int p(void *c) { return CONFIG_BPF; }`,
    "EINVAL",
    /"CONFIG_BPF": "y" fits/,
  ],
  [
    "a setting that loaders do not know",
    `extern int LINUX_HAS_LUCK SEC(".kconfig"); SEC("socket") int p(void *c) { return LINUX_HAS_LUCK; }`,
    "EINVAL",
    /"LINUX_HAS_LUCK"/,
  ],
  [
    "a kernel symbol that is absent",
    `extern const void nothing SEC(".ksyms"); SEC("socket") int p(void *c) { return (long)&nothing; }`,
    "ESRCH",
    /does not have "nothing"/,
  ],
  [
    "a kfunc that is absent",
    `extern int nothing(void) SEC(".ksyms"); SEC("socket") int p(void *c) { return nothing(); }`,
    "EINVAL",
    /no function "nothing"/,
  ],
  [
    "a struct_ops program that nothing refers to",
    `SEC("struct_ops/run") int run(void *c) { return 0; }`,
    "EINVAL",
    /no struct_ops map refers to it/,
  ],
  [
    "what it attaches to is absent",
    `SEC("fentry/no_such_function") int p(void *c) { return 0; }`,
    "ESRCH",
    /no func "no_such_function"/,
  ],
  ["nothing to attach to", `SEC("fentry") int p(void *c) { return 0; }`, "EINVAL", /nothing says what it attaches to/],
];

describe("what libbpf refuses", () => {
  for (const [what, source, errno, message] of refusals) {
    needing("clang-19")(what, () => {
      const { error } = planObject(readObject(readFileSync(compileSource("refused", HEAD + source))), target());
      expect(error?.errnoName).toBe(errno);
      expect(error?.message).toMatch(message);
    });
  }

  needing("clang-19")("an object of the other byte order", () => {
    const object = readObject(
      readFileSync(compileSource("big", `${HEAD}SEC("socket") int p(void *c) { return 0; }`, "bpfeb")),
    );
    expect(planObject(object, target()).error).toMatchObject({ errno: 4003, errnoName: "ENDIAN", stage: "load" });
  });

  test("a kernel that is none", () => {
    const object = {} as BpfObject;
    expect(() => planObject(object, { ...plain, release: "new" })).toThrow(/"new" is not a kernel release/);
    expect(() => planObject(object, { ...plain, cpus: 0 })).toThrow(/0 is not a number of CPUs/);
    expect(() => planObject(object, { ...plain, lacks: ["luck" as never] })).toThrow(/"luck" is not a feature/);
  });
});

describe("damaged objects", () => {
  for (const section of [".BTF", ".BTF.ext", ".maps", ".symtab", ".rel.maps", ".relsocket", ".text", "socket"]) {
    needing("clang-19")(`${section} are planned or refused`, () => {
      const random = seeded(`plan ${section}`);
      const bytes = new Uint8Array(readFileSync(compileSource("plan", SOURCE)));
      const place = readObject(bytes).section(section)!;
      const to = target();
      const lacks = KERNEL_FEATURES.filter(() => random(2) === 0);
      for (let i = 0; i < 150; i++) {
        const copy = new Uint8Array(bytes);
        for (let n = 1 + random(4); n > 0; n--)
          copy[place.offset + random(place.byteSize)] = random(3) ? random(256) : random(8);
        try {
          const object = readObject(copy);
          planJson(planObject(object, to));
          planJson(planObject(object, { ...to, lacks }, { autoload: { other: true }, globals: { count: 1 } }));
        } catch (error) {
          if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
        }
      }
    });
  }
});
