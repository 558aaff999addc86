/** A struct in its packed order, as pahole would write it. */

import { LayoutPrinter } from "../layout/printer.js";
import { CACHELINE_BYTES, type Field, Shapes } from "../layout/shapes.js";
import type { Packing } from "./pack.js";

/**
 * Returns a packed struct as `layoutText` would write it, were it declared in
 * that order.
 *
 * @example
 * console.log(packedText(pack(btf.require("kernfs_open_node"))).split("\n").at(-1)); // };
 */
export function packedText(
  { type, packedByteSize, members }: Packing,
  { cachelineBytes = CACHELINE_BYTES }: { readonly cachelineBytes?: number } = {},
): string {
  const shapes = new Shapes(type.btf, { cachelineBytes, compatible: false });
  const shape = shapes.type(type.id)!;
  const composite = shapes.composite(shape);
  const fields = members.map(({ index, bitOffset }): Field => {
    const field = composite.fields[index]!;
    const unit = field.byteSize * 8;
    const byteOffset =
      field.bitfieldBits && unit ? Math.floor(bitOffset / unit) * field.byteSize : Math.floor(bitOffset / 8);
    return field.copy({ bitOffset, byteOffset, bitfieldOffset: field.bitfieldBits ? bitOffset - byteOffset * 8 : 0 });
  });
  return new LayoutPrinter(shapes).print(shape, undefined, {
    ...composite,
    fields,
    size: packedByteSize,
    holesFound: false,
  });
}
