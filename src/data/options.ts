/** How values are represented. */
import type { LongDouble } from "./float.js";

/** How a decoded value represents the types of C. */
export interface DecodeOptions {
  /**
   * Integers and pointers of more than 32 bits: `"bigint"` always (default), or `"number"` where the value is a safe
   * integer, and a `bigint` elsewhere.
   */
  readonly wide?: "bigint" | "number";
  /**
   * Enums: `"name"` of the first enumerator with the value, the number where there is none (default); `"number"`;
   * `"flags"`: as `"name"`, and `"A|B|0x8"` for a value that is composed of enumerators of one bit.
   */
  readonly enums?: "name" | "number" | "flags";
  /**
   * Arrays of `char`: `"nul"`: text in UTF-8 up to the first NUL (default); `"utf-8"`: text of all bytes; `"raw"`: the
   * bytes as a Uint8Array. Only `"raw"` keeps what is behind a NUL and what is no UTF-8.
   */
  readonly strings?: "nul" | "utf-8" | "raw";
  /**
   * Arrays of numbers: `"typed"`: typed arrays of their own (default); `"view"`: typed arrays on the given bytes, where
   * alignment and byte order allow, which change as those do; `"plain"`: arrays.
   */
  readonly arrays?: "typed" | "view" | "plain";
  /**
   * Format of `long double`, which BTF does not tell (default: `"x87"` in little-endian data, `"quad"` in big-endian).
   */
  readonly longDouble?: LongDouble;
  /** Elements of the flexible array at the end (default: as many as the bytes hold). */
  readonly flexibleCount?: number;
  /** Leaves out what passes the end of the data instead of throwing (default false). */
  readonly partial?: boolean;
  /**
   * Makes code with `new Function`, which decodes several times faster and which a page's Content Security Policy
   * may forbid (default false).
   */
  readonly compile?: boolean;
}

type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/**
 * What a decoder returns: a number or `bigint` for an integer, a boolean for a `bool` (the number for one that is
 * neither 0 nor 1), text for an array of `char`, an object for a struct, a union or a section.
 */
export type Value = number | bigint | boolean | string | NumberArray | Value[] | { [member: string]: Value };

/** How values are put into bytes. */
export interface EncodeOptions {
  /** Format of `long double` (default: `"x87"` in little-endian data, `"quad"` in big-endian). */
  readonly longDouble?: LongDouble;
}
