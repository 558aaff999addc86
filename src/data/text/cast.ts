/** The name of a type as C writes it in a cast: modifiers are left out, anonymous structs have no body. */
import { isModifier } from "../../btf/traverse.js";
import type { BtfType, FuncProtoType } from "../../btf/types.js";
import { ERR_BTF_DEPTH } from "../../errors/btf.js";
import { BtfLimitError } from "../../errors/error.js";

/** Pointers, arrays and functions around one another. */
const DEPTH = 64;

/**
 * `int *(*)[3]` for a type; with a name, its declaration. Source: libbpf's btf_dump_emit_type_decl with strip_mods.
 *
 * @param exact an anonymous enum has a space behind it, as in libbpf 1.8
 */
export function castText(type: BtfType, exact: boolean, name = "", depth = 0): string {
  const chain: BtfType[] = [];
  let at = type;
  for (let steps = 0; ; steps++) {
    if (steps + depth > DEPTH) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: type.id, limit: DEPTH });
    if (at.kind === "ptr") {
      chain.push(at);
      at = at.target;
    } else if (at.kind === "array") {
      chain.push(at);
      at = at.element;
    } else if (at.kind === "func_proto") {
      chain.push(at);
      at = at.returnType;
    } else if (isModifier(at) && at.kind !== "typedef") {
      at = at.target;
    } else break;
  }
  return baseText(at, exact) + declarator(chain, exact, name, depth + chain.length, false);
}

function baseText(type: BtfType, exact: boolean): string {
  switch (type.kind) {
    case "struct":
    case "union":
    case "enum":
    case "enum64": {
      const word = type.kind === "enum64" ? "enum" : type.kind;
      if (type.name) return `${word} ${type.name}`;
      return exact && word === "enum" ? "enum " : word;
    }
    case "fwd":
      return `${type.forwardKind} ${type.name}`;
    default:
      return type.name;
  }
}

/** What stands behind the base; `chain` goes from the outermost pointer, array or function to the innermost. */
function declarator(chain: BtfType[], exact: boolean, name: string, depth: number, isInner: boolean): string {
  let text = "";
  // Nothing stands before the first pointer within parentheses.
  let afterPointer = isInner;
  for (;;) {
    const type = chain.pop();
    if (!type) return text + (name && !afterPointer ? ` ${name}` : name);
    if (type.kind === "ptr") {
      text += afterPointer ? "*" : " *";
      afterPointer = true;
    } else if (type.kind === "array") {
      const dimension = `[${type.length}]`;
      const around = chain.at(-1);
      if (!around) return `${text}${name && !afterPointer ? " " : ""}${name}${dimension}`;
      const inner = declarator(chain, exact, name, depth, true);
      const space = name && !afterPointer ? " " : "";
      return around.kind === "array" ? text + space + inner + dimension : `${text}${space}(${inner})${dimension}`;
    } else {
      const inner =
        chain.length > 0
          ? ` (${declarator(chain, exact, name, depth, true)})`
          : declarator(chain, exact, name, depth, true);
      return `${text}${inner}(${parameters(type as FuncProtoType, exact, depth)})`;
    }
  }
}

function parameters({ params }: FuncProtoType, exact: boolean, depth: number): string {
  if (params.length === 0 || (params.length === 1 && params[0]!.typeId === 0)) return "void";
  return params
    .map(({ type, typeId, name }, i) =>
      i === params.length - 1 && typeId === 0 ? "..." : castText(type, exact, name, depth + 1),
    )
    .join(", ");
}
