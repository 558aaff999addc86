/**
 * pahole's own reorganising of a struct: members move into holes before them.
 * Its steps are kept as they are, since its output shows them; `pack` finds
 * better orders.
 */

import type { Composite, Field, Shapes } from "../layout/shapes.js";

/** pahole goes in circles on some structs; none needs so many moves. */
const MOVE_LIMIT = 10_000;

/** Offsets of moved members are kept in 16 bits. */
const u16 = (value: number): number => value & 0xffff;

/** What happened, step by step. */
export interface Steps {
  /** A line of comment. */
  say(line: string): void;
  /** The struct after a move. */
  show(composite: Composite): void;
}

/** A struct on which pahole never ends. */
export class Endless extends Error {}

const shown = (field: Field): string => field.name || "(null)";

/** A copy of a struct whose members can move. */
export function cloneComposite(composite: Composite): Composite {
  return { ...composite, fields: composite.fields.map((field) => field.copy()) };
}

/** Reorganises a clone in place. @throws Endless where pahole goes in circles */
export function reorganize(shapes: Shapes, clone: Composite, steps?: Steps): void {
  shapes.findHoles(clone);
  new Reorganizer(shapes, clone, steps).run();
}

class Reorganizer {
  readonly #shapes: Shapes;
  readonly #of: Composite;
  readonly #steps: Steps | undefined;
  readonly #word: number;
  #moves = 0;

  constructor(shapes: Shapes, of: Composite, steps: Steps | undefined) {
    this.#shapes = shapes;
    this.#of = of;
    this.#steps = steps;
    this.#word = shapes.pointerSize;
  }

  run(): void {
    while (this.#of.fields.length > 0) {
      this.#pad();
      if (this.#moveIntoHoles()) continue;
      if (this.#of.holes === 0 || !this.#moveFromEnd()) return;
    }
  }

  /** Works the padding out anew from the widest member and hole. */
  #pad(): void {
    const { fields } = this.#of;
    const last = fields.at(-1)!;
    let alignment = 0;
    for (const { byteSize, hole } of fields) {
      const size = byteSize + hole;
      if (size >= 0 && size <= this.#word) alignment = Math.max(alignment, size);
    }
    if (alignment === 0) return;
    if (alignment > 1) alignment += alignment % 2;
    const end = last.byteOffset + last.byteSize;
    const rest = end % alignment;
    const padding = rest ? u16(this.#word - rest) : 0;
    if (padding === this.#of.padding) return;
    this.#of.padding = padding;
    this.#of.size = end + padding;
  }

  /** Fills holes with members that have holes themselves, or with the last if there is padding. */
  #moveIntoHoles(): boolean {
    const { fields } = this.#of;
    const last = fields.at(-1)!;
    for (let at = 0; at < fields.length; at++) {
      const member = fields[at]!;
      if (member.hole === 0) continue;
      const from = this.#nextWithHole(at, room(member));
      // The next member may be where it is for its alignment.
      if (from >= 0 && from !== at + 1 && this.#move(at, from, false)) return true;
      const fits = last.byteSize !== 0 && last.byteSize <= room(member);
      if (this.#of.padding > 0 && member !== last && fits && this.#move(at, fields.length - 1, true)) return true;
    }
    return false;
  }

  /** Fills holes with any member of the end. */
  #moveFromEnd(): boolean {
    const { fields } = this.#of;
    for (let at = 0; at < fields.length; at++) {
      const member = fields[at]!;
      if (member.hole === 0) continue;
      const from = this.#lastOfSize(at, room(member));
      if (from >= 0 && from !== at + 1 && this.#move(at, from, false)) return true;
    }
    return false;
  }

  #nextWithHole(after: number, size: number): number {
    const { fields } = this.#of;
    let head = -1;
    for (let i = after + 1; i < fields.length; i++) {
      const { bitfieldBits, hole, byteSize } = fields[i]!;
      if (bitfieldBits === 0) head = -1;
      else if (head < 0) head = i;
      if (hole !== 0 && byteSize !== 0 && byteSize <= size) return head >= 0 ? head : i;
    }
    return -1;
  }

  #lastOfSize(to: number, size: number): number {
    const { fields } = this.#of;
    for (let i = fields.length - 1; i > to; i--) {
      const { bitfieldBits, byteOffset, byteSize } = fields[i]!;
      if (bitfieldBits !== 0 && byteOffset !== 0 && fields[i - 1]!.bitfieldBits !== 0) continue;
      if (byteSize !== 0 && byteSize <= size) return i;
    }
    return -1;
  }

  /** Moves a member behind another. Bitfields stay. */
  #move(to: number, from: number, fromPadding: boolean): boolean {
    const composite = this.#of;
    const { fields } = composite;
    const member = fields[from]!;
    const target = fields[to]!;
    if (member.bitfieldBits !== 0) return false;
    if (++this.#moves > MOVE_LIMIT) throw new Endless();
    const word = this.#word;
    const wasLast = from === fields.length - 1;
    const before = fields[from - 1]!;
    const oldHole = u16(member.hole);
    const oldOffset = u16(member.byteOffset);
    const size = member.byteSize;
    const shift = u16(room(target) % Math.min(size, word));
    const offset = u16(target.byteOffset + target.byteSize + shift);
    fields.splice(from, 1);
    fields.splice(to + 1, 0, member);
    member.byteOffset = offset;
    member.bitOffset = offset * 8 + member.bitfieldOffset;
    this.#steps?.say(`/* Moving '${shown(member)}' from after '${shown(before)}' to after '${shown(target)}' */`);
    if (fromPadding) {
      if (oldOffset % word === 0) composite.size -= size + composite.padding;
      else this.#steps?.say(`/* adding ${size} bytes from ${shown(member)} to the padding */`);
    } else if (wasLast) {
      composite.size -= size + composite.padding;
    } else if (oldHole + size >= word) {
      composite.size -= word;
      this.#pullUp(before, word);
    }
    composite.size >>>= 0;
    composite.holesFound = false;
    this.#shapes.findHoles(composite);
    this.#steps?.show(composite);
    return true;
  }

  /** Moves all members behind one towards the start. */
  #pullUp(before: Field, bytes: number): void {
    const { fields } = this.#of;
    for (let i = fields.indexOf(before) + 1; i < fields.length; i++) {
      const field = fields[i]!;
      field.byteOffset = (field.byteOffset - bytes) >>> 0;
      field.bitOffset = (field.bitOffset - bytes * 8) >>> 0;
    }
    if (this.#of.padding === 0) return;
    const last = fields.at(-1)!;
    this.#of.padding = u16(Math.max(0, this.#of.size - (last.byteOffset + last.byteSize)));
  }
}

/** A hole as pahole compares it: an overlap counts as more than any member needs. */
function room({ hole }: Field): number {
  return hole < 0 ? 2 ** 32 + hole : hole;
}
