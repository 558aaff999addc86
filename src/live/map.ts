/** Maps of the kernel. */
import type { Btf } from "../btf/btf.js";
import type { BtfType } from "../btf/types.js";
import { BtfLookupError } from "../errors/error.js";
import { ERR_LIVE_MAP_TYPE, ERR_LIVE_SIZE } from "../errors/live.js";
import { possibleCpus } from "./cpus.js";
import { Descriptor, nameAt } from "./descriptor.js";
import { ERRNO } from "./errno.js";
import { type BtfSystemError, systemError } from "./error.js";
import { INFO_SIZE, MAP_INFO } from "./layouts.js";
import type { Attribute, NativeBuffer, System } from "./system.js";
import { isPerCpu, MAP_TYPES, type MapType } from "./types.js";

/** What the kernel says about a map. */
export interface MapInfo {
  readonly id: number;
  /** `"type N"` for a type that this version does not know. */
  readonly type: MapType | `type ${number}`;
  /** The number of the type. */
  readonly typeNumber: number;
  /** At most 15 bytes; "" if it has none. */
  readonly name: string;
  readonly keyByteSize: number;
  /** Of a value for one CPU. */
  readonly valueByteSize: number;
  readonly maxEntries: number;
  /** BPF_F_* */
  readonly flags: number;
  /** What some types take besides, such as the hash functions of a Bloom filter. */
  readonly extra: bigint;
  /** The interface that it is offloaded to, or 0. */
  readonly interfaceIndex: number;
  readonly networkNamespace: { readonly device: bigint; readonly inode: bigint };
  /** 0 without BTF. */
  readonly btfId: number;
  readonly keyTypeId: number;
  readonly valueTypeId: number;
  /** The type of a struct_ops map's value in the kernel's own BTF, or 0. */
  readonly kernelValueTypeId: number;
}

/** How an entry is written: whether it may, must or must not exist. */
export type UpdateMode = "any" | "create" | "replace";

const UPDATE_FLAGS: Readonly<Record<UpdateMode, number>> = { any: 0, create: 1, replace: 2 };

/** A key or value as the kernel has it. */
export type MapBytes = Uint8Array;

/** An entry: for a map with a value for each CPU, `values` has them one after the other, each at a multiple of 8 bytes. */
export interface MapEntry {
  readonly key: MapBytes;
  readonly value: MapBytes;
}

/** Entries that a batch asks for at once. */
const BATCH_ENTRIES = 4096;
/** The bytes of values that a batch asks for at most. */
const BATCH_BYTES = 1 << 22;

/** Map types without keys: values are pushed and popped. */
const KEYLESS: ReadonlySet<string> = new Set(["queue", "stack", "bloom_filter"]);
/** Map types that hold a stream, which is read in other ways than by key. */
const STREAMS: ReadonlySet<string> = new Set(["ringbuf", "user_ringbuf"]);

/**
 * A map. Keys and values are bytes here; `btfkit/data` decodes them by
 * `keyType` and `valueType`.
 *
 * @example
 * const kernel = await Kernel.open();
 * const map = kernel.createMap({ type: "array", keyByteSize: 4, valueByteSize: 1, maxEntries: 3, name: "bytes" });
 * map.set(new Uint8Array(4), Uint8Array.of(9));
 * console.log(map.name, Array.from(map.entries(), ({ value }) => value[0])); // bytes [ 9, 0, 0 ]
 * map[Symbol.dispose]();
 */
export class BpfMap extends Descriptor {
  #info: MapInfo | undefined;
  #btf: Btf | undefined;
  readonly #openBtf: (map: MapInfo) => Btf | undefined;
  #buffers: { readonly key: NativeBuffer; readonly value: NativeBuffer; readonly next: NativeBuffer } | undefined;
  #lookup: Attribute<"MAP_LOOKUP_ELEM"> | undefined;

  /** @internal */
  constructor(system: System, fd: number, openBtf: (map: MapInfo) => Btf | undefined) {
    super(system, fd, "map");
    this.#openBtf = openBtf;
  }

  /** What the kernel says about it, read once: nothing of it changes. */
  get info(): MapInfo {
    this.#info ??= decodeMapInfo(this.readInfo(this.system.allocate(INFO_SIZE)));
    return this.#info;
  }

  /** What the kernel writes over what is in `memory`. @internal */
  readInfoInto(memory: NativeBuffer): MapInfo {
    return decodeMapInfo(this.readInfo(memory));
  }

