/** Numbers for the names of several Btfs: equal names have equal numbers, wherever they stand. */

/** The number of the empty name. */
export const NO_NAME = 0;

export class Names {
  readonly #texts: string[] = [""];
  readonly #numbers = new Map<string, number>([["", NO_NAME]]);

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.push(text) - 1;
    this.#numbers.set(text, number);
    return number;
  }

  textOf(number: number): string {
    return this.#texts[number]!;
  }
}
