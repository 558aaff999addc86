// An object as a whole: what libbpf refuses on any kernel, byte order, settings,
// features that a kernel lacks, calls of kernel functions that it lacks. The
// errnos are those of libbpf 1.8's bpf_object__open and bpf_object__load.
import { execFileSync } from "node:child_process";
import { Btf } from "btfkit";
import { type BpfObject, check, type EngineName, requirementsOf } from "btfkit/bpf";
import { openFile } from "btfkit/node";
import { describe, expect } from "vitest";
import { Image } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { compileSource, openObject } from "../support/objects.js";

const HEAD = `
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, val) int (*name)[val]
#define __type(name, val) typeof(val) *name
#define __ksym __attribute__((section(".ksyms")))
#define __kconfig __attribute__((section(".kconfig")))
#define __weak __attribute__((weak))
typedef unsigned int u32;
typedef unsigned long u64;
static void *(*lookup)(void *map, const void *key) = (void *)1;
char _license[] SEC("license") = "GPL";
`;

const USE = (map: string): string => `
SEC("xdp") int program(void *ctx) { u32 key = 0; return lookup(&${map}, &key) != 0; }`;

const PLAIN_MAP = "{ __uint(type, 2); __uint(max_entries, 1); __type(key, u32); __type(value, u64); }";

let count = 0;

function compiled(source: string, target: "bpfel" | "bpfeb" = "bpfel"): BpfObject {
  return openObject(compileSource(`finding${++count}`, HEAD + source, target));
}

/** A kernel with one function, so that its BTF counts as whole. */
function kernel(fill: (image: Image) => void = () => undefined, options = {}): Btf {
  const image = new Image(options);
  image.int("int", 4, 1);
  image.func("some_function", image.proto(1));
  fill(image);
  return Btf.parse(image.bytes());
}

interface Case {
  readonly source: string;
  /** 0 where libbpf loads it. */
  readonly errno: number;
  readonly reason?: RegExp;
  /** Engines that refuse it too. */
  readonly others?: readonly EngineName[];
}

const CASES: Readonly<Record<string, Case>> = {
  "a plain map": { source: `struct ${PLAIN_MAP} m SEC(".maps");${USE("m")}`, errno: 0 },
  "a static map": {
    source: `static struct ${PLAIN_MAP} m SEC(".maps");${USE("m")}`,
    errno: 95,
    reason: /map "m" is static or hidden/,
    others: ["cilium"],
  },
  "a hidden map": {
    source: `__attribute__((visibility("hidden"))) struct ${PLAIN_MAP} m SEC(".maps");${USE("m")}`,
    errno: 95,
    reason: /map "m" is static or hidden/,
  },
  "a map in the section maps": {
    source: `struct { u32 type, key, value, entries, flags; } m SEC("maps") = { 2, 4, 8, 1, 0 };${USE("m")}`,
    errno: 95,
    reason: /section "maps"/,
  },
  "an unknown field of a map": {
    source: `struct { __uint(type, 2); __uint(max_entries, 1); __type(key, u32); __type(value, u64); __uint(colour, 3); } m SEC(".maps");${USE("m")}`,
    errno: 95,
    reason: /unknown field "colour"/,
    others: ["cilium"],
  },
  "a map without a type": {
    source: `struct { __uint(max_entries, 1); __type(key, u32); __type(value, u64); } m SEC(".maps");${USE("m")}`,
    errno: 22,
    reason: /it has no type/,
  },
  "a map without entries": {
    source: `struct { __uint(type, 1); __type(key, u32); __type(value, u64); } m SEC(".maps");${USE("m")}`,
    errno: 22,
    reason: /a map of type hash needs max_entries/,
    others: ["cilium", "aya"],
  },
  "a function that nobody links": {
    source: `int elsewhere(void *); SEC("xdp") int program(void *ctx) { return elsewhere(ctx); }`,
    errno: 2,
    reason: /elsewhere/,
    others: ["cilium", "aya"],
  },
  "an unknown section name": {
    source: `SEC("my_handler") int program(void *ctx) { return 0; }`,
    errno: 22,
    reason: /my_handler/,
    others: ["cilium", "aya"],
  },
  "an unknown section name of a program that is not loaded": {
    source: `SEC("?my_handler") int program(void *ctx) { return 0; }`,
    errno: 0,
    others: ["cilium", "aya"],
  },
  "a static program": {
    source: `SEC("xdp") static int program(void *ctx) { return 0; }`,
    errno: 95,
    reason: /static/,
  },
  "a struct_ops program that nothing refers to": {
    source: `SEC("struct_ops/f") int program(void *ctx) { return 0; }`,
    errno: 22,
    reason: /no struct_ops map refers to it/,
    others: ["aya"],
  },
  "a tracing program without a target": {
    source: `SEC("fentry") int program(void *ctx) { return 0; }`,
    errno: 22,
    reason: /nothing says what it attaches to/,
  },
  "a setting of no known name": {
    source: `extern int LINUX_HAS_WINGS __kconfig; SEC("xdp") int program(void *ctx) { return LINUX_HAS_WINGS; }`,
    errno: 22,
    reason: /LINUX_HAS_WINGS/,
  },
  "a weak setting of no known name": {
    source: `extern int LINUX_HAS_WINGS __kconfig __weak; SEC("xdp") int program(void *ctx) { return LINUX_HAS_WINGS; }`,
    errno: 0,
  },
};

