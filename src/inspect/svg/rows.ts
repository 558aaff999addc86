/**
 * The geometry of a layout's picture: a row for each cacheline, and in it a box
 * for each member, hole and padding. It knows nothing of how boxes are drawn.
 */

import { ERR_WORK } from "../../errors/btf.js";
import { BtfLimitError } from "../../errors/error.js";
import type { Layout, LayoutGap, LayoutMember } from "../layout/types.js";

/** Heights in pixels: of a member, of a member of a union, and of the band that names an opened member. */
const MEMBER_HEIGHT = 36;
const ARM_HEIGHT = 20;
const BAND_HEIGHT = 16;
/** So many rows in a run that show nothing new are folded. */
const FOLD_FROM = 3;
/** The most boxes in a picture. */
const BOX_LIMIT = 100_000;

/** The part of a member, hole or padding that lies in a row. */
export interface LayoutBox {
  /** `band` names an opened member above its members. */
  readonly kind: "member" | "band" | "hole" | "padding";
  /** The member, for `member` and `band`. */
  readonly member: LayoutMember | undefined;
  /** The free space, for `hole` and `padding`. */
  readonly gap: LayoutGap | undefined;
  /** The member's path from the outermost type, such as `se.load.weight`; "" for free space and anonymous members. */
  readonly path: string;
  /** First bit of the part, from the start of the outermost type. */
  readonly bitOffset: number;
  /** Bits of the part. */
  readonly bitSize: number;
  /** The whole starts in an earlier row, or ends in a later one. */
  readonly startsBefore: boolean;
  readonly endsAfter: boolean;
  /** Distance from the top of the row and height, in pixels. */
  readonly top: number;
  readonly height: number;
}

/** A cacheline, or several that hold nothing but the rest of what began before. */
export interface LayoutRow {
  /** First byte, from the start of the outermost type. */
  readonly byteOffset: number;
  /** How many cachelines: more than 1 where they are folded, and then there are no boxes. */
  readonly lines: number;
  /** In pixels. */
  readonly height: number;
  readonly boxes: readonly LayoutBox[];
}

/**
 * Returns the rows of a layout's picture, with the boxes in them.
 *
 * @throws BtfLimitError ERR_WORK for a picture of more than 100,000 boxes
 * @example
 * const rows = layoutRows(layout(btf.require("file_system_type")));
 * console.log(rows.length, rows[0]!.boxes.map(({ path }) => path).slice(0, 3)); // 2 [ 'name', 'fs_flags', 'init_fs_context' ]
 */
export function layoutRows(layout: Layout): LayoutRow[] {
  return new Rows(layout).rows;
}