  /** The kernel's number for it. */
  get id(): number {
    return this.info.id;
  }

  get name(): string {
    return this.info.name;
  }

  /** As bpftool names it; `"type N"` for a type that this version does not know. */
  get type(): MapInfo["type"] {
    return this.info.type;
  }

  /** What /proc says: memory, whether it is frozen, the type of programs that a program array takes. */
  get status(): MapStatus {
    const fields = this.fdInfo();
    const number = (name: string): number | undefined => {
      const text = fields.get(name);
      return text === undefined ? undefined : Number(text);
    };
    const ownerType = number("owner_prog_type");
    const ownerJited = number("owner_jited");
    return {
      memlockBytes: number("memlock") ?? 0,
      isFrozen: number("frozen") === 1,
      ...(ownerType !== undefined && { ownerProgramType: ownerType }),
      ...(ownerJited !== undefined && { isOwnerJited: ownerJited === 1 }),
    };
  }

  /** Whether it holds a value for each possible CPU. */
  get isPerCpu(): boolean {
    return isPerCpu(this.type);
  }

  /** Bytes of a value as bpf(2) passes it: for all CPUs, if it has one for each. */
  get transferByteSize(): number {
    const { valueByteSize } = this.info;
    return this.isPerCpu ? roundUp8(valueByteSize) * possibleCpus() : valueByteSize;
  }

  /** The BTF that describes keys and values; undefined if it was made without. */
  get btf(): Btf | undefined {
    this.#btf ??= this.#openBtf(this.info);
    return this.#btf;
  }

  /** The type of its keys; undefined without BTF. */
  get keyType(): BtfType | undefined {
    const { keyTypeId } = this.info;
    return keyTypeId === 0 ? undefined : this.btf?.get(keyTypeId);
  }

  /** The type of its values; undefined without BTF. */
  get valueType(): BtfType | undefined {
    const { kernelValueTypeId, valueTypeId } = this.info;
    const id = kernelValueTypeId || valueTypeId;
    return id === 0 ? undefined : this.btf?.get(id);
  }

  /**
   * Returns the value of a key, or undefined if there is none.
   *
   * @throws BtfLookupError ERR_LIVE_SIZE; BtfSystemError
   */
  get(key: MapBytes): MapBytes | undefined {
    this.#refuseStream();
    const errno = this.lookup(key);
    if (errno === 0) return this.value.slice();
    if (errno === ERRNO.ENOENT) return undefined;
    throw this.#refused("MAP_LOOKUP_ELEM", errno);
  }

  /**
   * Looks a key up and leaves the value in `value`.
   *
   * @returns 0, or errno
   * @internal
   */
  lookup(key: MapBytes): number {
    const { key: into } = this.#allocated();
    into.bytes.set(this.#checked("key", key, this.info.keyByteSize));
    this.#lookup ??= this.system.attribute("MAP_LOOKUP_ELEM", {
      map_fd: this.fd,
      value: this.#allocated().value,
      ...(this.info.keyByteSize > 0 && { key: into }),
    });
    void this.fd;
    return -this.system.tryBpf(this.#lookup);
  }

  /** The value that `lookup` found. It is replaced by the next one. @internal */
  get value(): MapBytes {
    return this.#allocated().value.bytes;
  }

  /**
   * Writes the value of a key. A map with a value for each CPU takes all of them,
   * or one of `valueByteSize` for all CPUs alike. A map of maps takes the descriptor
   * of a map, a program array that of a program.
   *
   * @throws BtfLookupError ERR_LIVE_SIZE; BtfSystemError (EEXIST, ENOENT by `mode`)
   */
  set(key: MapBytes, value: MapBytes | Descriptor, mode: UpdateMode = "any"): void {
    this.#refuseStream();
    const errno = this.write(key, value, UPDATE_FLAGS[mode]);
    if (errno) throw this.#refused("MAP_UPDATE_ELEM", errno);
  }

