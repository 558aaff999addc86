/** Kernels by which definitions of some names they have: those that have the same ones are looked at once. */

import type { Btf } from "../../btf/btf.js";
import type { NamedDefinitions } from "../definitions/blocks.js";
import { SmallBtf } from "../definitions/small-btf.js";
import type { ArchivedKernel } from "../root.js";

/** How definitions are asked for by name. */
export type FindByName = (name: string) => Promise<NamedDefinitions["definitions"]>;

export class Situations {
  readonly #kernels: readonly ArchivedKernel[];
  readonly #find: FindByName;
  /** Of each name, its definitions, and which of them stand at each place. */
  readonly #names = new Map<string, { list: NamedDefinitions["definitions"]; at: (number[] | undefined)[] }>();
  readonly #opened = new Map<string, Btf>();

  constructor(kernels: readonly ArchivedKernel[], find: FindByName) {
    this.#kernels = kernels;
    this.#find = find;
  }

  /** Takes a name in, and returns whether it is new. */
  async take(name: string): Promise<boolean> {
    if (this.#names.has(name)) return false;
    const list = await this.#find(name);
    const at: (number[] | undefined)[] = new Array(this.#kernels.length * 2);
    list.forEach(({ runs }, index) => {
      for (let i = 0; i < runs.length; i += 2) {
        for (let place = runs[i]!; place < runs[i + 1]!; place++) {
          at[place] ??= [];
          at[place]!.push(index);
        }
      }
    });
    this.#names.set(name, { list, at });
    this.#dispose();
    return true;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** Returns a Btf of the names, as a kernel and its modules define them. */
  open(kernel: number): Btf {
    const { pointerSize } = this.#kernels[kernel]!;
    let key = String(pointerSize);
    for (const { at } of this.#names.values()) {
      key += `;${at[kernel]?.join() ?? ""}+${at[kernel + this.#kernels.length]?.join() ?? ""}`;
    }
    let btf = this.#opened.get(key);
    if (!btf) {
      const small = new SmallBtf(pointerSize);
      for (const place of [kernel, kernel + this.#kernels.length]) {
        for (const [name, { list, at }] of this.#names) {
          // What kernel and module both have is there once.
          const before = place === kernel ? undefined : at[kernel];
          for (const index of at[place] ?? [])
            if (!before?.includes(index)) small.add(list[index]!, `definitions of ${name}`);
        }
      }
      btf = small.open();
      this.#opened.set(key, btf);
    }
    return btf;
  }

  #dispose(): void {
    for (const btf of this.#opened.values()) btf[Symbol.dispose]();
    this.#opened.clear();
  }

  [Symbol.dispose](): void {
    this.#dispose();
  }
}
