/** The kernel that an object is loaded on, as far as a plan depends on it. */
import type { Btf } from "../btf/btf.js";
import { ERR_ARGUMENT } from "../errors/btf.js";
import { BtfError } from "../errors/error.js";

/**
 * What libbpf probes a kernel for (`enum kern_feature_id`), in lower case
 * without `FEAT_`.
 *
 * @example
 * console.log(KERNEL_FEATURES.includes("global_data")); // true
 */
export const KERNEL_FEATURES = [
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
  "btf_qmark_datasec",
  "btf_layout",
  "array_mmap",
  "exp_attach_type",
  "probe_read_kern",
  "prog_bind_map",
  "bpf_cookie",
  "syscall_wrapper",
  "arg_ctx_tag",
  "ldimm64_full_range_off",
] as const;

/** A feature that libbpf probes for. */
export type KernelFeature = (typeof KERNEL_FEATURES)[number];

/** A module's types, split on those of the kernel. */
export interface KernelModule {
  readonly name: string;
  readonly btf: Btf;
}

/** The kernel that an object is to be loaded on. */
export interface LoadTarget {
  /** The kernel's own types; `undefined` for a kernel without BTF. */
  readonly vmlinux: Btf | undefined;
  /** Modules in the order of their BTF ids. */
  readonly modules?: readonly KernelModule[];
  /** As `uname -r` says it: `"6.12.95"`. */
  readonly release: string;
  /** Possible CPUs: the size of a perf event array that has none. */
  readonly cpus: number;
  /** The kernel's configuration, `CONFIG_NAME=value` a line; needed by `.kconfig` externs alone. */
  readonly kconfig?: string;
  /** Addresses of the kernel's symbols by name; needed by untyped `.ksyms` externs alone. */
  readonly kallsyms?: ReadonlyMap<string, bigint>;
  /** Features that the kernel lacks (default: none). */
  readonly lacks?: readonly KernelFeature[];
  /** Externs that `kconfig` or `kallsyms` would decide count as present where these are not given. @internal */
  readonly presumesExterns?: boolean;
  /** USDT programs attach through links of many uprobes, as kernels from 6.6 on can (default `false`). */
  readonly uprobeMulti?: boolean;
  /** In bytes (default 4096). */
  readonly pageSize?: number;
}

/** A target with its questions answered. */
export class TargetKernel {
  readonly vmlinux: Btf | undefined;
  readonly modules: readonly KernelModule[];
  /** `KERNEL_VERSION(a, b, c)` */
  readonly version: number;
  readonly cpus: number;
  readonly kconfig: string | undefined;
  readonly kallsyms: ReadonlyMap<string, bigint> | undefined;
  readonly pageSize: number;
  readonly uprobeMulti: boolean;
  readonly presumesExterns: boolean;
  readonly #lacks: ReadonlySet<KernelFeature>;

  /** @throws BtfError ERR_ARGUMENT for a release or feature that is none */
  constructor(target: LoadTarget) {
    const { vmlinux, modules = [], release, cpus, kconfig, kallsyms, lacks = [], pageSize = 4096 } = target;
    for (const feature of lacks) {
      if (!KERNEL_FEATURES.includes(feature)) {
        const note = `"${feature}" is not a feature that loaders probe for: ${KERNEL_FEATURES.join(", ")}`;
        throw new BtfError(ERR_ARGUMENT, { note });
      }
    }
    if (!Number.isInteger(cpus) || cpus < 1 || cpus > 0xffffffff)
      throw new BtfError(ERR_ARGUMENT, { note: `${cpus} is not a number of CPUs` });
    this.vmlinux = vmlinux;
    this.modules = modules;
    this.version = versionOf(release);
    this.cpus = cpus;
    this.kconfig = kconfig;
    this.kallsyms = kallsyms;
    this.pageSize = pageSize;
    this.uprobeMulti = target.uprobeMulti ?? false;
    this.presumesExterns = target.presumesExterns ?? false;
    this.#lacks = new Set(lacks);
  }

  has(feature: KernelFeature): boolean {
    return !this.#lacks.has(feature);
  }
}

/** `KERNEL_VERSION` of a release; the patch level is 255 at most. Source: libbpf's get_kernel_version. */
function versionOf(release: string): number {
  const [, major, minor, patch] = /^(\d{1,4})\.(\d{1,3})(?:\.(\d+))?/.exec(release)?.map(Number) ?? [];
  if (major === undefined || minor === undefined)
    throw new BtfError(ERR_ARGUMENT, { note: `"${release}" is not a kernel release such as "6.12.95"` });
  return major * 65536 + minor * 256 + Math.min(patch || 0, 255);
}
