/** A map without a kernel, for tests of what reads and writes maps. */

import type { BtfType } from "../btf/types.js";
import { ERR_ARGUMENT } from "../errors/btf.js";
import { BtfError, BtfLookupError } from "../errors/error.js";
import { ERR_LIVE_SIZE } from "../errors/live.js";
import { ERRNO } from "./errno.js";
import { type BtfSystemError, systemError } from "./error.js";
import type { BpfMap, MapBytes, MapEntry, UpdateMode } from "./map.js";

/** What of a map does not depend on a kernel: `BpfMap` and `StandInMap` have it both. */
export type MapSurface = Pick<
  BpfMap,
  | "name"
  | "type"
  | "keyType"
  | "valueType"
  | "get"
  | "delete"
  | "push"
  | "pop"
  | "peek"
  | "freeze"
  | "nextKey"
  | "keys"
  | "entries"
  | typeof Symbol.asyncIterator
  | typeof Symbol.dispose
> & { set(key: MapBytes, value: MapBytes, mode?: UpdateMode): void };

/** The types of maps that have a stand-in. */
export type StandInType = "hash" | "lru_hash" | "array" | "queue" | "stack";

/** What a stand-in is a map of. */
export interface StandInOptions {
  readonly type: StandInType;
  /** Nothing of a queue or stack. */
  readonly keyByteSize: number;
  readonly valueByteSize: number;
  readonly maxEntries: number;
  readonly name?: string;
  readonly keyType?: BtfType;
  readonly valueType?: BtfType;
}

/**
 * A map in this process: it takes, gives and refuses what a map of the kernel does, errno and all. Keys of a hash come
 * in the order in which they were written.
 *
 * @example
 * function total(map: BpfMap | StandInMap): number {
 *   return Array.from(map.entries(), ({ value }) => value[0]!).reduce((sum, one) => sum + one, 0);
 * }
 * const map = new StandInMap({ type: "hash", keyByteSize: 4, valueByteSize: 1, maxEntries: 8 });
 * map.set(Uint8Array.of(1, 0, 0, 0), Uint8Array.of(5));
 * map.set(Uint8Array.of(2, 0, 0, 0), Uint8Array.of(6));
 * console.log(total(map)); // 11
 */
export class StandInMap implements MapSurface {
  readonly name: string;
  readonly type: StandInType;
  readonly keyType: BtfType | undefined;
  readonly valueType: BtfType | undefined;
  readonly #keyByteSize: number;
  readonly #valueByteSize: number;
  readonly #maxEntries: number;
  /** By the bytes of the key, as text; the least recently used first. */
  readonly #entries = new Map<string, { readonly key: MapBytes; value: MapBytes }>();
  /** Of a queue or stack. */
  readonly #values: MapBytes[] = [];
  #isFrozen = false;

  /** @throws BtfError ERR_ARGUMENT for a type without stand-in; BtfSystemError EINVAL for what no kernel makes */
  constructor({ type, keyByteSize, valueByteSize, maxEntries, name = "", keyType, valueType }: StandInOptions) {
    if (!["hash", "lru_hash", "array", "queue", "stack"].includes(type))
      throw new BtfError(ERR_ARGUMENT, { note: `a map of type ${String(type)} has no stand-in` });
    const isWrongKey = isList(type) ? keyByteSize !== 0 : type === "array" ? keyByteSize !== 4 : !(keyByteSize > 0);
    if (isWrongKey || !(valueByteSize > 0) || !(maxEntries > 0)) throw systemError("bpf(MAP_CREATE)", ERRNO.EINVAL);
    this.type = type;
    this.name = name;
    this.keyType = keyType;
    this.valueType = valueType;
    this.#keyByteSize = keyByteSize;
    this.#valueByteSize = valueByteSize;
    this.#maxEntries = maxEntries;
    for (let i = 0; type === "array" && i < maxEntries; i++) this.#put(indexKey(i), new Uint8Array(valueByteSize));
  }

