/**
 * `pack`: the order of a struct's members that takes the fewest bytes, under
 * the rules by which C compilers lay structs out.
 *
 * Members keep their alignment, including one that only an `aligned` attribute
 * explains; neighbouring bitfields stay together; a marker without size stays
 * before the member it precedes; a flexible array stays last; members between
 * `__cacheline_group_begin__X` and `__cacheline_group_end__X` stay together, as
 * do those that the caller names.
 */

import type { Btf } from "../../btf/btf.js";
import type { BtfType, StructType } from "../../btf/types.js";
import { ERR_ARGUMENT } from "../../errors/btf.js";
import { BtfError, BtfLookupError } from "../../errors/error.js";
import { checkCacheline, compositeOf } from "../layout/layout.js";
import { CACHELINE_BYTES, type Composite, type Field, Shapes } from "../layout/shapes.js";

/** What an order has to keep. */
export interface PackOptions {
  /** Bytes in a cacheline: a power of two (default 64). */
  readonly cachelineBytes?: number;
  /** Keeps alignments that only an `aligned` attribute explains, such as a cacheline's (default true). */
  readonly keepAligned?: boolean;
  /** Names of members that stay next to each other, a list for each group (default: none but the kernel's own). */
  readonly groups?: readonly (readonly string[])[];
}

/** A member in its new place. */
export interface PackedMember {
  /** "" where the member is anonymous. */
  readonly name: string;
  /** Which of the struct's members it is, from 0. */
  readonly index: number;
  /** First bit, from the start of the struct. */
  readonly bitOffset: number;
  /** The same in whole bytes. */
  readonly byteOffset: number;
}

/** The best order that was found. */
export interface Packing {
  readonly type: StructType;
  /** Bytes as it is, and in the new order. */
  readonly byteSize: number;
  readonly packedByteSize: number;
  /** The difference. */
  readonly savedBytes: number;
  /** Cachelines that are saved. */
  readonly savedCachelines: number;
  /** Bytes of the best order that gives up alignments which only an `aligned` attribute explains. */
  readonly unalignedByteSize: number;
  /** No order that keeps what is to be kept has fewer bytes than this. */
  readonly boundBytes: number;
  /** The new size is the bound: no order is better. */
  readonly isMinimal: boolean;
  /** All members in their new order; in their old one where nothing is saved. */
  readonly members: readonly PackedMember[];
}

/** What stays together: members in their order. */
interface Block {
  readonly fields: readonly Field[];
  readonly size: number;
  readonly alignment: number;
}

/** Struct and members with what the compiler was asked for. */
interface Subject {
  readonly composite: Composite;
  readonly shapes: Shapes;
  readonly alignments: readonly number[];
  /** Of the whole. */
  readonly alignment: number;
}

const GROUP_BEGIN = "__cacheline_group_begin__";
const GROUP_END = "__cacheline_group_end__";

/**
 * Returns the order of a struct's members that takes the fewest bytes, and
 * whether it is proved that none takes fewer.
 *
 * @throws BtfLookupError ERR_ARGUMENT for what is no struct; BtfError ERR_ARGUMENT
 *   for a cacheline that is no power of two, or a group of members that do not exist
 * @example
 * const { byteSize, packedByteSize, isMinimal } = pack(btf.require("file_system_type"));
 * console.log(byteSize, packedByteSize, isMinimal); // 72 72 true
 */
export function pack(type: BtfType, options: PackOptions = {}): Packing {
  const view = compositeOf(type);
  if (view.kind !== "struct") {
    const note = `union ${view.name || `[${view.id}]`} cannot be packed: its members share their place`;
    throw new BtfLookupError(ERR_ARGUMENT, { typeId: type.id, note });
  }
  const shapes = shapesFor(type.btf, options);
  return packStruct(shapes, view, options);
}

/**
 * Returns the packings of all named structs that become smaller, the most
 * saving first; last those that become smaller only where alignments are given
 * up (`unalignedByteSize`).
 *
 * @throws as `pack`
 * @example
 * const [best] = packAll(btf);
 * console.log(best!.savedBytes > 0); // true
 */
