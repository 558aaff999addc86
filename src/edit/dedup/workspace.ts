/**
 * Images laid out one behind the other in a memory of their own, where the
 * edit kernels work on them: inputs stay as they are, and nothing is left of
 * work that failed.
 */

import type { Image } from "../../btf/image.js";
import { ERR_BTF_TYPE_ID, ERR_INTERNAL, ERR_UNSUPPORTED } from "../../errors/btf.js";
import { ERR_BUILD_LIMIT, ERR_DEDUP_LOOP, ERR_DEDUP_NAMES, ERR_FINGERPRINT } from "../../errors/edit.js";
import { BtfEnvironmentError, BtfFormatError, BtfInternalError, BtfLimitError } from "../../errors/error.js";
import { Arena, type Pool } from "../../memory/arena.js";
import { type EditKernel, instantiateEdit } from "../../memory/edit-kernel.js";
import * as abi from "../../memory/generated/edit-abi.js";
import { type Address, type Field, readField, writeField, writeSeed } from "../../memory/struct.js";

const pool: Pool<EditKernel> = { spare: [], make: instantiateEdit };

/** A memory of its own for the edit kernels. */
export function editArena(): Arena<EditKernel> {
  return new Arena<EditKernel>(pool);
}

/** Zero bytes behind strings: kernels read 8 at a time. */
const PADDING = 16;
/** libbpf's BTF_MAX_NR_TYPES and BTF_MAX_STR_OFFSET. */
const LIMIT = 0x7fffffff;

/** The place of an input in the workspace. */
export interface Part {
  readonly image: Image;
  /** Shift of the ids that are not the base's. */
  readonly idShift: number;
  /** Shift of the name offsets that are not the base's. */
  readonly nameShift: number;
}

/** An image and its bases, the lowest first. */
function chainOf(image: Image | undefined): Image[] {
  return image ? [...chainOf(image.base), image] : [];
}

export class Workspace {
  readonly arena = editArena();
  /** Address of the descriptor. */
  readonly graph: Address<"Graph">;
  readonly parts: readonly Part[];
  /** The first id that is not the base's, and one past the last. */
  readonly firstId: number;
  readonly idLimit: number;
  /** References in all records. */
  readonly edgeCount: number;
  readonly stringsLength: number;
  /** Memory that nothing reads any more, each stretch from a multiple of 16 on. */
  readonly #free: { readonly at: number; readonly length: number }[] = [];

  /** Lays out `images` on `base`. @throws BtfLimitError ERR_BUILD_LIMIT, ERR_MEMORY; BtfEnvironmentError ERR_UNSUPPORTED */
  constructor(images: readonly Image[], base: Image | undefined) {
    const below = chainOf(base);
    this.firstId = base?.idLimit ?? 1;
    const stringsStart = base ? base.stringsStart + base.header.stringsLength : 0;
    const all = [...below, ...images];
    const typesLength = all.reduce((sum, { header }) => sum + header.typesLength, 0);
    this.stringsLength = all.reduce((sum, { header }) => sum + header.stringsLength, 0);
    this.idLimit = images.reduce((sum, { count }) => sum + count, this.firstId);
    for (const [name, value] of [
      ["type id", this.idLimit],
      ["string offset", this.stringsLength],
    ] as const) {
      if (value > LIMIT) throw new BtfLimitError(ERR_BUILD_LIMIT, { name, value, limit: LIMIT });
    }
    const { arena } = this;
    try {
      this.graph = arena.allocate(abi.GRAPH_SIZE) as Address<"Graph">;
      const types = arena.allocate(typesLength);
      const strings = arena.allocate(this.stringsLength + PADDING);
      arena.bytes.fill(0, this.graph, this.graph + abi.GRAPH_SIZE);
      arena.bytes.fill(0, strings + this.stringsLength, strings + this.stringsLength + PADDING);
      this.#layOut(all, types, strings);
      this.parts = this.#shifts(images, stringsStart);
      this.set(abi.GRAPH_TYPES, types);
      this.set(abi.GRAPH_TYPES_LENGTH, typesLength);
      this.set(abi.GRAPH_STRINGS, strings);
      this.set(abi.GRAPH_STRINGS_LENGTH, this.stringsLength);
      this.set(abi.GRAPH_FIRST_ID, this.firstId);
      this.set(abi.GRAPH_ID_LIMIT, this.idLimit);
      this.set(abi.GRAPH_STRINGS_START, stringsStart);
      const words = Math.floor(this.stringsLength / 64) + 1;
      this.zero(this.array(abi.GRAPH_NAME_BITS, words, 8), words * 8);
      this.edgeCount = this.#take(below, types);
    } catch (cause) {
      arena.release();
      throw cause;
    }
  }

