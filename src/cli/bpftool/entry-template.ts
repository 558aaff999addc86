/** Entries of a map in hexadecimal digits: all have the same length, so that only the digits are filled in. */

const DIGITS = new TextEncoder().encode("0123456789abcdef");

/** An entry's text as bytes, and where the digits of each byte of its key and value are. */
export class EntryTemplate {
  readonly #text: Uint8Array;
  /** Where the two digits of each shown byte are. */
  readonly #places: Int32Array;
  readonly #keyByteSize: number;
  /** Which bytes of the value are shown. */
  readonly #shown: Int32Array;

  /**
   * @param render makes the text of an entry, with its bytes in order, two digits a byte
   * @param shown the indices of the bytes of the value that are in the text, ascending
   */
  constructor(
    render: (key: Uint8Array, value: Uint8Array) => string,
    keyByteSize: number,
    valueByteSize: number,
    shown: Int32Array,
  ) {
    const of = (byte: number): Uint8Array =>
      new TextEncoder().encode(
        render(new Uint8Array(keyByteSize).fill(byte), new Uint8Array(valueByteSize).fill(byte)),
      );
    const [zeroes, ones] = [of(0), of(0xff)];
    const places: number[] = [];
    for (let i = 0; i < zeroes.length; i++) {
      if (zeroes[i] === ones[i]) continue;
      places.push(i);
      i++;
    }
    this.#text = zeroes;
    this.#places = Int32Array.from(places);
    this.#keyByteSize = keyByteSize;
    this.#shown = shown;
  }

  /** Returns the texts of entries whose keys and values lie one after the other. */
  fill(keys: Uint8Array, values: Uint8Array, valueByteSize: number, count: number): Uint8Array {
    const [text, places, shown, keySize] = [this.#text, this.#places, this.#shown, this.#keyByteSize];
    const out = new Uint8Array(text.length * count);
    for (let entry = 0, at = 0; entry < count; entry++, at += text.length) {
      out.set(text, at);
      for (let i = 0; i < keySize; i++) {
        const byte = keys[entry * keySize + i]!;
        const place = at + places[i]!;
        out[place] = DIGITS[byte >> 4]!;
        out[place + 1] = DIGITS[byte & 15]!;
      }
      const value = entry * valueByteSize;
      for (let i = 0; i < shown.length; i++) {
        const byte = values[value + shown[i]!]!;
        const place = at + places[keySize + i]!;
        out[place] = DIGITS[byte >> 4]!;
        out[place + 1] = DIGITS[byte & 15]!;
      }
    }
    return out;
  }
}
