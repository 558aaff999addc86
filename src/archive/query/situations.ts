/** Kernels by which definitions of some names they have: those that have the same ones are looked at once. */

import type { Btf } from "../../btf/btf.js";
import type { NamedDefinitions } from "../definitions/blocks.js";
import type { Fragment } from "../definitions/fragment.js";
import { SmallBtf } from "../definitions/small-btf.js";
import type { ArchivedKernel } from "../root.js";

/** How definitions are asked for by name. */
export type FindByName = (name: string) => Promise<NamedDefinitions["definitions"]>;

/** The definitions of a name, and which of them each kernel has. */
interface Variants {
  readonly list: NamedDefinitions["definitions"];
  /** Each combination that a kernel has: indexes of its own definitions, and of those of its modules. */
  readonly combinations: readonly (readonly [own: readonly number[], ofModules: readonly number[]])[];
  /** Of each kernel, the index of its combination. */
  readonly ofKernel: Int32Array;
}

/** The names of an archive that have been looked up, each once: what several situations may share. */
export class VariantsByName {
  readonly kernels: readonly ArchivedKernel[];
  readonly #find: FindByName;
  readonly #known = new Map<string, Variants>();

  constructor(kernels: readonly ArchivedKernel[], find: FindByName) {
    this.kernels = kernels;
    this.#find = find;
  }

  async of(name: string): Promise<Variants> {
    let found = this.#known.get(name);
    if (!found) {
      found = this.#variants(await this.#find(name));
      this.#known.set(name, found);
    }
    return found;
  }

  #variants(list: NamedDefinitions["definitions"]): Variants {
    const count = this.kernels.length;
    const places: (number[] | undefined)[] = new Array(count * 2);
    list.forEach(({ runs }, index) => {
      for (let i = 0; i < runs.length; i += 2) {
        for (let place = runs[i]!; place < runs[i + 1]!; place++) {
          places[place] ??= [];
          places[place]!.push(index);
        }
      }
    });
    const indexes = new Map<string, number>();
    const combinations: [number[], number[]][] = [];
    const ofKernel = new Int32Array(count);
    for (let kernel = 0; kernel < count; kernel++) {
      const [own, ofModules] = [places[kernel] ?? [], places[kernel + count] ?? []];
      const key = `${own.join()}+${ofModules.join()}`;
      let index = indexes.get(key);
      if (index === undefined) {
        index = combinations.push([own, ofModules]) - 1;
        indexes.set(key, index);
      }
      ofKernel[kernel] = index;
    }
    return { list, combinations, ofKernel };
  }
}

export class Situations {
  readonly #variants: VariantsByName;
  readonly #names = new Map<string, Variants>();
  /** Of each kernel, the number of its situation. */
  #situations: Int32Array;
  readonly #opened = new Map<number, Btf>();

  /** @param factsOf what tells kernels apart that have the same definitions */
  constructor(variants: VariantsByName, factsOf: (kernel: number) => string = () => "") {
    this.#variants = variants;
    const numbers = new Numbers();
    this.#situations = Int32Array.from(variants.kernels, ({ pointerSize, endian }, i) =>
      numbers.of(`${pointerSize} ${endian} ${factsOf(i)}`),
    );
  }

  /** Takes a name in, and returns whether it is new. */
  async take(name: string): Promise<boolean> {
    if (this.#names.has(name)) return false;
    const variants = await this.#variants.of(name);
    this.#names.set(name, variants);
    const numbers = new Numbers();
    const { combinations, ofKernel } = variants;
    this.#situations = this.#situations.map((former, kernel) =>
      numbers.of(former * combinations.length + ofKernel[kernel]!),
    );
    this.#dispose();
    return true;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** The names that were taken in, in their order. */
  names(): IterableIterator<string> {
    return this.#names.keys();
  }

  /** The number of a kernel's situation: as long as no name is taken in, kernels of the same number are alike. */
  of(kernel: number): number {
    return this.#situations[kernel]!;
  }

  /** Returns a Btf of the names, as a kernel and its modules define them. It is open until a name is taken in. */
  open(kernel: number): Btf {
    const situation = this.of(kernel);
    let btf = this.#opened.get(situation);
    if (!btf) {
      const small = new SmallBtf(this.#variants.kernels[kernel]!);
      this.#add(small, kernel, ([own]) => own);
      // What kernel and module both have is there once.
      this.#add(small, kernel, ([own, ofModules]) => ofModules.filter((index) => !own.includes(index)));
      btf = small.open();
      this.#opened.set(situation, btf);
    }
    return btf;
  }

  /**
   * Makes a Btf of the names as a kernel alone defines them, or its modules, and the kernel what they do not.
   *
   * @param more definitions beside them
   */
  make(kernel: number, part: "kernel" | "modules", more: readonly Fragment[]): Btf {
    const small = new SmallBtf(this.#variants.kernels[kernel]!, { declaresStructs: false });
    if (part === "kernel") this.#add(small, kernel, ([own]) => own);
    else this.#add(small, kernel, ([own, ofModules]) => (ofModules.length > 0 ? ofModules : own));
    for (const fragment of more) small.add(fragment, "");
    return small.open();
  }

  #add(small: SmallBtf, kernel: number, choose: (combination: Variants["combinations"][0]) => readonly number[]): void {
    for (const [name, { list, combinations, ofKernel }] of this.#names)
      for (const index of choose(combinations[ofKernel[kernel]!]!)) small.add(list[index]!, `definitions of ${name}`);
  }

  #dispose(): void {
    for (const btf of this.#opened.values()) btf[Symbol.dispose]();
    this.#opened.clear();
  }

  [Symbol.dispose](): void {
    this.#dispose();
  }
}

/** Numbers for values, from 0, in the order in which they come. */
class Numbers {
  readonly #known = new Map<string | number, number>();

  of(value: string | number): number {
    let number = this.#known.get(value);
    if (number === undefined) {
      number = this.#known.size;
      this.#known.set(value, number);
    }
    return number;
  }
}
