/** Layouts with chosen members opened in place, for the picture and the table. */
import type { BtfType } from "btfkit";
import { BtfError, resolve } from "btfkit";
import { type Layout, type LayoutMember, layout } from "btfkit/inspect";
import type { BoxFill, TypeRef } from "../protocol.js";
import type { OpenKernel } from "./kernels.js";

/** The layout that was asked for last, with everything in it opened. */
let latest: { readonly type: BtfType; readonly rowBytes: number; readonly whole: Layout } | undefined;

/** The layout of a type in which the members at `open` paths are opened, and no others but anonymous ones. */
export function openedLayout(type: BtfType, rowBytes: number, open: readonly string[]): Layout {
  return pruned(wholeLayout(type, rowBytes), new Set(open), "");
}

/** The layout of a type with all that is in it opened. */
export function wholeLayout(type: BtfType, rowBytes = 64): Layout {
  if (latest?.type !== type || latest.rowBytes !== rowBytes) {
    latest = { type, rowBytes, whole: expanded(type, rowBytes) };
  }
  return latest.whole;
}

function expanded(type: BtfType, cachelineBytes: number): Layout {
  try {
    return layout(type, { cachelineBytes, expand: true });
  } catch (error) {
    // Too much to open: the members of the type itself still can be shown.
    if (error instanceof BtfError && error.code === "ERR_WORK") return layout(type, { cachelineBytes });
    throw error;
  }
}

function pruned(whole: Layout, open: ReadonlySet<string>, parent: string): Layout {
  const members = whole.members.map((member): LayoutMember => {
    if (!member.nested) return member;
    const path = pathOf(member, parent);
    return { ...member, nested: isShown(member, path, open) ? pruned(member.nested, open, path) : undefined };
  });
  return { ...whole, members };
}

function isShown({ nested }: LayoutMember, path: string, open: ReadonlySet<string>): boolean {
  return nested!.name === "" || open.has(path);
}

/** Whether a click opens the member: it holds a struct or union that has a name of its own. */
export function canOpen(kernel: OpenKernel, { category, type, nested }: LayoutMember): boolean {
  if (category !== "struct" && category !== "union") return false;
  if (nested?.name === "") return false;
  return linkOf(kernel, type) !== undefined;
}

export function pathOf({ name }: LayoutMember, parent: string): string {
  return name && parent ? `${parent}.${name}` : name || parent;
}

export function fillOf({ category }: LayoutMember): BoxFill {
  switch (category) {
    case "struct":
    case "union":
      return "composite";
    case "bool":
      return "enum";
    case "float":
      return "integer";
    default:
      return category;
  }
}

/** The first type with a name behind pointers, arrays and modifiers: what a click leads to. */
export function linkOf(kernel: OpenKernel, type: BtfType): TypeRef | undefined {
  let at = type;
  for (let steps = 0; steps < 32; steps++) {
    switch (at.kind) {
      case "ptr":
      case "const":
      case "volatile":
      case "restrict":
      case "type_tag":
        at = at.target;
        break;
      case "array":
        at = at.element;
        break;
      case "typedef": {
        // The typedef of a number says more by itself.
        const target = resolve(at);
        if (target.kind !== "struct" && target.kind !== "union") return kernel.refOf(at);
        return kernel.refOf(target.name ? target : at);
      }
      case "struct":
      case "union":
      case "enum":
      case "enum64":
        return at.name ? kernel.refOf(at) : undefined;
      default:
        return undefined;
    }
  }
  return undefined;
}