describe("what libbpf refuses on any kernel", () => {
  for (const [name, { source, errno, reason, others = [] }] of Object.entries(CASES)) {
    needing("clang-19")(name, () => {
      const object = compiled(source);
      const { verdict, findings } = check(object, kernel());
      expect([verdict === "breaks", findings.map((finding) => finding.errno)]).toEqual([
        errno !== 0,
        errno === 0 ? [] : [errno],
      ]);
      if (reason) expect(findings[0]!.reason).toMatch(reason);
      for (const engine of ["cilium", "aya"] as const) {
        expect([engine, check(object, kernel(), { engine }).verdict === "breaks"]).toEqual([
          engine,
          others.includes(engine),
        ]);
      }
    });
  }

  needing("clang-19", "llvm-objcopy-19")("maps without BTF", () => {
    const path = compileSource("no-btf", `${HEAD}struct ${PLAIN_MAP} m SEC(".maps");${USE("m")}`);
    execFileSync("llvm-objcopy-19", ["--remove-section=.BTF", "--remove-section=.BTF.ext", path]);
    expect(check(openObject(path), kernel()).findings.map(({ errno }) => errno)).toEqual([2]);
    for (const engine of ["cilium", "aya"] as const)
      expect(check(openObject(path), kernel(), { engine }).findings[0]?.reason).toMatch(/compile with -g/);
  });
});

describe("byte order", () => {
  for (const engine of ["libbpf", "cilium", "aya"] as const) {
    needing("clang-19")(engine, () => {
      const program = `SEC("xdp") int program(void *ctx) { return 0; }`;
      const big = kernel(undefined, { endian: "big" });
      const { verdict, findings } = check(compiled(program), big, { engine });
      expect([verdict, findings[0]?.rule, findings[0]?.errno]).toEqual(["breaks", "byte-order", 4003]);
      expect(check(compiled(program, "bpfeb"), big, { engine }).verdict).toBe("ok");
      expect(check(compiled(program, "bpfeb"), kernel(), { engine }).verdict).toBe("breaks");
    });
  }
});

describe("settings", () => {
  const config = "# Linux/x86 6.12.95 Kernel Configuration\nCONFIG_HZ=250\nCONFIG_BPF=y\nCONFIG_MODULE=m\n";
  const errnoOf = (declaration: string, name: string): number => {
    const source = `${declaration} SEC("xdp") int program(void *ctx) { return *(volatile char *)&${name}; }`;
    const { verdict, findings } = check(compiled(source), kernel(), { kconfig: config });
    expect(verdict === "breaks").toBe(findings.length > 0);
    return findings[0]?.errno ?? 0;
  };
  needing("clang-19")("are there, and fit their types, as libbpf has it", () => {
    expect(errnoOf("extern int CONFIG_HZ __kconfig;", "CONFIG_HZ")).toBe(0);
    expect(errnoOf("extern _Bool CONFIG_BPF __kconfig;", "CONFIG_BPF")).toBe(0);
    expect(errnoOf("extern int CONFIG_NO __kconfig;", "CONFIG_NO")).toBe(3);
    expect(errnoOf("extern int CONFIG_NO __kconfig __weak;", "CONFIG_NO")).toBe(0);
    expect(errnoOf("extern _Bool CONFIG_HZ __kconfig;", "CONFIG_HZ")).toBe(22);
    expect(errnoOf("extern _Bool CONFIG_MODULE __kconfig;", "CONFIG_MODULE")).toBe(22);
    expect(errnoOf("extern int CONFIG_BPF __kconfig;", "CONFIG_BPF")).toBe(22);
    expect(errnoOf("extern short LINUX_KERNEL_VERSION __kconfig;", "LINUX_KERNEL_VERSION")).toBe(34);
  });
});

