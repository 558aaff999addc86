/** A function as C declares it, with the names of its parameters. */
import { declaration, type FuncProtoType, type FuncType } from "btfkit";

export function signature({ proto, name }: Pick<FuncType, "proto" | "name">): string {
  if (proto.kind !== "func_proto") return name;
  return `${declaration(proto.returnType)} ${name}(${parametersOf(proto)})`.replace(/\* /, "*");
}

function parametersOf({ params, isVariadic }: FuncProtoType): string {
  const shown = isVariadic ? params.slice(0, -1) : params;
  const texts = shown.map(({ type, name }) => declaration(type, { name }));
  return [...texts, ...(isVariadic ? ["..."] : [])].join(", ") || "void";
}
