/** The memory of a C dump: which types are ordered and written, which names are taken. */

import { ERR_BTF_DEPTH, ERR_BTF_LOOP, ERR_WORK } from "../../../errors/btf.js";
import { BtfFormatError, BtfLimitError } from "../../../errors/error.js";
import type { Arena, Window } from "../../../memory/arena.js";
import * as abi from "../../../memory/generated/abi.js";
import type { Kernel } from "../../../memory/kernel.js";
import { type Address, type Field, readField, writeField, writeField64 } from "../../../memory/struct.js";
import type { Btf } from "../../btf.js";
import type { Image } from "../../image.js";
import { pathOfCycle } from "../../query/cycle.js";

/** Steps a dump may take for each byte of types, besides a million: real kernels take 0.2. */
const WORK_PER_BYTE = 64;
const WORK_LEAST = 1 << 20;

export class CContext {
  readonly #btf: Btf;
  readonly #image: Image;
  readonly #windows: Window[] = [];
  readonly address: Address<"Context">;

  constructor(btf: Btf, { annotate = false, isCompatible = false } = {}) {
    this.#btf = btf;
    this.#image = btf.image;
    const { arena } = btf.image;
    const { size } = btf;
    this.address = this.#takeZeros(abi.C_CONTEXT_SIZE) as Address<"Context">;
    // Flags are changed a word at a time.
    this.#set(abi.C_FLAGS, this.#takeZeros(size + 4));
    this.#set(abi.C_USES, this.#takeZeros(size * 4));
    this.#set(abi.C_ALIGNMENTS, this.#takeZeros(size));
    this.#set(abi.C_QUEUE, this.#take((size + 1) * 4));
    this.#set(abi.C_STACK, this.#take(abi.C_STACK_COUNT * 4));
    this.#set(abi.C_POINTER_SIZE, btf.pointerSize);
    this.#set(abi.C_OPTIONS, (annotate ? abi.C_OPTION_ANNOTATE : 0) | (isCompatible ? abi.C_OPTION_COMPATIBLE : 0));
    let work = WORK_LEAST;
    for (let at: Image | undefined = btf.image; at; at = at.base) work += at.header.typesLength * WORK_PER_BYTE;
    writeField64(arena.view, this.address, abi.C_WORK, BigInt(work));
    const names = arena.run((kernel) => kernel.prepareC(this.#image.address, this.address)) >>> 0;
    const counters = 2 ** Math.ceil(Math.log2(names * 1.25 + 16));
    this.#set(abi.C_NAMES, this.#takeZeros(counters * abi.C_COUNTER_SIZE));
    this.#set(abi.C_NAMES_MASK, counters - 1);
  }

  get #arena(): Arena {
    return this.#image.arena;
  }

  #take(length: number): number {
    const window = this.#arena.takeWindow(length);
    this.#windows.push(window);
    return window.at;
  }

  #takeZeros(length: number): number {
    const at = this.#take(length);
    this.#arena.bytes.fill(0, at, at + length);
    return at;
  }

  #set(field: Field<"Context">, value: number): void {
    writeField(this.#arena.view, this.address, field, value);
  }

  /** Tells whether a type's definition or forward declaration has been written. */
  isWritten(id: number): boolean {
    const { view } = this.#arena;
    const flags = view.getUint8(readField(view, this.address, abi.C_FLAGS) + id);
    return (flags & (abi.C_EMITTED | abi.C_FORWARD)) !== 0;
  }

  /** Runs a kernel that returns a count or a negated error code. */
  run(call: (kernel: Kernel, image: number, context: number) => number): number {
    const arena = this.#arena;
    const result = arena.run((kernel) => call(kernel, this.#image.address, this.address));
    if (result >= 0) return result;
    if (result === -abi.ERR_C_WINDOW) return 0;
    const typeId = readField(arena.view, arena.kernel.status() as Address<"Status">, abi.STATUS_TYPE_ID);
    if (result === -abi.ERR_C_WORK) throw new BtfLimitError(ERR_WORK, { typeId });
    const note = pathOfCycle(this.#btf, typeId);
    if (note) throw new BtfFormatError(ERR_BTF_LOOP, { typeId, note });
    throw new BtfLimitError(ERR_BTF_DEPTH, { typeId, limit: abi.C_DEPTH_LIMIT });
  }

  /** Ids, void included, in the order of bpftool's sorted header; those that write nothing left out. */
  sortedIds(): Uint32Array {
    const arena = this.#arena;
    const { size } = this.#btf;
    const windows = [16, 32, 32, 4].map((bytes) => arena.takeWindow(size * bytes));
    try {
      const [hashes, records, spare, out] = windows.map(({ at }) => at) as [number, number, number, number];
      arena.bytes.fill(0, hashes, hashes + size * 16);
      this.#set(abi.C_HASHES, hashes);
      const count = this.run((kernel, image, context) => kernel.sortC(image, context, records, spare, out));
      return new Uint32Array(arena.bytes.buffer, out, count).slice();
    } finally {
      for (const window of windows.reverse()) arena.giveWindow(window);
    }
  }

  close(): void {
    for (const window of this.#windows.reverse()) this.#arena.giveWindow(window);
  }
}
