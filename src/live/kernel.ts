/** The running kernel. */
import type { BpfObject } from "../bpf/object/object.js";
import { Btf } from "../btf/btf.js";
import { ERR_FILE } from "../errors/btf.js";
import { BtfEnvironmentError, BtfLookupError } from "../errors/error.js";
import { ERR_LIVE_KIND, ERR_LIVE_NOT_FOUND } from "../errors/live.js";
import { BtfObject } from "./btf-object.js";
import { type Descriptor, pinError } from "./descriptor.js";
import { ERRNO } from "./errno.js";
import { BtfSystemError, systemError } from "./error.js";
import type { Ffi } from "./ffi/ffi.js";
import { architecture, openFfi } from "./ffi/open.js";
import { Link } from "./link.js";
import type { LoadOptions } from "./loader/load.js";
import type { AnyApp, AppShape, LoadedObject } from "./loader/loaded-object.js";
import { BpfMap, type MapInfo } from "./map.js";
import { Program } from "./program.js";
import { System } from "./system.js";
import { MAP_TYPES, type MapType } from "./types.js";

/** What `Kernel.open` takes. */
export interface KernelOptions {
  /** Another foreign function interface than the runtime's. */
  readonly ffi?: Ffi;
}

/** What a new map is like. */
export interface MapOptions {
  readonly type: MapType | number;
  readonly keyByteSize: number;
  readonly valueByteSize: number;
  readonly maxEntries: number;
  /** At most 15 bytes of letters, digits, `_` and `.`. */
  readonly name?: string;
  /** BPF_F_* */
  readonly flags?: number;
  /** For a map of maps: one like those that it will hold. */
  readonly innerMap?: BpfMap;
  /** What some types take besides. */
  readonly extra?: number | bigint;
  /** The interface that it is offloaded to. */
  readonly interfaceIndex?: number;
  /** The types of keys and values in a BTF that the kernel holds. */
  readonly btf?: { readonly object: BtfObject; readonly keyTypeId: number; readonly valueTypeId: number };
}

type ObjectKind = "PROG" | "MAP" | "BTF" | "LINK";

const KIND_NAMES = { PROG: "program", MAP: "map", BTF: "BTF", LINK: "link" } as const;

/**
 * The running kernel: its BTF, programs, maps and links. What it returns holds
 * a descriptor and is disposed of by its user.
 *
 * @example
 * const kernel = await Kernel.open();
 * const map = kernel.createMap({ type: "hash", keyByteSize: 1, valueByteSize: 2, maxEntries: 8 });
 * map.set(Uint8Array.of(7), Uint8Array.of(1, 2));
 * for (const { key, value } of map.entries()) console.log(key[0], value[1]); // 7 2
 * map[Symbol.dispose]();
 */
export class Kernel {
  /** System calls: what the objects here are built on. */
  readonly system: System;
  #vmlinux: Btf | undefined;
  readonly #btfs = new Map<number, Btf>();

  private constructor(system: System) {
    this.system = system;
  }

  /**
   * Opens the way to the kernel that this process runs on.
   *
   * @throws BtfEnvironmentError ERR_LIVE_PLATFORM anywhere but on Linux on x86-64 or arm64; ERR_LIVE_FFI without
   *   koffi in Node, without --allow-ffi in Deno
   */
  static async open({ ffi }: KernelOptions = {}): Promise<Kernel> {
    const processor = architecture();
    return new Kernel(new System(ffi ?? (await openFfi()), processor));
  }

  /** Disposes of the BTF that was read. Objects that were returned stay open. */
  [Symbol.dispose](): void {
    for (const btf of this.#btfs.values()) btf[Symbol.dispose]();
    this.#btfs.clear();
    this.#vmlinux?.[Symbol.dispose]();
    this.#vmlinux = undefined;
  }

  /**
   * The kernel's own BTF, read when it is first asked for.
   *
   * @throws BtfEnvironmentError ERR_FILE if the kernel shows none
   */
  get vmlinux(): Btf {
    this.#vmlinux ??= this.#vmlinuxById() ?? openVmlinux();
    return this.#vmlinux;
  }

  /** One call copies it, where reading the file takes one for each page; it needs CAP_SYS_ADMIN. */
  #vmlinuxById(): Btf | undefined {
    let object: BtfObject | undefined;
    try {
      object = this.btfObject(VMLINUX_ID);
      return object.isVmlinux ? object.open() : undefined;
    } catch (cause) {
      if (cause instanceof BtfSystemError || cause instanceof BtfLookupError) return undefined;
      throw cause;
    } finally {
      object?.[Symbol.dispose]();
    }
  }

  /** Ids of all programs, in ascending order. */
  programIds(): Generator<number, void, undefined> {
    return this.#ids("PROG");
  }

  /** Ids of all maps, in ascending order. */
  mapIds(): Generator<number, void, undefined> {
    return this.#ids("MAP");
  }

  /** Ids of all BTF, in ascending order. */
  btfIds(): Generator<number, void, undefined> {
    return this.#ids("BTF");
  }

  /** Ids of all links, in ascending order. */
  linkIds(): Generator<number, void, undefined> {
    return this.#ids("LINK");
  }

