/**
 * Whether what programs attach to is there: functions, trace points, hooks,
 * iterators, kernel functions and variables. Source: libbpf's
 * find_kernel_btf_id, bpf_object__resolve_ksyms_btf_id and
 * bpf_map__init_kern_struct_ops; looked for in BTF alone.
 */
import type { Btf } from "../../../btf/btf.js";
import type { BtfType, FuncProtoType, StructType } from "../../../btf/types.js";
import { BtfFormatError, BtfLimitError } from "../../../errors/error.js";
import { kindNumber } from "../../../format/kind.js";
import { Budget } from "../../core-relocation/budget.js";
import { typesCompatible } from "../../core-relocation/compatible.js";
import { essentialName } from "../../core-relocation/names.js";
import { Refusal } from "../../core-relocation/refusal.js";
import type { CoreTarget } from "../../core-relocation/resolve.js";
import { skip } from "../../core-relocation/types.js";
import type { Program } from "../../elf/programs.js";
import type { BpfObject } from "../../object/object.js";
import type { Extern } from "../../object/variables.js";
import type { Use } from "../control-flow/reach.js";
import { described } from "../described.js";
import { misused } from "./arguments.js";
import { StructOps } from "./struct-ops.js";

/** What there is of a program's target, or of a kernel symbol. */
export interface Attachment {
  /** Name of the program, of the extern, or of the struct_ops variable. */
  readonly name: string;
  /** `"fentry"`, `"kprobe"`, `"kfunc"`, `"struct_ops"`… */
  readonly kind: string;
  /** What is looked for, such as `"do_unlinkat"`; `undefined` where the section names nothing. */
  readonly target: string | undefined;
  /** `unknown`: BTF does not tell. */
  readonly status: "present" | "absent" | "differs" | "unknown";
  /** Loading fails without it; otherwise attaching does, or nothing. */
  readonly isRequired: boolean;
  /** What differs, or why it is not known. */
  readonly reason: string | undefined;
}

/** Kinds whose programs are loaded with the BTF id of what they attach to, and the name that it has. */
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

/** Functions behind a system call, as architectures name them. */
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

/** What a program does with what the kernel hands to it. */
export type UsesOf = (program: Program) => readonly Use[];

/**
 * All that an object's programs and externs need of a target. A BTF without any
 * function, such as a minimised one, does not tell: loaders look these up in
 * that of the kernel itself.
 */
export function attachments(object: BpfObject, target: CoreTarget, usesOf: UsesOf): Attachment[] {
  const found = [
    ...object.programs
      .filter(({ isSubprogram }) => !isSubprogram)
      .flatMap((one) => told(one.name, one.convention ?? "", one.attachTo, () => ofProgram(one, target, usesOf))),
    ...object.externs
      .filter(({ kind }) => kind !== "kconfig")
      .flatMap((one) => told(one.name, one.kind, one.name, () => [ofExtern(object, one, target)])),
    ...(object.hasBtf ? structOps(object, target, usesOf) : []),
  ];
  if (found.length === 0 || places(target).some(hasFunctions)) return found;
  const reason = "the target's BTF has no functions at all, as a minimised one";
  return found.map((one) => (one.status === "absent" ? { ...one, status: "unknown", reason } : one));
}

function hasFunctions({ image, base }: Btf): boolean {
  return image.kinds.includes(kindNumber("func")) || (base !== undefined && hasFunctions(base));
}

/** What is found, or why malformed types (a loop, an id that does not exist) do not tell. */
function told(name: string, kind: string, target: string | undefined, find: () => Attachment[]): Attachment[] {
  try {
    return find();
  } catch (error) {
    const isMalformed = error instanceof BtfFormatError || error instanceof BtfLimitError;
    if (!isMalformed && !(error instanceof Refusal)) throw error;
    const reason = isMalformed ? error.message : error.reason;
    return [{ name, kind, target, status: "unknown", isRequired: false, reason }];
  }
}

function places({ vmlinux, modules }: CoreTarget): Btf[] {
  return [vmlinux, ...modules];
}

function find(target: CoreTarget, name: string, kind: "func" | "typedef" | "struct" | "var"): BtfType | undefined {
  for (const btf of places(target)) {
    const found = btf.find(name, kind);
    if (found) return found;
  }
  return undefined;
}

function ofProgram(program: Program, target: CoreTarget, usesOf: UsesOf): Attachment[] {
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
    const found = find(target, `${byBtf.prefix}${wanted}`, byBtf.kind);
    if (!found) return known("absent", true);
    const reason = kind === "iter" ? undefined : misused(kind, protoOf(found), usesOf(program));
    return known(reason ? "differs" : "present", true, reason);
  }
  if (KPROBES.includes(kind)) {
    const [symbol] = wanted.split("+");
    if (find(target, symbol!, "func")) return known("present", false);
    return known("absent", false, "not a function in BTF; a symbol without types may still be there");
  }
  if (SYSCALLS.includes(kind)) return known(hasSyscall(wanted, target) ? "present" : "absent", false);
  if (TRACEPOINTS.includes(kind)) return known(tracepoint(wanted, target), false);
  if (/^(kprobe|kretprobe|fentry|fexit|fsession)\.(multi|session)$/.test(kind) && !/[*?]/.test(wanted)) {
    return known(find(target, wanted, "func") ? "present" : "absent", false);
  }
  return [];
}

