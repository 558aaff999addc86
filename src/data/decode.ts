import type { BtfType } from "../btf/types.js";
import { ERR_DATA_SHORT } from "../errors/data.js";
import { canCompile, compiledReader } from "./compile.js";
import { BtfDataError } from "./error.js";
import type { DecodeOptions, Value } from "./options.js";
import { isLittle, type Plan, planOf } from "./plan.js";
import { type Read, type ReaderContext, readerOf } from "./reader.js";
import { viewOf } from "./source-view.js";

/**
 * Decodes one value of a type.
 *
 * @param bytes what holds the value; it may go on behind it
 * @param byteOffset where the value starts (default 0)
 * @throws BtfDataError ERR_DATA_SHORT that names the member which passes the end
 */
export interface Decoder<T = Value> {
  (bytes: ArrayBuffer | ArrayBufferView, byteOffset?: number): T;
  /** Size of the type in bytes: values of an array are that far apart. Without the elements of a flexible array. */
  readonly byteSize: number;
}

/**
 * Makes a function that decodes values of a type. Make it once and call it for each record: it holds all that is known
 * of the type, and does not look at the Btf again.
 *
 * Structs, unions and sections become objects with their members in order; those of anonymous members stand among
 * them. A union has all its views; large ones are decoded when they are read first, from a copy of the bytes. A
 * flexible array takes the rest of the bytes. See {@link DecodeOptions} for the other types.
 *
 * @param type a type with a size, a VAR, or a DATASEC
 * @throws BtfLookupError ERR_DATA_TYPE for a type without values (void, a function, a declaration), or with a member of
 *   such; BtfFormatError ERR_BTF_LOOP, ERR_DATA_PLACE, BtfLimitError ERR_BTF_DEPTH, ERR_DATA_LIMIT for hostile types
 * @example
 * const list = decoderOf(btf.require("list_head", "struct"));
 * const record = new Uint8Array(16);
 * record[0] = 7;
 * console.log(list(record), list.byteSize); // { next: 7n, prev: 0n } 16
 */
export function decoderOf<T = Value>(type: BtfType, options: DecodeOptions = {}): Decoder<T> {
  const plan = planOf(type);
  const little = isLittle(type);
  const context: ReaderContext = { little, options, known: new Map() };
  const read = options.compile && canCompile(plan, context) ? compiledReader(plan, context) : readerOf(plan, context);
  return withSize(plan, type, read, options) as unknown as Decoder<T>;
}

function withSize(plan: Plan, type: BtfType, read: Read, { partial, flexibleCount }: DecodeOptions): Decoder {
  const { extent, byteSize } = plan;
  const decoder = (bytes: ArrayBuffer | ArrayBufferView, byteOffset = 0): Value => {
    const view = viewOf(bytes);
    const end = view.byteLength;
    // Also for an offset that is no number.
    if (!(byteOffset >= 0 && byteOffset + extent <= end) && !partial) throw shortData(type, plan, byteOffset, end);
    if (flexibleCount !== undefined) checkFlexible(type, plan, byteOffset, end, flexibleCount);
    return read(view, byteOffset, end) as Value;
  };
  return Object.assign(decoder, { byteSize });
}

/**
 * Decodes one value of a type; as {@link decoderOf}, which is the better choice for more than one.
 *
 * @throws BtfDataError ERR_DATA_SHORT, and as decoderOf
 * @example
 * console.log(decode(btf.require("pid_t", "typedef"), new Uint8Array([0xd2, 4, 0, 0]))); // 1234
 */
export function decode<T = Value>(type: BtfType, bytes: ArrayBuffer | ArrayBufferView, options: DecodeOptions = {}): T {
  return decoderOf<T>(type, options)(bytes);
}

/** The error for data that ends within a value; it names the innermost member that passes the end. */
export function shortData(type: BtfType, plan: Plan, byteOffset: number, end: number): BtfDataError {
  const { path, limit } = firstBeyond(plan, byteOffset, end, "");
  const owner = type.name || plan.type.name || `type [${type.id}]`;
  const name = path ? `"${path}" of ${owner}` : owner;
  return new BtfDataError(ERR_DATA_SHORT, { typeId: type.id, name, value: end, limit }, path);
}

/** The first scalar that does not fit, or the first padding. */
function firstBeyond(plan: Plan, at: number, end: number, path: string): { path: string; limit: number } {
  if (plan.kind === "record") {
    for (const { name, byteOffset, plan: inner } of plan.fields) {
      const start = at + byteOffset;
      if (start + inner.extent > end) return firstBeyond(inner, start, end, path ? `${path}.${name}` : name);
    }
  } else if (plan.kind === "array" && plan.length > 0 && !plan.isText) {
    const { element } = plan;
    // The last element may be read further than the others are apart.
    const fits = Math.floor((end - at - element.extent) / Math.max(1, element.byteSize)) + 1;
    const index = Math.min(Math.max(0, fits), plan.length - 1);
    return firstBeyond(element, at + index * element.byteSize, end, `${path}[${index}]`);
  }
  return { path, limit: at + plan.extent };
}

/** A given number of elements has to be there, unless only a part is wanted. */
function checkFlexible(type: BtfType, plan: Plan, byteOffset: number, end: number, count: number): void {
  const found = flexibleArray(plan, byteOffset, "");
  if (!found) return;
  const limit = found.at + count * found.stride;
  if (limit <= end) return;
  const name = `"${found.path}" of ${type.name || `type [${type.id}]`}`;
  throw new BtfDataError(ERR_DATA_SHORT, { typeId: type.id, name, value: end, limit }, found.path);
}

interface FlexibleArray {
  readonly at: number;
  readonly stride: number;
  readonly path: string;
}

function flexibleArray(plan: Plan, at: number, path: string): FlexibleArray | undefined {
  if (!plan.isFlexible) return undefined;
  if (plan.kind === "array") return { at, stride: plan.element.byteSize, path };
  if (plan.kind !== "record") return undefined;
  for (const { name, byteOffset, plan: inner } of plan.fields) {
    const found = flexibleArray(inner, at + byteOffset, path ? `${path}.${name}` : name);
    if (found) return found;
  }
  return undefined;
}
