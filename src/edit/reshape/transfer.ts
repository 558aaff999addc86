/** Types of another Btf into a draft: all of them, or one with everything it needs. */
import type { Btf } from "../../btf/btf.js";
import type { Image } from "../../btf/image.js";
import { ERR_UNSUPPORTED } from "../../errors/btf.js";
import { ERR_BUILD_BASE, ERR_BUILD_REFERENCE } from "../../errors/edit.js";
import { BtfEnvironmentError, BtfError } from "../../errors/error.js";
import type { Draft } from "../build/draft.js";
import { isKnownKind, kindOf, recordWords, rewriteRecords, visitIds } from "../build/record.js";

/** Tells whether two Btfs hold the same bytes on the same bases. */
export function sameImage(a: Btf, b: Btf): boolean {
  if (a === b) return true;
  if (a.byteLength !== b.byteLength || a.endian !== b.endian || a.size !== b.size) return false;
  if (!a.base !== !b.base) return false;
  if (a.base && b.base && !sameImage(a.base, b.base)) return false;
  const x = a.image.memory.subarray(a.image.raw, a.image.raw + a.byteLength);
  const y = b.image.memory.subarray(b.image.raw, b.image.raw + b.byteLength);
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

/** @throws BtfEnvironmentError ERR_UNSUPPORTED for a kind whose fields are unknown */
export function checkKinds(image: Image): void {
  for (const kind of image.kinds) {
    if (isKnownKind(kind)) continue;
    throw new BtfEnvironmentError(ERR_UNSUPPORTED, {
      note: `kind ${kind} is unknown: nothing says which of its fields are names or ids`,
    });
  }
}

/** Translates name offsets of one image into those of the draft, each string once. */
export function stringMapper(draft: Draft, image: Image): (offset: number) => number {
  const bytes = image.memory;
  const { strings, stringsStart } = image;
  // Offset in the draft + 1 by own offset; the host's zero pages cost nothing until they are used.
  const known = new Uint32Array(image.header.stringsLength);
  const below = image.base && stringMapper(draft, image.base);
  return (offset) => {
    if (offset === 0) return 0;
    if (offset < stringsStart) return below!(offset);
    const local = offset - stringsStart;
    const found = known[local]!;
    if (found) return found - 1;
    const start = strings + local;
    const mapped = bytes[start] === 0 ? 0 : draft.strings.addBytes(bytes, start);
    known[local] = mapped + 1;
    return mapped;
  };
}

/** A split Btf fits on a draft on its base alone. @throws BtfError ERR_BUILD_BASE */
export function checkBase(draft: Draft, btf: Btf): void {
  if (btf.base && !(draft.base && sameImage(btf.base, draft.base))) {
    throw new BtfError(ERR_BUILD_BASE, { note: "a split Btf can only be appended to a builder on the same base" });
  }
}

/**
 * Appends all own types of `btf`; returns what is added to their ids. Types of
 * its base keep theirs, so that the draft has to be on the same base. Source:
 * btf__add_btf.
 */
export function appendAll(draft: Draft, btf: Btf): number {
  const { image } = btf;
  checkBase(draft, btf);
  checkKinds(image);
  draft.checkRoom(image.count, image.header.typesLength);
  if (image.count === 0) return 0;
  const shift = draft.nextId - image.firstId;
  return draft.attempt(() => {
    const name = stringMapper(draft, image);
    const records = image.memory.slice(image.types, image.types + image.header.typesLength);
    const words = new Uint32Array(records.buffer);
    const { firstId } = image;
    rewriteRecords(words, 0, words.length, name, (id) => (id >= firstId ? id + shift : id));
    draft.addRecords(records, image.count, image.record(btf.size - 1) - image.types);
    return shift;
  });
}

/** Copies types of one Btf, each once. */
export class Copier {
  readonly #draft: Draft;
  readonly #btf: Btf;
  readonly #ids = new Map<number, number>([[0, 0]]);
  readonly #mappers = new Map<Image, (offset: number) => number>();

  constructor(draft: Draft, btf: Btf) {
    this.#draft = draft;
    this.#btf = btf;
  }

  /** Copies type `id` and what it refers to, directly or not; returns its new id. */
  copy(id: number): number {
    const known = this.#ids.get(id);
    if (known !== undefined) return known;
    const added: number[] = [];
    try {
      return this.#draft.attempt(() => {
        this.#collect(id, added);
        for (const addedId of added) this.#write(addedId);
        return this.#ids.get(id)!;
      });
    } catch (cause) {
      for (const addedId of added) this.#ids.delete(addedId);
      throw cause;
    }
  }

  /** Gives new ids, in the order in which types are met: a type, then what it refers to. */
  #collect(id: number, added: number[]): void {
    const waiting = [id];
    let next = this.#draft.nextId;
    for (let current = waiting.pop(); current !== undefined; current = waiting.pop()) {
      if (this.#ids.has(current)) continue;
      this.#ids.set(current, next++);
      added.push(current);
      const referred: number[] = [];
      visitIds(this.#record(current), 0, (to) => referred.push(to));
      for (const to of referred.reverse()) {
        if (!this.#btf.has(to))
          throw new BtfError(ERR_BUILD_REFERENCE, { typeId: current, note: String(to), limit: this.#btf.size - 1 });
        waiting.push(to);
      }
    }
  }

  #owner(id: number): Image {
    let { image } = this.#btf;
    while (id < image.firstId) image = image.base!;
    return image;
  }

  /** A copy of the record of type `id`. */
  #record(id: number): Uint32Array<ArrayBuffer> {
    const image = this.#owner(id);
    const at = image.record(id);
    const info = image.view.getUint32(at + 4, true);
    if (!isKnownKind(kindOf(info))) {
      throw new BtfEnvironmentError(ERR_UNSUPPORTED, {
        note: `kind ${kindOf(info)} is unknown: nothing says which of its fields are names or ids`,
      });
    }
    return new Uint32Array(image.memory.slice(at, at + recordWords(info) * 4).buffer);
  }

  #write(id: number): void {
    const image = this.#owner(id);
    const mapper = this.#mappers.get(image) ?? stringMapper(this.#draft, image);
    this.#mappers.set(image, mapper);
    const words = this.#record(id);
    rewriteRecords(words, 0, words.length, mapper, (to) => this.#ids.get(to)!);
    this.#draft.addRecords(new Uint8Array(words.buffer), 1, 0);
  }
}
