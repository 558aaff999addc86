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
import * as abi from "../../memory/generated/inspect-abi.js";
import { type Address, readField, writeSeed } from "../../memory/struct.js";
import { identitiesIn } from "../identity.js";
import type { Workspace } from "../workspace.js";
import { DEFINITION_KINDS, type DefinitionKind } from "./types.js";

/** Numbers of kinds that there may be. */
const KIND_LIMIT = 128;

/** The place among DEFINITION_KINDS of each kind's number, and 1. */
function kindPlaces(): Uint8Array {
  const places = new Uint8Array(KIND_LIMIT);
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
    places[kind] = DEFINITION_KINDS.indexOf(name) + 1;
  }
  return places;
}

/** A definition of a side. */
export interface Place {
  readonly btf: Btf;
  readonly id: number;
}

/** A kind and name of which the sides have different definitions. */
export interface DifferingRow {
  readonly kind: DefinitionKind;
  readonly name: string;
  /** How many different definitions each side has. */
  readonly oldCount: number;
  readonly newCount: number;
  /** The last definition of each side. */
  readonly old: Place | undefined;
  readonly now: Place | undefined;
  /** @internal */
  readonly address: Address<"Row">;
}

/** Bytes of names that are read at once. */
const NAMES_WINDOW = 1 << 20;

/** Sides of a table, as the kernel counts them. */
export const OLD = 0;
export const NEW = 1;

/**
 * A table of both sides in the memory of a workspace, by kind and name. Names are compared by 64 bits of their hash, as
 * identities are.
 */
export class Table {
  readonly #workspace: Workspace;
  readonly #btfs: readonly Btf[];
  readonly #address: Address<"Table">;
  /** How many rows differ. */
  readonly #count: number;
  /** Names of each kind that the old side, and the new one, defines. */
  readonly counts: readonly [Record<DefinitionKind, number>, Record<DefinitionKind, number>];

  /** @throws BtfLimitError ERR_BTF_DEPTH, ERR_WORK as `identities`, ERR_MEMORY */
  constructor(sides: readonly [old: readonly Btf[], now: readonly Btf[]], workspace: Workspace) {
    this.#workspace = workspace;
    this.#btfs = [...sides[0], ...sides[1]];
    const { arena } = workspace;
    const subjects = this.#btfs.map((btf) => subjectOf(btf, workspace));
    const most = this.#btfs.reduce((sum, { image }) => sum + image.count, 0);
    const slotCount = 2 ** Math.ceil(Math.log2(most + 1) + 1);
    const counts = workspace.zeroed(KIND_LIMIT * 8);
    this.#address = workspace.struct<"Table">(abi.TABLE_SIZE, [
      [abi.TABLE_SUBJECTS, workspace.copyWords(Int32Array.from(subjects))],
      [abi.TABLE_COUNT, subjects.length],
      [abi.TABLE_OLD_COUNT, sides[0].length],
      [abi.TABLE_KINDS, workspace.copy(kindPlaces())],
      [abi.TABLE_SLOTS, workspace.zeroed(slotCount * 4)],
      [abi.TABLE_SLOT_MASK, slotCount - 1],
      [abi.TABLE_ROWS, arena.allocate(most * abi.ROW_SIZE)],
      [abi.TABLE_DEFINITIONS, arena.allocate(most * abi.DEFINITION_SIZE)],
      [abi.TABLE_ORDER, arena.allocate(most * 8)],
      [abi.TABLE_COUNTS, counts],
    ]);
    writeSeed(arena.view, this.#address, abi.TABLE_SEED);
    this.#count = arena.run((kernel) => kernel.tabulate(this.#address));
    const words = workspace.words(counts, KIND_LIMIT * 2);
    const countsOf = (side: number): Record<DefinitionKind, number> =>
      Object.fromEntries(DEFINITION_KINDS.map((kind, i) => [kind, words[(i + 1) * 2 + side]!])) as Record<
        DefinitionKind,
        number
      >;
    this.counts = [countsOf(OLD), countsOf(NEW)];
  }

  /** Returns the rows that differ, by kind and then by name. */
  differing(): DifferingRow[] {
    const { arena } = this.#workspace;
    const { mark } = arena;
    const count = this.#count;
    const list = arena.allocate(count * abi.DIFFERING_SIZE);
    arena.run((kernel) => kernel.listDiffering(this.#address, count, list));
    const words = this.#workspace.words(list, (count * abi.DIFFERING_SIZE) / 4);
    arena.rewind(mark);
    const names = this.#names();
    const btfs = this.#btfs;
    return names.map((name, i) => {
      const field = (offset: number): number => words[(i * abi.DIFFERING_SIZE + offset) / 4]! >>> 0;
      const oldId = field(abi.DIFFERING_OLD_ID);
      const newId = field(abi.DIFFERING_NOW_ID);
      return {
        kind: DEFINITION_KINDS[field(abi.DIFFERING_KIND) - 1]!,
        name,
        oldCount: field(abi.DIFFERING_OLD_COUNT),
        newCount: field(abi.DIFFERING_NOW_COUNT),
        old: oldId === 0 ? undefined : { btf: btfs[field(abi.DIFFERING_OLD_SUBJECT)]!, id: oldId },
        now: newId === 0 ? undefined : { btf: btfs[field(abi.DIFFERING_NOW_SUBJECT)]!, id: newId },
        address: field(abi.DIFFERING_ROW),
      };
    });
  }

  /** The names of the rows that differ, decoded many at a time. */
  #names(): string[] {
    const { arena } = this.#workspace;
    const order = readField(arena.view, this.#address, abi.TABLE_ORDER);
    const decoder = new TextDecoder();
    const names: string[] = [];
    let length = NAMES_WINDOW;
    while (names.length < this.#count) {
      const window = arena.takeWindow(length);
      const left = this.#count - names.length;
      const written = arena.run((kernel) => kernel.writeNames(order + names.length * 4, left, window.at, length));
      const texts = decoder.decode(arena.bytes.subarray(window.at, window.at + length)).split("\0", written);
      arena.giveWindow(window);
      if (written === 0) length *= 2;
      for (const text of texts) names.push(text);
    }
    return names;
  }

  /** Definitions of a side that the other one lacks, the latest first. */
  places({ address, oldCount, newCount }: DifferingRow, side: number): Place[] {
    const { arena } = this.#workspace;
    const { mark } = arena;
    const list = arena.allocate((side === OLD ? oldCount : newCount) * 4);
    const count = arena.run((kernel) => kernel.lacking(this.#address, address, side, list));
    const found = Array.from(this.#workspace.words(list, count), (definition) => this.#place(definition >>> 0));
    arena.rewind(mark);
    return found;
  }

  #place(definition: Address<"Definition">): Place {
    const { view } = this.#workspace.arena;
    return {
      btf: this.#btfs[readField(view, definition, abi.DEFINITION_SUBJECT)]!,
      id: readField(view, definition, abi.DEFINITION_ID),
    };
  }
}

/** Puts a Btf with its identities into a workspace. */
function subjectOf(btf: Btf, workspace: Workspace): Address<"Subject"> {
  const { names, own, references } = identitiesIn(btf, workspace);
  return workspace.struct<"Subject">(abi.SUBJECT_SIZE, [
    [abi.SUBJECT_IMAGE, workspace.image(btf.image)],
    [abi.SUBJECT_NAMES, workspace.copyWords(names)],
    [abi.SUBJECT_OWN, workspace.copyWords(own)],
    [abi.SUBJECT_REFERENCES, workspace.copyWords(references)],
  ]);
}
