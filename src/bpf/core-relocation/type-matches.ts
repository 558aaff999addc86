/** Tells whether a target type contains a local type: kind type_matches (libbpf's __bpf_core_types_match). */
import type { BtfType, Enum64Type, EnumType, StructType, UnionType } from "../../btf/types.js";
import type { Budget } from "./budget.js";
import { essentialName } from "./essential-name.js";
import { fail } from "./failure.js";
import { isEnum, skipModifiers } from "./types.js";

/** Types inside one another, and steps along a chain of pointers and arrays, that are followed. */
const DEPTH = 32;

/** Compares two types. The caller has compared the names of the roots. */
export function typesMatch(local: BtfType, target: BtfType, budget: Budget): boolean {
  return matches(local, target, budget, false, DEPTH);
}

function nameOf(type: BtfType): string {
  return type.kind === "void" ? "" : type.name;
}

/** Compares names without their flavours. Anonymous types match anonymous types. */
function namesMatch(local: string, target: string): boolean {
  return target === "" ? local === "" : local !== "" && essentialName(local) === essentialName(target);
}

function matches(local: BtfType, target: BtfType, budget: Budget, behindPointer: boolean, level: number): boolean {
  if (level <= 0) fail("EINVAL", `types are nested deeper than ${DEPTH} levels`);
  for (let depth = DEPTH; depth > 0; depth--) {
    budget.spend(1);
    local = skipModifiers(local);
    target = skipModifiers(target);
    if (!namesMatch(nameOf(local), nameOf(target))) return false;
    switch (local.kind) {
      case "void":
        return target.kind === "void";
      case "fwd":
        if (target.kind === "fwd") return local.kindFlag === target.kindFlag;
        return behindPointer && target.kind === local.forwardKind;
      case "enum":
      case "enum64":
        return isEnum(target) && enumsMatch(local, target, budget);
      case "struct":
      case "union":
        if (behindPointer) {
          return target.kind === local.kind || (target.kind === "fwd" && target.forwardKind === local.kind);
        }
        return target.kind === local.kind && membersMatch(local, target as StructType | UnionType, budget, level);
      case "int":
        return target.kind === "int" && local.byteSize === target.byteSize && local.isSigned === target.isSigned;
      case "ptr":
        if (target.kind !== "ptr") return false;
        behindPointer = true;
        local = local.target;
        target = target.target;
        break;
      case "array":
        if (target.kind !== "array" || local.length !== target.length) return false;
        local = local.element;
        target = target.element;
        break;
      case "func_proto": {
        if (target.kind !== "func_proto" || local.vlen !== target.vlen) return false;
        const theirs = target.params;
        for (const [i, param] of local.params.entries()) {
          if (!matches(param.type, theirs[i]!.type, budget, behindPointer, level - 1)) return false;
        }
        local = local.returnType;
        target = target.returnType;
        break;
      }
      default:
        return false;
    }
  }
  return fail("EINVAL", `more than ${DEPTH} pointers, arrays and results inside one another`);
}

/** Tells whether the target has an enumerator of the same essential name for each local enumerator; values may differ. */
function enumsMatch(local: EnumType | Enum64Type, target: EnumType | Enum64Type, budget: Budget): boolean {
  if (local.byteSize !== target.byteSize || local.vlen > target.vlen) return false;
  budget.spend(local.vlen + target.vlen);
  const names = new Set(Array.from<{ name: string }, string>(target.values, ({ name }) => essentialName(name)));
  return local.values.every(({ name }: { name: string }) => names.has(essentialName(name)));
}

/** Tells whether each local member matches a member of the same name. */
function membersMatch(
  local: StructType | UnionType,
  target: StructType | UnionType,
  budget: Budget,
  level: number,
): boolean {
  if (local.vlen > target.vlen) return false;
  return local.members.every((ours) =>
    target.members.some((theirs) => {
      budget.spend(1);
      return namesMatch(ours.name, theirs.name) && matches(ours.type, theirs.type, budget, false, level - 1);
    }),
  );
}
