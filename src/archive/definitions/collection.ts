/** All definitions of an archive in memory, each once, with who has it: what a writer adds to. */

import type { Btf } from "../../btf/btf.js";
import { identities } from "../../inspect/identity.js";
import type { NamedDefinitions, Runs } from "./blocks.js";
import { DefinitionReader } from "./fragment.js";

/** Which kernels have something: a bit for each place, by the kernels' numbers. */
type Places = Uint32Array;

interface Entry {
  readonly name: string;
  readonly numbers: Uint8Array;
  readonly names: Uint8Array;
  /** Index of its set. */
  set: number;
}

const EMPTY: Places = new Uint32Array(0);

/** Definitions with sets of places: a kernel with number n has the places 2n, its image, and 2n + 1, its modules. */
export class Collection {
  readonly #entries: Entry[] = [];
  /** Indexes by content, ascending: a definition is there twice where kernels have those of a name in different orders. */
  readonly #byContent = new Map<string, number | number[]>();
  #sets: Places[] = [EMPTY];

  get size(): number {
    return this.#entries.length;
  }

  /**
   * Adds what an archive has.
   *
   * @param kernels how many kernels it has; their numbers are their indexes
   */
  load(names: readonly NamedDefinitions[], kernels: number): void {
    const sets = new Map<Runs, number>();
    for (const { name, definitions } of names) {
      for (const { numbers, names: texts, runs } of definitions) {
        let set = sets.get(runs);
        if (set === undefined) {
          set = this.#sets.push(placesOf(runs, kernels)) - 1;
          sets.set(runs, set);
        }
        this.#insert(name, numbers, texts, set);
      }
    }
  }

  #insert(name: string, numbers: Uint8Array, names: Uint8Array, set: number): number {
    const index = this.#entries.push({ name, numbers: numbers.slice(), names: names.slice(), set }) - 1;
    const key = contentKey(numbers, names);
    const known = this.#byContent.get(key);
    this.#byContent.set(key, known === undefined ? index : [known, index].flat());
    return index;
  }

  /**
   * Adds the own definitions of images, and returns their indexes. Of each name, they ascend in the order in which the
   * images have the definitions.
   */
  collect(btfs: readonly Btf[]): Set<number> {
    const indexes = new Set<number>();
    const last = new Map<string, number>();
    for (const btf of btfs) {
      // Identities in front of the work: they refuse what leads too deep.
      identities(btf);
      const reader = new DefinitionReader(btf);
      for (const id of reader.ids()) {
        const fragment = reader.read(id);
        const known = this.#byContent.get(contentKey(fragment.numbers, fragment.names));
        const list = known === undefined ? [] : typeof known === "number" ? [known] : known;
        if (list.some((index) => indexes.has(index))) continue;
        const name = reader.nameOf(id);
        const before = last.get(name) ?? -1;
        const index = list.find((one) => one > before) ?? this.#insert(name, fragment.numbers, fragment.names, 0);
        indexes.add(index);
        last.set(name, index);
      }
    }
    return indexes;
  }

  /** Puts a place into the sets of definitions. */
  put(place: number, indexes: ReadonlySet<number>): void {
    const larger = new Map<number, number>();
    for (const index of indexes) {
      const entry = this.#entries[index]!;
      let set = larger.get(entry.set);
      if (set === undefined) {
        set = this.#sets.push(withPlace(this.#sets[entry.set]!, place)) - 1;
        larger.set(entry.set, set);
      }
      entry.set = set;
    }
    this.#compact();
  }

  /** Drops the sets that no definition has any more. */
  #compact(): void {
    const kept = new Map<number, number>();
    const sets: Places[] = [EMPTY];
    for (const entry of this.#entries) {
      let set = kept.get(entry.set);
      if (set === undefined) {
        set = entry.set === 0 ? 0 : sets.push(this.#sets[entry.set]!) - 1;
        kept.set(entry.set, set);
      }
      entry.set = set;
    }
    this.#sets = sets;
  }

  /**
   * Returns how many of some definitions each place has.
   *
   * @param places how many places there are
   */
  shared(indexes: Iterable<number>, places: number): Uint32Array {
    const bySet = new Uint32Array(this.#sets.length);
    for (const index of indexes) bySet[this.#entries[index]!.set]!++;
    const counts = new Uint32Array(places);
    this.#sets.forEach((set, i) => {
      if (bySet[i] === 0) return;
      for (let place = 0; place < places; place++)
        if (((set[place >> 5] ?? 0) >>> (place & 31)) & 1) counts[place]! += bySet[i]!;
    });
    return counts;
  }

  /**
   * Yields the definitions by name, with the numbers of kernels turned into an order.
   *
   * @param order the number of the kernel at each index
   */
  *sorted(order: readonly number[]): Generator<NamedDefinitions> {
    const runs = this.#sets.map((set) => runsOf(set, order));
    const indexes = this.#entries.map((_, i) => i).filter((i) => runs[this.#entries[i]!.set]!.length > 0);
    indexes.sort((a, b) => {
      const [left, right] = [this.#entries[a]!.name, this.#entries[b]!.name];
      return left < right ? -1 : left > right ? 1 : a - b;
    });
    for (let i = 0; i < indexes.length; ) {
      const { name } = this.#entries[indexes[i]!]!;
      const definitions: NamedDefinitions["definitions"][number][] = [];
      for (; i < indexes.length && this.#entries[indexes[i]!]!.name === name; i++) {
        const { numbers, names, set } = this.#entries[indexes[i]!]!;
        definitions.push({ numbers, names, runs: runs[set]! });
      }
      yield { name, definitions };
    }
  }
}

/** The content of a definition as the key of a map. */
function contentKey(numbers: Uint8Array, names: Uint8Array): string {
  const bytes = new Uint8Array((numbers.length + names.length + 3) & ~1);
  bytes.set(numbers);
  bytes.set(names, numbers.length + 1);
  let key = String(numbers.length);
  for (let i = 0; i < bytes.length; i++) key += String.fromCharCode(bytes[i]!);
  return key;
}

function placesOf(runs: Runs, kernels: number): Places {
  const places = new Uint32Array((kernels * 2 + 31) >> 5);
  for (let i = 0; i < runs.length; i += 2) {
    for (let at = runs[i]!; at < runs[i + 1]!; at++) {
      const place = at < kernels ? at * 2 : (at - kernels) * 2 + 1;
      places[place >> 5]! |= 1 << (place & 31);
    }
  }
  return places;
}

function withPlace(set: Places, place: number): Places {
  const larger = new Uint32Array(Math.max(set.length, (place >> 5) + 1));
  larger.set(set);
  larger[place >> 5]! |= 1 << (place & 31);
  return larger;
}

function runsOf(set: Places, order: readonly number[]): number[] {
  const runs: number[] = [];
  for (let part = 0; part < 2; part++) {
    order.forEach((number, index) => {
      const from = number * 2 + part;
      if ((((set[from >> 5] ?? 0) >>> (from & 31)) & 1) === 0) return;
      const place = index + part * order.length;
      if (runs.at(-1) === place) runs[runs.length - 1] = place + 1;
      else runs.push(place, place + 1);
    });
  }
  return runs;
}
