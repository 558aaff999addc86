/** The definitions of a kernel and its modules, by kind and name, with their shallow identities. */

import type { Btf } from "../../btf/btf.js";
import {
  KIND_ENUM,
  KIND_ENUM64,
  KIND_FLOAT,
  KIND_FUNC,
  KIND_INT,
  KIND_STRUCT,
  KIND_TYPEDEF,
  KIND_UNION,
  KIND_VAR,
} from "../../memory/generated/abi.js";
import { identities } from "../identity.js";
import { DEFINITION_KINDS, type DefinitionKind } from "./types.js";

/** The index among DEFINITION_KINDS of each kind's number, or -1. */
function kindIndexes(): Int8Array {
  const indexes = new Int8Array(32).fill(-1);
  for (const [kind, name] of [
    [KIND_STRUCT, "struct"],
    [KIND_UNION, "union"],
    [KIND_ENUM, "enum"],
    [KIND_ENUM64, "enum"],
    [KIND_TYPEDEF, "typedef"],
    [KIND_FUNC, "func"],
    [KIND_VAR, "var"],
    [KIND_INT, "int"],
    [KIND_FLOAT, "float"],
  ] as const) {
    indexes[kind] = DEFINITION_KINDS.indexOf(name);
  }
  return indexes;
}

/** A definition of a side. */
export interface Place {
  readonly btf: Btf;
  readonly id: number;
}

/**
 * A table of both sides: a row for each kind and name, which lists the different definitions of each side. Names are
 * compared by 64 bits of their hash, as identities are.
 */
export class Table {
  readonly #slots: Int32Array;
  readonly #mask: number;
  /** Of each row: kind, two halves of the name's hash, first definition of the old side, of the new one; -1 for none. */
  readonly #rows: Int32Array;
  /** Of each definition: two halves of its identity, the next of its row and side, its Btf's index, its id, its row and side. */
  readonly #definitions: Int32Array;
  /** Definitions by row, side and identity: a name may have a million of them. */
  readonly #known: Int32Array;
  readonly #btfs: readonly Btf[];
  rowCount = 0;
  #definitionCount = 0;

  constructor(sides: readonly [old: readonly Btf[], now: readonly Btf[]]) {
    this.#btfs = [...sides[0], ...sides[1]];
    const most = this.#btfs.reduce((sum, { image }) => sum + image.count, 0);
    this.#mask = 2 ** Math.max(4, Math.ceil(Math.log2(most + 1)) + 1) - 1;
    this.#slots = new Int32Array(this.#mask + 1);
    this.#rows = new Int32Array(most * ROW);
    this.#definitions = new Int32Array(most * DEFINITION);
    this.#known = new Int32Array(this.#mask + 1);
    const indexes = kindIndexes();
    this.#btfs.forEach((btf, i) => this.#add(btf, i, i < sides[0].length ? OLD : NEW, indexes));
  }

  #add(btf: Btf, btfIndex: number, side: number, indexes: Int8Array): void {
    const { own, names } = identities(btf);
    const { kinds, firstId, count } = btf.image;
    // A base that both sides share has the same definitions on both: nothing to compare.
    for (let i = 0; i < count; i++) {
      const kind = indexes[kinds[i]!]!;
      if (kind < 0 || (names[i * 2] === 0 && names[i * 2 + 1] === 0)) continue;
      const row = this.#row(kind, names[i * 2]!, names[i * 2 + 1]!);
      this.#insert(row * ROW + side, own[i * 2]!, own[i * 2 + 1]!, btfIndex, firstId + i);
    }
  }

  #row(kind: number, low: number, high: number): number {
    const rows = this.#rows;
    for (let slot = (low ^ Math.imul(kind + 1, 0x9e3779b1)) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const row = this.#slots[slot]! - 1;
      if (row < 0) {
        this.#slots[slot] = this.rowCount + 1;
        const at = this.rowCount * ROW;
        rows[at] = kind;
        rows[at + 1] = low;
        rows[at + 2] = high;
        rows[at + OLD] = rows[at + NEW] = -1;
        return this.rowCount++;
      }
      const at = row * ROW;
      if (rows[at] === kind && rows[at + 1] === low && rows[at + 2] === high) return row;
    }
  }

  #insert(head: number, low: number, high: number, btfIndex: number, id: number): void {
    const slot = this.#find(head, low, high);
    if (this.#known[slot] !== 0) return;
    const at = this.#definitionCount * DEFINITION;
    const all = this.#definitions;
    all[at] = low;
    all[at + 1] = high;
    all[at + 2] = this.#rows[head]!;
    all[at + 3] = btfIndex;
    all[at + 4] = id;
    all[at + 5] = head;
    this.#rows[head] = this.#definitionCount++;
    this.#known[slot] = this.#definitionCount;
  }

  /** Where a definition of a row and side stands among `#known`, or would stand. */
  #find(head: number, low: number, high: number): number {
    const all = this.#definitions;
    for (let slot = (low ^ Math.imul(head, 0x9e3779b1)) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = (this.#known[slot]! - 1) * DEFINITION;
      if (at < 0 || (all[at] === low && all[at + 1] === high && all[at + 5] === head)) return slot;
    }
  }

  kind(row: number): DefinitionKind {
    return DEFINITION_KINDS[this.#rows[row * ROW]!]!;
  }

  has(row: number, side: number): boolean {
    return this.#rows[row * ROW + side]! >= 0;
  }

  name(row: number): string {
    const { btf, id } = this.#place(Math.max(this.#rows[row * ROW + OLD]!, this.#rows[row * ROW + NEW]!));
    return btf.nameAt(id);
  }

  #place(definition: number): Place {
    const at = definition * DEFINITION;
    return { btf: this.#btfs[this.#definitions[at + 3]!]!, id: this.#definitions[at + 4]! };
  }

  /** Definitions of a side, the latest first; without those that `without` has as well. */
  places(row: number, side: number, without?: number): Place[] {
    const all = this.#definitions;
    const found: Place[] = [];
    for (let i = this.#rows[row * ROW + side]!; i >= 0; i = all[i * DEFINITION + 2]!) {
      const at = i * DEFINITION;
      if (without !== undefined && this.#known[this.#find(row * ROW + without, all[at]!, all[at + 1]!)] !== 0) continue;
      found.push(this.#place(i));
    }
    return found;
  }

  /** Whether both sides of a row have the same set of definitions. */
  isSame(row: number): boolean {
    const all = this.#definitions;
    const [a, b] = [this.#rows[row * ROW + OLD]! * DEFINITION, this.#rows[row * ROW + NEW]! * DEFINITION];
    if (a >= 0 && b >= 0 && all[a + 2]! < 0 && all[b + 2]! < 0) return all[a] === all[b] && all[a + 1] === all[b + 1];
    return this.places(row, OLD, NEW).length === 0 && this.places(row, NEW, OLD).length === 0;
  }
}

const ROW = 5;
const DEFINITION = 6;

/** Where a row has its first definition of a side. */
export const OLD = 3;
export const NEW = 4;
