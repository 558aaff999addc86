/**
 * The layouts of a whole kernel, by the WebAssembly kernel where it can: it
 * writes what pahole 1.31 does in its default style, in a copy of the image.
 * Whatever is out of the ordinary it leaves to the printer, which then writes
 * the text anew from where the kernel stopped.
 */

import type { Btf } from "../../btf/btf.js";
import type { Image } from "../../btf/image.js";
import { BtfEnvironmentError, BtfLimitError } from "../../errors/error.js";
import type { Arena } from "../../memory/arena.js";
import type { InspectKernel } from "../../memory/inspect-kernel.js";
import { inspectArena } from "../workspace.js";
import type { ShapeOptions } from "./shapes.js";

/** What `layouts` returns for a definition that the host writes. */
const FOREIGN = -3;
/** Bytes of a window; a chunk takes half of it. */
const WINDOW = 1 << 18;
/** As the kernel has it. */
const SCRATCH = 1 << 20;
/** Bytes that the kernel keeps of each type. */
const KNOWN = 36;
/** Heads of the table of names. */
const HEADS = 1 << 14;
/** Bytes that the kernel may take: members, definitions and texts of types, as multiple of the types' bytes. */
const HEAP_RATIO = 6;
const HEAP_LEAST = 4 << 20;
/** Types and strings that are copied: more is left to the printer. */
const COPY_LIMIT = 256 << 20;
/** Zero bytes after strings: the kernel reads 8 at a time. */
const PADDING = 32;

/** A text of which this much is written; it may end before all is. */
export interface Progress {
  /** Bytes that were yielded. */
  written: number;
  /** All is written. */
  isDone: boolean;
}

/**
 * Yields chunks for as long as the kernel gets on; each is valid until the
 * next. `onProgress` is told the id that comes next.
 *
 * @param write writes a definition that pahole misprints, where that is not copied
 */
export function* kernelLayouts(
  btf: Btf,
  { cachelineBytes, compatible }: ShapeOptions,
  progress: Progress,
  write: (id: number) => Uint8Array<ArrayBuffer>,
  onProgress: (id: number) => void = () => {},
): Generator<Uint8Array<ArrayBuffer>, void> {
  const arena = openArena();
  if (!arena) return;
  try {
    const window = layOut(arena, btf, { cachelineBytes, compatible });
    if (window === undefined) return;
    const { kernel } = arena;
    while (kernel.position() < btf.size) {
      const length = arena.run(() => kernel.layouts(window, WINDOW));
      if (length === FOREIGN) {
        const chunk = write(kernel.position());
        kernel.skip();
        progress.written += chunk.length;
        yield chunk;
        continue;
      }
      if (length < 0) return;
      progress.written += length;
      yield arena.bytes.subarray(window, window + length);
      onProgress(kernel.position());
    }
    progress.isDone = true;
  } finally {
    arena.release();
  }
}

function openArena(): Arena<InspectKernel> | undefined {
  try {
    return inspectArena();
  } catch (error) {
    // A host without WebAssembly: the printer does without.
    if (error instanceof BtfEnvironmentError) return undefined;
    throw error;
  }
}

/** Copies the image and its bases; returns the address of the window, or nothing where there is too much. */
function layOut(
  arena: Arena<InspectKernel>,
  btf: Btf,
  { cachelineBytes, compatible }: ShapeOptions,
): number | undefined {
  const images: Image[] = [];
  for (let image: Image | undefined = btf.image; image; image = image.base) images.unshift(image);
  const typesLength = images.reduce((sum, { header }) => sum + header.typesLength, 0);
  const { stringsStart, header } = btf.image;
  const stringsLength = stringsStart + header.stringsLength;
  if (typesLength + stringsLength > COPY_LIMIT) return undefined;
  try {
    const zeroed = (length: number): number => {
      const at = arena.allocate(length);
      arena.bytes.fill(0, at, at + length);
      return at;
    };
    const strings = arena.allocate(stringsLength + PADDING);
    const records = zeroed(btf.size * 4);
    const kinds = zeroed(btf.size);
    const known = zeroed(btf.size * KNOWN);
    const heads = zeroed(HEADS * 4);
    const window = arena.allocate(WINDOW);
    const copies = images.map((image) => {
      const types = arena.allocate(image.header.typesLength + PADDING);
      const offsets = arena.allocate(image.count * 4);
      return { image, types, offsets, kinds: arena.allocate(image.count) };
    });
    const scratch = arena.allocate(SCRATCH);
    const heapLength = typesLength * HEAP_RATIO + HEAP_LEAST;
    const heap = arena.allocate(heapLength);
    const { kernel, bytes } = arena;
    bytes.fill(0, strings + stringsLength, strings + stringsLength + PADDING);
    kernel.start(
      records,
      kinds,
      known,
      strings,
      btf.size,
      btf.pointerSize,
      cachelineBytes,
      +compatible,
      heap,
      heap + heapLength,
    );
    for (const { image, types, offsets, kinds: from } of copies) {
      const { memory } = image;
      bytes.set(memory.subarray(image.types, image.types + image.header.typesLength), types);
      bytes.set(image.recordOffsets, offsets);
      bytes.set(image.kinds, from);
      const start = strings + image.stringsStart;
      bytes.set(memory.subarray(image.strings, image.strings + image.header.stringsLength), start);
      kernel.adopt(types, offsets, from, image.firstId, image.count);
    }
    kernel.begin(scratch, heads, HEADS - 1);
    return window;
  } catch (error) {
    // No memory for a copy: the printer needs less at once.
    if (error instanceof BtfLimitError) return undefined;
    throw error;
  }
}
