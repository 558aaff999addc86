/** A type as text to copy. */
import type { BtfType } from "btfkit";
import { type Layout, type LayoutMember, layout, layoutSvg } from "btfkit/inspect";
import type { CopyFormat, TypeRef } from "../protocol.js";
import { textOf } from "./code.js";
import { typeOf } from "./kernels.js";

interface Asked {
  readonly ref: TypeRef;
  readonly format: CopyFormat;
  readonly scheme: "light" | "dark";
}

export async function copy({ ref, format, scheme }: Asked): Promise<string> {
  const { type } = typeOf(ref);
  switch (format) {
    case "c":
      return `${textOf(type)}\n`;
    case "json":
      return `${JSON.stringify({ version: 1, layouts: [plainLayout(layout(type))] }, null, 2)}\n`;
    case "ts":
      return typescriptOf(type);
    case "svg":
      return layoutSvg(layout(type), { scheme });
  }
}

async function typescriptOf(type: BtfType): Promise<string> {
  const { generate } = await import("btfkit/generate");
  return generate(type.btf, "ts", { types: [type] });
}

/** The shape of `btfkit layout --json`. */
function plainLayout({ type, members, ...rest }: Layout): Record<string, unknown> {
  return { typeId: type.id, ...rest, members: members.map(plainMember) };
}

function plainMember({ type, nested, inner, ...rest }: LayoutMember): Record<string, unknown> {
  return { ...rest, typeId: type.id, ...(inner && { inner }), ...(nested && { nested: plainLayout(nested) }) };
}
