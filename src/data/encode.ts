import type { BtfType } from "../btf/types.js";
import { ERR_DATA_LIMIT, ERR_DATA_SHORT, ERR_DATA_VALUE } from "../errors/data.js";
import { BtfLimitError } from "../errors/error.js";
import { BtfDataError } from "./error.js";
import { Fault } from "./fault.js";
import type { EncodeOptions } from "./options.js";
import { isLittle, type Plan, planOf } from "./plan.js";
import { elementsOf, writerOf } from "./writer.js";

/**
 * Encodes one value of a type: into bytes of its own, or into `target`, which changes only if all of the value fits.
 *
 * @param byteOffset where the value starts in the target (default 0)
 * @returns the bytes of the value
 * @throws BtfDataError ERR_DATA_VALUE that names the member, ERR_DATA_SHORT for a target that is too short
 */
export interface Encoder {
  (value: unknown, target?: Uint8Array, byteOffset?: number): Uint8Array;
  /** Size of the type in bytes, without the elements of a flexible array. */
  readonly byteSize: number;
}

/** Larger values are not encoded: types of hostile BTF may have 4 GiB. */
const BYTES = 2 ** 28;

/**
 * Makes a function that encodes values of a type: the inverse of `decoderOf`. Members that are not given are zero, as
 * in C, and so is padding. Integers may be numbers, `bigint`s, or strings of digits, decimal or with `0x` (JSON has no
 * wide integers); enums may be names, `"A|B"`, or numbers; arrays may be shorter than their type. Of a union one view
 * is enough; of several, the later ones win.
 *
 * @throws as decoderOf, and BtfLimitError ERR_DATA_LIMIT for types of more than 256 MiB
 * @example
 * const encodeTime = encoderOf(btf.require("timespec64", "struct"));
 * console.log(encodeTime({ tv_sec: 5, tv_nsec: "0x10" })[8]); // 16
 */
export function encoderOf(type: BtfType, options: EncodeOptions = {}): Encoder {
  const plan = planOf(type);
  const write = writerOf(plan, { little: isLittle(type), options, known: new Map() });
  const encoder = (value: unknown, target?: Uint8Array, byteOffset = 0): Uint8Array => {
    try {
      const bytes = new Uint8Array(checkedLength(type, encodedLength(plan, value, 0)));
      write(new DataView(bytes.buffer), 0, value);
      return target ? put(type, bytes, target, byteOffset) : bytes;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const { path, message, nearest } = error;
      const name = path || type.name || `type [${type.id}]`;
      throw new BtfDataError(ERR_DATA_VALUE, { typeId: type.id, name, note: message, nearest }, path);
    }
  };
  return Object.assign(encoder, { byteSize: plan.byteSize });
}

/**
 * Encodes one value of a type; as {@link encoderOf}, which is the better choice for more than one.
 *
 * @throws as encoderOf, BtfDataError ERR_DATA_VALUE
 * @example
 * console.log(encode(btf.require("pid_t", "typedef"), 1234)); // Uint8Array(4) [ 210, 4, 0, 0 ]
 */
export function encode(type: BtfType, value: unknown, options: EncodeOptions = {}): Uint8Array {
  return encoderOf(type, options)(value);
}

/** Bytes that a value takes: those of its type, and what a flexible array needs besides. */
function encodedLength(plan: Plan, value: unknown, at: number): number {
  let length = at + plan.extent;
  if (!plan.isFlexible || value === undefined) return length;
  if (plan.kind === "array") return at + elementsOf(plan, value).length * plan.element.byteSize;
  if (plan.kind !== "record" || typeof value !== "object" || value === null) return length;
  for (const { name, byteOffset, plan: inner } of plan.fields) {
    if (!inner.isFlexible || !Object.hasOwn(value, name)) continue;
    const member = (value as Record<string, unknown>)[name];
    try {
      length = Math.max(length, encodedLength(inner, member, at + byteOffset));
    } catch (error) {
      throw error instanceof Fault ? error.within(name) : error;
    }
  }
  return length;
}

function checkedLength(type: BtfType, length: number): number {
  if (length <= BYTES) return length;
  throw new BtfLimitError(ERR_DATA_LIMIT, {
    typeId: type.id,
    name: type.name,
    note: `a value of ${length} bytes`,
    limit: BYTES,
  });
}

function put(type: BtfType, bytes: Uint8Array, target: Uint8Array, byteOffset: number): Uint8Array {
  const limit = byteOffset + bytes.length;
  if (!(byteOffset >= 0 && limit <= target.length)) {
    const name = type.name || `type [${type.id}]`;
    throw new BtfDataError(ERR_DATA_SHORT, { typeId: type.id, name, value: target.length, limit }, "");
  }
  target.set(bytes, byteOffset);
  return target.subarray(byteOffset, limit);
}
