/** Layouts as text, the way pahole writes them. */

import type { Btf } from "../../btf/btf.js";
import type { BtfType } from "../../btf/types.js";
import { ERR_ARGUMENT } from "../../errors/btf.js";
import { BtfLookupError } from "../../errors/error.js";
import { Distinct } from "./distinct.js";
import { checkCacheline } from "./layout.js";
import { LayoutPrinter } from "./printer.js";
import { CACHELINE_BYTES, Shapes } from "./shapes.js";
import { kernelLayouts, type Progress } from "./whole.js";

/** How layouts are written. */
export interface LayoutTextOptions {
  /** Bytes in a cacheline: a power of two (default 64). */
  readonly cachelineBytes?: number;
  /** Opens members of named types too (default false). */
  readonly expand?: boolean;
  /** Offsets and sizes in hexadecimal (default false). */
  readonly hex?: boolean;
  /** Copies what this version of pahole misprints (default: types are written as C has them). */
  readonly compat?: "pahole-1.31";
}

/** Which layouts, and how a long text is followed or stopped. */
export interface LayoutTextsOptions extends LayoutTextOptions {
  /** Stops the text between two chunks. */
  readonly signal?: AbortSignal;
  /** Told after each chunk how many of how many ids are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A chunk has about so many bytes. */
const CHUNK = 1 << 16;

function printerFor(
  btf: Btf,
  { cachelineBytes = CACHELINE_BYTES, compat, ...style }: LayoutTextOptions,
): LayoutPrinter {
  const shapes = new Shapes(btf, {
    cachelineBytes: checkCacheline(cachelineBytes),
    compatible: compat === "pahole-1.31",
  });
  return new LayoutPrinter(shapes, style);
}

/**
 * Returns a struct, union, enum or typedef with its layout, as pahole 1.31
 * writes it: members with offset and size, cacheline boundaries, holes, and a
 * summary of a struct. Where pahole misprints a type, C is written instead,
 * unless `compat` asks for pahole's text.
 *
 * @throws BtfLookupError ERR_ARGUMENT for a type of another kind, such as a
 *   forward declaration; BtfError ERR_ARGUMENT for a cacheline that is no power of
 *   two; BtfFormatError ERR_BTF_LOOP, BtfLimitError ERR_BTF_DEPTH or ERR_PIECE for
 *   a type that contains itself or has no end
 * @example
 * console.log(layoutText(btf.require("hlist_head")).split("\n").length); // 6
 */
export function layoutText(type: BtfType, options: LayoutTextOptions = {}): string {
  const printer = printerFor(type.btf, options);
  switch (type.kind) {
    case "struct":
    case "union":
    case "enum":
    case "enum64":
    case "typedef":
      return printer.print(printer.shapes.type(type.id)!);
    default: {
      const why = type.kind === "fwd" ? "is only declared here, not defined" : "is no struct, union, enum or typedef";
      const note = `${type.kind} ${type.name || `[${type.id}]`} ${why}, and so has no layout`;
      throw new BtfLookupError(ERR_ARGUMENT, { typeId: type.id, note });
    }
  }
}

/**
 * Makes the text of every named struct and union, in the order of their ids and
 * each once, as `pahole -F btf FILE` does; in chunks of about 64 KiB of UTF-8. Definitions
 * with equal names, sizes and members are one, as for pahole.
 *
 * @throws as `layoutText`, while the chunks are taken
 * @example
 * let length = 0;
 * for (const chunk of layoutTexts(btf)) length += chunk.length;
 * console.log(length); // 4851326
 */
export function* layoutTexts(btf: Btf, options: LayoutTextsOptions = {}): Generator<Uint8Array<ArrayBuffer>, void> {
  for (const chunk of layoutChunks(btf, options)) yield chunk.slice();
}

/** As `layoutTexts`, but each chunk is valid until the next one is taken. @internal */
export function* layoutChunks(
  btf: Btf,
  { signal, onProgress, ...style }: LayoutTextsOptions = {},
): Generator<Uint8Array<ArrayBuffer>, void> {
  const progress: Progress = { written: 0, isDone: false };
  const told = (id: number): void => {
    signal?.throwIfAborted();
    onProgress?.(id, btf.size);
  };
  signal?.throwIfAborted();
  const { expand, hex, compat, cachelineBytes = CACHELINE_BYTES } = style;
  if (!expand && !hex) {
    const how = { cachelineBytes: checkCacheline(cachelineBytes), compatible: compat === "pahole-1.31" };
    let printer: LayoutPrinter | undefined;
    const write = (id: number): Uint8Array<ArrayBuffer> => {
      printer ??= printerFor(btf, style);
      printer.write(printer.shapes.type(id)!);
      printer.add("\n");
      return printer.take();
    };
    yield* kernelLayouts(btf, how, progress, write, told);
    if (progress.isDone) return;
  }
  // What the kernel has written is written again, and left out.
  let skip = progress.written;
  for (const chunk of printedChunks(printerFor(btf, style), told)) {
    if (skip < chunk.length) yield chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
  }
}

function* printedChunks(printer: LayoutPrinter, told: (id: number) => void): Generator<Uint8Array<ArrayBuffer>, void> {
  const { shapes } = printer;
  const distinct = new Distinct();
  for (let id = 1; id < shapes.limit; id++) {
    const kind = shapes.kindAt(id);
    if (kind !== "struct" && kind !== "union") continue;
    const shape = shapes.type(id)!;
    if (shape.name === "" || distinct.meet(shapes.composite(shape))) continue;
    printer.write(shape);
    printer.add("\n");
    if (printer.written < CHUNK) continue;
    yield printer.take();
    told(id + 1);
  }
  yield printer.take();
  told(shapes.limit);
}
