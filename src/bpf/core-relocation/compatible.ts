/** Compares a local type with a target type by libbpf's rules for fields and for types. */

import { isComposite } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";
import type { Budget } from "./budget.js";
import { fail } from "./failure.js";
import { sameKind, skipModifiers } from "./types.js";

/** Pointers, arrays and results that are followed, and prototypes inside one another. */
const DEPTH = 32;

/** Where engines differ in what fields they take for each other. */
export interface FieldRules {
  /** Returns a name without its flavour. */
  readonly essentialName: (name: string) => string;
  /** An enum or forward declaration without a name fits any other. */
  readonly anonymousFits: boolean;
}

/**
 * Tells whether a field of the target may be read as the local one (libbpf's
 * bpf_core_fields_are_compat): any two structs or unions, pointers, floats,
 * integers of any size and sign; arrays of compatible elements; enums and
 * forward declarations of one essential name, or without a name.
 */
export function fieldsCompatible(local: BtfType, target: BtfType, budget: Budget, rules: FieldRules): boolean {
  for (;;) {
    budget.spend(1);
    local = skipModifiers(local);
    target = skipModifiers(target);
    if (isComposite(local) && isComposite(target)) return true;
    if (!sameKind(local, target)) return false;
    switch (local.kind) {
      case "ptr":
      case "float":
        return true;
      case "fwd":
      case "enum":
      case "enum64":
        if (rules.anonymousFits && (local.name === "" || target.name === "")) return true;
        return rules.essentialName(local.name) === rules.essentialName(target.name);
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
 * Tells whether two types are of one shape as far as type_exists, type_size and
 * target_type_id ask (libbpf's bpf_core_types_are_compat): kinds through
 * pointers, arrays and prototypes; members and sizes are not compared.
 */
export function typesCompatible(local: BtfType, target: BtfType, budget: Budget, level = DEPTH): boolean {
  if (!sameKind(local, target)) return false;
  for (let depth = DEPTH; depth > 0; depth--) {
    budget.spend(1);
    local = skipModifiers(local);
    target = skipModifiers(target);
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
          if (level <= 0) fail("EINVAL", "function prototypes are nested too deeply");
          if (!typesCompatible(skipModifiers(param.type), skipModifiers(theirs[i]!.type), budget, level - 1))
            return false;
        }
        local = skipModifiers(local.returnType);
        target = skipModifiers(target.returnType);
        break;
      }
      default:
        return false;
    }
  }
  return fail("EINVAL", `more than ${DEPTH} pointers, arrays and results inside one another`);
}