describe("kernel functions that a kernel lacks", () => {
  const declared = "extern int some_function(void) __ksym __weak; extern int missing(void) __ksym __weak;";
  const verdictOf = (body: string): string =>
    check(compiled(`${declared} SEC("tc") int program(void *ctx) { ${body} }`), kernel()).verdict;
  needing("clang-19")("may be called behind a guard alone", () => {
    expect(verdictOf("return some_function();")).toBe("ok");
    expect(verdictOf("return missing();")).toBe("breaks");
    expect(verdictOf("return missing ? missing() : 0;")).toBe("ok");
    expect(verdictOf("return missing ? 0 : missing();")).toBe("breaks");
    // The address of what the kernel has is never null.
    expect(verdictOf("return some_function ? 0 : missing();")).toBe("ok");
    expect(verdictOf("return some_function && missing ? missing() : 0;")).toBe("ok");
  });
});

describe("features", () => {
  const enums = (image: Image): void => {
    const list = (name: string, values: readonly [string, number][]): void => {
      image.enumeration(name, values);
    };
    list("bpf_func_id", [
      ["BPF_FUNC_unspec", 0],
      ["BPF_FUNC_map_lookup_elem", 1],
      ["__BPF_FUNC_MAX_ID", 2],
    ]);
    list("bpf_map_type", [
      ["BPF_MAP_TYPE_UNSPEC", 0],
      ["BPF_MAP_TYPE_HASH", 1],
    ]);
    list("bpf_prog_type", [
      ["BPF_PROG_TYPE_UNSPEC", 0],
      ["BPF_PROG_TYPE_SOCKET_FILTER", 1],
      ["BPF_PROG_TYPE_SCHED_CLS", 3],
    ]);
    list("bpf_attach_type", [["BPF_CGROUP_INET_INGRESS", 0]]);
  };
  const rulesOf = (source: string): string[] => check(compiled(source), kernel(enums)).findings.map(({ rule }) => rule);

  needing("clang-19")("are those of the target's enums", () => {
    const call = (number: number): string => `static long (*f)(void) = (void *)${number};`;
    const program = `SEC("socket") int program(void *ctx) { return f(); }`;
    expect(rulesOf(`SEC("socket") int program(void *ctx) { return 0; }`)).toEqual([]);
    expect(rulesOf(call(999) + program)).toEqual(["helper"]);
    expect(rulesOf(call(2) + program)).toEqual(["helper"]);
    // libbpf calls probe_read in place of probe_read_kernel.
    expect(rulesOf(call(113) + program)).toEqual([]);
    expect(rulesOf(`${call(999)} SEC("socket") int program(void *ctx) { return 0 && f(); }`)).toEqual([]);
    expect(rulesOf(`struct ${PLAIN_MAP} m SEC(".maps"); SEC("socket") int program(void *c) { return 0; }`)).toEqual([
      "map-type",
    ]);
    expect(rulesOf(`SEC("xdp") int program(void *ctx) { return 0; }`)).toEqual(["program-type"]);
    expect(rulesOf(`SEC("tcx/ingress") int program(void *ctx) { return 0; }`)).toEqual(["attach-type"]);
    expect(rulesOf(`SEC("?xdp") int program(void *ctx) { return 0; }`)).toEqual([]);
  });

  needing("clang-19")("that an object needs, and the release that has them all", () => {
    const object = compiled(`
static void *(*reserve)(void *ring, u64 size, u64 flags) = (void *)131;
struct { __uint(type, 27); __uint(max_entries, 4096); } ring SEC(".maps");
SEC("xdp") int program(void *ctx) { return reserve(&ring, 8, 0) != 0; }`);
    const { since, items } = requirementsOf(object);
    expect(since).toBe("5.8");
    expect(items.map(({ kind, name, since: release }) => [kind, name, release])).toEqual([
      ["helper", "ringbuf_reserve", "5.8"],
      ["map type", "ringbuf", "5.8"],
      ["program type", "xdp", "4.8"],
    ]);
  });

  for (const [name, release] of [
    ["6.1-cloud-amd64", [6, 1]],
    ["6.12-amd64", [6, 12]],
  ] as const) {
    needing("the corpus in ../shared")(`the table of releases agrees with ${name}`, async () => {
      const { HELPERS, HELPER_RELEASES } = await import("../../src/bpf/check/requirements/tables.js");
      const btf = openFile(corpusPath(`vmlinux/${name}.btf.gz`));
      const type = btf.require("bpf_func_id", "enum");
      const names = new Map(type.values.map((value) => [value.value, value.name.replace("BPF_FUNC_", "")]));
      HELPERS.forEach((helper, number) => {
        const [since = "0.0"] = HELPER_RELEASES.findLast(([, first]) => first <= number) ?? [];
        const [major, minor] = since.split(".").map(Number) as [number, number];
        const isThere = major < release[0] || (major === release[0] && minor <= release[1]);
        expect([helper, names.get(number)]).toEqual([helper, isThere ? helper : names.get(number)]);
        if (!isThere) expect(names.get(number) ?? "__MAX_ID").toMatch(/^__.*MAX_ID$/);
      });
    });
  }
});

