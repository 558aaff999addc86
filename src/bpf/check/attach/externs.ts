/**
 * Finds the kernel functions and variables that an object refers to. Source:
 * libbpf's bpf_object__resolve_ksyms_btf_id.
 */
import type { BtfType, FuncProtoType } from "../../../btf/types.js";
import { Budget } from "../../core-relocation/budget.js";
import { typesCompatible } from "../../core-relocation/compatible.js";
import { essentialName } from "../../core-relocation/essential-name.js";
import { skipModifiers } from "../../core-relocation/types.js";
import type { BpfObject } from "../../object/object.js";
import type { Extern } from "../../object/variables.js";
import type { KernelSymbols } from "../control-flow/control-flow.js";
import { inWords } from "../in-words.js";
import type { Attachment } from "./attachment.js";
import { type AttachTarget, findInTarget, isMalformed, listsFunctions, moduleAdvice } from "./kernel-symbols.js";

/** Looks for the kernel symbol of an extern. */
export function externTarget(
  object: BpfObject,
  { name, kind, typeId, isWeak }: Extern,
  target: AttachTarget,
): Attachment {
  const local = object.btf.get(typeId)!;
  const base = { name, kind: kind === "func" ? "kfunc" : "ksym", target: essentialName(name), isRequired: !isWeak };
  if (local.kind === "var" && skipModifiers(local.type).kind === "void") {
    return { ...base, ...untyped(name, isWeak, target) };
  }
  const found = findInTarget(target, base.target, kind === "func" ? "func" : "var");
  if (!found) return { ...base, status: "absent", reason: whyAbsent(name, kind, isWeak, target) };
  const reason = difference(local, found);
  // libbpf refuses a variable of another type even where it is weak.
  const isRequired = base.isRequired || local.kind === "var";
  return { ...base, isRequired, status: reason ? "differs" : "present", reason };
}

function whyAbsent(name: string, kind: Extern["kind"], isWeak: boolean, target: AttachTarget): string | undefined {
  if (isWeak) return "it is weak: its address is null there";
  const advice = moduleAdvice(target);
  if (kind === "func") return advice;
  const untypedAdvice = `kernels' BTF lists few variables: declare it as "extern const void ${name} __ksym" to have its address alone`;
  return advice ? `${advice}; ${untypedAdvice}` : untypedAdvice;
}

/** Looks for a variable without a type, which libbpf takes from the table of symbols. */
function untyped(
  name: string,
  isWeak: boolean,
  { kallsyms }: AttachTarget,
): Pick<Attachment, "status" | "isRequired" | "reason"> {
  if (!kallsyms)
    return { status: "unknown", isRequired: false, reason: "the symbol has no type: BTF does not list it" };
  const addresses = kallsyms.addressesOf(name);
  if (addresses.length === 1) return { status: "present", isRequired: !isWeak, reason: undefined };
  if (addresses.length === 0) return { status: "absent", isRequired: !isWeak, reason: "the kernel has no such symbol" };
  const reason = `${addresses.length} symbols of the kernel have this name: libbpf refuses to choose one`;
  return { status: "differs", isRequired: true, reason };
}

/** Returns how the target's function or variable differs from the program's declaration. */
function difference(local: BtfType, found: BtfType): string | undefined {
  if (local.kind === "var" && found.kind === "var") {
    return typesCompatible(skipModifiers(local.type), skipModifiers(found.type), new Budget())
      ? undefined
      : `it is ${inWords(found.type)} in the target`;
  }
  if (local.kind !== "func" || found.kind !== "func") return undefined;
  const [ours, theirs] = [skipModifiers(local.proto), skipModifiers(found.proto)] as [FuncProtoType, FuncProtoType];
  const count = (proto: FuncProtoType): string => `${proto.vlen} argument${proto.vlen === 1 ? "" : "s"}`;
  if (ours.vlen !== theirs.vlen) return `it has ${count(theirs)} in the target, ${count(ours)} in the program`;
  const budget = new Budget();
  for (const [i, param] of ours.params.entries()) {
    const [mine, other] = [skipModifiers(param.type), skipModifiers(theirs.params[i]!.type)];
    if (!typesCompatible(mine, other, budget))
      return `argument ${i + 1} is ${inWords(other)} in the target, ${inWords(mine)} in the program`;
  }
  return typesCompatible(skipModifiers(ours.returnType), skipModifiers(theirs.returnType), budget)
    ? undefined
    : "it returns another type in the target";
}

/**
 * Returns which of an object's kernel symbols the target has. libbpf counts a
 * weak function of another type as absent. A symbol that BTF cannot tell of is
 * in neither set.
 */
export function kernelSymbols(object: BpfObject, target: AttachTarget): KernelSymbols {
  const absent = new Set<string>();
  const present = new Set<string>();
  if (!listsFunctions(target)) return { absent, present };
  for (const extern of object.externs) {
    if (extern.kind === "kconfig") continue;
    try {
      const { status } = externTarget(object, extern, target);
      if (status === "present") present.add(extern.name);
      else if (status !== "unknown" && extern.isWeak) absent.add(extern.name);
    } catch (error) {
      if (!isMalformed(error)) throw error;
    }
  }
  return { absent, present };
}