  /** All programs. What goes away meanwhile is left out. */
  programs(): Generator<Program, void, undefined> {
    return this.#all("PROG", (fd) => this.#program(fd));
  }

  /** All maps. What goes away meanwhile is left out. */
  maps(): Generator<BpfMap, void, undefined> {
    return this.#all("MAP", (fd) => this.#map(fd));
  }

  /** All BTF. What goes away meanwhile is left out. */
  btfObjects(): Generator<BtfObject, void, undefined> {
    return this.#all("BTF", (fd) => new BtfObject(this.system, fd));
  }

  /** All links. What goes away meanwhile is left out. */
  links(): Generator<Link, void, undefined> {
    return this.#all("LINK", (fd) => new Link(this.system, fd));
  }

  /**
   * Opens a program by its id.
   *
   * @throws BtfLookupError ERR_LIVE_NOT_FOUND; BtfSystemError
   */
  program(id: number): Program {
    return this.#program(this.#required("PROG", id));
  }

  /**
   * Opens a map by its id.
   *
   * @throws BtfLookupError ERR_LIVE_NOT_FOUND; BtfSystemError
   */
  map(id: number): BpfMap {
    return this.#map(this.#required("MAP", id));
  }

  /**
   * Opens a BTF by its id.
   *
   * @throws BtfLookupError ERR_LIVE_NOT_FOUND; BtfSystemError
   */
  btfObject(id: number): BtfObject {
    return new BtfObject(this.system, this.#required("BTF", id));
  }

  /**
   * Opens a link by its id.
   *
   * @throws BtfLookupError ERR_LIVE_NOT_FOUND; BtfSystemError
   */
  link(id: number): Link {
    return new Link(this.system, this.#required("LINK", id));
  }

  /**
   * Reads a BTF by its id; a module's on top of vmlinux. It is kept, and disposed of with the kernel.
   *
   * @throws BtfLookupError ERR_LIVE_NOT_FOUND; BtfSystemError
   */
  btf(id: number): Btf {
    let btf = this.#btfs.get(id);
    if (!btf) {
      const object = this.btfObject(id);
      try {
        if (object.isVmlinux) return this.vmlinux;
        btf = object.info.isKernel ? object.open(this.vmlinux) : object.open();
      } finally {
        object[Symbol.dispose]();
      }
      this.#btfs.set(id, btf);
    }
    return btf;
  }

  /**
   * Opens what is pinned at a path.
   *
   * @throws BtfSystemError; ERR_LIVE_BPFFS if the path is not in a BPF file system
   */
  pinned(path: string): BpfMap | Program | Link {
    const pathname = this.system.text(path);
    const fd = this.system.tryBpf(this.system.attribute("OBJ_GET", { pathname }));
    if (fd < 0) throw pinError(this.system, "bpf(OBJ_GET)", -fd, path);
    const kind = this.descriptorKind(fd);
    if (kind === "map") return this.#map(fd);
    if (kind === "prog") return this.#program(fd);
    if (kind === "link") return new Link(this.system, fd);
    this.system.close(fd);
    throw new BtfLookupError(ERR_LIVE_KIND, { name: path, note: kind });
  }

  /**
   * Opens a pinned map.
   *
   * @throws BtfLookupError ERR_LIVE_KIND if it is not a map; as `pinned`
   */
  pinnedMap(path: string): BpfMap {
    return expectKind(this.pinned(path), BpfMap, path);
  }

  /**
   * Opens a pinned program.
   *
   * @throws BtfLookupError ERR_LIVE_KIND if it is not a program; as `pinned`
   */
  pinnedProgram(path: string): Program {
    return expectKind(this.pinned(path), Program, path);
  }

  /**
   * Opens a pinned link.
   *
   * @throws BtfLookupError ERR_LIVE_KIND if it is not a link; as `pinned`
   */
  pinnedLink(path: string): Link {
    return expectKind(this.pinned(path), Link, path);
  }

  /**
   * Makes a map.
   *
   * @throws BtfSystemError
   */
  createMap(options: MapOptions): BpfMap {
    const type = typeof options.type === "number" ? options.type : MAP_TYPES.indexOf(options.type);
    const { btf, innerMap } = options;
    const fd = this.system.bpf("MAP_CREATE", {
      map_type: type,
      key_size: options.keyByteSize,
      value_size: options.valueByteSize,
      max_entries: options.maxEntries,
      map_flags: options.flags,
      map_name: options.name?.slice(0, 15),
      map_extra: options.extra,
      map_ifindex: options.interfaceIndex,
      ...(innerMap && { inner_map_fd: innerMap.fd }),
      ...(btf && { btf_fd: btf.object.fd, btf_key_type_id: btf.keyTypeId, btf_value_type_id: btf.valueTypeId }),
    });
    return this.#map(fd);
  }

  /**
   * Loads BTF into the kernel.
   *
   * @throws BtfSystemError; EINVAL if the kernel's verifier refuses it
   */
  loadBtf(bytes: Uint8Array): BtfObject {
    const data = this.system.copy(bytes);
    return new BtfObject(this.system, this.system.bpf("BTF_LOAD", { btf: data, btf_size: bytes.length }));
  }

  /**
   * Loads a BPF object: BTF, maps and programs, as libbpf does. Nothing is attached yet.
   *
   * @param source the object's file, its bytes, or the object
   * @throws BtfLoadError where it does not fit this kernel; BtfVerifierError; BtfSystemError; as `readObject`
   */
  async load<A extends AppShape = AnyApp>(
    source: string | Uint8Array | BpfObject,
    options: LoadOptions = {},
  ): Promise<LoadedObject<A>> {
    // The planner is large, and most of what is asked of a kernel does without it.
    const { loadObject } = await import("./loader/load.js");
    return loadObject<A>(this, source, options);
  }

  /** Returns an object for a descriptor that bpf(2) has returned. The object closes it. */
  adopt(kind: "map", fd: number): BpfMap;
  adopt(kind: "program", fd: number): Program;
  adopt(kind: "link", fd: number): Link;
  adopt(kind: "BTF", fd: number): BtfObject;
  adopt(kind: "map" | "program" | "link" | "BTF", fd: number): Descriptor {
    if (kind === "map") return this.#map(fd);
    if (kind === "program") return this.#program(fd);
    return kind === "link" ? new Link(this.system, fd) : new BtfObject(this.system, fd);
  }

  /**
   * Turns run statistics on until the result is disposed of: programs then count
   * their runs and the time these take.
   *
   * @throws BtfSystemError
   */
  enableStatistics(): Disposable {
    const fd = this.system.bpf("ENABLE_STATS", {}, { capability: "CAP_SYS_ADMIN" });
    return { [Symbol.dispose]: () => this.system.close(fd) };
  }

  /** What a descriptor is, by the name that /proc shows: `map`, `prog`, `link`, or else. @internal */
  descriptorKind(fd: number): string {
    const target = process.getBuiltinModule("node:fs").readlinkSync(`/proc/self/fd/${fd}`);
    return /bpf[-_](map|prog|link)/.exec(target)?.[1] ?? "unknown";
  }

  #program(fd: number): Program {
    return new Program(this.system, fd, (id) => this.btf(id));
  }

  #map(fd: number): BpfMap {
    return new BpfMap(this.system, fd, (info) => this.#btfOfMap(info));
  }

  #btfOfMap(info: MapInfo): Btf | undefined {
    if (info.kernelValueTypeId !== 0) return this.vmlinux;
    return info.btfId === 0 ? undefined : this.btf(info.btfId);
  }

