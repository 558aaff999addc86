/**
 * Definitions in blocks: sorted by name, cut where a block is full, each compressed by itself, so that a name is found
 * by reading one block. Beside each definition stands which kernels have it.
 *
 * Unpacked, a block is
 *
 *   number of sets, and of each: number of runs, and of each: places left out, places taken
 *   number of names, and of each: number of definitions, and of each: its set, bytes of its numbers, bytes of its names
 *   all names, each with a zero byte
 *   numbers of all definitions
 *   names of all definitions
 *
 * A kernel has two places: its index stands for its own image, its index plus the number of kernels for its modules.
 */

import { ByteReader, ByteWriter } from "../bytes.js";
import type { Fragment } from "./fragment.js";

/** Which images have a definition, as runs of places: start, end, start, end, …; ends are excluded. */
export type Runs = readonly number[];

/** A definition with who has it. */
export interface StoredDefinition extends Fragment {
  readonly runs: Runs;
}

/** All definitions of one name, in the order in which they came. */
export interface NamedDefinitions {
  readonly name: string;
  readonly definitions: readonly StoredDefinition[];
}

/** Bytes of a block before it is compressed, about. */
const FULL = 40_000;
/** The most that a block may unpack to. */
export const BLOCK_LIMIT = 64 << 20;

/** Yields blocks, uncompressed, with the first name of each. */
export function* packBlocks(
  names: Iterable<NamedDefinitions>,
): Generator<{ readonly first: string; readonly bytes: Uint8Array }> {
  let pending: NamedDefinitions[] = [];
  let size = 0;
  for (const one of names) {
    pending.push(one);
    size += one.name.length;
    for (const { numbers, names: texts, runs } of one.definitions)
      size += numbers.length + texts.length + 4 + (runs.length >> 3);
    if (size < FULL) continue;
    yield { first: pending[0]!.name, bytes: packBlock(pending) };
    pending = [];
    size = 0;
  }
  if (pending.length > 0) yield { first: pending[0]!.name, bytes: packBlock(pending) };
}

function packBlock(names: readonly NamedDefinitions[]): Uint8Array {
  const sets = new Map<string, { index: number; runs: Runs }>();
  const list = names.map(({ definitions }) =>
    definitions.map((definition) => {
      const key = definition.runs.join();
      let set = sets.get(key);
      if (!set) {
        set = { index: sets.size, runs: definition.runs };
        sets.set(key, set);
      }
      return { definition, set: set.index };
    }),
  );
  const head = new ByteWriter();
  head.varint(sets.size);
  for (const { runs } of sets.values()) {
    head.varint(runs.length / 2);
    let end = 0;
    for (let i = 0; i < runs.length; i += 2) {
      head.varint(runs[i]! - end);
      head.varint(runs[i + 1]! - runs[i]!);
      end = runs[i + 1]!;
    }
  }
  const [texts, numbers, parts] = [new ByteWriter(), new ByteWriter(), new ByteWriter()];
  head.varint(names.length);
  names.forEach(({ name }, i) => {
    texts.text(name);
    head.varint(list[i]!.length);
    for (const { definition, set } of list[i]!) {
      head.varint(set);
      head.varint(definition.numbers.length);
      head.varint(definition.names.length);
      numbers.raw(definition.numbers);
      parts.raw(definition.names);
    }
  });
  for (const part of [texts, numbers, parts]) head.raw(part.bytes);
  return head.bytes.slice();
}

/**
 * Reads a block.
 *
 * @param places twice the number of kernels
 * @throws BtfFormatError ERR_ARCHIVE_DAMAGED
 */
export function unpackBlock(bytes: Uint8Array, places: number, place: string): NamedDefinitions[] {
  const reader = new ByteReader(bytes, place);
  const sets = Array.from({ length: reader.below(bytes.length) }, () => {
    const runs: number[] = [];
    let end = 0;
    for (let left = reader.below(bytes.length); left > 0; left--) {
      const start = end + reader.varint();
      end = start + reader.varint();
      if (end > places) throw reader.refuse("a kernel that the archive does not have");
      runs.push(start, end);
    }
    return runs;
  });
  const count = reader.below(bytes.length + 1);
  const heads: { set: Runs; numbers: number; names: number }[][] = [];
  for (let i = 0; i < count; i++) {
    const definitions: { set: Runs; numbers: number; names: number }[] = [];
    for (let left = reader.below(bytes.length); left > 0; left--) {
      const set = sets[reader.varint()];
      if (!set) throw reader.refuse("a set that it does not have");
      definitions.push({ set, numbers: reader.varint(), names: reader.varint() });
    }
    heads.push(definitions);
  }
  const names = heads.map(() => reader.text());
  const numbers = heads.map((list) => list.map((one) => reader.raw(one.numbers)));
  return heads.map((list, i) => ({
    name: names[i]!,
    definitions: list.map((one, j) => ({ runs: one.set, numbers: numbers[i]![j]!, names: reader.raw(one.names) })),
  }));
}

/** Tells whether a place is in a set. */
export function includes(runs: Runs, place: number): boolean {
  for (let i = 0; i < runs.length && runs[i]! <= place; i += 2) if (place < runs[i + 1]!) return true;
  return false;
}
