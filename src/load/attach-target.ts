/** The kernel's function or type that a program attaches to by its BTF id. */
import { ATTACH_TYPES } from "../bpf/elf/section-names.js";
import type { Btf } from "../btf/btf.js";
import { fail } from "./failure.js";
import type { TargetKernel } from "./kernel.js";

/** Longest name that libbpf makes, with its NUL (BTF_MAX_NAME_SIZE). */
const NAME_LIMIT = 128;

/** What attach types look for; all others a FUNC of the name. Source: libbpf's btf_get_kernel_prefix_kind. */
const PREFIXES: ReadonlyMap<number, readonly ["func" | "typedef", string]> = /* @__PURE__ */ new Map([
  [/* @__PURE__ */ ATTACH_TYPES.indexOf("trace_raw_tp"), ["typedef", "btf_trace_"]],
  [/* @__PURE__ */ ATTACH_TYPES.indexOf("lsm_mac"), ["func", "bpf_lsm_"]],
  [/* @__PURE__ */ ATTACH_TYPES.indexOf("lsm_cgroup"), ["func", "bpf_lsm_"]],
  [/* @__PURE__ */ ATTACH_TYPES.indexOf("trace_iter"), ["func", "bpf_iter_"]],
] as const);

/** A type of the kernel or of a module. */
export interface AttachTarget {
  readonly btfId: number;
  /** Name of the module; `undefined` for the kernel. */
  readonly module: string | undefined;
}

/** A loaded program, one of whose functions another program replaces or traces. */
export interface TargetProgram {
  /** Its types; a program without them has no functions to attach to. */
  readonly btf: Btf | undefined;
  /** Its descriptor, which the kernel is given: a plan alone needs none. */
  readonly fd?: number;
}

/**
 * Returns the id of a function in a loaded program's BTF.
 * Source: libbpf's libbpf_find_prog_btf_id.
 */
export function findProgramFunction(name: string, target: TargetProgram, wanted: string): number {
  const { btf } = target;
  if (!btf) return fail("EINVAL", `program "${name}": the program that it attaches to has no BTF`);
  const found = btf.find(wanted, "func");
  return found?.id ?? fail("ENOENT", `program "${name}": the program that it attaches to has no function "${wanted}"`);
}

/**
 * Finds `function` or `module:function`, in the kernel first.
 * Source: libbpf's find_kernel_btf_id.
 */
export function findAttachTarget(
  kernel: TargetKernel,
  program: string,
  target: string,
  attachType: number,
): AttachTarget {
  const colon = target.indexOf(":");
  const moduleName = colon < 0 ? undefined : target.slice(0, colon);
  const name = target.slice(colon + 1);
  const [kind, prefix] = PREFIXES.get(attachType) ?? ["func", ""];
  const wanted = `${prefix}${name}`;
  if (new TextEncoder().encode(wanted).length >= NAME_LIMIT)
    fail("ENAMETOOLONG", `program "${program}": a name of more than ${NAME_LIMIT - 1} bytes to attach to`);
  if (moduleName === undefined || "vmlinux".startsWith(moduleName)) {
    const found = kernel.vmlinux?.find(wanted, kind);
    if (found) return { btfId: found.id, module: undefined };
  }
  for (const module of kernel.modules) {
    if (moduleName !== undefined && !module.name.startsWith(moduleName)) continue;
    const found = module.btf.find(wanted, kind);
    if (found) return { btfId: found.id, module: module.name };
  }
  return fail("ESRCH", `program "${program}": the kernel and its modules have no ${kind} "${wanted}" to attach to`);
}
