/**
 * Writes JSON as bpftool lays it out: nothing but what is needed, or each member on a line of its own, 4 spaces deeper
 * than its object. Elements of an array follow each other on one line.
 */
export class JsonWriter {
  text = "";
  readonly #pretty: boolean;
  readonly #firstDepth: number;
  #depth: number;
  #separator = "";

  constructor(pretty: boolean, depth: number) {
    this.#pretty = pretty;
    this.#firstDepth = depth;
    this.#depth = depth;
  }

  #line(): void {
    if (this.#pretty) this.text += `\n${"    ".repeat(this.#depth)}`;
  }

  open(bracket: "{" | "["): void {
    this.text += this.#separator + bracket;
    this.#separator = "";
    this.#depth++;
  }

  close(bracket: "}" | "]"): void {
    this.#depth--;
    if (this.#separator) this.#line();
    this.text += bracket;
    this.#separator = ",";
  }

  name(quoted: string): void {
    this.text += this.#separator;
    this.#line();
    this.text += this.#pretty ? `${quoted}: ` : `${quoted}:`;
    this.#separator = "";
  }

  value(text: string): void {
    this.text += this.#separator + text;
    this.#separator = ",";
  }

  /** The text so far; the writer starts anew. */
  take(): string {
    const { text } = this;
    this.text = "";
    this.#separator = "";
    this.#depth = this.#firstDepth;
    return text;
  }
}
