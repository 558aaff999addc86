/** Sizes and alignments of types that are being built, and where C puts members of them. */
import type { Btf } from "../../btf/btf.js";
import { isComposite, isModifier } from "../../btf/traverse.js";
import * as abi from "../../memory/generated/edit-abi.js";
import type { Draft } from "./draft.js";
import { kindOf, recordWords } from "./record.js";

/** Types that lead to one another and are looked at for one size. */
const DEPTH = 64;

/** What a type takes, in bytes. */
export interface Extent {
  readonly byteSize: number;
  readonly alignment: number;
}

/** A type as far as its extent goes. */
type Shape =
  | { readonly scalar: number }
  | { readonly target: number; readonly length: number }
  | { readonly byteSize: number; readonly members: readonly PlacedMember[] };

interface PlacedMember {
  readonly id: number;
  readonly bitOffset: number;
  readonly isBitfield: boolean;
}

export class Extents {
  readonly #draft: Draft;
  readonly #pointerSize: number;
  /** Word at which the record of each own type starts, as far as they were looked at. */
  readonly #starts: number[] = [];
  /** What does not change any more: the last type may get members. */
  readonly #known = new Map<number, Extent | undefined>();

  constructor(draft: Draft, pointerSize: number) {
    this.#draft = draft;
    this.#pointerSize = pointerSize;
  }

  /** Returns a type's extent; `undefined` for what has none, such as a function or a type that is still to come. */
  of(id: number, depth = 0): Extent | undefined {
    if (depth > DEPTH) return undefined;
    if (this.#known.has(id)) return this.#known.get(id);
    const shape = id < this.#firstId ? baseShape(this.#draft.base!, id, this.#pointerSize) : this.#ownShape(id);
    const extent = shape && this.#extentOf(shape, depth);
    if (id < this.#draft.nextId - 1) this.#known.set(id, extent);
    return extent;
  }

  get #firstId(): number {
    return this.#draft.base?.size ?? 1;
  }

  #extentOf(shape: Shape, depth: number): Extent | undefined {
    if ("scalar" in shape) return { byteSize: shape.scalar, alignment: this.#natural(shape.scalar) };
    if ("target" in shape) {
      const element = this.of(shape.target, depth + 1);
      return element && { ...element, byteSize: element.byteSize * shape.length };
    }
    let widest = 1;
    for (const { id, bitOffset, isBitfield } of shape.members) {
      const extent = this.of(id, depth + 1);
      if (!extent) return undefined;
      widest = Math.max(widest, extent.alignment);
      // A member that is not where its type wants it: packed.
      if (!isBitfield && bitOffset % (8 * extent.alignment) !== 0) return { byteSize: shape.byteSize, alignment: 1 };
    }
    return { byteSize: shape.byteSize, alignment: shape.byteSize % widest === 0 ? widest : 1 };
  }

  /** The alignment of a number: its size, as far as that is a power of two, and two pointers at most. */
  #natural(byteSize: number): number {
    return Math.max(1, Math.min(byteSize & -byteSize, 2 * this.#pointerSize));
  }

  #ownShape(id: number): Shape | undefined {
    const at = this.#startOf(id);
    if (at === undefined) return undefined;
    const { view } = this.#draft.types;
    const word = (index: number): number => view.getUint32((at + index) * 4, true);
    const [info, third] = [word(1), word(2)];
    switch (kindOf(info)) {
      case abi.KIND_INT:
      case abi.KIND_FLOAT:
      case abi.KIND_ENUM:
      case abi.KIND_ENUM64:
        return { scalar: third };
      case abi.KIND_PTR:
        return { scalar: this.#pointerSize };
      case abi.KIND_ARRAY:
        return { target: word(abi.ARRAY_ELEMENT / 4), length: word(abi.ARRAY_LENGTH / 4) };
      case abi.KIND_TYPEDEF:
      case abi.KIND_VOLATILE:
      case abi.KIND_CONST:
      case abi.KIND_RESTRICT:
      case abi.KIND_TYPE_TAG:
        return { target: third, length: 1 };
      case abi.KIND_STRUCT:
      case abi.KIND_UNION: {
        const hasBitfields = info > 0x7fffffff;
        const members = Array.from({ length: info & abi.VLEN_MASK }, (_, i) => {
          const offset = word(5 + 3 * i);
          return {
            id: word(4 + 3 * i),
            bitOffset: hasBitfields ? offset & abi.BIT_OFFSET_MASK : offset,
            isBitfield: hasBitfields && offset >>> abi.BITFIELD_SHIFT !== 0,
          };
        });
        return { byteSize: third, members };
      }
      default:
        return undefined;
    }
  }

  /** The word at which an own type's record starts. */
  #startOf(id: number): number | undefined {
    const index = id - this.#firstId;
    if (index < 0 || id >= this.#draft.nextId) return undefined;
    const { view } = this.#draft.types;
    // The last that is known may have grown since.
    if (this.#starts.length === 0) this.#starts.push(0);
    while (this.#starts.length <= index) {
      const at = this.#starts.at(-1)!;
      this.#starts.push(at + recordWords(view.getUint32(at * 4 + abi.TYPE_INFO, true)));
    }
    return this.#starts[index];
  }
}

function baseShape(base: Btf, id: number, pointerSize: number): Shape | undefined {
  const type = base.get(id);
  if (!type) return undefined;
  if (isModifier(type)) return { target: type.target.id, length: 1 };
  if (isComposite(type)) {
    const members = type.members.map(({ typeId, bitOffset, bitfieldSize }) => ({
      id: typeId,
      bitOffset,
      isBitfield: bitfieldSize !== 0,
    }));
    return { byteSize: type.byteSize, members };
  }
  switch (type.kind) {
    case "int":
    case "float":
    case "enum":
    case "enum64":
      return { scalar: type.byteSize };
    case "ptr":
      return { scalar: pointerSize };
    case "array":
      return { target: type.element.id, length: type.length };
    default:
      return undefined;
  }
}

/** A member that is to be placed: what its type takes, and its width as a bitfield or 0. */
export interface Unplaced extends Extent {
  readonly bitfieldSize: number;
}

/** Returns the bit offsets that C gives members one after the other, and what the whole takes. Bitfields never cross a unit of their type. */
export function layOut(members: readonly Unplaced[]): { readonly bitOffsets: number[]; readonly byteSize: number } {
  const bitOffsets: number[] = [];
  let at = 0;
  let alignment = 1;
  for (const member of members) {
    const unit = 8 * member.byteSize;
    const bits = member.bitfieldSize || unit;
    const isWhole = member.bitfieldSize === 0 || Math.floor(at / unit) !== Math.floor((at + bits - 1) / unit);
    if (isWhole) at = roundUp(at, 8 * member.alignment);
    bitOffsets.push(at);
    at += bits;
    alignment = Math.max(alignment, member.alignment);
  }
  return { bitOffsets, byteSize: roundUp(at, 8 * alignment) / 8 };
}

/** Returns what a union of members takes, in bytes. */
export function unionSize(members: readonly Unplaced[]): number {
  const alignment = Math.max(1, ...members.map((member) => member.alignment));
  return roundUp(
    Math.max(
      0,
      ...members.map(({ byteSize, bitfieldSize }) => (bitfieldSize ? Math.ceil(bitfieldSize / 8) : byteSize)),
    ),
    alignment,
  );
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