export function packAll(btf: Btf, options: PackOptions = {}): Packing[] {
  const shapes = shapesFor(btf, options);
  const packings: Packing[] = [];
  for (const id of btf.idsOfKind("struct")) {
    const shape = shapes.type(id)!;
    if (shape.name === "") continue;
    const composite = shapes.composite(shape);
    shapes.findHoles(composite);
    if (!composite.holes && !composite.bitHoles && !composite.padding && !composite.bitPadding) continue;
    const packing = packStruct(shapes, btf.get(id) as StructType, options);
    if (packing.unalignedByteSize < packing.byteSize) packings.push(packing);
  }
  return packings.sort((a, b) => b.savedBytes - a.savedBytes || unaligned(b) - unaligned(a) || a.type.id - b.type.id);
}

/** What giving up alignments would save. */
function unaligned({ byteSize, unalignedByteSize }: Packing): number {
  return byteSize - unalignedByteSize;
}

function shapesFor(btf: Btf, { cachelineBytes = CACHELINE_BYTES }: PackOptions): Shapes {
  return new Shapes(btf, { cachelineBytes: checkCacheline(cachelineBytes), compatible: false });
}

/** An order that was chosen. */
interface Choice {
  readonly fields: readonly Field[];
  readonly bitOffsets: readonly number[];
  readonly size: number;
  readonly bound: number;
}

function choose(
  shapes: Shapes,
  composite: Composite,
  keepAligned: boolean,
  groups: PackOptions["groups"] = [],
): Choice {
  const subject = examine(shapes, composite, keepAligned);
  const { flexible, blocks } = blocksOf(subject, groups);
  const least = Math.min(leastBytes(subject, blocks, flexible), composite.size);
  let best: readonly Field[] = composite.fields;
  let size = composite.size;
  if (least < size) {
    for (const order of orders(blocks)) {
      const fields = [...order.flatMap((block) => block.fields), ...flexible];
      const tried = lay(subject, fields).size;
      if (tried >= size) continue;
      best = fields;
      size = tried;
      if (size <= least) break;
    }
  }
  const isSame = best === composite.fields;
  const bitOffsets = isSame ? best.map(({ bitOffset }) => bitOffset) : lay(subject, best).bitOffsets;
  return { fields: best, bitOffsets, size, bound: least };
}

function packStruct(shapes: Shapes, type: StructType, options: PackOptions): Packing {
  const { cachelineBytes = CACHELINE_BYTES, keepAligned = true, groups } = options;
  const composite = shapes.composite(shapes.type(type.id)!);
  const { fields, bitOffsets, size, bound } = choose(shapes, composite, keepAligned, groups);
  const hasForced = keepAligned && (composite.alignment > 0 || composite.fields.some(({ alignment }) => alignment > 0));
  const lines = (bytes: number): number => Math.ceil(bytes / cachelineBytes);
  return {
    type,
    byteSize: composite.size,
    packedByteSize: size,
    savedBytes: composite.size - size,
    savedCachelines: lines(composite.size) - lines(size),
    unalignedByteSize: hasForced ? Math.min(size, choose(shapes, composite, false, groups).size) : size,
    boundBytes: bound,
    isMinimal: size === bound,
    members: fields.map(({ name, index }, i) => {
      const bitOffset = bitOffsets[i]!;
      return { name, index, bitOffset, byteOffset: Math.floor(bitOffset / 8) };
    }),
  };
}

/** Works out the alignment of each member and of the whole. */
function examine(shapes: Shapes, composite: Composite, keepAligned: boolean): Subject {
  const isPacked = shapes.inferPacked(composite, () => {});
  const alignments = composite.fields.map((field) => {
    if (isPacked) return 1;
    const type = shapes.strip(shapes.type(field.typeId));
    const element = elementOf(shapes, field);
    let alignment = shapes.naturalAlignment(type);
    if (element?.kind === "struct" || element?.kind === "union") {
      const inner = shapes.composite(element);
      if (shapes.inferPacked(inner, () => {})) alignment = 1;
      else alignment = Math.max(alignment, inner.alignment);
    }
    if (keepAligned) alignment = Math.max(alignment, field.alignment);
    // Some targets align 8 bytes to 4; a type may be packed without its looking so.
    return largestFor(alignment, field.bitfieldBits ? 0 : field.byteOffset);
  });
  const forced = keepAligned && !isPacked ? composite.alignment : 0;
  return { composite, shapes, alignments, alignment: largestFor(Math.max(1, forced, ...alignments), composite.size) };
}

