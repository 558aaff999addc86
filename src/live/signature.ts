/** Signatures of functions, in bpftool's spacing. */
import type { BtfType, FuncProtoType, FuncType } from "../btf/types.js";

/** Room that bpftool has for a signature, with its NUL. One that does not fit is left out. */
const LIMIT = 1024;

/** A type without words for it, or a text that has become too long. */
class Unspeakable extends Error {}

/**
 * Returns the declaration of a type of BTF as `bpftool prog dump` prints it above a
 * function: every word has a space after it, so `int  f(void * ctx)` is spelt with
 * these spaces.
 *
 * @returns "" for what has no declaration, and for one of 1024 bytes and more
 */
export function signatureOf(type: BtfType): string {
  try {
    const text = words(type);
    return text.length < LIMIT ? text : "";
  } catch (error) {
    if (error instanceof Unspeakable) return "";
    throw error;
  }
}

function words(type: BtfType): string {
  switch (type.kind) {
    case "void":
      return "void ";
    case "int":
    case "typedef":
    case "float":
      return `${type.name} `;
    case "struct":
    case "union":
      return `${type.kind} ${type.name} `;
    case "enum":
    case "enum64":
      return `enum ${type.name} `;
    case "array":
      return `${words(type.element)}[${type.length}]`;
    case "ptr":
      return `${words(type.target)}* `;
    case "fwd":
      return `${type.forwardKind} ${type.name} `;
    case "volatile":
    case "const":
    case "restrict":
      return `${type.kind} ${words(type.target)}`;
    case "func_proto":
      return functionWords(type);
    case "func":
      return functionWords(type.proto as FuncProtoType, type);
    case "var":
      return `${type.linkage === "static" ? "static " : ""}${words(type.type)} ${type.name}`;
    case "datasec":
      return `section ("${type.name}") `;
    default:
      throw new Unspeakable();
  }
}

function functionWords(proto: FuncProtoType, named?: FuncType): string {
  const parameters = proto.params.map(({ name, typeId, type }) => {
    if (typeId === 0) return "...";
    const declared = words(type);
    return name ? declared + name : declared.replace(/ $/, "");
  });
  const text = `${words(proto.returnType)}${named?.name ?? ""}(${parameters.join(", ")})`;
  if (text.length >= LIMIT) throw new Unspeakable();
  return text;
}