class Rows {
  readonly rows: LayoutRow[] = [];
  readonly #layout: Layout;
  readonly #bits: number;
  #boxes: LayoutBox[] = [];
  #count = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#bits = layout.cachelineBytes * 8;
    const needed = new Set<number>();
    this.#need(layout, needed);
    const last = Math.max(0, Math.ceil((layout.byteSize * 8) / this.#bits) - 1);
    needed.add(0).add(last);
    let next = 0;
    for (const row of [...needed].filter((row) => row <= last).sort((a, b) => a - b)) {
      const hidden = row - next;
      if (hidden >= FOLD_FROM) {
        const byteOffset = next * layout.cachelineBytes;
        this.rows.push({ byteOffset, lines: hidden, height: ARM_HEIGHT, boxes: [] });
      } else for (let i = next; i < row; i++) this.#row(i);
      this.#row(row);
      next = row + 1;
    }
  }

  /** Collects the rows in which something starts or ends. */
  #need(layout: Layout, needed: Set<number>): void {
    const ends = (bitOffset: number, bitSize: number): void => {
      if (bitSize === 0) return;
      needed.add(Math.floor(bitOffset / this.#bits));
      needed.add(Math.floor((bitOffset + bitSize - 1) / this.#bits));
    };
    for (const { bitOffset, bitSize, nested } of layout.members) {
      ends(bitOffset, bitSize);
      if (nested) this.#need(nested, needed);
    }
    for (const { bitOffset, bitSize } of layout.gaps) ends(bitOffset, bitSize);
  }

  #row(index: number): void {
    const start = index * this.#bits;
    const end = start + this.#bits;
    const height = Math.max(MEMBER_HEIGHT, this.#measure(this.#layout, start, end, MEMBER_HEIGHT));
    this.#boxes = [];
    this.#place(this.#layout, start, end, 0, height, "");
    this.rows.push({ byteOffset: start / 8, lines: 1, height, boxes: this.#boxes });
  }

  /** Height that a type needs in a row, a member of its own needing `least`. */
  #measure(layout: Layout, start: number, end: number, least: number): number {
    const isUnion = layout.kind === "union";
    let height = 0;
    for (const member of overlapping(layout, start, end)) {
      const band = member.nested && member.name ? BAND_HEIGHT : 0;
      const own = isUnion ? ARM_HEIGHT : least;
      const needed = member.nested ? band + Math.max(own, this.#measure(member.nested, start, end, own)) : own;
      height = isUnion ? height + needed : Math.max(height, needed);
    }
    return height;
  }

  #place(layout: Layout, start: number, end: number, top: number, height: number, path: string): void {
    const isUnion = layout.kind === "union";
    const members = overlapping(layout, start, end);
    const needs = isUnion ? members.map((member) => this.#armHeight(member, start, end)) : [];
    const stretch = isUnion ? height / Math.max(1, sum(needs)) : 1;
    let y = top;
    for (const [i, member] of members.entries()) {
      const room = isUnion ? needs[i]! * stretch : height;
      this.#member(member, start, end, y, room, path);
      if (isUnion) y += room;
    }
    for (const gap of layout.gaps) {
      if (gap.bitOffset >= end) break;
      if (gap.bitOffset + gap.bitSize > start) {
        this.#add({ kind: gap.kind, member: undefined, gap, path: "" }, gap, start, end, top, height);
      }
    }
  }

  #armHeight({ nested, name }: LayoutMember, start: number, end: number): number {
    if (!nested) return ARM_HEIGHT;
    return (name ? BAND_HEIGHT : 0) + Math.max(ARM_HEIGHT, this.#measure(nested, start, end, ARM_HEIGHT));
  }

  #member(member: LayoutMember, start: number, end: number, top: number, height: number, parent: string): void {
    const { name, nested } = member;
    const path = name && parent ? `${parent}.${name}` : name || parent;
    const label = name ? path : "";
    if (!nested) {
      this.#add({ kind: "member", member, gap: undefined, path: label }, member, start, end, top, height);
      return;
    }
    const band = name ? BAND_HEIGHT : 0;
    if (band) this.#add({ kind: "band", member, gap: undefined, path: label }, member, start, end, top, band);
    this.#place(nested, start, end, top + band, height - band, path);
  }

  #add(
    what: Pick<LayoutBox, "kind" | "member" | "gap" | "path">,
    { bitOffset, bitSize }: { readonly bitOffset: number; readonly bitSize: number },
    start: number,
    end: number,
    top: number,
    height: number,
  ): void {
    if (++this.#count > BOX_LIMIT) throw new BtfLimitError(ERR_WORK, { typeId: this.#layout.type.id });
    const from = Math.max(start, bitOffset);
    const to = Math.min(end, bitOffset + bitSize);
    this.#boxes.push({
      ...what,
      bitOffset: from,
      bitSize: to - from,
      startsBefore: bitOffset < start,
      endsAfter: bitOffset + bitSize > end,
      top,
      height,
    });
  }
}

function overlapping({ members }: Layout, start: number, end: number): LayoutMember[] {
  return members.filter(({ bitOffset, bitSize }) => bitSize > 0 && bitOffset < end && bitOffset + bitSize > start);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
