/** Makes a header from parts: fixed text, definitions, single declarations. */
import type { Btf } from "../../btf.js";
import { encode } from "../../strings.js";
import { Cursor } from "../cursor.js";
import type { Emitter } from "../dump.js";
import type { CContext } from "./context.js";

/** One stretch of the text. */
interface Part {
  readonly ended: boolean;
  /** Fills a window as `Emitter.fill` does. */
  fill(at: number, length: number): number;
}

/** `before`, then the declaration of a name as of a type, then `behind`. */
export interface Declaration {
  readonly before: string;
  /** The type. */
  readonly id: number;
  /** Offset of the name's string; 0 for none. */
  readonly nameOffset: number;
  readonly after: string;
}

export class CEmitter implements Emitter {
  readonly #btf: Btf;
  readonly #context: CContext;
  readonly #cursor: Cursor;
  readonly #parts: Part[];

  /** Without `ids`: all own types. `behind` is asked for when the definitions are written. */
  constructor(
    btf: Btf,
    context: CContext,
    ids: ArrayLike<number> | undefined,
    before: string,
    after: () => Iterable<string | Declaration>,
  ) {
    this.#btf = btf;
    this.#context = context;
    this.#cursor = new Cursor(btf.image, ids);
    this.#parts = [this.#text(before), this.#definitions(), this.#pieces(after)];
  }

  get total(): number {
    return this.#cursor.total;
  }

  get done(): number {
    return this.#cursor.done;
  }

  get ended(): boolean {
    return this.#parts.length === 0;
  }

  fill(at: number, length: number): number {
    let written = 0;
    for (let part = this.#parts[0]; part; part = this.#parts[0]) {
      written += part.fill(at + written, length - written);
      if (!part.ended) break;
      this.#parts.shift();
    }
    return written;
  }

  #write(bytes: Uint8Array, at: number): number {
    this.#btf.image.arena.bytes.set(bytes, at);
    return bytes.length;
  }

  #text(text: string): Part {
    let left = encode(text);
    return {
      get ended() {
        return left.length === 0;
      },
      fill: (at, length) => {
        const written = this.#write(left.subarray(0, length), at);
        left = left.subarray(written);
        return written;
      },
    };
  }

  #definitions(): Part {
    const cursor = this.#cursor;
    return {
      get ended() {
        return cursor.ended;
      },
      fill: (at, length) =>
        this.#context.run((kernel, image, context) => kernel.emitC(image, context, cursor.address, at, length)),
    };
  }

  #pieces(list: () => Iterable<string | Declaration>): Part {
    let left: Iterator<string | Declaration> | undefined;
    let next: string | Declaration | undefined;
    let ended = false;
    return {
      get ended() {
        return ended;
      },
      fill: (at, length) => {
        left ??= list()[Symbol.iterator]();
        let written = 0;
        for (;;) {
          if (next === undefined) {
            const step = left.next();
            if (step.done) {
              ended = true;
              return written;
            }
            next = step.value;
          }
          const count = this.#piece(next, at + written, length - written);
          if (count === 0) return written;
          written += count;
          next = undefined;
        }
      },
    };
  }

  /** Writes a piece whole, or nothing if there is no room. */
  #piece(piece: string | Declaration, at: number, length: number): number {
    if (typeof piece === "string") {
      const bytes = encode(piece);
      return bytes.length <= length ? this.#write(bytes, at) : 0;
    }
    const before = encode(piece.before);
    const after = encode(piece.after);
    const room = length - before.length - after.length;
    if (room <= 0) return 0;
    const written = this.#context.run((kernel, image, context) =>
      kernel.declareC(image, context, piece.id, piece.nameOffset, 0, 0, 0, 0, at + before.length, room),
    );
    if (written === 0) return 0;
    this.#write(before, at);
    return before.length + written + this.#write(after, at + before.length + written);
  }

  close(): void {
    this.#cursor.close();
    this.#context.close();
  }
}
