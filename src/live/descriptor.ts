/** Objects of the kernel that a descriptor stands for. */
import { BtfLookupError } from "../errors/error.js";
import { ERR_LIVE_CLOSED } from "../errors/live.js";
import { ERRNO } from "./errno.js";
import { type BtfSystemError, systemError } from "./error.js";
import { INFO_SIZE, type StructLayout } from "./layouts.js";
import type { NativeBuffer, System } from "./system.js";

/** The magic number of the BPF file system, which statfs reports. */
const BPF_FS_MAGIC = 0xcafe4a11;

/** What a descriptor stands for. */
export type DescriptorKind = "map" | "program" | "link" | "BTF";

/**
 * A descriptor of the kernel. It is open until it is disposed of; the object
 * itself lives as long as anything refers to it: a descriptor, a pin, a link, a
 * program that uses it.
 *
 * @example
 * const kernel = await Kernel.open();
 * const object = kernel.btfObject(1);
 * object[Symbol.dispose]();
 * console.log(object instanceof Descriptor, object.isClosed); // true true
 */
export abstract class Descriptor {
  readonly #kind: DescriptorKind;
  #fd: number;
  /** @internal */
  readonly system: System;

  /** @internal */
  constructor(system: System, fd: number, kind: DescriptorKind) {
    this.system = system;
    this.#fd = fd;
    this.#kind = kind;
  }

  /**
   * The number of the descriptor in this process.
   *
   * @throws BtfLookupError ERR_LIVE_CLOSED after it was disposed of
   */
  get fd(): number {
    if (this.#fd < 0) throw new BtfLookupError(ERR_LIVE_CLOSED, { name: this.#kind });
    return this.#fd;
  }

  /** Whether it was disposed of. */
  get isClosed(): boolean {
    return this.#fd < 0;
  }

  /** Closes the descriptor. Does nothing the second time. */
  [Symbol.dispose](): void {
    if (this.#fd < 0) return;
    this.system.close(this.#fd);
    this.#fd = -1;
  }

  /**
   * Gives the object a path in a BPF file system, which keeps it alive until the
   * path is removed. BTF cannot be pinned.
   *
   * @throws BtfSystemError; ERR_LIVE_BPFFS if the path is not in a BPF file system
   */
  pin(path: string): void {
    const pathname = this.system.text(path);
    const attribute = this.system.attribute("OBJ_PIN", { pathname, bpf_fd: this.fd });
    const result = this.system.tryBpf(attribute);
    if (result < 0) throw pinError(this.system, "bpf(OBJ_PIN)", -result, path);
  }

  /** Reads the info struct: what the kernel does not know is zero. */
  protected readInfo(info: NativeBuffer): NativeBuffer {
    readInfo(this.system, this.fd, info);
    return info;
  }

  /** What /proc says about the descriptor, by name. */
  protected fdInfo(): ReadonlyMap<string, string> {
    return fdInfo(this.fd);
  }
}

/**
 * Has the kernel fill an info struct, whose pointers may already be set.
 *
 * @throws BtfSystemError
 */
export function readInfo(system: System, fd: number, info: NativeBuffer): void {
  system.bpf("OBJ_GET_INFO_BY_FD", { "info.bpf_fd": fd, "info.info_len": INFO_SIZE, "info.info": info });
}

/** Returns the fields of /proc/self/fdinfo, by name; none where it cannot be read. */
export function fdInfo(fd: number): ReadonlyMap<string, string> {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  try {
    const lines = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").split("\n");
    return new Map(lines.map((line) => line.split(":\t") as [string, string]));
  } catch {
    return new Map();
  }
}

/** Returns the bytes of a name up to its NUL, as text. */
export function nameAt(info: NativeBuffer, [offset, size]: StructLayout[string]): string {
  const bytes = info.bytes.subarray(offset, offset + size);
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end < 0 ? size : end)).toString("latin1");
}

/** Reports whether a path is in a BPF file system. */
export function isBpfFs(system: System, path: string): boolean {
  const text = system.text(path);
  const result = system.allocate(120);
  return system.call("statfs", text.address, result.address) === 0 && result.u32(0) === BPF_FS_MAGIC;
}

/** Makes the error of a pin: the most common reason is the wrong file system. */
export function pinError(system: System, call: string, errno: number, path: string): BtfSystemError {
  const folder = path.slice(0, Math.max(1, path.lastIndexOf("/")));
  const outside =
    (errno === ERRNO.EACCES || errno === ERRNO.EINVAL || errno === ERRNO.EPERM) &&
    !isBpfFs(system, path) &&
    !isBpfFs(system, folder);
  return systemError(call, errno, { path, isOutside: outside });
}
