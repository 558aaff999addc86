/** The picture of a layout as rows of boxes, by the library's geometry. */
import { type LayoutBox, layoutRows } from "btfkit/inspect";
import type { Picture, PictureBox, TypeRef } from "../protocol.js";
import { type OpenKernel, typeOf } from "./kernels.js";
import { canOpen, fillOf, linkOf, openedLayout } from "./shape.js";

interface Asked {
  readonly ref: TypeRef;
  readonly rowBytes: number;
  readonly open: readonly string[];
}

export function picture({ ref, rowBytes, open }: Asked): Picture {
  const { kernel, type } = typeOf(ref);
  const rows = layoutRows(openedLayout(type, rowBytes, open));
  return {
    rowBytes,
    rows: rows.map(({ byteOffset, lines, height, boxes }) => ({
      byteOffset,
      lines,
      height,
      boxes: boxes.map((box) => boxOf(kernel, box, byteOffset * 8)),
    })),
  };
}

function boxOf(kernel: OpenKernel, box: LayoutBox, rowStart: number): PictureBox {
  const { kind, member, gap, path, bitOffset, bitSize: bits, top, height, startsBefore, endsAfter } = box;
  const whole = member ?? gap!;
  const link = member && linkOf(kernel, member.type);
  const opens = member !== undefined && canOpen(kernel, member);
  return {
    kind,
    fill: member ? fillOf(member) : "free",
    name: member ? member.name || `(${member.category})` : "",
    path,
    type: member?.typeText ?? "",
    start: bitOffset - rowStart,
    bits,
    top,
    height,
    startsBefore,
    endsAfter,
    bitOffset: whole.bitOffset,
    bitSize: whole.bitSize,
    ...(opens && { opens, isOpen: kind === "band" }),
    ...(link && { link }),
  };
}
