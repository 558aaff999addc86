/** A type as C, in pieces: what names a type is a link to it. */
import { type BtfType, declaration, type Kind } from "btfkit";
import { layoutText } from "btfkit/inspect";
import type { CodePiece, TypeRef } from "../protocol.js";
import type { OpenKernel } from "./kernels.js";
import { signature } from "./signature.js";

/** Characters of C that are shown at most. */
const LIMIT = 150_000;

export function codeOf(kernel: OpenKernel, type: BtfType): CodePiece[] {
  return linked(kernel, type, textOf(type).slice(0, LIMIT));
}

/** C of a type: structs, unions and enums as pahole writes them. */
export function textOf(type: BtfType): string {
  switch (type.kind) {
    case "struct":
    case "union":
    case "enum":
    case "enum64":
      return layoutText(type);
    case "typedef":
      return `typedef ${declaration(type.target, { name: type.name })};`;
    case "func":
      return `${signature(type)};`;
    case "func_proto":
      return `${signature({ proto: type, name: "(*)" })};`;
    case "var":
      return `${type.linkage === "static" ? "static " : "extern "}${declaration(type.type, { name: type.name })};`;
    case "datasec":
      return type.variables
        .map(
          (one) =>
            `${declaration(one.type.kind === "var" ? one.type.type : one.type, { name: one.type.name })}; /* ${one.byteOffset} ${one.byteSize} */`,
        )
        .join("\n");
    case "fwd":
      return `${type.forwardKind} ${type.name};`;
    default:
      return declaration(type);
  }
}

const TOKEN = /\/\*[\s\S]*?\*\/|\b(?:struct|union|enum)\s+[A-Za-z_]\w*|[A-Za-z_]\w*|0x[\da-f]+|\d+|[^A-Za-z_\d/]+|\//g;
const KEYWORDS = new Set(
  "struct union enum typedef static extern const volatile restrict void char short int long signed unsigned float double _Bool bool".split(
    " ",
  ),
);

function linked(kernel: OpenKernel, self: BtfType, text: string): CodePiece[] {
  const pieces: CodePiece[] = [];
  const known = new Map<string, TypeRef | undefined>();
  const find = (kind: Kind, name: string): TypeRef | undefined => {
    const key = `${kind} ${name}`;
    if (!known.has(key)) {
      const type = self.btf.find(name, kind) ?? (kind === "enum" ? self.btf.find(name, "enum64") : undefined);
      known.set(key, type && type !== self ? kernel.refOf(type) : undefined);
    }
    return known.get(key);
  };
  const plain = (piece: string): void => {
    const before = pieces.at(-1);
    if (before && !before.link && !before.role) pieces[pieces.length - 1] = { text: before.text + piece };
    else pieces.push({ text: piece });
  };
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const [, kind, name] = /^(struct|union|enum)\s+(\w+)$/.exec(token) ?? [];
    if (token.startsWith("/*")) pieces.push({ text: token, role: "comment" });
    else if (kind && name) {
      const link = find(kind as Kind, name);
      pieces.push({ text: token.slice(0, token.length - name.length), role: "keyword" });
      if (link) pieces.push({ text: name, link });
      else plain(name);
    } else if (KEYWORDS.has(token)) pieces.push({ text: token, role: "keyword" });
    else if (/^\d/.test(token)) pieces.push({ text: token, role: "number" });
    else if (/^[A-Za-z_]/.test(token)) {
      // A declared name stands last at the outer level, or after `(*`; all else may be a typedef.
      const after = /\S/.exec(text.slice(index + token.length, index + token.length + 40))?.[0] ?? "";
      const isDeclared =
        (depth === 0 && ";[:,=)".includes(after)) || /\(\*+\s*$/.test(text.slice(Math.max(0, index - 4), index));
      const link = isDeclared ? undefined : find("typedef", token);
      if (link) pieces.push({ text: token, link });
      else plain(token);
    } else {
      for (const character of token) depth += character === "(" ? 1 : character === ")" ? -1 : 0;
      plain(token);
    }
  }
  return pieces;
}
