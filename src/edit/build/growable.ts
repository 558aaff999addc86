/** Little-endian bytes that grow by doubling. */
export class Growable {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView<ArrayBuffer>;
  /** In bytes. */
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `length` more bytes. */
  reserve(length: number): void {
    if (this.length + length <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + length));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  word(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value >>> 0, true);
    this.length += 4;
  }

  /** Appends a copy of [from, to) of `source`. */
  append(source: Uint8Array, from = 0, to = source.length): void {
    this.reserve(to - from);
    this.bytes.set(from === 0 && to === source.length ? source : source.subarray(from, to), this.length);
    this.length += to - from;
  }

  /** Drops everything behind `length`. */
  truncate(length: number): void {
    this.length = length;
  }

  /** The bytes so far, valid until the next change. */
  get content(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }
}
