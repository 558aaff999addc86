/**
 * An arithmetic coder with adaptive probabilities, in one class for both directions: `number` and `text` code the value
 * that they are given, or ignore it and return the decoded one. A model written on top of it is its own decoder.
 *
 * All arithmetic is on integers, so that every runtime decodes alike.
 */

/** Slots of 16 bits for probabilities, as a power of two: 8 MiB. Contexts that meet in one slot cost compression alone. */
const TABLE_BITS = 22;
/** Contexts of one decision, at most. */
const INPUTS = 7;
/** Sets of weights. */
const SETS = 1 << 12;

/** Logistic function of -2047 … 2047 to 0 … 4095, by interpolation. */
const SQUASH = [
  1, 2, 3, 6, 10, 16, 27, 45, 73, 120, 194, 310, 488, 747, 1101, 1546, 2047, 2549, 2994, 3348, 3607, 3785, 3901, 3975,
  4022, 4050, 4068, 4079, 4085, 4089, 4092, 4093, 4094,
] as const;

function squash(value: number): number {
  if (value > 2047) return 4095;
  if (value < -2047) return 0;
  const weight = value & 127;
  const at = (value >> 7) + 16;
  return (SQUASH[at]! * (128 - weight) + SQUASH[at + 1]! * weight + 64) >> 7;
}

/** Inverse of `squash`. */
function makeStretch(): Int16Array {
  const stretch = new Int16Array(4096);
  let from = 0;
  for (let value = -2047; value <= 2047; value++) {
    const to = squash(value);
    for (let i = from; i <= to; i++) stretch[i] = value;
    from = Math.max(from, to + 1);
  }
  stretch.fill(2047, from);
  return stretch;
}

/** By how often a slot was met: the share of the error by which it moves, of 65536. */
function makeRates(): Int32Array {
  return Int32Array.from({ length: 16 }, (_, count) => Math.trunc(65536 / (count + 1.6)));
}

/** How many times at most a slot counts: the higher, the slower it follows changes. */
const STEADY = 15;

/** Where the state of a coder stands in `#state`. */
const LOW = 0;
const HIGH = 1;
const CODE = 2;

export class Coder {
  /** Of each slot: 12 bits of probability that the bit is 1, 4 bits of count. */
  readonly #table = new Uint16Array(1 << TABLE_BITS).fill(2048 << 4);
  readonly #weights = new Int32Array(SETS * INPUTS).fill(1 << 14);
  readonly #stretch = makeStretch();
  readonly #rates = makeRates();
  /** The first of the 16 slots of each context. */
  readonly #groups = new Int32Array(INPUTS);
  readonly #inputs = new Int32Array(INPUTS);
  readonly #contexts = new Int32Array(INPUTS);
  /** The interval, both ends included, and a decoder's next 32 bits: in an array, because fields box numbers of 32 bits. */
  readonly #state = Uint32Array.of(0, 0xffffffff, 0);
  /** Decoding: the bytes, and how far they are read. */
  readonly #input: Uint8Array | undefined;
  #at = 0;
  /** Encoding: the bytes so far. */
  #output = new Uint8Array(1 << 16);
  #length = 0;

  /** A decoder of `input`, or an encoder without it. */
  constructor(input?: Uint8Array) {
    this.#input = input;
    if (input) for (let i = 0; i < 4; i++) this.#state[CODE] = (this.#state[CODE]! << 8) | this.#next();
  }

  /** Whether a decoder has read past its input by more than encoders leave out: what follows is made up. */
  get isExhausted(): boolean {
    return this.#input !== undefined && this.#at > this.#input.length + 4;
  }

