/** A struct as pahole reorganises it, with what that saves. */

import { resolve } from "../../btf/query/resolve.js";
import type { BtfType } from "../../btf/types.js";
import { ERR_ARGUMENT } from "../../errors/btf.js";
import { BtfLookupError } from "../../errors/error.js";
import { checkCacheline, compositeOf } from "../layout/layout.js";
import { LayoutPrinter } from "../layout/printer.js";
import { CACHELINE_BYTES, type Composite, type Shape, Shapes } from "../layout/shapes.js";
import type { LayoutTextOptions } from "../layout/text.js";
import { cloneComposite, Endless, reorganize, type Steps } from "./reorganize.js";

/** What is said of the way there. */
export interface Told {
  /** A line for each move. */
  readonly moves: boolean;
  /** The struct after each move. */
  readonly steps: boolean;
}

/** @throws Endless where pahole goes in circles */
export function printReorganized(printer: LayoutPrinter, shape: Shape, { moves, steps }: Told): string {
  const { shapes } = printer;
  const composite = shapes.composite(shape);
  shapes.findHoles(composite);
  const clone = cloneComposite(composite);
  const bare = new LayoutPrinter(shapes);
  let text = "";
  const told: Steps = {
    say: (line) => {
      text += `${line}\n`;
    },
    show: (step: Composite) => {
      if (steps) text += `${bare.print(shape, undefined, step).slice(0, -1)}\n`;
    },
  };
  reorganize(shapes, clone, moves ? told : undefined);
  const saved = (composite.size - clone.size) | 0;
  if (saved !== 0 && moves) text += steps ? "\n/* Final reorganized struct: */\n" : "\n";
  text += printer.print(shape, undefined, clone);
  if (saved === 0) return `${text}\n`;
  const lines = cachelines(shapes, composite.size) - cachelines(shapes, clone.size);
  const fewer = lines ? ` and ${lines < 0 ? 2n ** 64n + BigInt(lines) : lines} cacheline${lines === 1 ? "" : "s"}` : "";
  return `${text}   /* saved ${saved} byte${saved === 1 ? "" : "s"}${fewer}! */\n`;
}

function cachelines({ cachelineBytes }: Shapes, size: number): number {
  return Math.floor((size + cachelineBytes - 1) / cachelineBytes);
}

/**
 * Returns a struct as pahole 1.31 reorganises it, and what that saves.
 *
 * @throws BtfLookupError ERR_ARGUMENT for what is no struct, or where pahole goes in circles
 */
export function reorganizedText(
  type: BtfType,
  { cachelineBytes = CACHELINE_BYTES, compat, steps, ...style }: LayoutTextOptions & { readonly steps: boolean },
): string {
  const view = compositeOf(resolve(type));
  if (view.kind !== "struct") {
    throw new BtfLookupError(ERR_ARGUMENT, { typeId: type.id, note: `union ${view.name} cannot be reorganized` });
  }
  const shapes = new Shapes(type.btf, {
    cachelineBytes: checkCacheline(cachelineBytes),
    compatible: compat === "pahole-1.31",
  });
  const { expand = false, hex = false } = style;
  try {
    return printReorganized(new LayoutPrinter(shapes, { expand, hex }), shapes.type(view.id)!, { moves: steps, steps });
  } catch (error) {
    if (!(error instanceof Endless)) throw error;
    const note = `pahole's method does not end on struct ${view.name}: use btfkit pack`;
    throw new BtfLookupError(ERR_ARGUMENT, { typeId: type.id, note });
  }
}
