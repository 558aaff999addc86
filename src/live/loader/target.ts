/** The running kernel as a plan needs it. */
import type { BpfObject } from "../../bpf/object/object.js";
import type { KernelModule, LoadTarget } from "../../load/kernel.js";
import { attempt } from "../../node/attempt.js";
import { possibleCpus } from "../cpus.js";
import type { Kernel } from "../kernel.js";
import { pageSize } from "../mapping.js";
import { missingFeatures } from "./probe.js";

const fs = (): typeof import("node:fs") => process.getBuiltinModule("node:fs");

/** The running kernel; its modules have the ids of their BTF. */
export interface RunningTarget extends LoadTarget {
  readonly modules: readonly (KernelModule & { readonly id: number })[];
}

/** Returns what an object's plan asks of the running kernel. Files are read only where the object needs them. */
export function runningTarget(kernel: Kernel, object: BpfObject): RunningTarget {
  const release = kernel.system.release();
  const externs = object.externs;
  const kconfig = externs.some(({ name }) => name.startsWith("CONFIG_")) ? readKconfig(release) : undefined;
  const needsSymbols = externs.some(({ kind }) => kind === "var");
  return {
    vmlinux: vmlinuxOf(kernel),
    modules: modulesOf(kernel),
    release,
    cpus: possibleCpus(),
    pageSize: pageSize(),
    ...(kconfig !== undefined && { kconfig }),
    ...(needsSymbols && { kallsyms: readKallsyms() }),
    ...missingFeatures(kernel),
  };
}

function vmlinuxOf(kernel: Kernel): LoadTarget["vmlinux"] {
  try {
    return kernel.vmlinux;
  } catch {
    return undefined;
  }
}

/** Modules with BTF, in the order of their ids. */
function modulesOf(kernel: Kernel): RunningTarget["modules"] {
  const modules: (KernelModule & { id: number })[] = [];
  for (const object of kernel.btfObjects()) {
    try {
      const { isKernel, name, id } = object.info;
      if (isKernel && name !== "vmlinux") modules.push({ name, btf: kernel.btf(id), id });
    } finally {
      object[Symbol.dispose]();
    }
  }
  return modules;
}

/** Where libbpf looks for the kernel's configuration. */
function readKconfig(release: string): string | undefined {
  for (const path of [`/boot/config-${release}`, "/proc/config.gz"]) {
    try {
      const bytes = fs().readFileSync(path);
      const plain = path.endsWith(".gz") ? process.getBuiltinModule("node:zlib").gunzipSync(bytes) : bytes;
      return plain.toString("latin1");
    } catch {
      // The next place.
    }
  }
  return undefined;
}

function readKallsyms(): Map<string, bigint> {
  const found = new Map<string, bigint>();
  const text = attempt("/proc/kallsyms", () => fs().readFileSync("/proc/kallsyms", "latin1"));
  for (const [, address, name] of text.matchAll(/^([\da-f]+) \S (\S+)/gm)) {
    if (!found.has(name!)) found.set(name!, BigInt(`0x${address}`));
  }
  return found;
}
