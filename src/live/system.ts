/** System calls with buffers whose addresses the kernel gets. */

import { ERRNO } from "./errno.js";
import { type SystemErrorOptions, systemError } from "./error.js";
import type { Ffi } from "./ffi/ffi.js";
import {
  ATTRIBUTE_SIZE,
  ATTRIBUTES,
  COMMANDS,
  type CommandName,
  type FieldLayout,
  type StructLayout,
} from "./layouts.js";
import { type Architecture, SYSCALLS, type SyscallName } from "./syscall-numbers.js";

/**
 * Bytes at an address that does not change. As long as a variable refers to it,
 * the memory stays: whoever passes the address keeps the buffer until the call
 * has returned.
 */
export class NativeBuffer {
  /** Where the first byte is. */
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(ffi: Ffi, byteSize: number) {
    // A buffer of no bytes has no address.
    const buffer = new ArrayBuffer(Math.max(8, byteSize));
    const all = new Uint8Array(buffer);
    this.address = ffi.address(all);
    this.bytes = byteSize === all.length ? all : new Uint8Array(buffer, 0, byteSize);
    this.view = new DataView(buffer);
  }

  u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  setU32(offset: number, value: number): void {
    this.view.setUint32(offset, value, true);
  }

  u64(offset: number): bigint {
    return this.view.getBigUint64(offset, true);
  }
}

/** A value for a field of a struct: a buffer stands for its address, bytes for an array of bytes. */
export type FieldValue = number | bigint | NativeBuffer | Uint8Array | string | undefined;

/** Values for the fields of a command's attribute. Those that are left out are zero. */
export type AttributeValues<C extends CommandName> = {
  readonly [F in keyof (typeof ATTRIBUTES)[C]]?: FieldValue;
};

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder();

/** Bytes of each field of `struct new_utsname`; the third is the release. */
const UTS_LENGTH = 65;

/** Writes a field of a struct, in the processor's byte order, which is little-endian. */
export function writeField(view: DataView, [offset, size]: FieldLayout, value: FieldValue): void {
  if (value === undefined) return;
  if (value instanceof NativeBuffer) view.setBigUint64(offset, BigInt(value.address), true);
  else if (typeof value === "string" || value instanceof Uint8Array) {
    const bytes = typeof value === "string" ? encoder.encode(value) : value;
    new Uint8Array(view.buffer, view.byteOffset + offset, size).set(bytes.subarray(0, size));
  } else if (size === 8) view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true);
  else if (size === 4) view.setUint32(offset, Number(value), true);
  else if (size === 2) view.setUint16(offset, Number(value), true);
  else view.setUint8(offset, Number(value));
}

/**
 * The attribute of a command of bpf(2), which can be used again and again. It
 * holds the buffers that it points to.
 */
export class Attribute<C extends CommandName> {
  readonly command: C;
  readonly buffer: NativeBuffer;
  readonly #layout: StructLayout;
  readonly #held = new Map<string, NativeBuffer>();

  constructor(ffi: Ffi, command: C, values: AttributeValues<C> = {}) {
    this.command = command;
    this.buffer = new NativeBuffer(ffi, ATTRIBUTE_SIZE);
    this.#layout = ATTRIBUTES[command];
    this.set(values);
  }

  set(values: AttributeValues<C>): this {
    for (const [name, value] of Object.entries(values as Record<string, FieldValue>)) {
      writeField(this.buffer.view, this.#layout[name]!, value);
      if (value instanceof NativeBuffer) this.#held.set(name, value);
    }
    return this;
  }

  /** Returns a field of 32 bits. */
  u32(name: keyof (typeof ATTRIBUTES)[C] & string): number {
    return this.buffer.u32(this.#layout[name]![0]);
  }
}

/** How often a program's load is tried again when the kernel says EAGAIN, as libbpf does. */
const LOAD_ATTEMPTS = 5;

/** System calls of this process. */
export class System {
  readonly ffi: Ffi;
  readonly architecture: Architecture;

  constructor(ffi: Ffi, architecture: Architecture) {
    this.ffi = ffi;
    this.architecture = architecture;
  }

  /** Returns zeroed memory with an address. */
  allocate(byteSize: number): NativeBuffer {
    return new NativeBuffer(this.ffi, byteSize);
  }

  /** Returns a text with its terminating NUL, for the kernel. */
  text(text: string): NativeBuffer {
    return this.copy(encoder.encode(`${text}\0`));
  }

  /** Returns a copy of bytes that the kernel may read. */
  copy(bytes: Uint8Array): NativeBuffer {
    const buffer = this.allocate(bytes.length);
    buffer.bytes.set(bytes);
    return buffer;
  }

  /** Returns an attribute to be used more than once. */
  attribute<C extends CommandName>(command: C, values?: AttributeValues<C>): Attribute<C> {
    return new Attribute(this.ffi, command, values);
  }

  /**
   * Makes a system call, again if a signal interrupts it.
   *
   * @returns the result, or the negative of errno
   */
  call(name: SyscallName, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0): number {
    const number = SYSCALLS[this.architecture][name];
    for (;;) {
      const result = this.ffi.syscall(number, a, b, c, d, e, f);
      if (result !== -ERRNO.EINTR) return result;
    }
  }

  /** As `call`, for a result that has to be good.
   *
   * @throws BtfSystemError
   */
  must(name: SyscallName, ...args: number[]): number {
    const result = this.call(name, ...args);
    if (result < 0) throw systemError(name, -result);
    return result;
  }

  /**
   * Calls bpf(2) with an attribute. Interrupted calls are made again; so are
   * loads of programs that the kernel puts off.
   *
   * @returns the result, or the negative of errno
   */
  tryBpf<C extends CommandName>(attribute: Attribute<C>): number {
    const { command, buffer } = attribute;
    for (let attempt = 1; ; attempt++) {
      const result = this.call("bpf", COMMANDS[command], buffer.address, ATTRIBUTE_SIZE);
      if (result !== -ERRNO.EAGAIN || command !== "PROG_LOAD" || attempt === LOAD_ATTEMPTS) return result;
    }
  }

  /**
   * Calls bpf(2) once, with a fresh attribute.
   *
   * @returns the result, often a descriptor
   * @throws BtfSystemError
   */
  bpf<C extends CommandName>(command: C, values: AttributeValues<C>, options?: SystemErrorOptions): number {
    const result = this.tryBpf(this.attribute(command, values));
    if (result < 0) throw systemError(`bpf(${command})`, -result, options);
    return result;
  }

  /** The kernel's release, as `uname -r` says it: Deno reads /proc with all permissions alone. */
  release(): string {
    const names = this.allocate(6 * UTS_LENGTH);
    this.must("uname", names.address);
    const [release = ""] = decoder.decode(names.bytes.subarray(2 * UTS_LENGTH, 3 * UTS_LENGTH)).split("\0", 1);
    return release;
  }

  /** Closes a descriptor. Linux closes it even if it reports an error. */
  close(descriptor: number): void {
    this.ffi.syscall(SYSCALLS[this.architecture].close, descriptor);
  }
}
