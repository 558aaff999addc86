// Plans for kernels that lack something, beside what libbpf hands to one. The kernel is played by test/native/plan.c,
// for the libbpf that is installed; its types are the running kernel's, which libbpf reads by itself.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { gunzipSync } from "node:zlib";
import { Btf, dumpRaw } from "btfkit";
import { type KernelFeature, type LoadTarget, type PlanJson, planJson, planObject } from "btfkit/load";
import { describe, expect } from "vitest";
import { nativeProgram } from "../support/native.js";
import { corpusPath, needing } from "../support/needs.js";
import { corpusObject, objectNames } from "../support/objects.js";

/** What libbpf 1.1 probes for. It knows no qmark_datasec, btf_layout, arg_ctx_tag and ldimm64_full_range_off. */
const PROBED: readonly KernelFeature[] = [
  "prog_name",
  "global_data",
  "btf",
  "btf_func",
  "btf_global_func",
  "btf_datasec",
  "btf_float",
  "btf_decl_tag",
  "btf_type_tag",
  "btf_enum64",
  "array_mmap",
  "exp_attach_type",
  "probe_read_kern",
  "prog_bind_map",
  "bpf_cookie",
];

/** What kernels lack: each thing has come with one of these, or with a later one. */
const before = (...had: readonly KernelFeature[]): readonly KernelFeature[] =>
  PROBED.filter((feature) => !had.includes(feature));
const LINUX_4_18 = ["prog_name", "exp_attach_type", "btf"] as const;
const LINUX_5_2 = [...LINUX_4_18, "global_data", "btf_func", "btf_datasec"] as const;
const LINUX_5_10 = [...LINUX_5_2, "btf_global_func", "array_mmap", "probe_read_kern", "prog_bind_map"] as const;
const LINUX_5_15 = [...LINUX_5_10, "btf_float", "bpf_cookie"] as const;

const SITUATIONS: readonly (readonly [name: string, lacks: readonly KernelFeature[]])[] = [
  ["nothing", []],
  ...PROBED.map((feature) => [feature, [feature]] as const),
  ["what Linux 4.9 lacks", PROBED],
  ["what Linux 4.18 lacks", before(...LINUX_4_18)],
  ["what Linux 5.2 lacks", before(...LINUX_5_2)],
  ["what Linux 5.10 lacks", before(...LINUX_5_10)],
  ["what Linux 5.15 lacks", before(...LINUX_5_15)],
];

const BPF_F_MMAPABLE = 0x400;
const LD_IMM64 = 0x18;

/** What the driver prints: a plan, without what libbpf does not hand to bpf(2). */
type Recorded = Pick<PlanJson, "err" | "maps" | "programs"> & { readonly btf: string };

let running: LoadTarget | undefined;
function runningKernel(): LoadTarget {
  const config = [`/boot/config-${release()}`, "/proc/config.gz"].find(existsSync);
  const bytes = config ? readFileSync(config) : Buffer.alloc(0);
  const possible = readFileSync("/sys/devices/system/cpu/possible", "utf8");
  running ??= {
    vmlinux: Btf.parse(readFileSync("/sys/kernel/btf/vmlinux")),
    release: release(),
    kconfig: (config?.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString(),
    kallsyms: new Map(),
    cpus: Number(/\d+$/.exec(possible.trim())![0]) + 1,
  };
  return running;
}

/** Types as libbpf 1.1 replaces them: it leaves names that no kernel takes, as test/edit/sanitize.test.ts has them. */
function typesOf(hex: string): string {
  return dumpRaw(Btf.parse(Buffer.from(hex, "hex")))
    .text()
    .replace(/^\t'(?:param\d+|\(anon\))' val=/gm, "\t'(anon)' val=")
    .replace(/^\t'([\w.]+)' type_id/gm, (member) => member.replaceAll(".", "_"));
}

/**
 * Returns what is compared of a plan. libbpf 1.1 leaves the descriptor -1 where a map is not created, and later ones,
 * as btfkit, put a call there that says which: such programs have no instructions here. It also turns the flag of
 * mappable maps over instead of clearing it.
 */
function comparable(
  { err, maps = [], programs = [], btf }: Recorded | PlanJson,
  leftOut: ReadonlySet<number>,
  lacks: readonly KernelFeature[],
): { readonly err: number; readonly maps?: unknown; readonly programs?: unknown; readonly types?: string | undefined } {
  if (err) return { err };
  const isUsed = [...maps, ...programs].some((one) => one.has_btf);
  return {
    err,
    maps: maps.map(({ pin: _, ...map }) => ({
      ...map,
      flags: lacks.includes("array_mmap") ? map.flags & ~BPF_F_MMAPABLE : map.flags,
    })),
    programs: programs.map((program, i) => (leftOut.has(i) ? { ...program, insns: "" } : program)),
    types: isUsed && btf ? typesOf(btf) : undefined,
  };
}

/** Programs that use a map which is not there. */
function withoutMaps({ programs = [] }: Recorded): Set<number> {
  const uses = (insns: Buffer): boolean => {
    for (let at = 0; at < insns.length; at += insns[at] === LD_IMM64 ? 16 : 8) {
      const source = insns[at + 1]! >> 4;
      if (insns[at] === LD_IMM64 && (source === 1 || source === 2) && insns.readInt32LE(at + 4) < 0) return true;
    }
    return false;
  };
  return new Set(programs.flatMap(({ insns }, i) => (uses(Buffer.from(insns, "hex")) ? [i] : [])));
}

describe("libbpf's plan on a kernel that lacks", () => {
  const test = needing("the corpus in ../shared", "gcc and libbpf-dev", "the running kernel's BTF");

  for (const [name, lacks] of SITUATIONS) {
    test(name, () => {
      const driver = nativeProgram("plan");
      const unlike: string[] = [];
      let loaded = 0;
      for (const object of objectNames) {
        const printed = execFileSync(driver, [lacks.join(), corpusPath(`objects/${object}`)], {
          maxBuffer: 1 << 28,
          stdio: ["ignore", "pipe", "ignore"],
        });
        const theirs: Recorded = JSON.parse(printed.toString());
        const plan = planObject(
          corpusObject(object),
          { ...runningKernel(), lacks },
          { name: object.replace(/\.bpf\.o$|\.o$/, "") },
        );
        const ours = planJson(plan);
        const leftOut = withoutMaps(theirs);
        const [expected, actual] = [theirs, ours].map((one) => comparable(one, leftOut, lacks));
        for (const [what, value] of Object.entries(expected!)) {
          if (JSON.stringify(sorted(value)) !== JSON.stringify(sorted(actual![what as "err"])))
            unlike.push(`${object}: ${what}`);
        }
        if (theirs.err === 0) loaded++;
        if (lacks.includes("array_mmap")) expect(ours.maps.some(({ flags }) => flags & BPF_F_MMAPABLE)).toBe(false);
      }
      expect(unlike).toEqual([]);
      expect(loaded).toBeGreaterThan(40);
    });
  }
});

/** The same with the keys of objects in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}
