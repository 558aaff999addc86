/** JSON as bpftool writes it: its own spacing, and escapes that are C's rather than JSON's. */

const ESCAPES: Readonly<Record<string, string>> = {
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "\f": "\\f",
  "\b": "\\b",
  // bpftool's writer puts the newline's escape for a backslash.
  "\\": "\\n",
  '"': '\\"',
};

/** Returns a string in quotes, with bpftool's escapes. */
export function quoted(text: string): string {
  const escaped = /["\\\t\n\r\f\b]/.test(text) ? text.replace(/["\\\t\n\r\f\b]/g, (c) => ESCAPES[c]!) : text;
  return `"${escaped}"`;
}

/** Collects JSON. The commas are put where they belong; with `isPretty`, names and closing brackets get a line each. */
export class JsonWriter {
  /** What has been written since it was last taken. */
  text = "";
  readonly isPretty: boolean;
  #separator = "";
  /** The brackets that close what is open. */
  readonly #open: string[] = [];

  constructor(isPretty: boolean) {
    this.isPretty = isPretty;
  }

  /** How many arrays and objects are open. */
  get depth(): number {
    return this.#open.length;
  }

  /** Returns what has been written and forgets it. */
  take(): string {
    const { text } = this;
    this.text = "";
    return text;
  }

  /** Starts anew: the next value has no comma before it. */
  reset(): void {
    this.#separator = "";
  }

  #newLine(): void {
    if (this.isPretty) this.text += `\n${"    ".repeat(this.depth)}`;
  }

  #begin(bracket: string, closing: string): this {
    this.text += this.#separator + bracket;
    this.#open.push(closing);
    this.#separator = "";
    return this;
  }

  #end(): this {
    const bracket = this.#open.pop()!;
    if (this.#separator) this.#newLine();
    this.text += bracket;
    this.#separator = ",";
    return this;
  }

  startObject(): this {
    return this.#begin("{", "}");
  }

  endObject(): this {
    return this.#end();
  }

  startArray(): this {
    return this.#begin("[", "]");
  }

  endArray(): this {
    return this.#end();
  }

  /** Closes all that is open. */
  closeAll(): void {
    while (this.depth > 0) this.#end();
  }

  name(name: string): this {
    this.text += this.#separator;
    this.#newLine();
    this.#separator = "";
    this.text += quoted(name) + (this.isPretty ? ": " : ":");
    return this;
  }

  /** A value that is JSON already, or what bpftool takes for it. */
  raw(value: string | number | bigint | boolean): this {
    this.text += this.#separator + value;
    this.#separator = ",";
    return this;
  }

  string(value: string): this {
    return this.raw(quoted(value));
  }

  field(name: string, value: number | bigint | boolean): this {
    return this.name(name).raw(value);
  }

  stringField(name: string, value: string): this {
    return this.name(name).string(value);
  }

  /** Bytes as strings of hexadecimal digits. */
  hexBytes(bytes: Uint8Array): this {
    this.startArray();
    for (const byte of bytes) this.raw(HEX_STRINGS[byte]!);
    return this.endArray();
  }

  /** Bytes as numbers. */
  bytes(bytes: Uint8Array): this {
    this.startArray();
    for (const byte of bytes) this.raw(byte);
    return this.endArray();
  }
}

const HEX_STRINGS = Array.from({ length: 256 }, (_, byte) => `"0x${byte.toString(16).padStart(2, "0")}"`);