  /** Moves records to joined ids and name offsets; returns how many references they hold. */
  #take(below: readonly Image[], at: number): number {
    const parts = [...below.map((image) => ({ image, idShift: 0, nameShift: 0 })), ...this.parts];
    let count = 0;
    for (const { image, idShift, nameShift } of parts) {
      const { firstId, idLimit, stringsStart } = image;
      const end = at + image.header.typesLength;
      // Offset 0 is "" in every image.
      const ownName = Math.max(1, stringsStart);
      count += this.judge(
        this.run((kernel, graph) =>
          kernel.take(graph, at, end, firstId + idShift, idLimit, firstId, idShift, ownName, nameShift),
        ),
      );
      at = end;
    }
    return count;
  }

  #layOut(images: readonly Image[], types: number, strings: number): void {
    const { bytes } = this.arena;
    for (const image of images) {
      const { memory, header } = image;
      bytes.set(memory.subarray(image.types, image.types + header.typesLength), types);
      bytes.set(memory.subarray(image.strings, image.strings + header.stringsLength), strings);
      types += header.typesLength;
      strings += header.stringsLength;
    }
  }

  #shifts(images: readonly Image[], stringsStart: number): Part[] {
    let id = this.firstId;
    let name = stringsStart;
    return images.map((image) => {
      const part = { image, idShift: id - image.firstId, nameShift: name - image.stringsStart };
      id += image.count;
      name += image.header.stringsLength;
      return part;
    });
  }

  /** Start of the records that are not the base's, in bytes from the first record. */
  get ownOffset(): number {
    const addedLength = this.parts.reduce((sum, { image }) => sum + image.header.typesLength, 0);
    return this.get(abi.GRAPH_TYPES_LENGTH) - addedLength;
  }

  /** Hands the memory back. */
  release(): void {
    this.arena.release();
  }

  set(field: Field<"Graph">, value: number): void {
    writeField(this.arena.view, this.graph, field, value);
  }

  get(field: Field<"Graph">): number {
    return readField(this.arena.view, this.graph, field);
  }

  /** Returns `length` bytes: free memory if a stretch is long enough, else new memory. */
  allocate(length: number): number {
    const index = this.#free.findIndex((stretch) => stretch.length >= length);
    if (index < 0) return this.arena.allocate(length);
    const { at, length: room } = this.#free[index]!;
    const used = Math.ceil(length / 16) * 16;
    if (used < room) this.#free[index] = { at: at + used, length: room - used };
    else this.#free.splice(index, 1);
    return at;
  }

  /** Gives an array of `count` elements of `size` bytes to a field of the descriptor. */
  array(field: Field<"Graph">, count: number, size: number): number {
    const at = this.allocate(count * size);
    this.set(field, at);
    return at;
  }

  /** Frees [at, end) for later arrays: nothing reads it any more. */
  reuse(at: number, end: number): void {
    this.#free.push({ at, length: end - at });
  }

  zero(at: number, length: number): void {
    this.arena.bytes.fill(0, at, at + length);
  }

  /** Another seed, so that nobody can craft names or types that all meet. */
  reseed(): void {
    writeSeed(this.arena.view, this.graph, abi.GRAPH_SEED);
  }

  run<T>(call: (kernel: EditKernel, graph: number) => T): T {
    return this.arena.run((kernel) => call(kernel, this.graph));
  }

  /** The input that an id of the workspace comes from, and its id there. */
  originOf(id: number): { readonly image: Image; readonly id: number } | undefined {
    for (const { image, idShift } of this.parts) {
      const originId = id - idShift;
      if (originId >= image.firstId && originId < image.idLimit) return { image, id: originId };
    }
    return undefined;
  }

  /** Turns a kernel's refusal into the error that says which rule and where. */
  judge(result: number): number {
    if (result >= 0) return result;
    const { view, kernel } = this.arena;
    const status = kernel.status() as Address<"Status">;
    const at = readField(view, status, abi.STATUS_TYPE_ID);
    const value = readField(view, status, abi.STATUS_AUX);
    const origin = this.originOf(at);
    const typeId = origin?.id ?? at;
    const name = origin ? origin.image.string(origin.image.view.getUint32(origin.image.record(typeId), true)) : "";
    switch (-result) {
      case abi.ERR_UNKNOWN_KIND:
        throw new BtfEnvironmentError(ERR_UNSUPPORTED, {
          typeId,
          value,
          note: `type [${typeId}] has kind ${value}, which is unknown: nothing says which of its fields are names or ids`,
        });
      case abi.ERR_TYPE_ID:
        throw new BtfFormatError(ERR_BTF_TYPE_ID, { typeId, value, limit: (origin?.image ?? this).idLimit - 1 });
      case abi.ERR_NAME_OVERLAP:
        throw new BtfLimitError(ERR_DEDUP_NAMES, { value });
      case abi.ERR_FINGERPRINT:
        throw new BtfLimitError(ERR_FINGERPRINT, { typeId, value });
      case abi.ERR_REFERENCE_LOOP:
        throw new BtfFormatError(ERR_DEDUP_LOOP, { typeId, name });
      default:
        throw new BtfInternalError(ERR_INTERNAL, { note: `an edit kernel returned ${result}` });
    }
  }
}
