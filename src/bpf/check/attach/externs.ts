/**
 * Finds the kernel functions and variables that an object refers to. Source:
 * libbpf's bpf_object__resolve_ksyms_btf_id.
 */
import type { BtfType, FuncProtoType } from "../../../btf/types.js";
import { Budget } from "../../core-relocation/budget.js";
import { typesCompatible } from "../../core-relocation/compatible.js";
import { essentialName } from "../../core-relocation/essential-name.js";
import type { CoreTarget } from "../../core-relocation/resolution.js";
import { skipModifiers } from "../../core-relocation/types.js";
import type { BpfObject } from "../../object/object.js";
import type { Extern } from "../../object/variables.js";
import type { KernelSymbols } from "../control-flow/control-flow.js";
import { inWords } from "../in-words.js";
import type { Attachment } from "./attachment.js";
import { findInTarget, isMalformed, listsFunctions } from "./kernel-symbols.js";

/** Looks for the kernel symbol of an extern. */
export function externTarget(
  object: BpfObject,
  { name, kind, typeId, isWeak }: Extern,
  target: CoreTarget,
): Attachment {
  const local = object.btf.get(typeId)!;
  const base = { name, kind: kind === "func" ? "kfunc" : "ksym", target: essentialName(name), isRequired: !isWeak };
  if (local.kind === "var" && skipModifiers(local.type).kind === "void") {
    return {
      ...base,
      isRequired: false,
      status: "unknown",
      reason: "the symbol has no type: BTF does not list it",
    };
  }
  const found = findInTarget(target, base.target, kind === "func" ? "func" : "var");
  if (!found)
    return { ...base, status: "absent", reason: isWeak ? "it is weak: its address is null there" : undefined };
  const reason = difference(local, found);
  // libbpf refuses a variable of another type even where it is weak.
  const isRequired = base.isRequired || local.kind === "var";
  return { ...base, isRequired, status: reason ? "differs" : "present", reason };
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
export function kernelSymbols(object: BpfObject, target: CoreTarget): KernelSymbols {
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