  #next(): number {
    const input = this.#input!;
    const at = this.#at++;
    return at < input.length ? input[at]! : 0;
  }

  #put(byte: number): void {
    if (this.#length === this.#output.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.#output);
      this.#output = larger;
    }
    this.#output[this.#length++] = byte;
  }

  /** Ends an encoder, and returns its bytes. */
  finish(): Uint8Array {
    for (let i = 0; i < 4; i++) this.#put(this.#state[LOW]! >>> (24 - 8 * i));
    return this.#output.slice(0, this.#length);
  }

  /**
   * Turns to the decisions at `node`: the next up to four bits have their slots side by side, of each of the first
   * `count` contexts.
   */
  #turn(count: number, node: number): void {
    const contexts = this.#contexts;
    const groups = this.#groups;
    const salt = Math.imul(node, 0x9e3779b1);
    for (let i = 0; i < count; i++) {
      let hash = Math.imul(contexts[i]! ^ salt, 0x85ebca6b);
      hash ^= hash >>> 15;
      groups[i] = (Math.imul(hash, 0xc2b2ae35) >>> (36 - TABLE_BITS)) << 4;
    }
  }

  /** Codes one bit at one of 15 nodes of a group, with a set of weights. */
  #bit(bit: number, count: number, node: number, set: number): number {
    const table = this.#table;
    const inputs = this.#inputs;
    const weights = this.#weights;
    const groups = this.#groups;
    const stretch = this.#stretch;
    const state = this.#state;
    const first = (set & (SETS - 1)) * INPUTS;
    let dot = 0;
    for (let i = 0; i < count; i++) {
      const input = stretch[table[groups[i]! + node]! >>> 4]!;
      inputs[i] = input;
      dot = (dot + ((Math.imul(input, weights[first + i]!) + 0x80) >> 8)) | 0;
    }
    // Of 4096; never certain.
    const chance = squash(dot >> 8);
    const scaled = Math.min(65519, Math.max(16, chance * 16 + 8)) | 0;
    const low = state[LOW]!;
    const range = state[HIGH]! - low;
    const middle = low + (range >>> 16) * scaled + (((range & 0xffff) * scaled) >>> 16);
    let value = bit;
    if (this.#input) value = state[CODE]! <= middle ? 1 : 0;
    if (value === 1) state[HIGH] = middle;
    else state[LOW] = middle + 1;
    while (((state[LOW]! ^ state[HIGH]!) & 0xff000000) === 0) {
      if (this.#input) state[CODE] = (state[CODE]! << 8) | this.#next();
      else this.#put(state[HIGH]! >>> 24);
      state[LOW] = state[LOW]! << 8;
      state[HIGH] = (state[HIGH]! << 8) | 255;
    }
    const error = ((value << 12) - chance) * 6;
    const target = value === 1 ? 4095 : 0;
    const rates = this.#rates;
    for (let i = 0; i < count; i++) {
      const slot = groups[i]! + node;
      const entry = table[slot]!;
      const times = entry & 15;
      const was = entry >>> 4;
      table[slot] =
        ((was + (Math.imul(target - was, rates[times]!) >> 16)) << 4) | (times < STEADY ? times + 1 : times);
      const weight = first + i;
      weights[weight] = weights[weight]! + ((Math.imul(inputs[i]!, error) + 0x2000) >> 14);
    }
    return value;
  }

  /**
   * Codes a number of up to 32 bits, returned unsigned.
   *
   * @param kind what sort of number it is, below 256: numbers of one sort share weights
   */
  number(value: number, kind: number, a?: number, b?: number, c?: number, d?: number): number {
    const count = this.#enter(kind, a, b, c, d);
    const set = kind * 8;
    const bits = 32 - Math.clz32(value);
    let length = 0;
    let group = 1;
    this.#turn(count, 0);
    for (let i = 5; i >= 0; i--) {
      if (i === 2) {
        this.#turn(count, length + 1);
        group = 1;
      }
      const bit = this.#bit((bits >> i) & 1, count, group, set + 5 - i);
      length = length * 2 + bit;
      group = group * 2 + bit;
    }
    if (length <= 1) return length;
    let decoded = 1;
    group = 1;
    for (let i = Math.min(length, 32) - 2; i >= 0; i--) {
      if (group === 1) this.#turn(count, (length << 24) ^ (decoded + 128));
      const bit = this.#bit((value >>> i) & 1, count, group, set + 6);
      decoded = (decoded << 1) | bit;
      group = group * 2 + bit;
      if (group > 15) group = 1;
    }
    return decoded >>> 0;
  }

  /** Codes a yes or no. */
  flag(value: boolean, kind: number, a?: number, b?: number, c?: number, d?: number): boolean {
    const count = this.#enter(kind, a, b, c, d);
    this.#turn(count, -1);
    return this.#bit(value ? 1 : 0, count, 0, kind * 8 + 7) === 1;
  }

  /** Sets the contexts, and returns how many there are. */
  #enter(kind: number, a?: number, b?: number, c?: number, d?: number): number {
    const contexts = this.#contexts;
    contexts[0] = Math.imul(kind + 1, 0x2545f491);
    if (a === undefined) return 1;
    contexts[1] = Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(kind * 8 + 2, 0x27d4eb2f);
    if (b === undefined) return 2;
    contexts[2] = Math.imul(b + 1, 0x9e3779b1) ^ Math.imul(kind * 8 + 3, 0x27d4eb2f);
    if (c === undefined) return 3;
    contexts[3] = Math.imul(c + 1, 0x9e3779b1) ^ Math.imul(kind * 8 + 4, 0x27d4eb2f);
    if (d === undefined) return 4;
    contexts[4] = Math.imul(d + 1, 0x9e3779b1) ^ Math.imul(kind * 8 + 5, 0x27d4eb2f);
    return 5;
  }

  /** Codes text of characters from 1 to 255. */
  text(value: string, kind: number): string {
    let text = "";
    let history = 0;
    let longer = 0;
    let word = 0;
    const contexts = this.#contexts;
    const salt = Math.imul(kind + 77, 0x2545f491);
    for (let at = 0; ; at++) {
      contexts[0] = salt ^ Math.imul(longer ^ history ^ 0x165667b1, 0x9e3779b9);
      contexts[1] = salt ^ Math.imul((history & 0xff) + 0x100, 0x9e3779b1);
      contexts[2] = salt ^ Math.imul((history & 0xffff) + 0x20000, 0x85ebca77);
      contexts[3] = salt ^ Math.imul((history & 0xffffff) + 0x3000000, 0xc2b2ae3d);
      contexts[4] = salt ^ Math.imul(history ^ 0x4a7c15f3, 0x27d4eb2f);
      contexts[5] = salt ^ Math.imul(word + 0x5bd1e995, 0x85ebca6b);
      const byte = at < value.length ? value.charCodeAt(at) & 255 : 0;
      let code = 0;
      let group = 1;
      for (let i = 7; i >= 0; i--) {
        if (i === 7 || i === 3) {
          this.#turn(6, i === 7 ? 0 : code + 1);
          group = 1;
        }
        const bit = this.#bit((byte >> i) & 1, 6, group, 2048 + Math.min(at, 3) * 256 + ((1 << (7 - i)) | code));
        code = (code << 1) | bit;
        group = (group << 1) | bit;
      }
      if (code === 0 || this.isExhausted) return text;
      text += String.fromCharCode(code);
      longer = Math.imul(longer ^ (history >>> 24), 0x2f0b4a27);
      history = (history << 8) | code;
      word = code === 95 ? 0 : Math.imul(word ^ code, 0x01000193);
    }
  }
}
