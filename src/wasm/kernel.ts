/**
 * The kernels as typed functions, and the one place where WebAssembly is
 * compiled: on first use, never at import.
 */
import { BtfEnvironmentError } from "../errors.js";
import { ERR_WASM } from "../rules.js";
import { KERNEL } from "./inline.js";

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
  markMatches(image: number, pattern: number, length: number, prefix: number, bits: number): void;
  collectMarked(image: number, bits: number, kinds: number, from: number, out: number, limit: number): number;
  emitRaw(image: number, cursor: number, out: number, length: number): number;
  emitJson(image: number, cursor: number, out: number, length: number, pretty: number): number;
  /** How many names are no C identifiers; the first type with one goes to `first`. */
  oddNames(image: number, first: number): number;
  /** How many names a C dump may have to count. */
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

let compiled: WebAssembly.Module | undefined;

/** Bytes of a string with a character a byte. */
type Decoder = (text: string) => Uint8Array<ArrayBuffer>;

function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

let decoder: Decoder = decode;

/** Hosts that do so natively save a millisecond of the first open. @internal */
export function decodeWith(native: Decoder): void {
  decoder = native;
}

function refused(cause: unknown): BtfEnvironmentError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BtfEnvironmentError(ERR_WASM, { note: reason }, { cause });
}

function module(): WebAssembly.Module {
  try {
    compiled ??= new WebAssembly.Module(decoder(KERNEL));
    return compiled;
  } catch (cause) {
    throw refused(cause);
  }
}

/** A `WebAssembly.Module`, in projects whose libraries declare that. */
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: new (...args: never[]) => infer Module } }
  ? Module
  : never;

/** What `init` takes in place of the kernel that the library carries: compiled, as bytes, or on its way. */
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
  if (given === undefined) return void module();
  try {
    if (given instanceof WebAssembly.Module) compiled = given;
    else if (typeof Response !== "undefined" && given instanceof Response) {
      compiled = await WebAssembly.compileStreaming(given);
    } else compiled = await WebAssembly.compile(given as BufferSource);
  } catch (cause) {
    throw refused(cause);
  }
}

/** A new instance, with a memory of its own. @internal */
export function instantiate(): Kernel {
  try {
    return new WebAssembly.Instance(module()).exports as unknown as Kernel;
  } catch (cause) {
    throw cause instanceof BtfEnvironmentError ? cause : refused(cause);
  }
}
