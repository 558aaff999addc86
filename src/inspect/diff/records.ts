/** Records of a Btf as numbers: thousands of types are compared without a view of any of them. */

import type { Btf } from "../../btf/btf.js";
import type { Image } from "../../btf/image.js";
import { sizeOf } from "../../btf/query/resolve.js";
import { referredType } from "../../btf/traverse.js";
import * as abi from "../../memory/generated/abi.js";
import { identities } from "../identity.js";
import { attempt, MOST_MEMBERS, NESTING } from "../leaves.js";
import { kindIn } from "../words.js";
import { type Names, NO_NAME } from "./names.js";
import { textsOf, typeText } from "./type-text.js";

/** A definition among the records of its Btf. */
export interface Recorded {
  readonly records: Records;
  readonly id: number;
}

/** Members of a struct, or parameters of a function: column by column, in their order. */
export interface Parts {
  /** Numbers of their names. */
  readonly names: number[];
  readonly typeIds: number[];
}

/** Members as C sees them: those of anonymous structs and unions inside are the struct's (see `leavesOf`). */
export interface Leaves extends Parts {
  readonly bitOffsets: number[];
  /** Widths of bitfields in bits, 0 for ordinary members. */
  readonly widths: number[];
}

/** Modifiers behind one another, as in `resolve`. */
const MODIFIERS = 32;

/** Stands for the size of what has none. */
const NO_SIZE = -1;

export class Records {
  readonly btf: Btf;
  readonly #image: Image;
  readonly #names: Names;
  readonly #base: Records | undefined;
  /** What references count as: see `identities`. */
  readonly #references: Int32Array;
  /** The number of the name at each offset of the own strings, and 1. */
  readonly #numbers: Int32Array;
  readonly #texts: ReadonlyMap<number, string>;
  /** Bits of void and of each own type, and 1; 0 where they are not known yet. */
  readonly #sizes: Float64Array;

  constructor(btf: Btf, names: Names, base: Records | undefined) {
    const { image } = btf;
    this.btf = btf;
    this.#image = image;
    this.#names = names;
    this.#base = base;
    this.#references = identities(btf).references;
    this.#texts = textsOf(btf);
    this.#numbers = new Int32Array(image.header.stringsLength);
    this.#sizes = new Float64Array(image.count + 1);
  }