describe("kernel types at fixed offsets", () => {
  const task = (attributes: string): string => `struct task_struct { char pad[100]; int pid; } ${attributes};
static long (*probe)(void *to, u32 size, const void *from) = (void *)113;`;
  const program = (section: string, body: string): string =>
    `SEC("${section}") int program(u64 *c) { struct task_struct *t = (void *)c[0]; ${body} }`;
  const warnings = (source: string): string[] =>
    check(compiled(source), kernel())
      .findings.filter(({ severity }) => severity === "warning")
      .map(({ rule }) => rule);
  const RELOCATED = "__attribute__((preserve_access_index))";
  const READ = "return t->pid;";
  const PROBE = "int x = 0; probe(&x, 4, &t->pid); return x;";

  needing("clang-19")("are warned of where CO-RE does not relocate them", () => {
    expect(warnings(task("") + program("fentry/some_function", READ))).toEqual(["fixed-offset"]);
    expect(warnings(task(RELOCATED) + program("fentry/some_function", READ))).toEqual([]);
    expect(warnings(task("") + program("kprobe/some_function", PROBE))).toEqual(["fixed-offset"]);
    expect(warnings(task(RELOCATED) + program("kprobe/some_function", PROBE))).toEqual([]);
    // Memory of a process has no kernel types.
    expect(warnings(task("") + program("uprobe", PROBE))).toEqual([]);
  });

  needing("clang-19", "llvm-objcopy-19")("and lost relocation records too", () => {
    const path = compileSource("no-ext", HEAD + task(RELOCATED) + program("kprobe/some_function", PROBE));
    execFileSync("llvm-objcopy-19", ["--remove-section=.BTF.ext", path]);
    const { verdict, findings } = check(openObject(path), kernel());
    expect([verdict, findings[0]?.severity, findings[0]?.reason]).toEqual([
      "ok",
      "warning",
      expect.stringMatching(/no \.BTF\.ext/) as string,
    ]);
  });
});

describe("the kernel's symbols", () => {
  const kallsyms = [
    "ffffffff81000000 T some_function",
    "ffffffff81000100 t twice",
    "ffffffff81000200 t twice",
    "ffffffff81000300 t changed.isra.0",
    "ffffffff81000400 D counter",
    "ffffffff81000500 d pair",
    "ffffffff81000600 d pair",
    "",
  ].join("\n");
  const checked = (source: string): ReturnType<typeof check> => check(compiled(source), kernel(), { kallsyms });

  needing("clang-19")("tell of probes", () => {
    const probe = (name: string): (string | undefined)[] => {
      const { verdict, attachments } = checked(`SEC("kprobe/${name}") int program(void *c) { return 0; }`);
      return [verdict, attachments[0]!.reason];
    };
    expect(probe("some_function")).toEqual(["ok", undefined]);
    expect(probe("twice")).toEqual(["unattached", expect.stringMatching(/^2 functions/) as string]);
    expect(probe("changed")).toEqual(["unattached", expect.stringMatching(/changed\.isra\.0$/) as string]);
    expect(probe("nowhere")).toEqual(["unattached", expect.stringMatching(/no such symbol/) as string]);
  });

  needing("clang-19")("tell of symbols without types", () => {
    const verdict = (name: string, weak = ""): string =>
      checked(`extern const void ${name} __ksym ${weak};
SEC("tc") int program(void *c) { return (long)&${name} & 1; }`).verdict;
    expect(verdict("counter")).toBe("ok");
    expect(verdict("nothing")).toBe("breaks");
    expect(verdict("nothing", "__weak")).toBe("ok");
    expect(verdict("pair")).toBe("breaks");
  });
});

needing("clang-19")("an argument of a type that was renamed with what it starts with", () => {
  const source = `struct sockaddr { unsigned short sa_family; char sa_data[14]; } __attribute__((preserve_access_index));
SEC("fentry/connect") int program(u64 *c) { struct sockaddr *a = (void *)c[0]; return a->sa_family; }`;
  const on = (fields: string): string => {
    const made = compiled(`struct sockaddr { unsigned short sa_family; char sa_data[14]; };
struct sockaddr_unsized { ${fields} };
int connect(struct sockaddr_unsized *address, struct sockaddr *other) { return 0; }`);
    return check(compiled(source), made.btf).verdict;
  };
  expect(on("unsigned short sa_family; char sa_data[];")).not.toBe("breaks");
  expect(on("long length; unsigned short sa_family;")).toBe("breaks");
});