  #put(key: MapBytes, value: MapBytes): void {
    this.#entries.set(key.join(), { key: key.slice(), value: value.slice() });
  }

  #checked(name: "key" | "value", bytes: MapBytes): MapBytes {
    const limit = name === "key" ? this.#keyByteSize : this.#valueByteSize;
    if (bytes.length !== limit) throw new BtfLookupError(ERR_LIVE_SIZE, { name, value: bytes.length, limit });
    return bytes;
  }

  #refused(command: string, errno: number): BtfSystemError {
    return systemError(`bpf(${command})`, errno);
  }

  #refuseFrozen(command: string): void {
    if (this.#isFrozen) throw this.#refused(command, ERRNO.EPERM);
  }

  get(key: MapBytes): MapBytes | undefined {
    this.#checked("key", key);
    if (isList(this.type)) return this.#next()?.slice();
    const text = key.join();
    const found = this.#entries.get(text);
    if (found && this.type === "lru_hash") {
      this.#entries.delete(text);
      this.#entries.set(text, found);
    }
    return found?.value.slice();
  }

  /**
   * Writes the value of a key.
   *
   * @throws BtfLookupError ERR_LIVE_SIZE; BtfSystemError (E2BIG if it is full, EEXIST and ENOENT by `mode`, EPERM once frozen)
   */
  set(key: MapBytes, value: MapBytes, mode: UpdateMode = "any"): void {
    this.#checked("key", key);
    this.#checked("value", value);
    this.#refuseFrozen("MAP_UPDATE_ELEM");
    const refuse = (errno: number): BtfSystemError => this.#refused("MAP_UPDATE_ELEM", errno);
    if (isList(this.type)) {
      if (mode === "create") throw refuse(ERRNO.EINVAL);
      if (this.#values.length === this.#maxEntries) {
        if (mode !== "replace") throw refuse(ERRNO.E2BIG);
        this.#values.shift();
      }
      this.#values.push(value.slice());
      return;
    }
    const text = key.join();
    const found = this.#entries.get(text);
    if (!found && this.type === "array") throw refuse(ERRNO.E2BIG);
    if (found && mode === "create") throw refuse(ERRNO.EEXIST);
    if (!found && mode === "replace") throw refuse(ERRNO.ENOENT);
    if (found) {
      found.value = value.slice();
      return;
    }
    if (this.#entries.size === this.#maxEntries) {
      if (this.type === "hash") throw refuse(ERRNO.E2BIG);
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest!);
    }
    this.#put(key, value);
  }

  delete(key: MapBytes): boolean {
    this.#checked("key", key);
    this.#refuseFrozen("MAP_DELETE_ELEM");
    if (isList(this.type) || this.type === "array") throw this.#refused("MAP_DELETE_ELEM", ERRNO.EINVAL);
    return this.#entries.delete(key.join());
  }

  push(value: MapBytes, replaceOldest = false): void {
    this.set(new Uint8Array(this.#keyByteSize), value, replaceOldest ? "replace" : "any");
  }

  pop(key: MapBytes = new Uint8Array(this.#keyByteSize)): MapBytes | undefined {
    this.#checked("key", key);
    this.#refuseFrozen("MAP_LOOKUP_AND_DELETE_ELEM");
    if (isList(this.type)) return this.type === "queue" ? this.#values.shift() : this.#values.pop();
    if (this.type === "array") throw this.#refused("MAP_LOOKUP_AND_DELETE_ELEM", ERRNO.ENOTSUPP);
    const found = this.#entries.get(key.join());
    this.#entries.delete(key.join());
    return found?.value;
  }

  #next(): MapBytes | undefined {
    return this.type === "queue" ? this.#values[0] : this.#values.at(-1);
  }

  peek(): MapBytes | undefined {
    return this.get(new Uint8Array(this.#keyByteSize));
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  nextKey(key?: MapBytes): MapBytes | undefined {
    if (key) this.#checked("key", key);
    if (isList(this.type)) throw this.#refused("MAP_GET_NEXT_KEY", ERRNO.EINVAL);
    const keys = [...this.#entries.values()];
    // After a key that is not there the kernel starts again.
    const at = key ? keys.findIndex((entry) => entry.key.join() === key.join()) : -1;
    return keys[at + 1]?.key.slice();
  }

  *keys(): Generator<MapBytes, void, undefined> {
    for (let key = this.nextKey(); key; key = this.nextKey(key)) yield key;
  }

  *entries(): Generator<MapEntry, void, undefined> {
    for (const key of this.keys()) {
      const value = this.#entries.get(key.join())?.value;
      if (value) yield { key, value: value.slice() };
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<MapEntry, void, undefined> {
    yield* this.entries();
  }

  [Symbol.dispose](): void {
    this.#entries.clear();
    this.#values.length = 0;
  }
}

function isList(type: StandInType): boolean {
  return type === "queue" || type === "stack";
}

function indexKey(index: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, index, true);
  return key;
}
