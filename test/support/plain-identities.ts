// Shallow identities by plain recursion over the bytes of an image: what the
// kernel of btfkit/inspect is judged by. Nothing of the library is used.
import {
  ARRAY,
  DATASEC,
  DECL_TAG,
  ENUM,
  ENUM64,
  FLOAT,
  FUNC_PROTO,
  FWD,
  INT,
  LAYOUT,
  STRUCT,
  TYPE_TAG,
  UNION,
} from "./image.js";

const VOID = 0x13198a2e;
const ABSENT = 0x03707344;
const INSIDE = 0x24093822;
const DEPTH = 512;

type Pair = readonly [low: number, high: number];

const same = (word: number): Pair => [word, word];

/** A hash that grows by pairs of words. */
class Hash {
  low: number;
  high = 0x05a308d3;

  constructor(kind = 0) {
    this.low = 0x243f6a88 ^ kind;
  }

  add(...pairs: readonly Pair[]): this {
    for (const [a, b] of pairs) {
      const low = Math.imul(((this.low << 7) | (this.low >>> 25)) ^ a, 0x9e3779b1);
      const high = Math.imul(((this.high << 13) | (this.high >>> 19)) ^ b, 0x85ebca77);
      this.low = low ^ (low >>> 15);
      this.high = high ^ (high >>> 16);
    }
    return this;
  }

  get pair(): Pair {
    return [this.low, this.high];
  }
}

/** The identities of an image's own types, with what its splits need to know. */
export class PlainIdentities {
  readonly #base: PlainIdentities | undefined;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #little: boolean;
  readonly #strings: number;
  readonly #stringsStart: number;
  readonly #records: number[] = [];
  readonly #references = new Map<number, Pair>();
  readonly #names = new Map<number, Pair>();
  readonly firstId: number;
  /** One past the last name's offset, and past the last id. */
  readonly stringsEnd: number;
  readonly idLimit: number;

  constructor(bytes: Uint8Array, base?: PlainIdentities) {
    this.#base = base;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = bytes[0] === 0x9f;
    const header = this.#word(4);
    const [typesAt, typesLength, stringsAt, stringsLength] = this.#words(8, 4) as [number, number, number, number];
    this.#strings = header + stringsAt;
    this.#stringsStart = base?.stringsEnd ?? 0;
    this.stringsEnd = this.#stringsStart + stringsLength;
    this.firstId = base?.idLimit ?? 1;
    for (let at = header + typesAt; at < header + typesAt + typesLength; ) {
      this.#records.push(at);
      const info = this.#word(at + 4);
      const [fixed, element] = LAYOUT[(info >>> 24) & 0x7f]!;
      at += 12 + fixed + element * (info & 0xffffff);
    }
    this.idLimit = this.firstId + this.#records.length;
    // In the order of ids: where types contain themselves, it matters who is met first.
    this.#records.forEach((_, i) => {
      this.#reference(this.firstId + i, 0);
    });
  }

  /** The identity of an own type, as `Identities.of` writes it. */
  of(id: number): string {
    const [low, high] = this.#isNamed(id) ? this.#record(id, 0) : this.#reference(id, 0);
    return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #word(at: number): number {
    return this.#view.getUint32(at, this.#little);
  }

  #words(at: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.#word(at + i * 4));
  }

  #isNamed(id: number): boolean {
    const at = this.#records[id - this.firstId]!;
    return this.#word(at) !== 0 && ((this.#word(at + 4) >>> 24) & 0x7f) !== TYPE_TAG;
  }

  #name(offset: number): Pair {
    if (offset === 0) return [0, 0];
    if (offset < this.#stringsStart) return this.#base!.#name(offset);
    const known = this.#names.get(offset);
    if (known) return known;
    let low = 0x243f6a88;
    let high = 0x05a308d3;
    for (let at = this.#strings + offset - this.#stringsStart; this.#bytes[at] !== 0; at++) {
      low = Math.imul(low ^ this.#bytes[at]!, 0x01000193);
      high = Math.imul(((high << 5) | (high >>> 27)) ^ this.#bytes[at]!, 0x85ebca77);
    }
    const pair: Pair = [Math.imul(low ^ (low >>> 15), 0x9e3779b1) || 1, Math.imul(high ^ (high >>> 13), 0x9e3779b1)];
    this.#names.set(offset, pair);
    return pair;
  }

  #reference(id: number, depth: number): Pair {
    if (id === 0) return same(VOID);
    if (id >= this.idLimit) return same(ABSENT);
    if (id < this.firstId) return this.#base!.#reference(id, depth);
    const known = this.#references.get(id);
    if (known) return known;
    if (depth > DEPTH) throw new RangeError("nested too deep");
    this.#references.set(id, same(INSIDE));
    const at = this.#records[id - this.firstId]!;
    const pair = this.#isNamed(id)
      ? new Hash(this.#kind(at)).add(new Hash().add(this.#name(this.#word(at))).pair).pair
      : this.#record(id, depth);
    this.#references.set(id, pair);
    return pair;
  }

  /** The kind as which a type counts: a declaration as the struct or union, an ENUM64 as an ENUM. */
  #kind(at: number): number {
    const info = this.#word(at + 4);
    const kind = (info >>> 24) & 0x7f;
    if (kind === FWD) return info >>> 31 ? UNION : STRUCT;
    return kind === ENUM64 ? ENUM : kind;
  }

  #record(id: number, depth: number): Pair {
    const at = this.#records[id - this.firstId]!;
    const [name, info, third] = this.#words(at, 3) as [number, number, number];
    const kind = (info >>> 24) & 0x7f;
    const flag = info >>> 31 === 1;
    const hash = new Hash(this.#kind(at)).add(this.#name(name));
    const refer = (to: number): Pair => this.#reference(to, depth + 1);
    const [, size] = LAYOUT[kind]!;
    const elements = Array.from({ length: size ? info & 0xffffff : 0 }, (_, i) =>
      this.#words(at + 12 + i * size, size / 4),
    ) as [number, number, number][];
    switch (kind) {
      case STRUCT:
      case UNION:
        hash.add(same(third));
        for (const [label, type, place] of elements) {
          hash.add(this.#name(label), refer(type), flag ? [place & 0xffffff, place >>> 24] : [place, 0]);
        }
        break;
      case ENUM:
        hash.add(same(third));
        for (const [label, value] of elements) hash.add(this.#name(label), [value, flag ? value >> 31 : 0]);
        break;
      case ENUM64:
        hash.add(same(third));
        for (const [label, low, high] of elements) hash.add(this.#name(label), [low, high]);
        break;
      case FUNC_PROTO:
        hash.add(refer(third));
        for (const [label, type] of elements) hash.add(this.#name(label), refer(type));
        break;
      case DATASEC:
        hash.add(same(third));
        for (const [type, offset, length] of elements) hash.add(refer(type), [offset, length]);
        break;
      case ARRAY:
        hash.add(refer(this.#word(at + 12)), [this.#word(at + 20), 0]);
        break;
      case INT:
        hash.add([third, this.#word(at + 12)]);
        break;
      case FLOAT:
        hash.add(same(third));
        break;
      case FWD:
        break;
      case DECL_TAG:
        hash.add(refer(third), [this.#word(at + 12), 0]);
        break;
      default:
        hash.add(refer(third));
    }
    return hash.pair;
  }
}