/** What an array, of arrays perhaps, holds. */
function elementOf(shapes: Shapes, field: Field): ReturnType<Shapes["type"]> {
  let at = shapes.strip(shapes.type(field.typeId));
  for (let depth = 0; at?.kind === "array" && depth < 64; depth++) at = shapes.strip(shapes.target(at));
  return at;
}

/** The largest power of two up to an alignment that divides an offset. */
function largestFor(alignment: number, offset: number): number {
  let power = 2 ** Math.floor(Math.log2(Math.max(1, alignment)));
  while (power > 1 && offset % power !== 0) power /= 2;
  return power;
}

interface Places {
  readonly size: number;
  /** Bytes to the end of the last member. */
  readonly end: number;
  readonly bitOffsets: readonly number[];
}

/** Lays members out as C compilers do. */
function lay({ alignments, alignment }: Subject, fields: readonly Field[]): Places {
  let bit = 0;
  const bitOffsets = fields.map((field) => {
    const { bitfieldBits, byteSize, index } = field;
    if (bitfieldBits) {
      // A bitfield does not cross the border of its type.
      const unit = Math.max(1, byteSize) * 8;
      if (Math.floor(bit / unit) !== Math.floor((bit + bitfieldBits - 1) / unit)) bit = Math.ceil(bit / unit) * unit;
      const at = bit;
      bit += bitfieldBits;
      return at;
    }
    const bits = alignments[index]! * 8;
    const at = Math.ceil(bit / bits) * bits;
    bit = at + byteSize * 8;
    return at;
  });
  const end = Math.ceil(bit / 8);
  return { size: Math.ceil(end / alignment) * alignment, end, bitOffsets };
}

/** Puts members together that stay together; a flexible array stands apart. */
function blocksOf(subject: Subject, groups: readonly (readonly string[])[]): { blocks: Block[]; flexible: Field[] } {
  const { composite, shapes } = subject;
  const fields = [...composite.fields];
  const flexible: Field[] = [];
  while (fields.length > 0 && isOpenEnded(shapes, fields.at(-1)!)) flexible.unshift(fields.pop()!);
  const groupOf = groupsOf(composite, groups);
  const runs: Field[][] = [];
  const byGroup = new Map<number, Field[]>();
  let glued: Field[] = [];
  let last: Field | undefined;
  for (const field of fields) {
    const group = groupOf.get(field.index);
    if (group !== undefined) {
      const known = byGroup.get(group) ?? [];
      if (known.length === 0) {
        byGroup.set(group, known);
        runs.push(known);
      }
      known.push(...glued, field);
      glued = [];
      last = undefined;
      continue;
    }
    // A marker goes with what follows it.
    if (field.byteSize === 0 && !field.bitfieldBits) {
      glued.push(field);
      continue;
    }
    if (field.bitfieldBits && last?.bitfieldBits && glued.length === 0) runs.at(-1)!.push(field);
    else runs.push([...glued, field]);
    glued = [];
    last = field;
  }
  flexible.unshift(...glued);
  return { blocks: runs.map((run) => blockOf(subject, run)), flexible };
}

function blockOf(subject: Subject, fields: readonly Field[]): Block {
  const alignment = Math.max(
    1,
    ...fields.map(({ index, bitfieldBits }) => (bitfieldBits ? 1 : subject.alignments[index]!)),
  );
  return { fields, size: lay(subject, fields).end, alignment };
}

/** A flexible array, or a struct that ends in one. */
function isOpenEnded(shapes: Shapes, field: Field): boolean {
  const type = shapes.strip(shapes.type(field.typeId));
  if (type?.kind === "array") return type.after(2) === 0;
  return type?.kind === "struct" && (shapes.endsInFlexibleArray(type) || shapes.embedsFlexibleArray(type));
}

