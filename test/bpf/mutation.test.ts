// Damaged objects and targets: relocating, checking, minimising and reporting
// refuse them with a BtfError, or tell of them; nothing traps, hangs or throws otherwise.
import { readFileSync } from "node:fs";
import { Btf, BtfError } from "btfkit";
import {
  cellOf,
  check,
  ENGINES,
  junit,
  Minimizer,
  markdown,
  minimize,
  readObject,
  relocate,
  relocationReport,
  requirementsOf,
  sarif,
  usedTypes,
} from "btfkit/bpf";
import { fixSections, sanitize, verify } from "btfkit/edit";
import { describe, expect } from "vitest";
import { needing } from "../support/needs.js";
import { compileObject, compileSource } from "../support/objects.js";
import { type Random, seeded } from "../support/random.js";

/** What `check` may be told of a kernel. */
const SETTINGS = [
  { rodata: "initial" },
  { kconfig: "CONFIG_HZ=250\nCONFIG_BPF=y\n", kallsyms: "ffffffff81000000 T f\nffffffff81000010 D jiffies\n" },
  { kconfig: new Map<string, bigint | string>([["LINUX_KERNEL_VERSION", 7n]]) },
] as const;

/** Runs what may be refused. */
function allowed(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
  }
}

function everything(object: Uint8Array, target: Uint8Array): void {
  allowed(() => {
    const [read, btf] = [readObject(object), Btf.parse(target)];
    allowed(() => requirementsOf(read));
    allowed(() => usedTypes(btf, [read]));
    for (const engine of ENGINES) {
      for (const settings of SETTINGS) allowed(() => check(read, btf, { engine, ...settings }));
      allowed(() => {
        const relocated = relocate(read, btf, { engine });
        JSON.stringify(relocationReport(relocated));
        relocated.toBytes();
      });
    }
    allowed(() => Btf.parse(minimize([read], btf)));
    allowed(() => {
      const minimizer = new Minimizer({ vmlinux: btf, modules: [] });
      minimizer.add(read);
      minimizer.toSplitBytes();
    });
    allowed(() => verify(btf));
    for (const kernel of ["4.18", "4.19", "5.1", "5.12", "6.1", "6.12"]) {
      for (const names of [false, true]) allowed(() => sanitize(btf, { kernel, names }));
      allowed(() => sanitize(fixSections(read), { kernel }));
    }
    allowed(() => {
      const settings = { rodata: "initial", kconfig: new Map([["LINUX_KERNEL_VERSION", 7n]]) } as const;
      check(read, btf, settings);
      const cell = cellOf("object", "target", check(read, btf));
      const matrix = { objects: ["object"], targets: ["target"], cells: [cell] };
      expect([junit(matrix), markdown(matrix), JSON.stringify(sarif(matrix, "0"))].length).toBe(3);
    });
    read[Symbol.dispose]();
    btf[Symbol.dispose]();
  });
}

/** A copy with some words changed, most of them between two places. */
function damaged(random: Random, bytes: Uint8Array, from: number, to: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(8) ? from + random(to - from) : random(copy.length);
    copy[at] = random(3) ? random(256) : random(8);
  }
  return copy;
}

describe("mutations", () => {
  for (const section of [".BTF", ".BTF.ext", "raw_tp/loads", ".symtab"]) {
    needing("clang-19")(`of ${section} of the object`, () => {
      const random = seeded(`object ${section}`);
      const object = new Uint8Array(readFileSync(compileObject("core")));
      const target = new Uint8Array(readFileSync(compileObject("core", "bpfel", "-DTARGET")));
      const { offset, byteSize } = readObject(object).section(section)!;
      for (let i = 0; i < 120; i++) everything(damaged(random, object, offset, offset + byteSize), target);
    });
  }
  needing("clang-19")("of the target's types", () => {
    const random = seeded("target");
    const object = new Uint8Array(readFileSync(compileObject("core")));
    const target = new Uint8Array(readFileSync(compileObject("core", "bpfel", "-DTARGET")));
    const { offset, byteSize } = readObject(target).section(".BTF")!;
    for (let i = 0; i < 250; i++) everything(object, damaged(random, target, offset, offset + byteSize));
  });

  const attaching = `
#define SEC(name) __attribute__((section(name), used))
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct inode { int pad; int number; };
#pragma clang attribute pop
const volatile int old = 0;
extern int LINUX_KERNEL_VERSION SEC(".kconfig");
extern int known(struct inode *, int) SEC(".ksyms");
static __attribute__((noinline)) int helper(struct inode *inode) { return inode->number + old; }
SEC("fentry/f") int entry(unsigned long long *ctx) { return helper((void *)ctx[1]) + known((void *)ctx[0], 1); }
SEC("struct_ops/run") int run(unsigned long long *ctx)
{ return old || LINUX_KERNEL_VERSION > 6 ? ((struct inode *)ctx[0])->number : ctx[2]; }
struct callbacks { int (*run)(struct inode *, int); int flags; };
SEC(".struct_ops") struct callbacks mine = { .run = (void *)run, .flags = 1 };`;
  const kernel = `
struct inode { int pad; int number; }; struct path { struct inode *inode; };
struct callbacks { int (*run)(struct path *, int); int flags; };
struct bpf_struct_ops_callbacks { struct callbacks data; } keep;
__attribute__((used)) int f(struct path *path, struct inode *inode, int flags) { return flags; }
__attribute__((used)) int known(struct inode *inode, int flags) { return flags; }`;
  const attached = (): [object: Uint8Array, target: Uint8Array] => [
    new Uint8Array(readFileSync(compileSource("attaching", attaching))),
    new Uint8Array(readFileSync(compileSource("attached", kernel))),
  ];
  for (const section of [
    ".BTF",
    ".BTF.ext",
    "fentry/f",
    "struct_ops/run",
    ".symtab",
    ".struct_ops",
    ".relstruct_ops/run",
  ]) {
    needing("clang-19")(`of ${section} of an object that attaches`, () => {
      const random = seeded(`attach ${section}`);
      const [object, target] = attached();
      const { offset, byteSize } = readObject(object).section(section)!;
      for (let i = 0; i < 120; i++) everything(damaged(random, object, offset, offset + byteSize), target);
    });
  }
  needing("clang-19")("of the types of what it attaches to", () => {
    const random = seeded("attached");
    const [object, target] = attached();
    const { offset, byteSize } = readObject(target).section(".BTF")!;
    for (let i = 0; i < 400; i++) everything(object, damaged(random, target, offset, offset + byteSize));
  });
});