  /**
   * Writes the value of a key.
   *
   * @returns 0, or errno
   * @internal
   */
  write(key: MapBytes, value: MapBytes | { readonly fd: number }, flags: number): number {
    const buffers = this.#allocated();
    buffers.key.bytes.set(this.#checked("key", key, this.info.keyByteSize));
    this.#fillValue(value);
    const attribute = this.system.attribute("MAP_UPDATE_ELEM", {
      map_fd: this.fd,
      ...(this.info.keyByteSize > 0 && { key: buffers.key }),
      value: buffers.value,
      flags,
    });
    return -this.system.tryBpf(attribute);
  }

  #fillValue(value: MapBytes | { readonly fd: number }): void {
    const { value: into } = this.#allocated();
    const { valueByteSize } = this.info;
    if (!(value instanceof Uint8Array)) {
      into.setU32(0, value.fd);
      return;
    }
    if (this.isPerCpu && value.length === valueByteSize) {
      const step = roundUp8(valueByteSize);
      into.bytes.fill(0);
      for (let at = 0; at < into.bytes.length; at += step) into.bytes.set(value, at);
      return;
    }
    into.bytes.set(this.#checked("value", value, this.transferByteSize));
  }

  /**
   * Removes a key.
   *
   * @returns whether it was there
   * @throws BtfLookupError ERR_LIVE_SIZE; BtfSystemError
   */
  delete(key: MapBytes): boolean {
    this.#refuseStream();
    const errno = this.erase(key);
    if (errno && errno !== ERRNO.ENOENT) throw this.#refused("MAP_DELETE_ELEM", errno);
    return errno === 0;
  }

  /**
   * Removes a key.
   *
   * @returns 0, or errno
   * @internal
   */
  erase(key: MapBytes): number {
    const { key: into } = this.#allocated();
    into.bytes.set(this.#checked("key", key, this.info.keyByteSize));
    return -this.system.tryBpf(this.system.attribute("MAP_DELETE_ELEM", { map_fd: this.fd, key: into }));
  }

  /**
   * Puts a value into a queue, a stack or a Bloom filter.
   *
   * @param replaceOldest for a full queue or stack: drop the oldest value
   * @throws BtfSystemError (E2BIG if it is full)
   */
  push(value: MapBytes, replaceOldest = false): void {
    this.set(new Uint8Array(this.info.keyByteSize), value, replaceOldest ? "replace" : "any");
  }

  /**
   * Removes the next value from a queue or stack, or a key with its value from a hash.
   *
   * @returns undefined if there is none
   * @throws BtfSystemError
   */
  pop(key: MapBytes = new Uint8Array(this.info.keyByteSize)): MapBytes | undefined {
    this.#refuseStream();
    const errno = this.take(key);
    if (errno === ERRNO.ENOENT) return undefined;
    if (errno) throw this.#refused("MAP_LOOKUP_AND_DELETE_ELEM", errno);
    return this.value.slice();
  }

  /**
   * Removes a key, or the next value, and leaves the value in `value`.
   *
   * @returns 0, or errno
   * @internal
   */
  take(key: MapBytes): number {
    const buffers = this.#allocated();
    buffers.key.bytes.set(this.#checked("key", key, this.info.keyByteSize));
    const attribute = this.system.attribute("MAP_LOOKUP_AND_DELETE_ELEM", {
      map_fd: this.fd,
      ...(this.info.keyByteSize > 0 && { key: buffers.key }),
      value: buffers.value,
    });
    return -this.system.tryBpf(attribute);
  }

  /** Returns the next value of a queue or stack and leaves it there; undefined if there is none. */
  peek(): MapBytes | undefined {
    return this.get(new Uint8Array(this.info.keyByteSize));
  }

  /** Makes the map read-only for programs' syscalls, for good. */
  freeze(): void {
    this.system.bpf("MAP_FREEZE", { map_fd: this.fd });
  }

  /**
   * Returns the key after another one in the map's order, the first one without
   * argument, undefined after the last.
   *
   * @throws BtfLookupError ERR_LIVE_SIZE; BtfSystemError
   */
  nextKey(key?: MapBytes): MapBytes | undefined {
    const { key: current, next } = this.#allocated();
    if (key) current.bytes.set(this.#checked("key", key, this.info.keyByteSize));
    const attribute = this.system.attribute("MAP_GET_NEXT_KEY", {
      map_fd: this.fd,
      next_key: next,
      ...(key && { key: current }),
    });
    const result = this.system.tryBpf(attribute);
    if (result === -ERRNO.ENOENT) return undefined;
    if (result < 0) throw this.#refused("MAP_GET_NEXT_KEY", -result);
    return next.bytes.slice();
  }

  /**
   * The keys, in the map's order, one after the other. A key that is deleted
   * meanwhile makes the kernel start again: then a key may come twice.
   *
   * @throws BtfSystemError; BtfLookupError ERR_LIVE_MAP_TYPE for a map without keys
   */
  *keys(): Generator<MapBytes, void, undefined> {
    this.#refuseStream();
    if (KEYLESS.has(this.type)) {
      throw new BtfLookupError(ERR_LIVE_MAP_TYPE, { name: this.type, note: "has no keys: use peek, pop and push" });
    }
    for (let key = this.nextKey(); key; key = this.nextKey(key)) yield key;
  }

  /**
   * The entries, as many as the kernel gives at a time: `MAP_LOOKUP_BATCH` where
   * the type has it, else key by key. The bytes of an entry are valid until the
   * next one is taken; `slice()` keeps them.
   *
   * @throws BtfSystemError; BtfLookupError ERR_LIVE_MAP_TYPE for a map without keys
   */
  *entries(): Generator<MapEntry, void, undefined> {
    this.#refuseStream();
    let isFirst = true;
    for (const batch of this.batches()) {
      if (batch === undefined && isFirst) {
        yield* this.#entriesByKey();
        return;
      }
      isFirst = false;
      if (batch) for (let i = 0; i < batch.count; i++) yield batch.entry(i);
    }
  }

  /** The entries, with a turn of the event loop after each batch. */
  async *[Symbol.asyncIterator](): AsyncGenerator<MapEntry, void, undefined> {
    let sinceTurn = 0;
    for (const { key, value } of this.entries()) {
      yield { key: key.slice(), value: value.slice() };
      if (++sinceTurn === BATCH_ENTRIES) {
        sinceTurn = 0;
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
  }

  *#entriesByKey(): Generator<MapEntry, void, undefined> {
    for (const key of this.keys()) {
      const errno = this.lookup(key);
      // An entry that has gone since, or a slot that is empty.
      if (errno === ERRNO.ENOENT) continue;
      if (errno) throw this.#refused("MAP_LOOKUP_ELEM", errno);
      yield { key, value: this.value };
    }
  }

  /**
   * Batches of entries, valid until the next; undefined and no more if the type
   * has no batches.
   *
   * @internal
   */
  *batches(): Generator<MapBatch | undefined, void, undefined> {
    const { keyByteSize, maxEntries, type } = this.info;
    const step = this.transferByteSize;
    if (KEYLESS.has(type) || !BATCHED.has(type)) {
      yield undefined;
      return;
    }
    let capacity = Math.max(1, Math.min(maxEntries, BATCH_ENTRIES, Math.floor(BATCH_BYTES / Math.max(step, 1))));
    // The position is a key in some types and the number of a bucket in others.
    const position = this.system.allocate(Math.max(8, keyByteSize));
    const after = this.system.allocate(Math.max(8, keyByteSize));
    let keys = this.system.allocate(capacity * keyByteSize);
    let values = this.system.allocate(capacity * step);
    let isFirst = true;
    for (;;) {
      const attribute = this.system.attribute("MAP_LOOKUP_BATCH", {
        map_fd: this.fd,
        ...(!isFirst && { in_batch: position }),
        out_batch: after,
        keys,
        values,
        count: capacity,
      });
      const result = this.system.tryBpf(attribute);
      if (result === -ERRNO.ENOSPC && capacity < maxEntries) {
        // A bucket of a hash that has more entries than were asked for.
        capacity = Math.min(maxEntries, capacity * 2);
        keys = this.system.allocate(capacity * keyByteSize);
        values = this.system.allocate(capacity * step);
        continue;
      }
      if (isFirst && (result === -ERRNO.ENOTSUPP || result === -ERRNO.EINVAL || result === -ERRNO.EOPNOTSUPP)) {
        yield undefined;
        return;
      }
      if (result < 0 && result !== -ERRNO.ENOENT) throw this.#refused("MAP_LOOKUP_BATCH", -result);
      const count = attribute.u32("count");
      if (count > 0) yield new MapBatch(keys.bytes, values.bytes, keyByteSize, step, count);
      if (result === -ERRNO.ENOENT) return;
      isFirst = false;
      position.bytes.set(after.bytes);
    }
  }

  /** A copy that has a descriptor of its own. */
  clone(): BpfMap {
    return new BpfMap(this.system, this.system.must("dup", this.fd), this.#openBtf);
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    this.#lookup = undefined;
  }

  #allocated(): { readonly key: NativeBuffer; readonly value: NativeBuffer; readonly next: NativeBuffer } {
    const { keyByteSize } = this.info;
    this.#buffers ??= {
      key: this.system.allocate(keyByteSize),
      next: this.system.allocate(keyByteSize),
      value: this.system.allocate(Math.max(4, this.transferByteSize)),
    };
    return this.#buffers;
  }

  #checked(name: string, bytes: MapBytes, byteSize: number): MapBytes {
    if (bytes.length !== byteSize) {
      throw new BtfLookupError(ERR_LIVE_SIZE, { name, value: bytes.length, limit: byteSize });
    }
    return bytes;
  }

  #refuseStream(): void {
    if (!STREAMS.has(this.type)) return;
    throw new BtfLookupError(ERR_LIVE_MAP_TYPE, {
      name: this.type,
      note: "is a stream without keys: it is read as a ring buffer",
    });
  }

  #refused(command: string, errno: number): BtfSystemError {
    const note =
      errno === ERRNO.ENOTSUPP || errno === ERRNO.EOPNOTSUPP ? `maps of type ${this.type} do not have it` : "";
    return systemError(`bpf(${command})`, errno, note ? { note } : {});
  }
}

/** Types whose entries come in batches; for array-like maps of descriptors the kernel gives ids. */
const BATCHED: ReadonlySet<string> = new Set([
  "hash",
  "array",
  "percpu_hash",
  "percpu_array",
  "lru_hash",
  "lru_percpu_hash",
  "lpm_trie",
  "hash_of_maps",
  "array_of_maps",
]);

/** Entries that came at once. */
export class MapBatch {
  /** How many. */
  readonly count: number;
  /** All keys, one after the other. */
  readonly keys: Uint8Array;
  /** All values, one after the other. */
  readonly values: Uint8Array;
  readonly #keyByteSize: number;
  readonly #valueByteSize: number;