/** Of a function, or of the pointer to one that a trace point's type is. */
function protoOf(type: BtfType): FuncProtoType | undefined {
  let at = type.kind === "func" ? skip(type.proto) : skip(type);
  if (at.kind === "ptr") at = skip(at.target);
  return at.kind === "func_proto" ? at : undefined;
}

/** `category/name`, or the name alone of a raw one. System calls have trace points of their own, without types. */
function tracepoint(wanted: string, target: CoreTarget): Attachment["status"] {
  const name = wanted.slice(wanted.indexOf("/") + 1);
  const [, syscall] = /^syscalls\/sys_(?:enter|exit)_(.+)$/.exec(wanted) ?? [];
  if (syscall !== undefined)
    return hasSyscall(syscall.replace(/^new/, ""), target) || hasSyscall(syscall, target) ? "present" : "absent";
  return find(target, `btf_trace_${name}`, "typedef") ? "present" : "absent";
}

function hasSyscall(name: string, target: CoreTarget): boolean {
  return SYSCALL_PREFIXES.some((prefix) => find(target, `${prefix}${name}`, "func") !== undefined);
}

function ofExtern(object: BpfObject, { name, kind, typeId, isWeak }: Extern, target: CoreTarget): Attachment {
  const local = object.btf.get(typeId)!;
  const base = { name, kind: kind === "func" ? "kfunc" : "ksym", target: essentialName(name), isRequired: !isWeak };
  if (local.kind === "var" && skip(local.type).kind === "void") {
    return {
      ...base,
      isRequired: false,
      status: "unknown",
      reason: "a symbol without a type: BTF does not tell of it",
    };
  }
  const found = find(target, base.target, kind === "func" ? "func" : "var");
  if (!found) return { ...base, status: "absent", reason: isWeak ? "weak: it is null then" : undefined };
  const reason = difference(local, found);
  return { ...base, status: reason ? "differs" : "present", reason };
}

/** How the target's function or variable differs from the program's declaration. */
function difference(local: BtfType, found: BtfType): string | undefined {
  if (local.kind === "var" && found.kind === "var") {
    return typesCompatible(skip(local.type), skip(found.type), new Budget())
      ? undefined
      : `it is ${described(found.type)} in the target`;
  }
  if (local.kind !== "func" || found.kind !== "func") return undefined;
  const [ours, theirs] = [skip(local.proto), skip(found.proto)] as [FuncProtoType, FuncProtoType];
  const count = (proto: FuncProtoType): string => `${proto.vlen} argument${proto.vlen === 1 ? "" : "s"}`;
  if (ours.vlen !== theirs.vlen) return `it has ${count(theirs)} in the target, ${count(ours)} in the program`;
  const budget = new Budget();
  for (const [i, param] of ours.params.entries()) {
    const [mine, other] = [skip(param.type), skip(theirs.params[i]!.type)];
    if (!typesCompatible(mine, other, budget))
      return `argument ${i + 1} is ${described(other)} in the target, ${described(mine)} in the program`;
  }
  return typesCompatible(skip(ours.returnType), skip(theirs.returnType), budget)
    ? undefined
    : "it returns another type in the target";
}

function structOps(object: BpfObject, target: CoreTarget, usesOf: UsesOf): Attachment[] {
  return told("", "struct_ops", undefined, () => [...callbacks(object, target, usesOf)]);
}

/** Variables of `.struct_ops`: the kernel must have the struct, and every member that is set, alike. */
function* callbacks(object: BpfObject, target: CoreTarget, usesOf: UsesOf): Generator<Attachment> {
  for (const section of object.btf.ofKind("datasec")) {
    if (!/^\??\.struct_ops(\.link)?$/.test(section.name)) continue;
    const sectionIndex = object.sections.findIndex(({ name }) => name === section.name);
    for (const { type } of section.variables) {
      const local = type.kind === "var" ? skip(type.type) : undefined;
      if (local?.kind !== "struct") continue;
      const name = essentialName(local.name);
      const base = { name: type.name, kind: "struct_ops", target: name, isRequired: !section.name.startsWith("?") };
      const kernel = find(target, name, "struct") as StructType | undefined;
      if (!kernel || !find(target, `bpf_struct_ops_${name}`, "struct")) {
        yield { ...base, status: "absent", reason: undefined };
        continue;
      }
      const reasons = new StructOps(object, sectionIndex, type.name, usesOf).differences(local, kernel);
      const reason = reasons.length > 0 ? reasons.join("; ") : undefined;
      yield { ...base, status: reason ? "differs" : "present", reason };
    }
  }
}
