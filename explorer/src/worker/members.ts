/** The table of a layout: members with what is opened in them, and the free space between. */
import type { Layout, LayoutMember } from "btfkit/inspect";
import type { MemberRow, TypeRef } from "../protocol.js";
import { type OpenKernel, typeOf } from "./kernels.js";
import { canOpen, fillOf, linkOf, openedLayout, pathOf } from "./shape.js";

export function members({ ref, open }: { ref: TypeRef; open: readonly string[] }): readonly MemberRow[] {
  const { kernel, type } = typeOf(ref);
  return rowsOf(kernel, openedLayout(type, 64, open), "", 0);
}

function rowsOf(kernel: OpenKernel, layout: Layout, parent: string, depth: number): MemberRow[] {
  const gaps = new Map(layout.gaps.map((gap) => [gap.after, gap]));
  const gapRow = (after: number): MemberRow[] => {
    const gap = gaps.get(after);
    if (!gap) return [];
    const { kind, bitOffset, bitSize } = gap;
    const place = { bitOffset, bitSize, isBitfield: bitSize % 8 !== 0 };
    return [{ depth, kind, path: "", name: "", type: "", ...place, fill: "free", opens: false, isOpen: false }];
  };
  return [
    ...gapRow(-1),
    ...layout.members.flatMap((member) => [...memberRows(kernel, member, parent, depth), ...gapRow(member.index)]),
  ];
}

function memberRows(kernel: OpenKernel, member: LayoutMember, parent: string, depth: number): MemberRow[] {
  const { name, typeText, bitOffset, bitSize, bitfieldBits, nested } = member;
  const path = pathOf(member, parent);
  const link = linkOf(kernel, member.type);
  const row: MemberRow = {
    depth,
    kind: "member",
    path,
    name,
    type: bitfieldBits ? `${typeText} : ${bitfieldBits}` : typeText.split("\n", 1)[0]!,
    bitOffset,
    bitSize,
    isBitfield: bitfieldBits > 0,
    fill: fillOf(member),
    opens: canOpen(kernel, member),
    isOpen: nested !== undefined,
    ...(link && { link }),
  };
  return [row, ...(nested ? rowsOf(kernel, nested, path, depth + 1) : [])];
}