/** The group of each member that has one. */
function groupsOf({ fields, shape }: Composite, groups: readonly (readonly string[])[]): Map<number, number> {
  const found = new Map<number, number>();
  for (const [group, names] of groups.entries()) {
    for (const name of names) {
      const field = fields.find((one) => one.name === name);
      if (!field)
        throw new BtfError(ERR_ARGUMENT, { note: `struct ${shape.name} has no member "${name}" for a group` });
      found.set(field.index, group);
    }
  }
  let open: string | undefined;
  let group = groups.length;
  for (const { name, index } of fields) {
    if (name.startsWith(GROUP_BEGIN)) {
      open = name.slice(GROUP_BEGIN.length);
      group++;
    }
    if (open === undefined) continue;
    if (!found.has(index)) found.set(index, group);
    if (name === GROUP_END + open) open = undefined;
  }
  return found;
}

/** Bytes that no order can do without. */
function leastBytes({ alignment, alignments }: Subject, blocks: readonly Block[], flexible: readonly Field[]): number {
  const up = (size: number): number => Math.ceil(size / alignment) * alignment;
  // Bits of fields that stand apart may share a byte.
  const bits = blocks.reduce((total, { fields, size }) => {
    const loose = fields.reduce((sum, field) => sum + (field.bitfieldBits || field.byteSize * 8), 0);
    return total + (fields.some(({ bitfieldBits }) => bitfieldBits) ? loose : size * 8);
  }, 0);
  let least = up(Math.ceil(bits / 8) + flexible.reduce((sum, { byteSize }) => sum + byteSize, 0));
  // Blocks of one alignment start at different multiples of it.
  const whole = blocks.filter(({ fields, size }) => size > 0 && fields.every(({ bitfieldBits }) => bitfieldBits === 0));
  for (const step of new Set(whole.map((block) => block.alignment))) {
    const aligned = whole.filter((block) => block.alignment >= step);
    const taken = aligned.reduce((total, { size }) => total + Math.ceil(size / step), 0);
    const last = Math.max(0, ...aligned.map(({ size }) => spare(size, step)));
    least = Math.max(least, up(taken * step - last));
  }
  const open = flexible[0];
  const rest = open ? alignments[open.index]! : 1;
  return Math.max(least, up(Math.ceil(Math.ceil(bits / 8) / rest) * rest));
}

/** Bytes up to the next multiple. */
function spare(size: number, step: number): number {
  return Math.ceil(size / step) * step - size;
}

/** Orders worth trying, the most promising first. */
function* orders(blocks: readonly Block[]): Generator<readonly Block[]> {
  const byAlignment = [...blocks].sort((a, b) => b.alignment - a.alignment);
  yield byAlignment;
  const bySize = [...blocks].sort((a, b) => b.alignment - a.alignment || b.size - a.size);
  yield fill(bySize, true);
  yield fill(bySize, false);
  yield fill(byAlignment, true);
  const ascending = [...blocks].sort((a, b) => a.alignment - b.alignment || a.size - b.size);
  yield fill(ascending, true);
  // The block that leaves least behind it goes last.
  for (const last of new Set(bySize.filter(({ size, alignment }) => size % alignment !== 0).slice(0, 8))) {
    yield [
      ...fill(
        bySize.filter((block) => block !== last),
        true,
      ),
      last,
    ];
  }
}

/**
 * Places blocks in turn, and into the gap before each the largest of the
 * others that fit.
 */
function fill(blocks: readonly Block[], largestFirst: boolean): Block[] {
  const left = [...blocks];
  const order: Block[] = [];
  let at = 0;
  while (left.length > 0) {
    const next = left[0]!;
    const start = Math.ceil(at / next.alignment) * next.alignment;
    let chosen = 0;
    if (start > at) {
      for (let i = 1; i < left.length; i++) {
        const { size, alignment } = left[i]!;
        const from = Math.ceil(at / alignment) * alignment;
        if (from + size > start || size === 0) continue;
        const best = left[chosen]!;
        const better = largestFirst ? size * 64 - (from - at) > best.size * 64 : size < best.size;
        if (chosen === 0 || better) chosen = i;
      }
    }
    const [block] = left.splice(chosen, 1);
    order.push(block!);
    at = Math.ceil(at / block!.alignment) * block!.alignment + block!.size;
  }
  return order;
}
