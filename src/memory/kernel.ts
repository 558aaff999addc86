/**
 * The kernels as typed functions, and where instances of them come from: of the
 * WebAssembly that the library carries, compiled on first use and never at
 * import, unless an entry for another host has provided other ones.
 */

import { ERR_WASM } from "../errors/btf.js";
import { BtfEnvironmentError } from "../errors/error.js";
import { KERNEL } from "./generated/inline.js";
import { moduleOf } from "./module-text.js";

/** Exports of the WebAssembly module; all numbers are addresses, lengths in bytes, or type ids. @internal */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  status(): number;
  swap32(at: number, length: number): void;
  /** Count of types, or -1: `scan` and `fill` have to look closely. */
  open(image: number): number;
  /** Count of types, or a negated error code. */
  scan(image: number): number;
  /** 0, or a negated error code. */
  fill(image: number): number;
  tally(image: number, out: number): void;
  buildNames(image: number): void;
  findName(image: number, key: number, after: number): number;
  markMatches(image: number, pattern: number, length: number, prefix: number, bits: number): number;
  collectMarked(image: number, bits: number, kinds: number, from: number, out: number, limit: number): number;
  emitRaw(image: number, cursor: number, out: number, length: number): number;
  emitJson(image: number, cursor: number, out: number, length: number, pretty: number): number;
  /** Returns the number of names that are not C identifiers; writes the first type with such a name to `first`. */
  /** Returns the number of names that a C dump may have to count. */
  prepareC(image: number, context: number): number;
  /** Count of ids, or a negated error code. */
  sortC(image: number, context: number, records: number, spare: number, out: number): number;
  /** Bytes written, or a negated error code. */
  emitC(image: number, context: number, cursor: number, out: number, length: number): number;
  /** Bytes written, or a negated error code. */
  declareC(
    image: number,
    context: number,
    id: number,
    nameOffset: number,
    address: number,
    level: number,
    strip: number,
    forget: number,
    out: number,
    length: number,
  ): number;
}

/** Makes instances, each with a memory of its own. @internal */
export type Make<K> = () => K;

/** Instances of what is compiled already. @internal */
export function instancesOf<K>(module: WebAssembly.Module): Make<K> {
  return () => new WebAssembly.Instance(module).exports as unknown as K;
}

/** Instances of a module that travels as a string. @internal */
export function compile<K>(text: string): Make<K> {
  return instancesOf(moduleOf(text));
}

/** @internal */
export function refused(cause: unknown): BtfEnvironmentError {
  const note = cause instanceof Error ? cause.message : String(cause);
  return new BtfEnvironmentError(ERR_WASM, { note }, { cause });
}

let make: Make<Kernel> = () => {
  make = compile(KERNEL);
  return make();
};

/** Instances come from `given` from now on. @internal */
export function provide(given: Make<Kernel>): void {
  make = given;
}

/** A `WebAssembly.Module`, in projects whose libraries declare that. */
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: new (...args: never[]) => infer Module } }
  ? Module
  : never;

/** A kernel that `init` takes in place of the one that the library carries: compiled, as bytes, or as a response. */
export type KernelSource = CompiledModule | ArrayBuffer | ArrayBufferView | Response;

/**
 * Compiles the kernel ahead of its first use. Not needed: every entry compiles
 * the kernel that the library carries when it has to, in a millisecond. A host
 * that wants to stream it passes the response of `btfkit/kernel.wasm`.
 *
 * @throws BtfEnvironmentError ERR_WASM where WebAssembly is absent or forbidden.
 * @example
 * await init(); // or: await init(fetch("kernel.wasm"));
 * console.log(Btf.parse(bytes).size); // 95069
 */
export async function init(source?: KernelSource | Promise<KernelSource>): Promise<void> {
  const given = await source;
  // Compiled lazily, at once, it takes half a millisecond (V8): nothing to wait for.
  if (given === undefined) return void instantiate();
  provide(await instancesFrom(given));
}

/** Instances of what `init` was given. @throws BtfEnvironmentError ERR_WASM @internal */
export async function instancesFrom<K>(given: KernelSource): Promise<Make<K>> {
  try {
    return instancesOf(
      given instanceof WebAssembly.Module
        ? given
        : typeof Response !== "undefined" && given instanceof Response
          ? await WebAssembly.compileStreaming(given)
          : await WebAssembly.compile(given as BufferSource),
    );
  } catch (cause) {
    throw refused(cause);
  }
}

/** A new instance, with a memory of its own. @throws BtfEnvironmentError ERR_WASM @internal */
export function instantiate(): Kernel {
  try {
    return make();
  } catch (cause) {
    throw refused(cause);
  }
}
