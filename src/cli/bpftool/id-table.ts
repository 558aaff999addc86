/** Values by id, in the order in which libbpf's hash table gives them: bpftool prints what it finds in that order. */

/** 2^64 divided by the golden ratio, by which libbpf's hash multiplies. */
const MULTIPLIER = 11400714819323198485n;
/** The table starts with 4 buckets. */
const FIRST_BITS = 2;

interface Entry<T> {
  readonly id: number;
  readonly value: T;
}

/** A table with several values for an id. */
export class IdTable<T> {
  #buckets: Entry<T>[][] = [];
  #bits = 0;
  #size = 0;

  /** How many values. */
  get size(): number {
    return this.#size;
  }

  /** Adds a value: it comes first among those of its bucket. */
  append(id: number, value: T): void {
    if (this.#buckets.length === 0 || Math.floor(((this.#size + 1) * 4) / 3) > this.#buckets.length) this.#grow();
    this.#bucket(id).unshift({ id, value });
    this.#size++;
  }

  /** The values of an id. */
  get(id: number): T[] {
    if (this.#size === 0) return [];
    return this.#bucket(id)
      .filter((entry) => entry.id === id)
      .map(({ value }) => value);
  }

  #bucket(id: number): Entry<T>[] {
    const hash = BigInt.asUintN(64, BigInt(id) * MULTIPLIER) >> BigInt(64 - this.#bits);
    return this.#buckets[Number(hash)]!;
  }

  /** Doubles the buckets. Every entry is put first again, so that a chain turns round. */
  #grow(): void {
    const entries = this.#buckets.flat();
    this.#bits = Math.max(FIRST_BITS, this.#bits + 1);
    this.#buckets = Array.from({ length: 1 << this.#bits }, () => []);
    for (const entry of entries) this.#bucket(entry.id).unshift(entry);
  }
}