  *#ids(kind: ObjectKind): Generator<number, void, undefined> {
    const attribute = this.system.attribute(`${kind}_GET_NEXT_ID`);
    for (let id = 0; ; ) {
      attribute.set({ start_id: id });
      const result = this.system.tryBpf(attribute);
      if (result === -ERRNO.ENOENT) return;
      if (result < 0) throw systemError(`bpf(${kind}_GET_NEXT_ID)`, -result, { capability: "CAP_SYS_ADMIN" });
      id = attribute.u32("next_id");
      yield id;
    }
  }

  *#all<T extends Descriptor>(kind: ObjectKind, make: (fd: number) => T): Generator<T, void, undefined> {
    for (const id of this.#ids(kind)) {
      const fd = this.openId(kind, id);
      if (fd === -ERRNO.ENOENT) continue;
      if (fd < 0) throw systemError(`bpf(${kind}_GET_FD_BY_ID)`, -fd, { capability: "CAP_SYS_ADMIN" });
      yield make(fd);
    }
  }

  /** A descriptor for an id, or the negative of errno. @internal */
  openId(kind: ObjectKind, id: number): number {
    return this.system.tryBpf(this.system.attribute(`${kind}_GET_FD_BY_ID`, { start_id: id }));
  }

  #required(kind: ObjectKind, id: number): number {
    const fd = this.openId(kind, id);
    if (fd === -ERRNO.ENOENT) throw new BtfLookupError(ERR_LIVE_NOT_FOUND, { name: KIND_NAMES[kind], value: id });
    if (fd < 0) throw systemError(`bpf(${kind}_GET_FD_BY_ID)`, -fd, { capability: "CAP_SYS_ADMIN" });
    return fd;
  }
}

const VMLINUX = "/sys/kernel/btf/vmlinux";
/** The kernel's own BTF is the first that it has. */
const VMLINUX_ID = 1;

function openVmlinux(): Btf {
  let bytes: Uint8Array;
  try {
    bytes = process.getBuiltinModule("node:fs").readFileSync(VMLINUX);
  } catch (cause) {
    throw new BtfEnvironmentError(ERR_FILE, { name: VMLINUX, note: "the running kernel shows no BTF here" }, { cause });
  }
  return Btf.parse(bytes);
}

function expectKind<T extends Descriptor>(
  found: BpfMap | Program | Link,
  kind: abstract new (...args: never) => T,
  path: string,
): T {
  if (found instanceof kind) return found;
  const note = found instanceof BpfMap ? "map" : found instanceof Program ? "program" : "link";
  found[Symbol.dispose]();
  throw new BtfLookupError(ERR_LIVE_KIND, { name: path, note });
}
