// C headers: options, odd input, declarations equal to libbpf's, and proof by
// compiler. The goldens are in golden.test.ts.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Btf, type BtfType, declaration, dumpC, type Member, type StructType, type UnionType } from "btfkit";
import { usedTypes } from "btfkit/bpf";
import { openFile } from "btfkit/node";
import { afterAll, describe, expect, test } from "vitest";
import {
  CONST,
  everyKind,
  FLOAT,
  FWD,
  Image,
  LAYOUT,
  PTR,
  STRUCT,
  TYPE_TAG,
  TYPEDEF,
  UNION,
  VOLATILE,
} from "../support/image.js";
import { nativeProgram } from "../support/native.js";
import { corpusPath, needing } from "../support/needs.js";
import { openObject } from "../support/objects.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A header without what it says to compilers for C23, where it differs from bpftool's on purpose. */
function withoutC23(text: string): string {
  return text.replace(/#if __STDC_VERSION__ > [\s\S]*?#endif\n\n/g, "");
}

/** The types of a header, without what stands before and behind them. */
function body(text: string): string {
  return text
    .replace(/^[\s\S]*?#define __bpf_fastcall\n#endif\n#endif\n\n/, "")
    .replace(/#if __STDC_VERSION__[\s\S]*$|#ifndef BPF_NO_PRESERVE[\s\S]*$|\n\/\* BPF kfuncs[\s\S]*$/, "");
}

const open = (make: (image: Image) => void, options = {}): Btf => {
  const image = new Image(options);
  make(image);
  return Btf.parse(image.bytes());
};

describe("definitions", () => {
  test("each kind", () => {
    expect(body(dumpC(Btf.parse(everyKind().bytes()), { sorted: false }).text())).toBe(`struct point {
	int x;
	int flags: 3;
};

union either {
	int a;
	struct point;
};

enum color {
	RED = 0,
	BLUE = -1,
};

union later;

typedef int int_t;

enum big {
	MIN = -9223372036854775808LL,
	TWO = 2LL,
};

`);
  });

  test("declarators, padding, packed, conflicts, modes", () => {
    const btf = open((image) => {
      const int = image.int("int", 4, 1);
      const char = image.int("char", 1, 1);
      const constInt = image.ref(CONST, int);
      const pointer = image.ref(PTR, constInt);
      const proto = image.proto(int, [
        ["a", int],
        ["", pointer],
        ["", 0],
      ]);
      const callback = image.ref(PTR, proto);
      const callbacks = image.array(callback, int, 5);
      const row = image.array(char, int, 2);
      const grid = image.array(row, int, 3);
      const tagged = image.ref(TYPE_TAG, char, "rcu");
      image.composite(STRUCT, "all", 96, [
        ["callbacks", callbacks, 0],
        ["grid", grid, 320],
        ["tagged", image.ref(PTR, tagged), 384],
        ["volatile_pointer", image.ref(VOLATILE, image.ref(PTR, int)), 448],
        ["late", char, 640],
      ]);
      image.composite(STRUCT, "packed", 5, [
        ["c", char, 0],
        ["i", int, 8],
      ]);
      image.composite(STRUCT, "empty", 0, []);
      image.enumeration("dup", [["A", 1]], 1);
      image.enumeration("dup", [["A", 2]]);
      image.ref(TYPEDEF, int, "A");
      image.enumeration64("wide", [["W", 1n]]);
      image.type(FLOAT, "float", 4);
      image.ref(FWD, 0, "gone");
    });
    expect(body(dumpC(btf, { sorted: false }).text())).toBe(`struct all {
	int (*callbacks[5])(int a, const int *, ...);
	char grid[3][2];
	char __attribute__((btf_type_tag("rcu"))) *tagged;
	int * volatile volatile_pointer;
	long: 64;
	long: 64;
	char late;
	long: 64;
};

struct packed {
	char c;
	int i;
} __attribute__((packed));

struct empty {};

enum dup {
	A = 1,
} __attribute__((mode(byte)));

enum dup___2 {
	A___2 = 2,
};

typedef int A___3;

enum wide {
	W = 1ULL,
} __attribute__((mode(word)));

struct gone;

`);
  });

  needing("clang-19")("what libbpf lays out in another way than compilers", () => {
    const btf = open((image) => {
      const char = image.int("char", 1, 1);
      const int = image.int("int", 4, 1);
      const wide = image.int("long long", 8, 1);
      image.composite(UNION, "packed_union", 5, [
        ["a", int, 0],
        ["b", image.array(char, int, 5), 0],
      ]);
      image.composite(UNION, "raised_union", 8, [["a", int, 0]]);
      image.composite(STRUCT, "straddling", 8, [
        ["a", int, 24, 20],
        ["b", int, 44, 20],
      ]);
      image.composite(STRUCT, "narrow", 3, [
        ["a", char, 0, 3],
        ["b", char, 4, 4],
        ["c", char, 16, 8],
      ]);
      image.composite(STRUCT, "wide", 16, [
        ["a", int, 0],
        ["b", wide, 64],
      ]);
    });
    const text = body(dumpC(btf, { sorted: false }).text());
    expect(text).toMatchInlineSnapshot(`
      "union packed_union {
      	int a;
      	char b[5];
      } __attribute__((packed));

      union raised_union {
      	int a;
      } __attribute__((aligned(8)));

      struct straddling {
      	int: 24;
      	int a: 20;
      	int b: 20;
      } __attribute__((packed));

      struct narrow {
      	char a: 3;
      	char: 1;
      	char b: 4;
      	char: 8;
      	char c: 8;
      };

      struct wide {
      	int a;
      	long long b;
      };

      "
    `);
    const sizes = "packed_union 5 raised_union 8 straddling 8 narrow 3 wide 16".replace(
      /(\w+) (\d+) ?/g,
      (_, name, size) => `_Static_assert(sizeof(${/union/.test(name) ? "union" : "struct"} ${name}) == ${size}, "");\n`,
    );
    for (const machine of ["x86_64-linux-gnu", "aarch64-linux-gnu"]) {
      const args = ["-target", machine, "-fsyntax-only", "-Wno-everything"];
      compiles("clang-19", args, text, `#include "vmlinux.h"\n${sizes}`);
    }
  });

  needing("bpftool")("what these images give, bpftool gives", () => {
    for (const image of [everyKind(), everyKind({ endian: "big" })]) {
      const path = join(folder, "image.btf");
      writeFileSync(path, image.bytes());
      const theirs = execFileSync("bpftool", ["btf", "dump", "file", path, "format", "c"], {
        stdio: "pipe",
      }).toString();
      const types = /apply_to = record\)\n#endif\n\n([\s\S]*?)#ifndef BPF_NO/.exec(theirs)![1];
      const compatible = "bpftool-7.8";
      expect(body(dumpC(openFile(path), { sorted: false, compatible }).text())).toBe(types);
    }
  });

  test("pointers around a loop are declared before", () => {
    const btf = open((image) => {
      image.composite(STRUCT, "a", 8, [["b", 2, 0]]);
      image.ref(PTR, 3);
      image.composite(STRUCT, "b", 8, [["a", 4, 0]]);
      image.ref(PTR, 1);
    });
    expect(body(dumpC(btf, { sorted: false }).text())).toBe(
      "struct b;\n\nstruct a {\n\tstruct b *b;\n};\n\nstruct b {\n\tstruct a *a;\n};\n\n",
    );
  });

  test("a definition longer than the window, names longer than it", () => {
    const name = "n".repeat(300_000);
    const btf = open((image) => {
      image.int("int", 4, 1);
      image.enumeration(
        "e",
        Array.from({ length: 30_000 }, (_, i) => [`VALUE_${i}`, i] as const),
      );
      image.composite(STRUCT, name, 4, [[name, 1, 0]]);
    });
    const text = body(dumpC(btf, { sorted: false }).text());
    expect(text.match(/^\tVALUE_\d+ = \d+,$/gm)?.length).toBe(30_000);
    expect(text.endsWith(`struct ${name} {\n\tint ${name};\n};\n\n`)).toBe(true);
  });
});

describe("options", () => {
  const kernel = openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz");

  test("the default has the type that bpftool 7.8 loses, two narrower paddings, and nothing else", () => {
    const theirs = dumpC(kernel, { compatible: "bpftool-7.8" }).text();
    const all = withoutC23(dumpC(kernel).text())
      .replace("__s8 qs_pad;\n\tint: 0;", "__s8 qs_pad;\n\tlong: 0;")
      .replace("kbdmode: 3;\n\tchar: 1;", "kbdmode: 3;\n\tint: 1;");
    const from = [...theirs].findIndex((char, i) => char !== all[i]);
    const lost = all.length - theirs.length;
    expect(lost).toBeGreaterThan(10);
    expect(all.slice(0, from) + all.slice(from + lost)).toBe(theirs);
  });

  test("what bpftool loses it still writes where another type needs it", () => {
    const lossy = (make: (image: Image) => void): string =>
      body(dumpC(open(make), { compatible: "bpftool-7.8" }).text());
    const lost = (image: Image): void => {
      image.enumeration("lost", [["A", 1]]);
      image.enumeration("other", [["B", 1]]);
    };
    expect(lossy(lost)).toBe("enum other {\n\tB = 1,\n};\n\n");
    expect(lossy((image) => [lost(image), image.ref(VOLATILE, 1)])).toBe(
      "enum other {\n\tB = 1,\n};\n\nenum lost {\n\tA = 1,\n};\n\n",
    );
  });

  test("the same text every time", () => {
    expect(dumpC(kernel).text() === dumpC(openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz")).text()).toBe(true);
  });

  test("chosen types come with what they need", () => {
    const text = dumpC(kernel, {
      types: [kernel.require("list_head", "struct"), kernel.require("pid", "struct").id],
    }).text();
    expect(text).toMatch(/^struct list_head \{\n\tstruct list_head \*next;/m);
    expect(text).toMatch(/^struct pid \{/m);
    expect(text).not.toMatch(/task_struct \{|BPF kfuncs/);
  });

  test("functions and variables are declared", () => {
    const text = dumpC(kernel, {
      types: [kernel.require("vfs_read", "func"), kernel.ofKind("var").next().value!],
    }).text();
    expect(text).toMatch(/^extern ssize_t vfs_read\(struct file \*file, char \*buf, size_t count, loff_t \*pos\);$/m);
    expect(text).toMatch(/^extern [^;]+;\n\n(?=#ifndef)/m);
    expect(text).toMatch(/^typedef __kernel_ssize_t ssize_t;$/m);
  });

  test("excluded types stay where they are needed by value and are declared elsewhere", () => {
    const btf = open((image) => {
      image.int("int", 4, 1);
      image.composite(STRUCT, "secret_inner", 4, [["x", 1, 0]]);
      image.composite(STRUCT, "secret_far", 4, [["x", 1, 0]]);
      image.ref(PTR, 3);
      image.composite(STRUCT, "open", 16, [
        ["inner", 2, 0],
        ["far", 4, 64],
      ]);
      image.composite(STRUCT, "secret_unused", 4, []);
    });
    const text = body(dumpC(btf, { exclude: ({ name }) => name.startsWith("secret") }).text());
    expect(text).toBe(
      "struct secret_inner {\n\tint x;\n};\n\nstruct secret_far;\n\nstruct open {\n\tstruct secret_inner inner;\n\tstruct secret_far *far;\n};\n\nstruct secret_unused;\n\n",
    );
  });

  test("guard, preserve_access_index, annotations", () => {
    const btf = Btf.parse(everyKind().bytes());
    const text = dumpC(btf, { guard: "__MINE__", preserveAccessIndex: false, annotate: true }).text();
    expect(text).toMatch(/^#ifndef __MINE__\n#define __MINE__\n/);
    expect(text).toMatch(/#endif \/\* __MINE__ \*\/\n$/);
    expect(text).not.toContain("preserve_access_index");
    expect(text).toContain("struct point {\n\tint x; /* 0 4 */\n\tint flags: 3; /* 4:0 3 bits */\n} /* size: 8 */;");
  });

  test("kernel functions: all, none, some", () => {
    const btf = open((image) => {
      const int = image.int("int", 4, 1);
      const proto = image.proto(int, [["x", int]]);
      for (const name of ["b_func", "a_func", "other"]) image.func(name, proto, 1);
      image.declTag("bpf_kfunc", 3);
      image.declTag("bpf_kfunc", 4);
      image.declTag("bpf_fastcall", 4);
      image.declTag("bpf_kfunc", 5, 0);
    });
    const block = (options: object): string =>
      /#ifndef BPF_NO_KFUNC_PROTOTYPES\n([\s\S]*?)#endif/.exec(dumpC(btf, options).text())?.[1] ?? "";
    expect(block({})).toBe(
      "extern __bpf_fastcall int a_func(int x) __weak __ksym;\nextern int b_func(int x) __weak __ksym;\n",
    );
    expect(block({ kfuncs: false })).toBe("");
    expect(block({ kfuncs: ["b_func"] })).toBe("extern int b_func(int x) __weak __ksym;\n");
    expect(() => dumpC(btf, { kfuncs: ["a_funk"] })).toThrow(/did you mean "a_func"/);
  });

  needing("the corpus in ../shared", "clang-19")(
    "what BPF objects use: enough to compile, little enough to read",
    () => {
      const target = openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"));
      const objects = ["lt026-opensnoop.bpf.o", "lt026-tcpconnect.bpf.o", "lt026-biolatency.bpf.o"].map((name) =>
        openObject(corpusPath(`objects/${name}`)),
      );
      const used = usedTypes(target, objects);
      const names = used.types.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(["sock", "pt_regs", "trace_event_raw_sys_enter"]));
      // Every type that a relocation of theirs starts from, by name.
      for (const object of objects) {
        for (const { records } of object.ext.coreRelocations?.sections ?? []) {
          for (const { typeId } of records) {
            const name = object.btf.nameAt(typeId).replace(/___\w+$/, "");
            if (name && target.find(name)) expect(names).toContain(name);
          }
        }
      }
      const text = dumpC(target, used).text();
      expect(text.length).toBeLessThan(dumpC(target).text().length / 2);
      compiles("clang-19", ["-target", "bpf", ...CLANG], text);
    },
  );

  needing(
    "the corpus in ../shared",
    "clang-19",
    "gcc and libbpf-dev",
  )("the source of a BPF object compiles with the header for that object", () => {
    const target = openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"));
    const source = '#include "header-use.bpf.c"\n';
    const args = ["-target", "bpf", "-D__TARGET_ARCH_x86", ...CLANG, "-Werror", "-I", "test/native"];
    const quiet = ["-Wno-unused-function", "-Wno-missing-declarations"];
    const object = openObject(compiles("clang-19", [...args, ...quiet], dumpC(target).text(), source));
    // What nothing calls has left no trace.
    expect(object.btf.find("bio___old")).toBeUndefined();
    const text = dumpC(target, usedTypes(target, [object])).text();
    compiles("clang-19", [...args, ...quiet], text, source);
    compiles("clang-19", ["-std=gnu23", ...args, ...quiet], text, source);
    expect(text.length).toBeLessThan(dumpC(target).text().length / 3);
  });

  test("unknown kinds are left out, and said to be", () => {
    const btf = open(
      (image) => {
        image.int("int", 4, 1);
        image.type(20, "novel", 7, [1]);
        image.ref(PTR, 2);
        image.composite(STRUCT, "holder", 24, [
          ["a", 1, 0],
          ["n", 2, 64],
          ["p", 3, 128],
        ]);
      },
      { layout: [...LAYOUT, [4, 0]] },
    );
    const text = body(dumpC(btf, { sorted: false }).text());
    expect(text).toContain("/* type [2] 'novel' has kind 20, which is unknown: left out */");
    expect(text).toContain(
      "struct holder {\n\tint a;\n\tlong: 0;\n\t/* n: unknown kind */\n\tlong: 64;\n\tvoid /* unknown kind */ *p;\n};",
    );
  });

  test("a split shows its base's types and its own", () => {
    const base = everyKind();
    const split = new Image({ base });
    split.composite(STRUCT, "module", 8, [["point", STRUCT, 0]]);
    const text = body(dumpC(Btf.parse(base.bytes()).split(split.bytes()), { sorted: false }).text());
    expect(text).toMatch(/struct point \{[\s\S]*struct module \{\n\tstruct point point;\n\};/);
  });
});

describe("declaration", () => {
  const btf = Btf.parse(everyKind().bytes());

  test("names, indents, strips", () => {
    const made = open((image) => {
      const int = image.int("int", 4, 1);
      image.ref(PTR, image.proto(int));
      image.ref(CONST, int);
      image.composite(STRUCT, "", 4, [["x", int, 0]]);
      image.array(5, int, 2);
    });
    expect(declaration(made.get(2)!)).toBe("int(void)");
    expect(declaration(made.get(3)!, { name: "f" })).toBe("int (*f)(void)");
    expect(declaration(made.get(4)!, { name: "x" })).toBe("const int x");
    expect(declaration(made.get(4)!, { name: "x", stripModifiers: true })).toBe("int x");
    expect(declaration(made.get(6)!, { name: "pair", indent: 1 })).toBe("struct {\n\t\tint x;\n\t} pair[2]");
    expect(declaration(btf.get(0)!)).toBe("void");
    expect(declaration(btf.require("run", "func"))).toBe("");
    expect(declaration(btf.require("point", "struct"), { name: "größe" })).toBe("struct point größe");
  });

  test("what leads to no type has none, and takes no memory to say so", () => {
    const made = open((image) => {
      const variable = image.variable("v", image.int("int", 4, 1));
      image.array(image.ref(CONST, image.ref(PTR, variable)), 1, 3);
    });
    for (const id of [3, 4, 5]) expect(declaration(made.get(id)!, { name: "x" })).toBe("");
    const { byteLength } = (made as unknown as { image: { memory: Uint8Array } }).image.memory;
    expect(byteLength).toBeLessThan(1 << 20);
  });

  test("a text that names of megabytes make endless is refused", () => {
    const made = open((image) => {
      const int = image.int("int", 4, 1);
      image.composite(
        STRUCT,
        "",
        4,
        Array.from({ length: 64 }, () => ["n".repeat(1 << 20), int, 0] as const),
      );
    });
    const refused = expect.objectContaining({ code: "ERR_PIECE", name: "BtfLimitError" });
    expect(() => declaration(made.get(2)!)).toThrow(refused);
  });

  for (const name of ["6.12-amd64", "6.1-cloud-amd64", "6.12-s390x", "6.1-i386", "6.12-armhf-layout"]) {
    needing("the corpus in ../shared", "gcc and libbpf-dev")(`equals libbpf's for every type of ${name}`, () => {
      const path = join(folder, "kernel.btf");
      writeFileSync(path, execFileSync("gzip", ["-dc", corpusPath(`vmlinux/${name}.btf.gz`)], { maxBuffer: 1 << 30 }));
      const out = execFileSync(nativeProgram("declarations"), [path], {
        maxBuffer: 1 << 30,
        stdio: ["ignore", "pipe", "ignore"],
      });
      const theirs = out.toString().split("\0").slice(0, -1);
      const kernel = openFile(path);
      // One dumper numbers the names it has met before; we start afresh each time.
      // libbpf before 1.2 writes `()` where there are no parameters.
      const plain = (text: string): string => text.replace(/___\d+\b/g, "").replaceAll("()", "(void)");
      const different: string[] = [];
      let at = 0;
      for (const type of kernel) {
        for (const stripModifiers of [false, true]) {
          const ours = `${type.id} ${declaration(type, { name: "field", indent: 1, stripModifiers })}`;
          if (plain(ours) !== plain(theirs[at]!)) different.push(`${ours}\n${theirs[at]}`);
          at++;
        }
      }
      expect(different.slice(0, 5)).toEqual([]);
      expect(at).toBe(theirs.length);
    });
  }
});

/** Compiles a header by itself, or a program that includes it as vmlinux.h. */
function compiles(
  compiler: string,
  args: readonly string[],
  header: string,
  source = '#include "vmlinux.h"\n',
): string {
  writeFileSync(join(folder, "vmlinux.h"), header);
  writeFileSync(join(folder, "main.c"), source);
  const object = join(folder, "main.o");
  execFileSync(compiler, [...args, "-I", folder, "-c", join(folder, "main.c"), "-o", object], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  return object;
}

const CLANG = ["-g", "-O2", "-Wno-unknown-attributes"];

describe("compilers take it", () => {
  const kernels = ["6.12-amd64", "6.1-cloud-amd64", "6.12-s390x", "6.1-i386", "6.12-armhf-layout"];
  for (const kernel of kernels) {
    needing(
      "the corpus in ../shared",
      "clang-19",
      "gcc and libbpf-dev",
    )(kernel, () => {
      const text = dumpC(openFile(corpusPath(`vmlinux/${kernel}.btf.gz`))).text();
      const target = kernel.includes("s390x") ? "bpfeb" : "bpf";
      for (const standard of ["-std=gnu17", "-std=gnu23"]) {
        compiles("clang-19", ["-target", target, standard, ...CLANG], text);
      }
      for (const standard of ["-std=gnu17", "-std=gnu2x"]) compiles("gcc", [standard, "-w", "-fsyntax-only"], text);
    });
  }

  for (const module of ["xfs", "kvm", "btrfs"]) {
    needing("the corpus in ../shared", "clang-19")(`module ${module} on its kernel`, () => {
      const base = openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"));
      const text = dumpC(openFile(corpusPath(`modules/6.12-amd64-${module}.btf.gz`), { base }), {
        annotate: true,
      }).text();
      compiles("clang-19", ["-target", "bpf", ...CLANG], text);
    });
  }

  needing("clang-19")("chosen types, options and all", () => {
    const btf = openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz");
    const types = ["task_struct", "sk_buff", "bio"].map((name) => btf.require(name, "struct"));
    for (const options of [
      {},
      { annotate: true },
      { exclude: ({ name }: BtfType) => /^(mm|net)/.test(name) },
      { kfuncs: true },
    ]) {
      compiles("clang-19", ["-target", "bpf", ...CLANG], dumpC(btf, { types, ...options }).text());
    }
  });
});

describe("a BPF program takes it", () => {
  const program = '#include "header.bpf.c"\n';
  const include = ["-I", "test/native"];

  needing("the corpus in ../shared", "clang-19")("of kernel 6.12", () => {
    const text = dumpC(openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"))).text();
    compiles("clang-19", ["-target", "bpf", ...CLANG, ...include], text, program);
  });

  needing(
    "the running kernel's BTF",
    "clang-19",
    "bpftool",
    "bpf(2)",
  )("of the running kernel, and loads into it", () => {
    const text = dumpC(openFile("/sys/kernel/btf/vmlinux")).text();
    const object = compiles("clang-19", ["-target", "bpf", ...CLANG, ...include], text, program);
    const pin = `/sys/fs/bpf/btfkit-test-${process.pid}`;
    execFileSync("bpftool", ["prog", "load", object, pin], { stdio: "pipe" });
    try {
      expect(existsSync(pin)).toBe(true);
    } finally {
      rmSync(pin);
    }
  });
});

/** Kernels, with what the compiler has in its own way on the target that writes BTF: `va_list`. */
const ON_BPF: Record<string, readonly string[]> = { "6.12-amd64": ["warn_args"], "6.12-s390x": ["warn_args"] };

describe("round trip: BTF, header, clang, BTF", () => {
  const shape = (type: StructType | UnionType): string =>
    `${type.byteSize} ${type.members.map(({ name, bitOffset, bitfieldSize }: Member) => `${name}@${bitOffset}:${bitfieldSize}`).join(" ")}`;

  for (const [kernel, unsayable] of Object.entries(ON_BPF)) {
    needing("the corpus in ../shared", "clang-19")(`${kernel}: sizes and offsets of every struct and union`, () => {
      const btf = openFile(corpusPath(`vmlinux/${kernel}.btf.gz`));
      const text = dumpC(btf, { preserveAccessIndex: false }).text();
      const tags = Array.from(text.matchAll(/^((?:struct|union) \w+) \{/gm), ([, tag]) => tag!);
      const uses = tags.map((tag, i) => `${tag} *use_${i};`).join("\n");
      const target = kernel.includes("s390x") ? "bpfeb" : "bpf";
      const back = openFile(
        compiles("clang-19", ["-target", target, ...CLANG], text, `#include "vmlinux.h"\n${uses}\n`),
      );
      const different = new Set<string>();
      for (const kind of ["struct", "union"] as const) {
        for (const type of btf.ofKind(kind)) {
          if (!type.name) continue;
          // Types of one name have been numbered: one of them has this shape.
          const shapes: string[] = [];
          for (let n = 1; n < 9; n++) {
            const same = back.find(n === 1 ? type.name : `${type.name}___${n}`, kind);
            if (same) shapes.push(shape(same));
          }
          if (!shapes.includes(shape(type))) different.add(type.name);
        }
      }
      expect([...different].sort()).toEqual(unsayable);
    });
  }
});

/** Kernels, with the machines that they are for. */
const MACHINES = {
  "6.1-cloud-amd64": "x86_64-linux-gnu",
  "6.12-amd64": "x86_64-linux-gnu",
  "6.1-i386": "i386-linux-gnu",
  "6.12-armhf-layout": "arm-linux-gnueabihf",
  "6.12-s390x": "s390x-linux-gnu",
};

describe("compiled for the kernel's own machine", () => {
  for (const [kernel, machine] of Object.entries(MACHINES)) {
    needing("the corpus in ../shared", "clang-19")(`${kernel}: sizes and offsets of every struct and union`, () => {
      const btf = openFile(corpusPath(`vmlinux/${kernel}.btf.gz`));
      const tags = new Map<string, (StructType | UnionType)[]>();
      for (const type of [...btf.ofKind("struct"), ...btf.ofKind("union")]) {
        if (type.name) tags.set(type.name, [...(tags.get(type.name) ?? []), type]);
      }
      // Types of one name have been numbered.
      const alone = [...tags.values()].flatMap((types) =>
        types.length === 1 && !btf.find(types[0]!.name, "enum") ? types : [],
      );
      expect(alone.length).toBeGreaterThan(6_000);
      const claims = alone.flatMap((type) => {
        const tag = `${type.kind} ${type.name}`;
        const members = type.members.filter(({ name, bitfieldSize }) => name && !bitfieldSize);
        return [
          `_Static_assert(sizeof(${tag}) == ${type.byteSize}, "${type.name}");`,
          ...members.map(
            ({ name, bitOffset }) =>
              `_Static_assert(__builtin_offsetof(${tag}, ${name}) == ${bitOffset / 8}, "${type.name} ${name}");`,
          ),
        ];
      });
      const source = `#include "vmlinux.h"\n${claims.join("\n")}\n`;
      const quiet = ["-target", machine, "-std=gnu17", "-fsyntax-only", "-Wno-everything"];
      compiles("clang-19", quiet, dumpC(btf, { preserveAccessIndex: false }).text(), source);
    });
  }
});