  /** The address of a type's record. */
  #record(id: number): number {
    let image = this.#image;
    while (id < image.firstId) image = image.base!;
    return image.record(id);
  }

  /** The number of the name at an offset of the strings. */
  #name(offset: number): number {
    if (offset === 0) return NO_NAME;
    const at = offset - this.#image.stringsStart;
    if (at < 0) return this.#base!.#name(offset);
    const known = this.#numbers[at]!;
    if (known > 0) return known - 1;
    const number = this.#names.numberOf(this.#image.string(offset));
    this.#numbers[at] = number + 1;
    return number;
  }

  /** Size of a type in bits; `undefined` for what has none. */
  bitSizeOf(id: number): number | undefined {
    const at = id - this.#image.firstId + 1;
    if (at < 0 || (at === 0 && this.#base)) return this.#base!.bitSizeOf(id);
    const known = this.#sizes[at]!;
    if (known !== 0) return known === NO_SIZE ? undefined : known - 1;
    const byteSize = attempt(() => sizeOf(this.btf.get(id)!));
    this.#sizes[at] = byteSize === undefined ? NO_SIZE : byteSize * 8 + 1;
    return byteSize === undefined ? undefined : byteSize * 8;
  }

  /** Returns a type as C writes it: see `typeText`. */
  textOf(id: number): string {
    if (id < this.#image.firstId && this.#base) return this.#base.textOf(id);
    return this.#texts.get(id) ?? typeText(this.btf.get(id)!);
  }

  /** The third word of a record: a size in bytes, or the id of a type. */
  sizeOrId(id: number): number {
    return this.#image.view.getUint32(this.#record(id) + abi.TYPE_SIZE_OR_ID, true);
  }

  /** Tells whether references to a type, and to one of other records, count as the same in shallow identities. */
  isSameReference(id: number, others: Records, other: number): boolean {
    const [left, right] = [this.#references, others.#references];
    return left[id * 2] === right[other * 2] && left[id * 2 + 1] === right[other * 2 + 1];
  }

  /** Returns the members of a struct or union. */
  leavesOf(id: number): Leaves {
    const leaves: Leaves = { names: [], typeIds: [], bitOffsets: [], widths: [] };
    this.#collect(id, 0, leaves, 0, { left: MOST_MEMBERS });
    return leaves;
  }

  #collect(id: number, start: number, leaves: Leaves, depth: number, budget: { left: number }): void {
    const { view } = this.#image;
    const record = this.#record(id);
    const info = view.getUint32(record + abi.TYPE_INFO, true);
    const isFlagged = info > 0x7fffffff;
    const first = record + abi.TYPE_SIZE;
    const end = first + (info & abi.VLEN_MASK) * abi.MEMBER_SIZE;
    for (let at = first; at < end; at += abi.MEMBER_SIZE) {
      if (budget.left-- <= 0) return;
      const name = this.#name(view.getUint32(at + abi.MEMBER_NAME, true));
      const typeId = view.getUint32(at + abi.MEMBER_TYPE, true);
      const place = view.getUint32(at + abi.MEMBER_OFFSET, true);
      const bitOffset = start + (isFlagged ? place & abi.BIT_OFFSET_MASK : place);
      const inner = name === NO_NAME && depth < NESTING ? this.#composite(typeId) : 0;
      if (inner > 0) this.#collect(inner, bitOffset, leaves, depth + 1, budget);
      else {
        leaves.names.push(name);
        leaves.typeIds.push(typeId);
        leaves.bitOffsets.push(bitOffset);
        leaves.widths.push(isFlagged ? place >>> abi.BITFIELD_SHIFT : 0);
      }
    }
  }

  /** The struct or union below modifiers, 0 for any other type. */
  #composite(typeId: number): number {
    const { view } = this.#image;
    for (let id = typeId, left = MODIFIERS; id > 0 && id < this.#image.idLimit; left--) {
      const record = this.#record(id);
      switch (kindIn(view.getUint32(record + abi.TYPE_INFO, true))) {
        case abi.KIND_STRUCT:
        case abi.KIND_UNION:
          return id;
        case abi.KIND_TYPEDEF:
        case abi.KIND_VOLATILE:
        case abi.KIND_CONST:
        case abi.KIND_RESTRICT:
        case abi.KIND_TYPE_TAG:
          if (left === 0) return 0;
          id = view.getUint32(record + abi.TYPE_SIZE_OR_ID, true);
          break;
        default:
          return 0;
      }
    }
    return 0;
  }

  /** Returns the numbers of the names of an enum's values, or of a struct's or union's members; none for other kinds. */
  partNames(id: number): readonly number[] {
    const { view } = this.#image;
    const record = this.#record(id);
    const info = view.getUint32(record + abi.TYPE_INFO, true);
    const kind = kindIn(info);
    if (kind === abi.KIND_STRUCT || kind === abi.KIND_UNION) return this.leavesOf(id).names;
    if (kind !== abi.KIND_ENUM && kind !== abi.KIND_ENUM64) return [];
    const size = kind === abi.KIND_ENUM ? abi.ENUMERATOR_SIZE : abi.ENUMERATOR64_SIZE;
    const names: number[] = [];
    for (let i = info & abi.VLEN_MASK, at = record + abi.TYPE_SIZE; i > 0; i--, at += size) {
      names.push(this.#name(view.getUint32(at, true)));
    }
    return names;
  }

  /** Returns the parameters of a FUNC: its type is a prototype, or the image had not opened. */
  parametersOf(func: number): Parts {
    const names: number[] = [];
    const typeIds: number[] = [];
    const { view } = this.#image;
    const proto = this.#record(this.sizeOrId(func));
    const info = view.getUint32(proto + abi.TYPE_INFO, true);
    const first = proto + abi.TYPE_SIZE;
    const end = first + (info & abi.VLEN_MASK) * abi.PARAM_SIZE;
    for (let at = first; at < end; at += abi.PARAM_SIZE) {
      names.push(this.#name(view.getUint32(at + abi.PARAM_NAME, true)));
      typeIds.push(view.getUint32(at + abi.PARAM_TYPE, true));
    }
    return { names, typeIds };
  }

  /**
   * Returns the id of what a typedef, a variable or a prototype refers to.
   *
   * @throws BtfFormatError ERR_BTF_TYPE_ID if there is no such type
   */
  referredBy(id: number): number {
    return referredType(this.btf, id, this.sizeOrId(id)).id;
  }
}

const known = new WeakMap<Names, Map<Btf, Records>>();

/** Returns the records of a Btf, whose names have their numbers from `names`. */
export function recordsOf(btf: Btf, names: Names): Records {
  let all = known.get(names);
  if (!all) {
    all = new Map();
    known.set(names, all);
  }
  let found = all.get(btf);
  if (!found) {
    found = new Records(btf, names, btf.base && recordsOf(btf.base, names));
    all.set(btf, found);
  }
  return found;
}