  constructor(keys: Uint8Array, values: Uint8Array, keyByteSize: number, valueByteSize: number, count: number) {
    this.keys = keys;
    this.values = values;
    this.#keyByteSize = keyByteSize;
    this.#valueByteSize = valueByteSize;
    this.count = count;
  }

  entry(i: number): MapEntry {
    const [keySize, valueSize] = [this.#keyByteSize, this.#valueByteSize];
    return {
      key: this.keys.subarray(i * keySize, (i + 1) * keySize),
      value: this.values.subarray(i * valueSize, (i + 1) * valueSize),
    };
  }
}

/** What changes in a map's life. */
export interface MapStatus {
  /** Memory that is charged for it, in bytes. */
  readonly memlockBytes: number;
  readonly isFrozen: boolean;
  /** Of a program array that has had an entry: the type of programs that it takes. */
  readonly ownerProgramType?: number;
  readonly isOwnerJited?: boolean;
}

/** Rounds up to a multiple of 8. */
export function roundUp8(byteSize: number): number {
  return (byteSize + 7) & ~7;
}

function decodeMapInfo(info: NativeBuffer): MapInfo {
  const typeNumber = info.u32(MAP_INFO.type[0]);
  return {
    id: info.u32(MAP_INFO.id[0]),
    type: MAP_TYPES[typeNumber] ?? `type ${typeNumber}`,
    typeNumber,
    name: nameAt(info, MAP_INFO.name),
    keyByteSize: info.u32(MAP_INFO.key_size[0]),
    valueByteSize: info.u32(MAP_INFO.value_size[0]),
    maxEntries: info.u32(MAP_INFO.max_entries[0]),
    flags: info.u32(MAP_INFO.map_flags[0]),
    extra: info.u64(MAP_INFO.map_extra[0]),
    interfaceIndex: info.u32(MAP_INFO.ifindex[0]),
    networkNamespace: { device: info.u64(MAP_INFO.netns_dev[0]), inode: info.u64(MAP_INFO.netns_ino[0]) },
    btfId: info.u32(MAP_INFO.btf_id[0]),
    keyTypeId: info.u32(MAP_INFO.btf_key_type_id[0]),
    valueTypeId: info.u32(MAP_INFO.btf_value_type_id[0]),
    kernelValueTypeId: info.u32(MAP_INFO.btf_vmlinux_value_type_id[0]),
  };
}
