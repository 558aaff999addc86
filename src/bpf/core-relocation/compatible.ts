/** Compatibility of a local with a target type: libbpf's rules for fields and for types. */
import type { BtfType } from "../../btf/types.js";
import type { Budget } from "./budget.js";
import { engineOf } from "./engine.js";
import { refuse } from "./refusal.js";
import { isComposite, sameKind, skip } from "./types.js";

/** Pointers, arrays and results that are followed, and function prototypes inside one another. */
const DEPTH = 32;

/**
 * Whether a field of the target may be read as the local one (libbpf's
 * bpf_core_fields_are_compat): any two structs or unions, pointers, floats,
 * integers of any size and sign; arrays of compatible elements; enums and
 * forward declarations of one essential name, or without a name.
 */
export function fieldsCompatible(
  local: BtfType,
  target: BtfType,
  budget: Budget,
  engine = engineOf("libbpf"),
): boolean {
  for (;;) {
    budget.spend(1);
    local = skip(local);
    target = skip(target);
    if (isComposite(local) && isComposite(target)) return true;
    if (!sameKind(local, target)) return false;
    switch (local.kind) {
      case "ptr":
      case "float":
        return true;
      case "fwd":
      case "enum":
      case "enum64":
        if (engine.anonymousFits && (local.name === "" || target.name === "")) return true;
        return engine.essentialName(local.name) === engine.essentialName(target.name);
      case "int":
        return local.bitOffset === 0 && target.kind === "int" && target.bitOffset === 0;
      case "array":
        if (target.kind !== "array") return false;
        local = local.element;
        target = target.element;
        break;
      default:
        return false;
    }
  }
}

/**
 * Whether two types are of one shape as far as type_exists, type_size and
 * target_type_id ask (libbpf's bpf_core_types_are_compat): kinds through
 * pointers, arrays and prototypes; members and sizes are not compared.
 */
export function typesCompatible(local: BtfType, target: BtfType, budget: Budget, level = DEPTH): boolean {
  if (!sameKind(local, target)) return false;
  for (let depth = DEPTH; depth > 0; depth--) {
    budget.spend(1);
    local = skip(local);
    target = skip(target);
    if (!sameKind(local, target)) return false;
    switch (local.kind) {
      case "void":
      case "struct":
      case "union":
      case "enum":
      case "enum64":
      case "fwd":
        return true;
      case "int":
        return local.bitOffset === 0 && target.kind === "int" && target.bitOffset === 0;
      case "ptr":
        if (target.kind !== "ptr") return false;
        local = local.target;
        target = target.target;
        break;
      case "array":
        if (target.kind !== "array") return false;
        local = local.element;
        target = target.element;
        break;
      case "func_proto": {
        if (target.kind !== "func_proto" || local.vlen !== target.vlen) return false;
        const theirs = target.params;
        for (const [i, param] of local.params.entries()) {
          if (level <= 0) refuse("EINVAL", "function prototypes are nested too deeply");
          if (!typesCompatible(skip(param.type), skip(theirs[i]!.type), budget, level - 1)) return false;
        }
        local = skip(local.returnType);
        target = skip(target.returnType);
        break;
      }
      default:
        return false;
    }
  }
  return refuse("EINVAL", `more than ${DEPTH} pointers, arrays and results inside one another`);
}
