/**
 * Finds the target that a program attaches to: a function, trace point, hook or
 * iterator. Source: libbpf's find_kernel_btf_id.
 */
import type { BtfType, FuncProtoType } from "../../../btf/types.js";
import { skipModifiers } from "../../core-relocation/types.js";
import type { Program } from "../../elf/programs.js";
import type { UsesOf } from "../control-flow/use.js";
import { misused } from "./arguments.js";
import type { Attachment } from "./attachment.js";
import { type AttachTarget, findInTarget, moduleAdvice } from "./kernel-symbols.js";

/** Kinds whose programs are loaded with the BTF id of their target, and the name of that type. */
const BTF_KINDS: Readonly<Record<string, { readonly prefix: string; readonly kind: "func" | "typedef" }>> = {
  tp_btf: { prefix: "btf_trace_", kind: "typedef" },
  fentry: { prefix: "", kind: "func" },
  fexit: { prefix: "", kind: "func" },
  fmod_ret: { prefix: "", kind: "func" },
  fsession: { prefix: "", kind: "func" },
  lsm: { prefix: "bpf_lsm_", kind: "func" },
  lsm_cgroup: { prefix: "bpf_lsm_", kind: "func" },
  iter: { prefix: "bpf_iter_", kind: "func" },
};

const KPROBES = ["kprobe", "kretprobe"];
const TRACEPOINTS = ["tracepoint", "tp", "raw_tracepoint", "raw_tp"];
const SYSCALLS = ["ksyscall", "kretsyscall"];

/** Prefixes of the functions of a system call, as architectures name them. */
const SYSCALL_PREFIXES = [
  "__x64_sys_",
  "__arm64_sys_",
  "__s390x_sys_",
  "__riscv_sys_",
  "__ia32_sys_",
  "__se_sys_",
  "__do_sys_",
  "sys_",
  "ksys_",
];

/** Returns the target of a program; nothing where its section names none that BTF tells of. */
export function programTargets(program: Program, target: AttachTarget, usesOf: UsesOf): Attachment[] {
  const { name, convention, attachTo, autoload } = program;
  if (convention === undefined || attachTo === undefined) return [];
  const kind = convention.replace(/\.[sw]$/, "");
  const known = (status: Attachment["status"], isRequired: boolean, reason?: string): Attachment[] => [
    { name, kind, target: attachTo, status, isRequired: isRequired && autoload, reason },
  ];
  // "module:function"
  const wanted = attachTo.replace(/^[\w-]+:/, "");
  const byBtf = BTF_KINDS[kind];
  if (byBtf) {
    const found = findInTarget(target, `${byBtf.prefix}${wanted}`, byBtf.kind);
    if (!found) return known("absent", true, moduleAdvice(target));
    const reason = kind === "iter" ? undefined : misused(kind, protoOf(found), usesOf(program));
    return known(reason ? "differs" : "present", true, reason);
  }
  if (KPROBES.includes(kind)) {
    const [status, reason] = probed(wanted.split("+")[0]!, target);
    return known(status, false, reason);
  }
  if (SYSCALLS.includes(kind)) return known(hasSyscall(wanted, target) ? "present" : "absent", false);
  if (TRACEPOINTS.includes(kind)) return known(tracepoint(wanted, target), false);
  if (/^(kprobe|kretprobe|fentry|fexit|fsession)\.(multi|session)$/.test(kind) && !/[*?]/.test(wanted)) {
    const [status, reason] = probed(wanted, target);
    return known(status, false, reason);
  }
  return [];
}

/** Looks for a function that a probe is put on: in the table of symbols, or else in BTF. */
function probed(name: string, target: AttachTarget): [Attachment["status"], string?] {
  const { kallsyms } = target;
  if (!kallsyms) {
    if (findInTarget(target, name, "func")) return ["present"];
    return ["absent", "BTF has no such function; the kernel may still have a symbol without types"];
  }
  const addresses = kallsyms.addressesOf(name, true);
  if (addresses.length === 1) return ["present"];
  if (addresses.length > 1)
    return ["differs", `${addresses.length} functions of the kernel have this name: it refuses to probe one of them`];
  const changed = kallsyms.changedNames(name);
  if (changed.length > 0)
    return ["absent", `the compiler has changed the function: the kernel has ${changed.join(", ")}`];
  return ["absent", "the kernel has no such symbol: it is inlined, or of another configuration or module"];
}

/** Returns the prototype of a function, or of the function pointer that is the type of a trace point. */
function protoOf(type: BtfType): FuncProtoType | undefined {
  let at = type.kind === "func" ? skipModifiers(type.proto) : skipModifiers(type);
  if (at.kind === "ptr") at = skipModifiers(at.target);
  return at.kind === "func_proto" ? at : undefined;
}

/** Looks for a trace point by `category/name`, or by the name alone of a raw one. Those of system calls have no types: the call itself is looked for. */
function tracepoint(wanted: string, target: AttachTarget): Attachment["status"] {
  const name = wanted.slice(wanted.indexOf("/") + 1);
  const [, syscall] = /^syscalls\/sys_(?:enter|exit)_(.+)$/.exec(wanted) ?? [];
  if (syscall !== undefined)
    return hasSyscall(syscall.replace(/^new/, ""), target) || hasSyscall(syscall, target) ? "present" : "absent";
  return findInTarget(target, `btf_trace_${name}`, "typedef") ? "present" : "absent";
}

function hasSyscall(name: string, target: AttachTarget): boolean {
  return SYSCALL_PREFIXES.some((prefix) => findInTarget(target, `${prefix}${name}`, "func") !== undefined);
}
